"""foreign_key: values that stand in a column of another dataset."""

from __future__ import annotations

from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core import numbers
from seedbed.core.any_source import AnySource
from seedbed.core.check import Check, Finding, View
from seedbed.core.errors import DataError
from seedbed.core.ledger import mask
from seedbed.core.numbers import things, word
from seedbed.core.other_rows import OtherRows
from seedbed.core.part import Column, Example, Placed
from seedbed.core.rows import ROW
from seedbed.core.values import is_missing, key_text

from .rows_shown import MOST

_VALUE, _PLACE = "\x00value", "\x00place"
#: What the keys of the other dataset may take in memory.
_MOST_BYTES = 500_000_000


class ForeignKey(Placed, Check):
    """Does every value of a column stand in a column of another dataset?

    The value is the number of rows whose value does not.

    ## Why
    A review of a product that nobody sells, or an answer by an annotator who is not on the list, points to a fault:
    a file that is older than the other, an id that lost its leading zeros.

    ## Limits
    Missing values are not judged here but by `no_missing`. Values are compared as text, as `join` compares keys: `7` of
    a CSV file is the number 7, and so is 7.0; `07` is not. The other column's values are held in memory, and may take
    500 MB there.
    """

    use: Literal["foreign_key"] = "foreign_key"
    column: Column = Field(description="Column whose values must stand in the other dataset.")
    source: AnySource = Field(description="The other dataset: a source as under `sources`.")
    references: str | None = Field(None, min_length=1, description="Its column; the same name as here when left out.")
    most_missing: int = Field(0, ge=0, description="Rows whose value may be missing from the other dataset.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A product that nobody knows",
            options={"column": "product", "source": {"use": "csv", "path": "products.csv"}, "references": "id"},
            files={"products.csv": ["id,name", "7,soup", "8,bread"]},
            before={"product": [7, 8, 9, None]},
            after={"passed": [False], "value": [1], "limit": [0]},
        ),
        Example(
            title="All are known",
            options={"column": "by", "source": {"use": "csv", "path": "people.csv"}},
            files={"people.csv": ["by", "ada", "emmy"]},
            before={"by": ["emmy", "ada", "ada"]},
            after={"passed": [True], "value": [0], "limit": [0]},
        ),
    )

    def find(self, view: View) -> Finding:
        """Count rows whose value is not there."""
        known = self._known()
        value = key_text(view.rows.collect_schema()[self.column], self.column)
        there = view.rows.with_row_index(_PLACE).filter(~is_missing(self.column))
        rows = there.select(_PLACE, ROW, value.alias(_VALUE))
        other = rows.join(known.lazy(), on=_VALUE, how="anti")
        unknown, judged = (int(one.select(pl.len()).collect(engine="streaming").item()) for one in (other, rows))
        where = f"{self.references or self.column} of {self.source.address}"
        if not unknown:
            message = f"All {things(judged, 'value')} of {self.column} stand in {where}."
            return self.finding(True, value=0, limit=self.most_missing, message=message)
        shown = other.sort(_PLACE).head(MOST).collect(engine="streaming")
        such = ", ".join(repr(mask(text)[:40]) for text in shown[_VALUE].unique(maintain_order=True).head(5))
        return self.finding(
            unknown <= self.most_missing,
            value=unknown,
            limit=self.most_missing,
            message=(
                f"{unknown:,} of {things(judged, 'value')} of {self.column} {word(unknown, 'does', 'do')} "
                f"not stand in {where}, such as {such}."
            ),
            rows=tuple(shown[ROW]),
        )

    def _known(self) -> pl.DataFrame:
        """The other column's values, each once.

        Raises:
            DataError: They take too much memory, or the dataset cannot be read.
            RecipeError: There is no such column.
        """
        other, column = OtherRows(self.source, self._base), self.references or self.column
        other.require(column, f"{self.use}.references")
        kind = other.schema[column]
        found = pl.DataFrame(schema={_VALUE: pl.String})
        for batch in other.batches([column]):
            keys = batch.select(key_text(kind, column).alias(_VALUE)).drop_nulls()
            found = pl.concat([found, keys]).unique()
            if found.estimated_size() > _MOST_BYTES:
                size = numbers.typed(numbers.size(_MOST_BYTES))
                raise DataError(f"the values of {column!r} take more than {size} of memory", at=self.source.address)
        return found
