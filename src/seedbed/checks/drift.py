"""drift: rows look like those of a reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core import numbers
from seedbed.core.check import Check, Finding, View
from seedbed.core.earlier_run import AnyOther, EarlierRun
from seedbed.core.errors import DataError
from seedbed.core.ledger import mask
from seedbed.core.numbers import things
from seedbed.core.other_rows import OtherRows
from seedbed.core.part import Column, Example, Placed
from seedbed.core.rows import ROW, data_columns
from seedbed.core.statistics.drift import Difference, of_categories, of_numbers, with_holm

from .drifting.kinds import Compared, compared_of
from .drifting.sample import reference_sample, sample_of
from .drifting.words import unseen

_ALPHA = 0.05
_TOLD = 4


class Drift(Placed, Check):
    """Do the rows look like those of an earlier run, or of another dataset?

    Each column that both have is compared by its type: numbers and dates by their distribution (Kolmogorov-Smirnov),
    categories and truth by their shares (total variation, chi-square), texts by their lengths and by how many of their
    words the reference does not know (texts that stand in both are left out there), and every column by how often it
    is empty. The value is the largest distance, 0 to 1, of those that are not chance (p below 0.05 after Holm's
    correction over all); 0 where all may be chance.

    ## Why
    A model is right about data like that which it learned from. Sources change without a word: a new form, another
    country, a field that is empty since Tuesday.

    ## Limits
    Rows that were made (by `prepare`, or by a model) are left out on both sides, and rows of a run are compared as they
    were before `prepare`, for so they are here: the run's own folder tells how they were, a published copy does not.
    Columns are looked at one by one: what changes between them is not seen, nor a text that says something else in the
    same words. Chance is reckoned as if rows were independent; copies and rows of one author make it look smaller. Of
    more than 100,000 rows a sample of that size is compared, drawn by the rows' places. Columns of whole numbers that
    never repeat (ids) are left out unless they are named, and those of many different short texts (names) are compared
    by their lengths alone. Text that reads as numbers throughout counts as numbers. Among few rows only large
    differences can be told from chance. The stability index (PSI) in the message is there because people ask for it; no
    limit is set by it, for it calls 50 against 65 per cent stable.
    """

    use: Literal["drift"] = "drift"
    against: AnyOther = Field(
        description="The reference: {run: FOLDER}, of which `split` names splits (all when left out), or a source as "
        "under `sources`."
    )
    columns: Annotated[list[Column], Field(min_length=1)] | None = Field(
        None, description="Columns to compare; all that both have when left out.", json_schema_extra={"column": True}
    )
    at_most: float = Field(0.1, ge=0, le=1, description="Largest distance that may be.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Half as many paid by card",
            options={"against": {"use": "csv", "path": "before.csv"}},
            files={"before.csv": ["paid", *["card"] * 160, *["cash"] * 40]},
            before={"paid": ["card"] * 80 + ["cash"] * 120},
            after={"passed": [False], "value": [0.4], "limit": [0.1]},
        ),
        Example(
            title="Too few rows to tell",
            options={"against": {"use": "csv", "path": "before.csv"}},
            files={"before.csv": ["paid", "card", "card", "cash"]},
            before={"paid": ["card", "cash", "cash"]},
            after={"passed": [True], "value": [0.0], "limit": [0.1]},
        ),
    )

    def find(self, view: View) -> Finding:
        """Compare the columns."""
        rows = sample_of(view.read)
        others = list(self._others())
        names = self._names(rows.columns, others)
        before = reference_sample(others, names)
        if not before.height or not rows.height:
            return self.finding(False, limit=self.at_most, message="There are no rows to compare.")
        every = (compared_of(name, before[name], rows[name], view.task) for name in names)
        kinds = [one for one in every if self.columns is not None or not one.names_rows]
        found = with_holm([one for kind in kinds for one in _differences(kind)])
        real = sorted((one for one in found if one.p < _ALPHA), key=lambda one: (-one.distance, one.what))
        value = real[0].distance if real else 0.0
        limit, count = self.at_most, numbers.count
        drifted = [one for one in real if one.distance > limit]
        said = "; ".join(_told(one) for one in drifted[:_TOLD])
        more = f"; and {len(drifted) - _TOLD} more" if len(drifted) > _TOLD else ""
        compared = (
            f"{things(len(kinds), 'column')} of {things(rows.height, 'row')} with {count(before.height)} "
            "of the reference"
        )
        message = (
            f"{said}{more}. Compared were {compared}."
            if drifted
            else f"Nothing differs by more than {limit:g} but by chance. Compared were {compared}."
        )
        return self.finding(
            value <= limit,
            value=round(value, 6),
            limit=limit,
            message=numbers.typed(message),
            rows=_blamed(drifted[0], kinds, rows) if drifted else (),
        )

    def _others(self) -> Iterator[OtherRows]:
        against = self.against
        at = f"{self.use}.against"
        sources = against.unprepared(self._base, at) if isinstance(against, EarlierRun) else [against]
        yield from (OtherRows(source, self._base) for source in sources)

    def _names(self, here: Sequence[str], others: Sequence[OtherRows]) -> list[str]:
        """The columns that are compared.

        Raises:
            DataError: Both have no column in common.
            RecipeError: The reference lacks one that was asked for.
        """
        if self.columns is not None:
            for name in self.columns:
                for other in others:
                    other.require(name, f"{self.use}.columns")
            return list(dict.fromkeys(self.columns))
        shared = [name for name in here if name != ROW and all(name in other.schema for other in others)]
        if not shared:
            there = ", ".join(data_columns(others[0].schema)[:8])
            raise DataError("the reference has none of the rows' columns", at=self.use, hint=f"it has {there}")
        return shared


def _differences(column: Compared) -> Iterator[Difference]:
    """How a column differs, by all that can be measured of it."""
    name, before, now = column.name, column.before, column.now
    empty = [{"empty": int(one.null_count()), "there": len(one) - one.null_count()} for one in (before, now)]
    if any(one["empty"] for one in empty):
        yield of_categories(f"{name}: empty", empty[0], empty[1])
    before, now = before.drop_nulls(), now.drop_nulls()
    if not len(before) or not len(now):
        return
    if column.kind == "number":
        yield of_numbers(name, before.to_numpy(), now.to_numpy())
    elif column.kind == "category":
        counts = [dict(one.value_counts(name="\x00n").iter_rows()) for one in (before, now)]
        yield of_categories(name, counts[0], counts[1])
    else:
        lengths = [one.str.len_chars().cast(pl.Float64).to_numpy() for one in (before, now)]
        yield of_numbers(f"{name}: length", lengths[0], lengths[1])
        if column.kind == "text" and (shares := unseen(before, now)) is not None:
            yield of_numbers(f"{name}: unknown words", *shares)


def _told(one: Difference) -> str:
    p = numbers.probability(one.p)
    return f"{one.what} differs ({one.measure} {one.distance:.2f}, {p}, PSI {one.psi:.2f}; {mask(one.told)})"


def _blamed(one: Difference, kinds: Sequence[Compared], rows: pl.DataFrame) -> tuple[str, ...]:
    """Some rows that are as the reference's are not."""
    column = next(kind for kind in kinds if one.what in (kind.name, *(f"{kind.name}: {part}" for part in _PARTS)))
    return tuple(rows[ROW].gather(column.odd(one.what.removeprefix(column.name).removeprefix(": "))))


_PARTS = ("empty", "length", "unknown words")
