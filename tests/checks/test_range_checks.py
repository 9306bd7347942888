"""`unique`, `value_range`, `matches` and `text_length_range` beyond their examples."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seedbed.checks import Matches, TextLengthRange, Unique, ValueRange
from seedbed.core.check import View
from seedbed.core.errors import DataError
from seedbed.core.rows import ROW
from seedbed.core.task import TextClassification

TASK = TextClassification(kind="text_classification", text="text", label="label")


def view(**columns: Any) -> View:
    table = pl.DataFrame(columns, strict=False)
    rows = table.with_columns(pl.format("0:t#{}", pl.int_range(1, table.height + 1)).alias(ROW))
    return View(rows=rows.lazy(), task=TASK)


# unique


def test_unique_names_the_value_that_is_there_most_often() -> None:
    rows = view(id=["a", "b", "b", "c", "c", "c", None, None, " "])
    found = Unique(columns=["id"], on_fail="stop").find(rows)
    assert (found.passed, found.value, found.limit, found.on_fail) == (False, 3, 0, "stop")
    assert found.rows == ("0:t#4", "0:t#5", "0:t#6")
    assert found.message == (
        "3 rows repeat the id of a row before them: 2 values are there more than once, 'c' in 3 rows."
    )
    pair = Unique(columns=["a", "b"]).find(view(a=[1, 1, 1], b=["x@y.org", "y", "x@y.org"]))
    assert pair.message == (
        "1 row repeats the a and b of a row before them: one value is there more than once, '1, [e-mail]' in 2 rows."
    )
    assert pair.rows == ("0:t#1", "0:t#3")


@given(st.lists(st.tuples(st.sampled_from(["x", "y", "", None]), st.none() | st.integers(0, 3)), max_size=20))
def test_unique_counts_like_a_counter(pairs: list[tuple[str | None, int | None]]) -> None:
    rows = view(a=pl.Series([a for a, _ in pairs], dtype=pl.String), b=pl.Series([b for _, b in pairs], dtype=pl.Int64))
    counts = Counter(pair for pair in pairs if pair[0] and pair[1] is not None)
    found = Unique(columns=["a", "b"]).find(rows)
    assert found.value == sum(n - 1 for n in counts.values())
    assert found.passed == (found.value == 0)


# value_range


def test_value_range_of_numbers() -> None:
    rows = view(age=[10, 240, -1, None, 30], score=[0.5, float("nan"), float("inf"), None, 1])
    found = ValueRange(column="age", at_least=0, at_most=120).find(rows)
    assert (found.passed, found.value, found.limit, found.rows) == (False, 0.5, 0.0, ("0:t#2", "0:t#3"))
    assert found.message == (
        "2 of 4 (50.0 %) values of age lie outside: at least 0 and at most 120 is expected, and they go from -1 to 240."
    )
    assert ValueRange(column="score", at_most=1).find(rows).value == pytest.approx(1 / 3, abs=1e-6)
    some = ValueRange(column="age", at_most=120, share_outside=0.25).find(rows)
    assert some.passed
    assert some.message.endswith("from -1 to 240. At most 25.0 % may.")
    assert ValueRange(column="age", at_most=1).find(view(age=pl.Series([None], dtype=pl.Int64))).passed


@pytest.mark.parametrize(
    "values",
    [
        [date(2023, 12, 31), date(2024, 1, 1), None],
        [datetime(2023, 12, 31, 23, 59), datetime(2024, 1, 1), None],
        [datetime(2023, 12, 31, 23, 59, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC), None],
    ],
)
def test_value_range_of_dates(values: list[Any]) -> None:
    found = ValueRange(column="day", at_least="2024-01-01", at_most="2024-12-31T23:59:59Z").find(view(day=values))  # type: ignore[arg-type]
    assert (found.value, found.rows) == (0.5, ("0:t#1",))
    assert "at least 2024-01-01 and at most 2024-12-31T23:59:59+00:00 is expected" in found.message


def test_value_range_says_what_the_column_holds() -> None:
    with pytest.raises(DataError, match=r"'x' holds String, and the limits are numbers\n.*cast"):
        ValueRange(column="x", at_least=1).find(view(x=["1"]))
    with pytest.raises(DataError, match=r"'x' holds Int64, and the limits are dates\n.*parse_dates"):
        ValueRange(column="x", at_least="2024-01-01").find(view(x=[1]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "needs at_least, at_most or both"),
        ({"at_least": 2, "at_most": 1}, "nothing is at least 2 and at most 1"),
        ({"at_least": "2024-02-01", "at_most": "2024-01-01"}, "nothing is at least 2024-02-01"),
        ({"at_least": 1, "at_most": "2024-01-01"}, "one a number and one a date"),
        ({"at_least": "soon"}, "neither a number nor a date"),
        ({"at_least": True}, "a number or a date"),
        ({"at_least": 1, "share_outside": 1}, "share_outside"),
    ],
)
def test_value_range_refuses(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        ValueRange.model_validate({"use": "value_range", "column": "x", **options})


# matches


def test_matches_shows_what_does_not() -> None:
    rows = view(code=["A1", "A12", "xA1", "A1\n", "", None])
    found = Matches(column="code", pattern="A[0-9]|A[0-9]{3}").find(rows)
    assert (found.passed, found.value, found.limit) == (False, 0.2, 1.0)
    assert found.rows == ("0:t#2", "0:t#3", "0:t#4", "0:t#5")
    assert found.message == "4 of 5 (80.0 %) values of code do not fit 'A[0-9]|A[0-9]{3}', such as 'A12', 'xA1', 'A1 '."
    assert Matches(column="code", pattern="A[0-9]", anywhere=True, at_least=0.8).find(rows).passed
    assert Matches(column="n", pattern="\\d").find(view(n=[1, 2, None])).passed
    assert Matches(column="n", pattern="x").find(view(n=pl.Series([None], dtype=pl.String))).value == 1


@pytest.mark.parametrize("pattern", ["(", "[a", "(?=x)", "a{2,1}", "(?x) a # open"])
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="is no regular expression"):
        Matches(column="x", pattern=pattern)


# text_length_range


def test_text_length_range() -> None:
    rows = view(text=["été", "", "five words are in here", None])
    found = TextLengthRange(at_least=3).for_task(TASK.roles).find(rows)
    assert (found.passed, found.value, found.rows) == (False, pytest.approx(1 / 3, abs=1e-6), ("0:t#2",))
    assert found.message == (
        "1 of 3 (33.3 %) texts of text lie outside: at least 3 characters are expected, and they have 0 to 22."
    )
    assert TextLengthRange(column="text", at_most=5, unit="words").find(rows).passed
    assert not TextLengthRange(column="text", at_most=4, unit="words", share_outside=0.3).find(rows).passed
    with pytest.raises(ValidationError, match="nothing is at least 3 and at most 2"):
        TextLengthRange(at_least=3, at_most=2)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])) | st.none()), st.integers(0, 9), st.integers(9, 20))
def test_lengths_are_pythons(texts: list[str | None], least: int, most: int) -> None:
    rows = view(text=pl.Series(texts, dtype=pl.String))
    known = [text for text in texts if text is not None]
    outside = sum(not least <= len(text) <= most for text in known)
    found = TextLengthRange(column="text", at_least=least, at_most=most).find(rows)
    assert found.value == pytest.approx(outside / len(known) if known else 0, abs=1e-6)
