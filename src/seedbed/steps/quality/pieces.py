"""From texts to pieces of them, and from what was measured of pieces back to texts."""

from __future__ import annotations

import polars as pl


def pieces(parts: pl.Series, name: str) -> pl.DataFrame:
    """`text` (its number) and the pieces under a name, in order, of lists of pieces; a text without any has no row."""
    table = pl.DataFrame({"text": pl.int_range(parts.len(), dtype=pl.UInt32, eager=True), name: parts})
    return table.explode(name).drop_nulls(name)


def beside(texts: pl.Series, by_text: pl.DataFrame) -> pl.DataFrame:
    """What was measured, a row for each text; null where it had no piece."""
    every = pl.DataFrame({"text": pl.int_range(texts.len(), dtype=pl.UInt32, eager=True)})
    return every.join(by_text, on="text", how="left", maintain_order="left").drop("text")
