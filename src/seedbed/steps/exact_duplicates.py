"""exact_duplicates: keep the first of equal rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal, Self

import numpy as np
import polars as pl
from pydantic import Field

from seedbed.core.part import Columns, Example, TextColumn
from seedbed.core.rows import NUMBER
from seedbed.core.similarity import normalise
from seedbed.core.step import Groups, Reduce

from .comparing.copies import column_of, equal_keys, with_names


class ExactDuplicates(Reduce):
    """Rejects rows whose values were seen before; the first copy stays (reason `exact_duplicate`).

    The ledger names the copy that stays, as `of` and `kept`.

    ## Why
    A row that stands twice counts twice: a model learns it by heart, and where one copy is tested and the other was
    trained on, the score is a lie.

    ## Limits
    Values are equal when every character is; `normalise: true` looks past case, white space and Unicode forms, and
    `near_duplicates` past more. Values are compared by a 128-bit hash. A row that misses one of the values has no
    copies. What the other columns hold is not compared: put `conflicting_labels` before, if copies may have
    different labels.
    """

    removes_copies: ClassVar[bool] = True

    use: Literal["exact_duplicates"] = "exact_duplicates"
    column: TextColumn = Field(None, description="Column to compare; the task's text when left out.")
    columns: Columns | None = Field(None, description="Columns to compare together, in place of `column`.")
    normalise: bool = Field(
        False, description="Whether texts that differ only in case, white space or Unicode form are equal."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="The first copy stays",
            before={"text": ["good film", "bad film", "good film", "Good  film", None, None]},
            after={"text": ["good film", "bad film", "Good  film", None, None]},
        ),
        Example(
            title="Case and white space do not count",
            options={"normalise": True},
            before={"text": ["good film", "Good  film ", "bad film"]},
            after={"text": ["good film", "bad film"]},
        ),
        Example(
            title="Equal in two columns",
            options={"columns": ["text", "year"]},
            before={"text": ["a", "a", "a"], "year": [1999, 2001, 1999]},
            after={"text": ["a", "a"], "year": [1999, 2001]},
        ),
    )

    def for_task(self, roles: dict[str, str]) -> Self:
        """The task's text only where no columns are named: it need not be there yet."""
        return self if self.columns else super().for_task(roles)

    def reads(self) -> Sequence[str]:
        """The columns that are compared."""
        return self.columns or [column_of(self, "column")]

    def keys(self, batch: pl.DataFrame, survey: Mapping[str, int]) -> pl.DataFrame:
        """A 128-bit hash of the values of each row that has them all."""
        texts = [self._as_text(batch[name]) for name in self.reads()]
        if len(texts) == 1:
            return batch.select(NUMBER).hstack(equal_keys(texts[0])).drop_nulls()
        # With its length before it, no value can be taken for the end of another.
        values = pl.concat_str(
            [pl.concat_str([pl.col(f"{i}").str.len_bytes(), pl.lit(":"), pl.col(f"{i}")]) for i in range(len(texts))]
        )
        joined = pl.DataFrame([text.alias(f"{i}") for i, text in enumerate(texts)]).select(joined=values)["joined"]
        return batch.select(NUMBER).hstack(equal_keys(joined)).drop_nulls()

    def judge(self, groups: Groups) -> Iterator[pl.DataFrame]:
        """All copies but the first."""
        for part in groups.partitions():
            copies = _copies(part)
            if copies.height:
                yield with_names(
                    groups,
                    copies.with_columns(reason=pl.lit("exact_duplicate"), kept="of", similarity=pl.lit(1.0)),
                )

    def _as_text(self, values: pl.Series) -> pl.Series:
        if values.dtype.is_nested():
            encoded = values.to_frame("value").select(pl.struct("value").struct.json_encode())["value"]
            return encoded.set(values.is_null(), None)
        if self.normalise and values.dtype == pl.String:
            return normalise(values)
        return values.cast(pl.String)


def _copies(part: pl.DataFrame) -> pl.DataFrame:
    """Rows (`NUMBER`, sorted) that have the keys of an earlier one, and the first of those (`of`).

    Sorting takes a third of the memory that grouping would.
    """
    numbers, key, rest = (part[name].to_numpy() for name in (NUMBER, "key", "rest"))
    order = np.lexsort((rest, key))  # stable, so that the first row comes first among equals
    key, rest = key[order], rest[order]
    again = np.zeros(len(order), bool)
    again[1:] = (key[1:] == key[:-1]) & (rest[1:] == rest[:-1])
    first = np.maximum.accumulate(np.where(again, 0, np.arange(len(order))))
    found = pl.DataFrame({NUMBER: numbers[order[again]], "of": numbers[order[first[again]]]})
    return found.sort(NUMBER)
