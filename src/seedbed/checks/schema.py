"""schema: the columns that are expected, with their types."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.check import Check, Finding, View
from seedbed.core.ledger import mask
from seedbed.core.numbers import things, word
from seedbed.core.part import Example
from seedbed.core.rows import ROW, data_columns
from seedbed.core.values import is_missing, text_of

from .rows_shown import MOST, first_rows

Kind = Literal["text", "integer", "number", "boolean", "date", "datetime", "list", "record", "any"]

#: What texts must hold so that a column could have the type; the rows that do not are shown.
_READS_AS: dict[str, pl.DataType] = {"integer": pl.Int64(), "number": pl.Float64()}
_TRUTH = ("true", "false")


class Schema(Check):
    """Are the columns there that are expected, with the types that are expected, and no others?

    The value is the number of things that stand against it. The finding names rows: those whose text cannot be read as
    the type that is expected, and those that hold a value of another type, or one in a column that nobody expects. No
    row is to blame for a column that is not there, or that stands elsewhere.

    ## Why
    A column that was renamed upstream, or turned from numbers into text by one `n/a`, fails late and in odd words, or
    not at all.

    ## Limits
    Looks at the rows after all steps; hold a file against the recipe (`seedbed check`) to see it as it comes. A whole
    number is a number, too, and a date is no moment. What stands inside lists and records is not looked at; for what
    values may be, see `value_range`, `allowed_values`, `matches` and `no_missing`.
    """

    use: Literal["schema"] = "schema"
    columns: Annotated[dict[str, Kind], Field(min_length=1)] = Field(
        description="Columns that must be there, as NAME: TYPE (`any` for any)."
    )
    others: bool = Field(True, description="Whether there may be other columns.")
    in_order: bool = Field(False, description="Whether columns must stand in this order (others may stand between).")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="As it should be",
            options={"columns": {"text": "text", "stars": "integer"}},
            before={"text": ["a", "b"], "stars": [1, 5], "more": [None, None]},
            after={"passed": [True], "value": [0], "limit": [0]},
        ),
        Example(
            title="Text in place of numbers, a column missing, another one too many",
            options={"columns": {"stars": "integer", "day": "date"}, "others": False},
            before={"stars": ["5", "n/a"], "note": ["x", "y"]},
            after={"passed": [False], "value": [3], "limit": [0]},
        ),
    )

    def find(self, view: View) -> Finding:
        """Compare the columns."""
        schema = view.rows.collect_schema()
        there = [name for name in data_columns(schema) if not name.startswith("_split")]
        faults = list(self._faults(view, schema, there))
        against = [what for what, _ in faults]
        if not against:
            expected = things(len(self.columns), "column that is expected is", "columns that are expected are")
            message = f"The {expected} there, with {word(len(self.columns), 'its type', 'their types')}."
            return self.finding(True, value=0, limit=0, message=message)
        turns = zip_longest(*(some for _, some in faults))
        rows = list(dict.fromkeys(row for turn in turns for row in turn if row))
        message = f"{'; '.join(against[:6])}{f'; and {len(against) - 6} more' if len(against) > 6 else ''}."
        return self.finding(False, value=len(against), limit=0, message=message, rows=tuple(rows[:MOST]))

    def _faults(self, view: View, schema: pl.Schema, there: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
        for name, kind in self.columns.items():
            if name not in there:
                yield f"there is no column {name[:60]!r}", ()
            elif not _is(schema[name], kind):
                told, rows = _blamed(view, name, kind) if schema[name] == pl.String else ("", _holding(view, name))
                yield f"{name[:60]} holds {kind_of(schema[name])}, not {kind}{told}", rows
        if not self.others:
            for name in there:
                if name not in self.columns:
                    yield f"nobody expects a column {name[:60]!r}", _holding(view, name)
        asked = [name for name in self.columns if name in there]
        if self.in_order and asked != [name for name in there if name in self.columns]:
            yield f"the columns are not in the order {', '.join(asked)[:200]}", ()


def _is(kind: pl.DataType, expected: Kind) -> bool:
    found = kind_of(kind)
    return expected in ("any", found) or (expected == "number" and found == "integer")


def kind_of(kind: pl.DataType) -> str:
    """What a schema calls a type; the name that Polars has for it where that is none of these."""
    if isinstance(kind, pl.String | pl.Categorical | pl.Enum):
        return "text"
    if isinstance(kind, pl.List | pl.Array):
        return "list"
    if kind.is_numeric():
        return "integer" if kind.is_integer() else "number"
    names = {pl.Boolean: "boolean", pl.Date: "date", pl.Datetime: "datetime", pl.Struct: "record", pl.Null: "nothing"}
    return next((name for one, name in names.items() if isinstance(kind, one)), str(kind).lower())


def _blamed(view: View, name: str, kind: Kind) -> tuple[str, tuple[str, ...]]:
    """Why a column of text is not of a kind: texts that cannot be read as that, and their rows."""
    text = text_of(name).str.strip_chars()
    if kind == "boolean":
        reads = text.str.to_lowercase().is_in(_TRUTH)
    elif kind in _READS_AS:
        reads = text.cast(_READS_AS[kind], strict=False).is_not_null()
    elif kind in ("date", "datetime"):
        reads = text.str.to_datetime(strict=False, ambiguous="null").is_not_null()
    else:
        return "", _holding(view, name)
    other = view.rows.filter(~is_missing(name) & ~reads).select(ROW, text.alias("text"))
    shown = other.head(MOST).collect(engine="streaming")
    such = ", ".join(repr(mask(one)[:40]) for one in shown["text"].unique(maintain_order=True).head(3))
    if not such:
        return f" (every text could be read as {kind}: see `cast`)", _holding(view, name)
    return f" ({such})", tuple(shown[ROW])


def _holding(view: View, name: str) -> tuple[str, ...]:
    """The first rows that hold a value."""
    return first_rows(view, pl.col(name).is_not_null())
