"""Rows that people rescued: which rejection is lifted, told by a step and heeded by the parts that follow it.

What a step says of a row goes along with its shard, in a small file beside it. So it is in the key of whatever is made
of the shard, and a row that was not recognised when the step saw it is spared by nobody later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from seedbed.core.rows import NUMBER

#: `lifts`: `use` of the part whose rejection does not count; `part`: who says so; `evidence`: a JSON object.
SPARED_SCHEMA: Mapping[str, Any] = {
    NUMBER: pl.UInt64(),
    "lifts": pl.String(),
    "part": pl.String(),
    "evidence": pl.String(),
}


def no_rows() -> pl.DataFrame:
    """Nothing is spared."""
    return pl.DataFrame(schema=SPARED_SCHEMA)


@dataclass
class Spared:
    """Rows of a batch or a shard that are spared, and by which parts they were."""

    rows: pl.DataFrame = field(default_factory=no_rows)
    """`SPARED_SCHEMA`."""
    lifted: dict[str, int] = field(default_factory=dict)
    """Rejections that were lifted, by the part that would have rejected."""

    def add(self, part: str, numbers: pl.Series, lifts: pl.Series) -> None:
        """Note what a step says of the rows of a batch.

        Args:
            part: The step.
            numbers: `NUMBER` of the rows.
            lifts: A struct of `use` and `evidence` for each; null for most.
        """
        said = lifts.struct.unnest().insert_column(0, numbers).filter(pl.col("use").is_not_null())
        told = {NUMBER: pl.col(NUMBER), "lifts": pl.col("use"), "part": pl.lit(part), "evidence": pl.col("evidence")}
        named = said.select(told[name].cast(kind).alias(name) for name, kind in SPARED_SCHEMA.items())
        self.rows = pl.concat([self.rows, named])

    def by(self, part: str) -> pl.DataFrame:
        """The rows that a part may not reject. A part of that `use` is meant, whatever number its name bears now."""
        return self.rows.filter(pl.col("lifts") == part.partition(".")[0])

    def mask(self, part: str, numbers: pl.Series) -> pl.Series:
        """Whether each of some rows may not be rejected by a part."""
        return pl.Series(np.isin(numbers.to_numpy(), self.by(part)[NUMBER].to_numpy()))

    def among(self, numbers: pl.Series) -> pl.DataFrame:
        """Those that are among some rows."""
        return self.rows.filter(pl.Series(np.isin(self.rows[NUMBER].to_numpy(), numbers.to_numpy())))
