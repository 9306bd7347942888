from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.errors import BooksError, RecipeError
from seedbed.core.ledger import EXCERPT_LENGTH, Books, excerpt_of, mask
from seedbed.core.part import Column
from seedbed.core.rows import NUMBER, ROW, number_rows
from seedbed.core.step import Filter, Map, Rework
from seedbed.core.task import TextClassification
from seedbed.engine.entries import reject, whole_rows
from seedbed.engine.kernel import Kernel, Usable
from seedbed.engine.plan import check_steps
from seedbed.steps.drop_missing import DropMissing
from seedbed.steps.keep_values import KeepValues
from seedbed.steps.normalize import Normalize
from seedbed.steps.text_length import TextLength
from seedbed.steps.where import Where

TASK = TextClassification(kind="text_classification", text="text", label="label")


def rows(**columns: list[object]) -> pl.DataFrame:
    table = pl.DataFrame(columns, strict=False)
    records = pl.Series(range(1, table.height + 1), dtype=pl.UInt64)
    return number_rows(table, file_number=0, source="s", file="f.csv", records=records)


def test_every_reject_is_in_the_ledger_with_reason_evidence_and_the_whole_row() -> None:
    kernel = Kernel((("text_length", TextLength(column="text", at_least=3)), ("task", Usable(use="task", task=TASK))))
    outcome = kernel(rows(text=["long enough", "x", None, "fine"], label=["a", "b", "a", None]))
    assert outcome.kept[ROW].to_list() == ["s:f.csv#1"]
    found = {entry["row"]: entry for entry in outcome.entries.iter_rows(named=True)}
    assert {row: entry["reason"] for row, entry in found.items()} == {
        "s:f.csv#2": "too_short",
        "s:f.csv#3": "cannot_tell",
        "s:f.csv#4": "unlabelled",
    }
    assert json.loads(found["s:f.csv#2"]["record"]) == {"text": "x", "label": "b"}
    assert {entry["source"] for entry in found.values()} == {"s"}


def test_bytes_are_evidence_in_hexadecimal_digits() -> None:
    kernel = Kernel((("where", Where(condition="bytes IS NULL")),))
    outcome = kernel(rows(bytes=[b"\xff\x00", None, b"\x01" * 5000]))
    assert outcome.kept[ROW].to_list() == ["s:f.csv#2"]
    short, long = (json.loads(evidence)["bytes"] for evidence in outcome.entries["evidence"])
    assert short == "ff00"
    assert long.startswith("0101")
    assert len(long) <= EXCERPT_LENGTH


def test_changes_are_counted_in_full() -> None:
    texts = [f" padded  {i}" if i % 3 else f"clean {i}" for i in range(900)]
    outcome = Kernel((("normalize", Normalize(column="text")),), changes="all")(rows(text=texts))
    assert outcome.changed == {"normalize": 600}
    assert outcome.entries.height == 600
    first = json.loads(outcome.entries["evidence"][0])
    assert first == {"before": {"text": " padded  1"}, "after": {"text": "padded 1"}}
    sampled = Kernel((("normalize", Normalize(column="text")),))(rows(text=texts))
    assert sampled.changed == {"normalize": 600}
    assert 0 < sampled.entries.height < 30


def test_a_map_that_loses_rows_or_identity_is_caught() -> None:
    class Renumber(Map):
        use: str = ""

        def columns(self) -> list[pl.Expr]:
            return [pl.lit(7, pl.UInt64).alias(NUMBER)]

    with pytest.raises(BooksError, match="identity"):
        Kernel((("renumber", Renumber(use="renumber")),))(rows(text=["a", "b"]))


def test_a_constant_filter_counts_every_row() -> None:
    class Nothing(Filter):
        use: str = ""

        def keep(self) -> pl.Expr:
            return pl.lit(False)

    outcome = Kernel((("nothing", Nothing(use="nothing")),))(rows(text=["a", "b"]))
    assert (outcome.kept.height, outcome.entries.height) == (0, 2)


class Halve(Rework):
    """Halves even numbers, rejects odd ones; counts how often it works."""

    use: str = ""
    column: Column = "x"
    told = ("was", "of")
    worked: ClassVar[list[int]] = []

    def work(self) -> pl.Expr:
        def halved(numbers: pl.Series) -> pl.Series:
            self.worked.append(numbers.len())
            return numbers // 2

        number = pl.col(self.column)
        return pl.struct(
            reason=pl.when(number.is_null()).then(pl.lit("nothing")).when(number % 2 == 1).then(pl.lit("odd")),
            evidence=pl.struct(was=number, of=pl.lit("ann@example.org")),
            columns=pl.struct(number.map_batches(halved, return_dtype=pl.Int64).alias("x"), half=pl.lit(True)),
        )

    def written(self) -> Sequence[str]:
        return ["x", "half"]


def test_a_step_may_reject_some_rows_and_rewrite_the_others_after_working_once() -> None:
    Halve.worked.clear()
    kernel = Kernel((("halve", Halve(use="halve")), ("again", Halve(use="again"))), changes="all")
    outcome = kernel(rows(x=[4, 3, None, 0]))
    assert outcome.kept.columns == [NUMBER, ROW, "x", "half"]
    assert outcome.kept.select("x", "half").rows() == [(1, True), (0, True)]
    told = outcome.entries.select(ROW, "action", "part", "reason", "evidence", "record").rows()
    again = '{"before":{"x":"2","half":"true"},"after":{"x":"1","half":"true"}}'
    assert told == [
        ("s:f.csv#2", "rejected", "halve", "odd", '{"was":3,"of":"[e-mail]"}', '{"x":3}'),
        ("s:f.csv#3", "rejected", "halve", "nothing", '{"was":null,"of":"[e-mail]"}', '{"x":null}'),
        ("s:f.csv#1", "changed", "halve", "halve", '{"before":{"x":"4"},"after":{"x":"2"}}', None),
        ("s:f.csv#1", "changed", "again", "again", again, None),
    ]
    assert outcome.rows_out == {"halve": 2, "again": 2}
    assert outcome.changed == {"halve": 1, "again": 1}
    assert Halve.worked == [4, 2]


def test_a_rework_is_a_filter_and_a_map_to_whoever_knows_these_two() -> None:
    table, step = rows(x=[4, 3]), Halve(use="halve")
    assert table.filter(step.keep()).with_columns(step.columns())["x"].to_list() == [2]
    assert {name for one in step.columns() for name in one.meta.root_names()} == {"x"}
    assert check_steps([step], pl.Schema({"x": pl.Int64()})).names() == [NUMBER, ROW, "x", "half"]
    with pytest.raises(RecipeError, match="column 'x', which is not there"):
        check_steps([step], pl.Schema({"y": pl.Int64()}))
    with pytest.raises(RecipeError, match="cannot work on these columns"):
        check_steps([step], pl.Schema({"x": pl.String()}))


@given(
    st.lists(st.tuples(st.one_of(st.none(), st.text(max_size=30)), st.sampled_from(["a", "b", "", None])), max_size=40),
    st.integers(1, 50),
)
def test_nothing_is_lost_and_batches_do_not_matter(pairs: list[tuple[str | None, str | None]], batch: int) -> None:
    table = rows(
        text=pl.Series([p[0] for p in pairs], dtype=pl.String), label=pl.Series([p[1] for p in pairs], dtype=pl.String)
    )
    kernel = Kernel(
        (
            ("normalize", Normalize(column="text")),
            ("drop_missing", DropMissing(columns=["text"])),
            ("text_length", TextLength(column="text", at_least=2, at_most=20)),
            ("task", Usable(use="task", task=TASK)),
        ),
        changes="all",
    )
    whole = kernel(table)
    rejected = whole.entries.filter(pl.col("action") == "rejected")
    assert sorted([*whole.kept[NUMBER], *rejected[NUMBER]]) == table[NUMBER].to_list()
    pieces = [kernel(table.slice(at, batch)) for at in range(0, max(len(pairs), 1), batch)]
    assert pl.concat([piece.kept for piece in pieces]).equals(whole.kept)
    together = pl.concat([piece.entries for piece in pieces]).sort(NUMBER, "part", "action")
    assert together.equals(whole.entries.sort(NUMBER, "part", "action"))


def test_books_that_do_not_balance_fail() -> None:
    with pytest.raises(BooksError, match="3 rows read"):
        Books(read=3, kept=1, rejected={"x": {"y": 1}}).check(at="here")


@given(st.text(max_size=600))
def test_excerpts_are_short_and_without_control_characters(text: str) -> None:
    shown = pl.DataFrame({"t": [text]}).select(excerpt_of(pl.col("t"))).item()
    assert len(shown) <= EXCERPT_LENGTH
    assert not any(ord(c) < 32 or ord(c) == 127 for c in shown)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("write to ann.b+c@example.co.uk now", "example"),
        ("call +49 (30) 1234-5678 today", "1234"),
        ("card 4111 1111 1111 1111 expires", "4111"),
        ("from 192.168.10.20 port", "192.168"),
        ("pay DE89 3704 0044 0532 0130 00 please", "3704"),
        ("x" * 190 + " 4111 1111 1111 1111", "4111"),
    ],
)
def test_personal_data_is_masked_in_excerpts(text: str, secret: str) -> None:
    assert secret not in pl.DataFrame({"t": [text]}).select(excerpt_of(pl.col("t"))).item()


@pytest.mark.parametrize(("text", "masked"), [
    ("-3.579078715", False), ("1234.567891234", False), ("2.5e-12", False), ("0.00012345678", False),
    ("555.1234567", True), ("030.1234567", True), ("1.4103551 and 2.5", True),
])  # fmt: skip
def test_a_decimal_number_by_itself_is_no_telephone_number(text: str, masked: bool) -> None:
    assert (mask(text) != text) == masked


class Quoting(Filter):
    use: str = ""

    def keep(self) -> pl.Expr:
        return pl.col("text") == "ok"

    def evidence(self) -> dict[str, pl.Expr]:
        kind = pl.Enum(["write to ann@example.org", "ok"])
        return {
            "value": pl.col("text"),
            "kind": pl.col("text").cast(kind),
            "all": pl.concat_list("text", "text"),
            "row": pl.lit("ann@example.org"),
            "length": pl.col("text").str.len_chars(),
        }


def test_personal_data_is_masked_in_evidence_whatever_a_step_says() -> None:
    outcome = Kernel((("quoting", Quoting(use="quoting")),))(rows(text=["ok", *["write to ann@example.org"] * 2]))
    told = "write to [e-mail]"
    assert [json.loads(found) for found in outcome.entries["evidence"]] == [
        {"value": told, "kind": told, "all": [told, told], "row": "[e-mail]", "length": 24}
    ] * 2
    step = KeepValues(column="text", values=["ok"])
    assert "ann@" not in Kernel((("keep_values", step),))(rows(text=["ann@example.org"])).entries["evidence"].item()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=500))
def test_one_text_is_masked_like_a_column(text: str) -> None:
    assert mask(text) == pl.DataFrame({"t": [text]}).select(excerpt_of(pl.col("t"))).item()


def test_digests_and_records_tell_what_json_cannot() -> None:
    """NaN, infinity and null are three values; bytes and user columns with any name are fine."""
    from seedbed.core.digest import RowsDigest

    found = set()
    for value in (None, float("nan"), float("inf"), float("-inf"), 1.0):
        told = RowsDigest()
        told.update(rows(x=[1.5, value]))
        found.add(told.hexdigest())
    assert len(found) == 5
    table = rows(x=[b"\xff\x00", None])
    assert json.loads(whole_rows(table)[0]) == {"x": "ff00"}


def test_user_columns_cannot_reach_into_the_ledger() -> None:
    table = rows(text=["a", "b"], reason=["mine", "mine"], _reason=["mine", "mine"], _evidence=["mine", "mine"])
    verdicts = pl.DataFrame({NUMBER: table[NUMBER][1:], "reason": ["theirs"], "evidence": ['{"of":"x"}']})
    kept, entries = reject(table, verdicts, "part", "text")
    assert kept["text"].to_list() == ["a"]
    assert entries.select("reason", "evidence").row(0) == ("theirs", '{"of":"x"}')
    assert json.loads(entries["record"][0])["_reason"] == "mine"


@pytest.mark.parametrize("blank", ["\x1c", " \u2003\x85", "", None])
def test_a_text_of_nothing_is_no_text(blank: str | None) -> None:
    outcome = Kernel((("task", Usable(use="task", task=TASK)),))(rows(text=["words", blank], label=["a", "a"]))
    assert outcome.entries["reason"].to_list() == ["no_text"]


def test_a_number_that_is_none_is_no_label() -> None:
    outcome = Kernel((("task", Usable(use="task", task=TASK)),))(rows(text=["x", "y"], label=[1.0, float("nan")]))
    assert outcome.entries["reason"].to_list() == ["unlabelled"]
