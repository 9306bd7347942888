"""convert_units: turn amounts in several units into numbers in one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import AfterValidator, Field

from seedbed.core.part import Column, Example, NewColumn
from seedbed.core.step import Rework

from .values.units import Decimal, amounts_in, known_unit
from .values.worked import UNREAD, worked


def _a_unit(name: str) -> str:
    try:
        known = known_unit(name)
    except ImportError:  # `check_needs` tells which package is missing
        return name
    if not known:
        raise ValueError(f"there is no unit {name[:40]!r}: write one such as kg, metre, degC, km/hour or m**2")
    return name


class ConvertUnits(Rework):
    """Turns amounts with their units (`5 kg`, `11 lb`, `6 ft 2 in`, `68 °F`) into numbers in one unit.

    What is no amount is rejected (`not_an_amount`), and so is a number without a unit (`no_unit`; `bare` says which
    one is meant) and an amount of something else, such as metres where kilograms are wanted (`not_this_unit`); with
    `on_error: missing` the value is made missing instead.

    ## Why
    `5` and `11` in a column of weights may be the same weight. Cast to numbers they train a model on the habits of
    whoever typed them in; a Mars probe was lost that way.

    ## Limits
    Units are those of pint, in its names and symbols, and some that people write (`lbs`, `Kg`, `C`, `5'11"`): where
    case decides, it counts (`mg`, `Mg`), else not. Money has no units here (`parse_numbers`). `1,500` is fifteen
    hundred unless `decimal: ","`, which makes it one and a half; a range (`5-7 kg`) and a fraction (`1/2 kg`) are no
    amounts. Numbers are rounded to twelve digits. Missing and blank values stay missing.
    """

    extra: ClassVar[str] = "units"
    needs: ClassVar[tuple[str, ...]] = ("pint",)

    use: Literal["convert_units"] = "convert_units"
    column: Column = Field(description="Column with the amounts.")
    to: Annotated[str, AfterValidator(_a_unit)] = Field(min_length=1, description="Unit of the numbers.")
    bare: Annotated[str, AfterValidator(_a_unit)] | None = Field(
        None, description="Unit of numbers that name none; they do not fit when left out."
    )
    decimal: Decimal = Field(".", description="What parts the decimals of numbers that are written as text.")
    into: NewColumn | None = Field(None, description="Column to write; the same when left out.")
    on_error: Literal["reject", "missing"] = Field(
        "reject", description="What becomes of a row with a value that does not fit: it goes, or the value does."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Weights",
            options={"column": "weight", "to": "kg"},
            before={"weight": ["5 kg", "1,500 g", "11lbs", "11", "2 m", "heavy", None]},
            after={"weight": [5.0, 1.5, 4.98951607, None]},
        ),
        Example(
            title="Feet and inches; numbers without a unit are centimetres",
            options={"column": "height", "to": "m", "bare": "cm", "into": "metres", "on_error": "missing"},
            before={"height": ["6 ft 2 in", "5'11\"", "180", "tall"]},
            after={"metres": [1.8796, 1.8034, 1.8, None]},
        ),
        Example(
            title="Decimal commas",
            options={"column": "temperature", "to": "degC", "decimal": ","},
            before={"temperature": ["36,6 °C", "98,6 °F", "310 K"]},
            after={"temperature": [36.6, 37.0, 36.85]},
        ),
    )
    told: ClassVar[tuple[str, ...]] = ("column", "value")
    stands: ClassVar[str] = UNREAD

    def work(self) -> pl.Expr:
        """The numbers, and what is wrong with values that are none."""
        read = partial(amounts_in, self.to, self.bare, self.decimal)
        if self.into in (None, self.column):
            return worked({self.column: read}, {self.column: pl.Float64()}, reject=self.on_error == "reject")
        done = worked({self.column: read}, {self.column: pl.Float64()}, reject=self.on_error == "reject")
        named = pl.struct(done.struct.field("columns").struct.field(self.column).alias(str(self.into)))
        return pl.struct(done.struct.field("reason"), done.struct.field("evidence"), named.alias("columns"))

    def written(self) -> Sequence[str]:
        """The column, or the new one."""
        return [self.into or self.column]
