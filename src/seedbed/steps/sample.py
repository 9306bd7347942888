"""sample: keep some rows, chosen by chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal, Self

import numpy as np
import polars as pl
import xxhash
from pydantic import Field, model_validator

from seedbed.core.part import Example
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.step import Groups, Reduce

# Rows are counted by the first bits of their hash, so that the place of the cut is found in little memory.
_FIRST_BITS = np.uint64(64 - 16)


class Sample(Reduce):
    """Keeps as many rows as asked for, or a share of them, chosen by chance (reason `not_sampled`).

    The rows with the lowest hash of the seed and the row id stay, in the order they had.

    ## Why
    A tenth of the rows is enough to try a recipe. Which rows are chosen depends on the seed and on the names of the
    rows only, so a smaller sample lies within a larger one, and neither workers nor batches change it.

    ## Limits
    Rare labels may vanish from a small sample. Rows are chosen one by one: copies of one text are chosen apart, so
    remove them before. A table with fewer rows than asked for stays whole.
    """

    draws: ClassVar[bool] = True

    use: Literal["sample"] = "sample"
    rows: int | None = Field(None, ge=1, description="How many rows stay.")
    share: float | None = Field(None, gt=0, le=1, description="Share of the rows that stays, at least one row.")
    seed: int = Field(13, ge=0, lt=2**64, description="Which rows are chosen.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Two rows of five", options={"rows": 2}, before={"text": list("abcde")}, after={"text": ["b", "d"]}
        ),
        Example(
            title="Two fifths, by another seed",
            options={"share": 0.4, "seed": 1},
            before={"text": list("abcde")},
            after={"text": ["d", "e"]},
        ),
    )

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if (self.rows is None) == (self.share is None):
            raise ValueError("sample needs either rows or share, and not both")
        return self

    def reads(self) -> Sequence[str]:
        """The names of the rows."""
        return [ROW]

    def keys(self, batch: pl.DataFrame, survey: Mapping[str, int]) -> pl.DataFrame:
        """A hash of the seed and each row's name."""
        hashes = [xxhash.xxh3_64_intdigest(name, seed=self.seed) for name in batch[ROW].cast(pl.Binary)]
        return batch.select(NUMBER, key=pl.Series(hashes, dtype=pl.UInt64))

    def judge(self, groups: Groups) -> Iterator[pl.DataFrame]:
        """The rows above the cut."""
        counts = np.zeros(1 << 16, dtype=np.int64)
        for part in groups.partitions():
            counts += np.bincount(_first_bits(part), minlength=len(counts))
        total = int(counts.sum())
        wanted = self.rows or max(round(total * (self.share or 1)), 1)
        if wanted >= total:
            return
        upto = np.cumsum(counts)
        cut = int(np.searchsorted(upto, wanted))  # the first bits of the hash that the cut falls on
        edge = pl.concat([part.filter(pl.Series(_first_bits(part) == cut)) for part in groups.partitions()])
        inside = wanted - int(upto[cut - 1] if cut else 0)
        gone = edge.sort("key", NUMBER)[inside:][NUMBER].implode()
        for part in groups.partitions():
            above = pl.Series(_first_bits(part) > cut)
            rejected = part.filter(above | part[NUMBER].is_in(gone)).sort(NUMBER)
            yield rejected.select(NUMBER, reason=pl.lit("not_sampled"))


def _first_bits(part: pl.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return (part["key"].to_numpy() >> _FIRST_BITS).astype(np.int64)
