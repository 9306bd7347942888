"""`cast`, `parse_dates` and `fill_missing`: what becomes of every kind of value."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seedbed.core.errors import RecipeError
from seedbed.core.rows import number_rows
from seedbed.core.step import Rework
from seedbed.engine.kernel import Kernel
from seedbed.engine.plan import check_steps
from seedbed.steps import Cast, FillMissing, ParseDates, ParseNumbers


def rows(**columns: Any) -> pl.DataFrame:
    table = pl.DataFrame(columns, strict=False)
    records = pl.Series(range(1, table.height + 1), dtype=pl.UInt64)
    return number_rows(table, file_number=0, source="s", file="f", records=records)


def read(step: Rework, values: Any) -> list[Any]:
    """Each value as it is read, or why it is not."""
    outcome = Kernel((("it", step),))(rows(x=values))
    gone = outcome.entries.filter(action="rejected")
    found = dict(zip(outcome.kept["row"], outcome.kept["x"].to_list(), strict=True))
    found |= dict(zip(gone["row"], (f"!{reason}" for reason in gone["reason"]), strict=True))
    return [found[f"s:f#{i + 1}"] for i in range(len(values))]


# cast


@pytest.mark.parametrize(
    ("kind", "values", "wanted"),
    [
        (
            "integer",
            ["7", " -3 ", "+4", "3.0", "3.5", "1,234", "x", "", None, "9" * 30],
            [7, -3, 4, 3, *["!"] * 3, None, None, "!"],
        ),
        ("integer", ["9223372036854775807", "9007199254740993.0", "1e3"], [2**63 - 1, "!", 1000]),
        ("integer", [1.0, 2.5, float("nan"), float("inf"), 1e300], [1, "!", None, "!", "!"]),
        ("integer", [True, False, None], [1, 0, None]),
        (
            "number",
            ["1.5", ".5", "5.", "1e-3", "-0", "nan", "inf", "0x10", "1_000", "1.5€"],
            [1.5, 0.5, 5, 1e-3, 0, *["!"] * 5],
        ),
        ("number", [1, None], [1.0, None]),
        ("boolean", ["Yes", "off", "1", "T", "2", " ", "maybe"], [True, False, True, True, "!", None, "!"]),
        ("boolean", [1, 0, 2, None], [True, False, "!", None]),
        ("boolean", [1.0, 0.5, float("nan")], [True, "!", None]),
        ("text", [1, None], ["1", None]),
        ("text", ["", " a "], ["", " a "]),
        (
            "date",
            ["2024-02-29", "2023-02-29", "2024-2-9", "29.02.2024", "2024-02-29T10:00"],
            [date(2024, 2, 29), *["!"] * 4],
        ),
        ("date", [datetime(2024, 1, 1, 23)], [date(2024, 1, 1)]),
        (
            "datetime",
            ["2024-02-29T10:00:00Z", "2024-02-29", "soon"],
            [datetime(2024, 2, 29, 10, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC), "!"],
        ),
        ("datetime", [date(2024, 1, 1)], [datetime(2024, 1, 1, tzinfo=UTC)]),
    ],
)
def test_cast(kind: Any, values: list[Any], wanted: list[Any]) -> None:
    reason = {"integer": "an_integer", "number": "a_number", "boolean": "a_boolean", "date": "a_date"}
    told = f"!not_{reason.get(kind, 'a_datetime')}"
    assert read(Cast(types={"x": kind}), values) == [told if value == "!" else value for value in wanted]
    missing = read(Cast(types={"x": kind}, on_error="missing"), values)
    assert missing == [None if value == "!" else value for value in wanted]


def test_cast_names_the_column_and_the_value_of_the_first_fault() -> None:
    step = Cast(types={"a": "integer", "b": "number"})
    outcome = Kernel((("cast", step),), changes="all")(rows(a=["1", "x", "2"], b=["1", "y", "ann@b.org"]))
    told = outcome.entries.filter(action="rejected").select("reason", "evidence").rows()
    assert told == [
        ("not_an_integer", '{"column":"a","value":"x"}'),
        ("not_a_number", '{"column":"b","value":"[e-mail]"}'),
    ]
    assert outcome.kept.select("a", "b").rows() == [(1, 1.0)]
    made = Kernel((("cast", step.model_copy(update={"on_error": "missing"})),), changes="all")(rows(a=["x"], b=["1"]))
    assert json.loads(made.entries["evidence"][0])["after"] == {"a": None, "b": "1.0"}


def test_cast_refuses_what_no_value_can_be() -> None:
    with pytest.raises(RecipeError, match=r"holds List.*, which is never integer"):
        check_steps([Cast(types={"x": "integer"})], pl.Schema({"x": pl.List(pl.Int64)}))
    with pytest.raises(RecipeError, match="holds Int64, which is never date"):
        check_steps([Cast(types={"x": "date"})], pl.Schema({"x": pl.Int64}))
    with pytest.raises(RecipeError, match=r"steps\.0\.types: .*'y'"):
        check_steps([Cast(types={"y": "date"})], pl.Schema({"x": pl.Int64}))
    with pytest.raises(ValidationError, match="types"):
        Cast(types={})
    made = check_steps([Cast(types={"x": "datetime"})], pl.Schema({"x": pl.String}))
    assert made["x"] == pl.Datetime("us", "UTC")


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)))
def test_cast_reads_what_it_writes(values: list[int | float]) -> None:
    whole = [str(value) for value in values if isinstance(value, int)]
    assert read(Cast(types={"x": "integer"}), whole) == [int(text) for text in whole]
    assert read(Cast(types={"x": "number"}), [repr(float(v)) for v in values]) == [float(v) for v in values]


# parse_dates


def day(step: ParseDates, *values: Any) -> list[Any]:
    return [str(one)[:10] if isinstance(one, datetime | date) else one for one in read(step, list(values))]


def test_dates_of_numbers_are_never_guessed() -> None:
    plain = ParseDates(column="x")
    assert day(plain, "03/04/2024", "25/12/2024", "3.4.24", "next week", "2024-13-01") == [
        *["!ambiguous_date"] * 3,
        *["!not_a_date"] * 2,
    ]
    texts = ("03/04/2024", "25/12/2024", "12/25/2024", "3.4.24 17:30", "3-4-2024")
    first = day(ParseDates(column="x", day_first=True), *texts)
    assert first == ["2024-04-03", "2024-12-25", "!not_a_date", "2024-04-03", "2024-04-03"]
    second = day(ParseDates(column="x", day_first=False), *texts)
    assert second == ["2024-03-04", "!not_a_date", "2024-12-25", "2024-03-04", "2024-03-04"]


def test_formats_are_tried_in_order() -> None:
    texts = ("01.02.2024", "2024-02-01", "1 Feb 2024")
    assert day(ParseDates(column="x", formats=["%m.%d.%Y", "%d.%m.%Y"]), *texts)[0] == "2024-01-02"
    assert day(ParseDates(column="x", formats=["%d.%m.%Y", "%m.%d.%Y"]), *texts)[0] == "2024-02-01"
    assert day(ParseDates(column="x", formats=["iso", "%d %b %Y"]), *texts)[1:] == ["2024-02-01", "2024-02-01"]
    # Two digits are not the year 24.
    assert day(ParseDates(column="x", formats=["%d.%m.%Y", "%d.%m.%y"]), "01.02.24") == ["2024-02-01"]


def test_zones() -> None:
    berlin = ParseDates(column="x", time_zone="Europe/Berlin")
    found = read(berlin, ["2024-07-01 12:00", "2024-07-01 12:00Z", "2024-03-31 02:30", "2024-10-27 02:30"])
    assert found == [
        datetime(2024, 7, 1, 10, tzinfo=UTC),
        datetime(2024, 7, 1, 12, tzinfo=UTC),
        "!not_a_date",
        "!not_a_date",
    ]
    assert read(berlin, [datetime(2024, 7, 1, 12)]) == [datetime(2024, 7, 1, 10, tzinfo=UTC)]
    assert day(ParseDates(column="x", to="date"), "2024-01-01T00:30+01:00") == ["2023-12-31"]


def test_epochs() -> None:
    seconds = ParseDates(column="x", formats=["epoch_seconds"])
    moment = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert read(seconds, [1_700_000_000, None]) == [moment, None]
    assert read(seconds, [1_700_000_000.5, float("nan"), 1e300]) == [
        moment + timedelta(seconds=0.5),
        None,
        "!not_a_date",
    ]
    assert read(seconds, ["1700000000", "x"]) == [moment, "!not_a_date"]
    assert read(ParseDates(column="x", formats=["epoch_milliseconds"]), [1_700_000_000_000]) == [moment]
    assert day(ParseDates(column="x", formats=["%Y%m%d"]), 20240131) == ["2024-01-31"]
    for dtype, problem in ((pl.Int64, "say what its numbers are"), (pl.Boolean, "never a date")):
        with pytest.raises(RecipeError, match=problem):
            check_steps([ParseDates(column="x")], pl.Schema({"x": dtype}))


@given(
    st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 30)),
    st.none() | st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["auto", "minutes", "seconds", "milliseconds"]),
    st.sampled_from("T "),
)
def test_iso_is_what_python_reads(moment: datetime, ahead: int | None, spec: str, sign: str) -> None:
    zoned = moment if ahead is None else moment.replace(tzinfo=timezone(timedelta(minutes=ahead)))
    text = zoned.isoformat(sign, spec)
    wanted = datetime.fromisoformat(text)
    try:
        utc = wanted.replace(tzinfo=UTC) if ahead is None else wanted.astimezone(UTC)
    except OverflowError:
        return
    assert read(ParseDates(column="x"), [text, "x"]) == [utc, "!not_a_date"]


def test_several_columns_and_missing() -> None:
    step = ParseDates(column=["a", "b"], on_error="missing")
    outcome = Kernel((("parse_dates", step),))(rows(a=["2024-01-01", "x"], b=["03/04/2024", None]))
    assert outcome.kept["b"].to_list() == [None, None]
    assert outcome.kept["a"].null_count() == 1
    with pytest.raises(RecipeError, match="'c'"):
        check_steps([ParseDates(column=["a", "c"])], pl.Schema({"a": pl.String}))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"formats": ["isoo"]}, "did you mean 'iso'"),
        ({"formats": ["%H:%M"]}, "has no year"),
        ({"formats": ["%Y"]}, "needs year, month and day"),
        ({"formats": ["%Y-%m-%d", "%Y-%m-%d"]}, "named twice"),
        ({"formats": []}, "formats"),
        ({"time_zone": "Europe/Berlim"}, "did you mean 'Europe/Berlin'"),
        ({"column": []}, "column"),
    ],
)
def test_parse_dates_refuses(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        ParseDates.model_validate({"use": "parse_dates", "column": "x", **options})


# fill_missing


@pytest.mark.parametrize(
    ("dtype", "value", "wanted"),
    [
        (pl.String, 0, "0"),
        (pl.String, "", ""),
        (pl.Int16, 7, 7),
        (pl.Float32, 1, 1.0),
        (pl.Float64, 0.5, 0.5),
        (pl.Boolean, True, True),
        (pl.Date, "2024-01-01", date(2024, 1, 1)),
        (pl.Datetime("us"), "2024-01-01T10:00", datetime(2024, 1, 1, 10)),
        (pl.Datetime("ms", "UTC"), "2024-01-01T10:00Z", datetime(2024, 1, 1, 10, tzinfo=UTC)),
        (pl.Categorical, "new", "new"),
        (pl.Enum(["a", "b"]), "b", "b"),
    ],
)
def test_a_column_keeps_its_type(dtype: Any, value: Any, wanted: Any) -> None:
    table = pl.DataFrame({"x": pl.Series([None, None], dtype=dtype)})
    filled = table.with_columns(FillMissing(values={"x": value}).columns())["x"]
    assert filled.dtype == dtype
    assert filled.to_list() == [wanted] * 2
    assert check_steps([FillMissing(values={"x": value})], table.schema)["x"] == dtype


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (pl.Int64, 0.5),
        (pl.Int64, "0"),
        (pl.Int8, 300),
        (pl.Float64, "x"),
        (pl.Boolean, 1),
        (pl.Boolean, "true"),
        (pl.Date, "tomorrow"),
        (pl.Date, 5),
        (pl.Enum(["a"]), "b"),
        (pl.List(pl.Int64), 1),
    ],
)
def test_a_value_that_a_column_cannot_hold_is_refused(dtype: Any, value: Any) -> None:
    with pytest.raises(RecipeError, match=r"steps\.0: .*'x' holds .*, which cannot be"):
        check_steps([FillMissing(values={"x": value})], pl.Schema({"x": dtype}))


def test_copies_go_before_values() -> None:
    table = rows(a=[None, float("nan"), 1.5, None], b=[1, 2, 3, None], t=["", "x", None, "y"])
    step = FillMissing(copies={"a": "b", "t": "b"}, values={"t": "?"})
    made = table.with_columns(step.columns())
    assert made["a"].to_list() == [1.0, 2.0, 1.5, None]
    assert made["t"].to_list() == ["1", "x", "3", "y"]
    whole = FillMissing(values={"t": "?"}, blank=False)
    assert table.with_columns(whole.columns())["t"].to_list() == ["", "x", "?", "y"]
    with pytest.raises(RecipeError, match="'b' holds Int64, and 'a' holds Float64, which does not fit"):
        check_steps([FillMissing(copies={"b": "a"})], table.drop("row", "_n").schema)
    with pytest.raises(RecipeError, match=r"steps\.0\.copies: .*'c'"):
        check_steps([FillMissing(copies={"a": "c"})], table.drop("row", "_n").schema)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "needs values"),
        ({"copies": {"a": "a"}}, "from itself"),
        ({"copies": {"a": "b", "b": "c"}}, "two steps, in order"),
        ({"values": {"a": None}}, "values"),
        ({"values": {"a": [1]}}, "values"),
    ],
)
def test_fill_missing_refuses(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        FillMissing.model_validate({"use": "fill_missing", **options})


# parse_numbers


@pytest.mark.parametrize(
    ("decimal", "text", "number"),
    [
        (".", "$1,234.50", 1234.5),
        (".", " 99 USD", 99),
        (".", "-$5", -5),
        (".", "$-5", -5),
        (".", "(5.50 $)", -5.5),
        (".", "\u22127", -7),
        (".", "1\u202f234", 1234),
        (".", "12,34,567", 1234567),
        (".", "1e3", 1000),
        (".", "-$-5", None),
        (".", "(-5)", None),
        (".", "(5", None),
        (".", "1,23", None),
        (".", "1,234 567", None),
        (".", "$", None),
        (".", "5 EUR", None),
        (".", "3-5", None),
        (".", "nan", None),
        (",", "1.234,5", 1234.5),
        (",", "1'234", 1234),
        (",", "1.5", None),
    ],
)
def test_numbers_as_people_write_them(decimal: str, text: str, number: float | None) -> None:
    step = ParseNumbers.model_validate(
        {"use": "parse_numbers", "column": "x", "decimal": decimal, "around": ["$", "USD"]}
    )
    done = pl.DataFrame({"x": [text]}).select(step.work().alias("done"))["done"][0]
    assert (done["columns"]["x"], done["reason"]) == (number, None if number is not None else "not_a_number")


def test_what_stands_around_a_number_is_no_part_of_one() -> None:
    for word in ("", "1st", "-", "1,", "("):
        with pytest.raises(ValidationError, match="without digits"):
            ParseNumbers.model_validate({"use": "parse_numbers", "column": "x", "around": [word]})
