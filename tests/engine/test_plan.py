"""Columns of several sources together: what goes together holds every value, what does not is refused before."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Literal

import polars as pl
import pytest
from pydantic import BaseModel, Field

from seedbed.core.errors import RecipeError
from seedbed.core.part import Column, Columns, Part
from seedbed.core.source import InputFile, Scan
from seedbed.engine.jobs import Opened, conform
from seedbed.engine.plan import check_columns, common_schema, renames_of
from seedbed.sources import Csv
from seedbed.splits import Stratified

#: Types with their most awkward values.
KINDS: list[tuple[pl.DataType, list[Any]]] = [
    (pl.Null(), [None]),
    (pl.String(), ["x", ""]),
    *((kind, [pl.select(kind.min()).item(), pl.select(kind.max()).item()]) for kind in (
        pl.Int8(), pl.Int32(), pl.Int64(), pl.UInt8(), pl.UInt64(), pl.Float32(), pl.Float64()
    )),
    (pl.Boolean(), [True, False]),
    (pl.Decimal(38, 0), [Decimal(10**37)]),
    (pl.Decimal(10, 2), [Decimal("99999999.99")]),
    (pl.Date(), [date(1, 1, 1), date(9999, 12, 31)]),
    (pl.Datetime("us"), [datetime(1, 1, 1), datetime(9999, 12, 31)]),
    (pl.Datetime("ns"), [datetime(2000, 1, 1)]),
    (pl.Datetime("us", "UTC"), [datetime(2000, 1, 1, tzinfo=UTC)]),
    (pl.Time(), [time(1)]),
    (pl.Duration("us"), [timedelta(1)]),
    (pl.Binary(), [b"\xff"]),
    (pl.Categorical(), ["a"]),
    (pl.Enum(["a"]), ["a"]),
    (pl.Enum(["b"]), ["b"]),
    (pl.List(pl.Int64()), [[1], []]),
    (pl.List(pl.Int32()), [[1], None]),
    (pl.List(pl.String()), [["a"]]),
    (pl.List(pl.Struct({"a": pl.Int64()})), [[{"a": 1}]]),
    (pl.Struct({"a": pl.Int64()}), [{"a": 1}]),
    (pl.Struct({"b": pl.Int32()}), [{"b": 1}]),
    (pl.Array(pl.Int64(), 2), [[1, 2]]),
]  # fmt: skip


def together(*kinds: pl.DataType) -> pl.DataType:
    return common_schema([(f"sources.{i}", pl.Schema({"x": kind})) for i, kind in enumerate(kinds)])["x"]


@pytest.mark.parametrize(("one", "other"), list(itertools.product(KINDS, KINDS)), ids=lambda kind: str(kind[0]))
def test_types_go_together_for_all_their_values_or_are_refused(
    one: tuple[pl.DataType, list[Any]], other: tuple[pl.DataType, list[Any]]
) -> None:
    try:
        kind = together(one[0], other[0])
    except RecipeError as error:
        assert error.at == "sources.1"
        assert "rename" in error.hint
        assert one[0] != other[0]
        with pytest.raises(RecipeError):
            together(other[0], one[0])
        return
    assert together(other[0], one[0]) == kind
    assert kind != pl.Int128
    for given, values in (one, other):
        table = pl.DataFrame({"old": pl.Series(values, dtype=given)})
        found = conform(table, {"x": "old"}, pl.Schema({"x": kind}))
        assert found["x"].null_count() == table["old"].null_count()


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [
        ((pl.Int32(), pl.Int64()), pl.Int64()),
        ((pl.Int64(), pl.UInt64()), pl.Decimal(38, 0)),
        ((pl.Int64(), pl.UInt64(), pl.Int64()), pl.Decimal(38, 0)),
        ((pl.Int64(), pl.UInt64(), pl.Float32()), pl.Float64()),
        ((pl.Datetime("ns"), pl.Date()), pl.Datetime("us")),
        ((pl.Int64(), pl.Float32()), pl.Float64()),
        ((pl.String(), pl.Int64()), pl.String()),
        ((pl.Boolean(), pl.String()), pl.String()),
        ((pl.Date(), pl.Datetime("us")), pl.Datetime("us")),
        ((pl.List(pl.Int32()), pl.List(pl.Int64())), pl.List(pl.Int64())),
        ((pl.Enum(["a"]), pl.Enum(["b"])), pl.String()),
        ((pl.Null(), pl.Null()), pl.String()),
        ((pl.Null(), pl.Int8(), pl.Int64()), pl.Int64()),
    ],
)
def test_types_widen(kinds: tuple[pl.DataType, ...], wanted: pl.DataType) -> None:
    assert together(*kinds) == wanted


@pytest.mark.parametrize(
    "kinds",
    [
        (pl.List(pl.Int64()), pl.String()),
        (pl.Struct({"a": pl.Int64()}), pl.Int64()),
        (pl.Date(), pl.Int64()),
        (pl.Binary(), pl.String()),
        (pl.Datetime("us"), pl.Datetime("us", "UTC")),
    ],
)
def test_types_that_do_not_mean_the_same_are_refused(kinds: tuple[pl.DataType, ...]) -> None:
    with pytest.raises(RecipeError, match=r"sources\.1: column 'x' holds"):
        together(*kinds)


def opened(*columns: str) -> Opened:
    source = Csv(path="x.csv")
    scan = Scan((InputFile("x.csv", "x.csv", 1),), pl.Schema(dict.fromkeys(columns, pl.String())), notes=("first",))
    return Opened(source, scan, "csv", "x", 0, renames_of(source, scan, "sources.0"))


def test_a_column_with_the_name_of_the_rows_ids_is_kept_under_another_and_told() -> None:
    found = opened("row", "row_", "row_2", "_n", "text")
    assert found.renames == {"row_3": "row", "row_": "row_", "row_2": "row_2", "_n_": "_n", "text": "text"}
    assert found.notes == (
        "first",
        "column 'row' is read as 'row_3', because 'row' is the rows' own id",
        "column '_n' is read as '_n_', because '_n' is the rows' own id",
    )
    assert opened("row").renames == {"row_": "row"}
    assert opened("", "a\0", "\0a", "_").renames == {"_2": "", "a_": "a\0", "a_2": "\0a", "_": "_"}
    assert opened("text").notes == ("first",)


class _Inner(BaseModel):
    column: Column | None = None


class _Nested(Part):
    family: ClassVar[str] = ""
    use: Literal[""] = ""
    several: Columns | None = Field(None)
    inner: _Inner | Literal[False] = _Inner()


def test_columns_are_found_wherever_an_option_names_them() -> None:
    part = _Nested(several=["a", "b"], inner=_Inner(column="c"))
    assert list(part.columns_used()) == [("several", "a"), ("several", "b"), ("inner.column", "c")]
    assert list(_Nested(inner=False).columns_used()) == []
    split = Stratified.model_validate({"use": "stratified", "keep_together": {"column": "txt"}, "group": "who"})
    assert set(Stratified.columns_named()) == {"keep_together.column", "group", "label"}
    with pytest.raises(RecipeError, match=r"split\.keep_together\.column: .*'txt'.*\n.*'text'"):
        check_columns(split, ["text", "who"], "split")
    check_columns(split, ["txt", "who"], "split")
