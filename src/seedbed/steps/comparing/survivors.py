"""Which row of a group of near copies stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from seedbed.core.errors import RecipeError
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.step import Groups

Keep = Literal["first", "longest", "best", "most_trusted"]

# Rows whose values are looked at together.
_TOGETHER = 100_000


def refuse_no_number(quality: str | None, schema: pl.Schema) -> None:
    """Refuse a column that cannot say which row is best.

    Raises:
        RecipeError: It holds no numbers.
    """
    if quality is None:
        return
    kind = schema[quality]
    if not (kind.is_numeric() or kind in (pl.Boolean, pl.Null)):
        raise RecipeError(
            f"{quality!r} holds {kind}, and the best row is the one with the highest number",
            at="quality",
            hint=f"put `{{use: cast, types: {{{quality}: number}}}}` before this step",
        )


@dataclass(frozen=True)
class Survivor:
    """The rule by which one row of each group stays; of equals the first does."""

    keep: Keep
    column: str
    """Holds the texts."""
    quality: str | None = None
    trust: tuple[str, ...] = ()

    def of(self, groups: Groups, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with the one of their group (`first`) that stays, as `kept`.

        Args:
            groups: Holds the rows.
            rows: `NUMBER` (sorted) and `first`, at least.
        """
        if self.keep == "first" or rows.is_empty():
            return rows.with_columns(kept="first")
        merits = [self._merit(groups, some[NUMBER]) for some in rows.iter_slices(_TOGETHER)]
        ranked = rows.select(NUMBER, "first", merit=pl.concat(merits)).sort(
            "first", "merit", NUMBER, descending=[False, True, False], nulls_last=True
        )
        best = ranked.unique("first", keep="first", maintain_order=True).select("first", kept=NUMBER)
        return rows.join(best, on="first", how="left", maintain_order="left")

    def _merit(self, groups: Groups, numbers: pl.Series) -> pl.Series:
        """What counts for each row, as a number: more is better, and null is worst."""
        if self.keep == "best":
            assert self.quality is not None
            value = groups.lookup(numbers, [self.quality])[self.quality].cast(pl.Float64)
            return value.set(value.is_nan().fill_null(False), None)
        if self.keep == "longest":
            return groups.lookup(numbers, [self.column])[self.column].cast(pl.String).str.len_chars().cast(pl.Float64)
        rows = groups.lookup(numbers, [])[ROW]
        merit = pl.lit(None, dtype=pl.Float64)
        for place, name in reversed(list(enumerate(self.trust))):
            merit = pl.when(pl.col(ROW).str.starts_with(f"{name}:")).then(float(-place)).otherwise(merit)
        return rows.to_frame().select(merit.alias("merit"))["merit"]
