"""cap_per_class: no class has more rows than so many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal

import polars as pl
import xxhash
from pydantic import Field

from seedbed.core.part import Example, LabelColumn
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.step import Groups, Reduce
from seedbed.core.values import is_missing, text_of

# Rows of a class are counted by the first bits of their hash, so that the place of its cut is found in little memory.
_LATER_BITS = 64 - 12


class CapPerClass(Reduce):
    """Keeps at most so many rows of each class, chosen by chance (reason `over_cap`).

    Of a class with more, the rows with the lowest hash of the seed and the row id stay, in the order they had.

    ## Why
    Where one class is nine tenths of the rows, most of them cost time and teach little. Which rows stay depends on the
    seed and on the names of the rows only, so a lower cap keeps a part of what a higher one keeps.

    ## Limits
    The dataset no longer has the shares of the world: probabilities and scores are those of the capped classes, in
    test rows too. Rows without a label are kept, and not counted. Copies are chosen apart: remove them before.
    """

    draws: ClassVar[bool] = True

    use: Literal["cap_per_class"] = "cap_per_class"
    column: LabelColumn = Field(None, description="Column that holds the class; the task's label when left out.")
    at_most: int = Field(ge=1, description="Most rows of a class.")
    seed: int = Field(13, ge=0, lt=2**64, description="Which rows are chosen.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Two of each",
            options={"at_most": 2},
            before={"text": list("abcdef"), "label": ["x", "x", "x", "y", None, "x"]},
            after={"text": ["a", "b", "d", "e"]},
        ),
    )

    def reads(self) -> Sequence[str]:
        """The names of the rows, and the class."""
        return [ROW, str(self.column)]

    def keys(self, batch: pl.DataFrame, survey: Mapping[str, int]) -> pl.DataFrame:
        """A hash of the seed and each row's name, and one of its class; null where it has none."""
        column = str(self.column)
        labels = batch.select(pl.when(~is_missing(column)).then(text_of(column)).alias("label")).to_series()
        known = labels.drop_nulls().unique()
        hashes = pl.Series([xxhash.xxh3_64_intdigest(label) for label in known.cast(pl.Binary)], dtype=pl.UInt64)
        order = [xxhash.xxh3_64_intdigest(name, seed=self.seed) for name in batch[ROW].cast(pl.Binary)]
        return batch.select(
            NUMBER,
            key=pl.Series(order, dtype=pl.UInt64),
            label=labels.replace_strict(known, hashes, default=None, return_dtype=pl.UInt64),
        )

    def judge(self, groups: Groups) -> Iterator[pl.DataFrame]:
        """The rows above each class's cut."""
        cuts = self._cuts(groups)
        if not cuts.height:
            return
        parts = (part.join(cuts, on="label").filter(pl.col("bits") == _FIRST_BITS) for part in groups.partitions())
        edge = pl.concat(parts).sort("key", NUMBER)
        gone = edge.filter(pl.int_range(pl.len()).over("label") >= pl.col("inside")).select(NUMBER)
        for part in groups.partitions():
            capped = part.join(cuts, on="label")
            above = pl.concat(
                [capped.filter(pl.col("bits") < _FIRST_BITS), capped.join(gone, on=NUMBER, how="semi")]
            ).sort(NUMBER)
            yield above.select(NUMBER, reason=pl.lit("over_cap"), rows=pl.col("rows"))

    def _cuts(self, groups: Groups) -> pl.DataFrame:
        """Of each class with too many rows: how many it has, the bits its cut falls on, and how many of those stay."""
        found = pl.DataFrame(schema={"label": pl.UInt64, "bits": pl.UInt64, "n": pl.UInt64})
        for part in groups.partitions():
            more = (
                part.drop_nulls("label")
                .group_by("label", _FIRST_BITS.alias("bits"))
                .agg(pl.len().cast(pl.UInt64).alias("n"))
            )
            found = pl.concat([found, more]).group_by("label", "bits").agg(pl.col("n").sum())
        upto = found.sort("label", "bits").with_columns(
            upto=pl.col("n").cum_sum().over("label"), rows=pl.col("n").sum().over("label")
        )
        crossed = upto.filter((pl.col("rows") > self.at_most) & (pl.col("upto") >= self.at_most))
        first = crossed.group_by("label", maintain_order=True).first()
        return first.select(
            "label", "bits", "rows", inside=self.at_most - (pl.col("upto") - pl.col("n")).cast(pl.Int64)
        )


_FIRST_BITS = pl.col("key") // (1 << _LATER_BITS)
