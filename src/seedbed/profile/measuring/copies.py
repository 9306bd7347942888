"""Rows that are there more than once: equal ones, equal texts, texts with two labels, and texts that are similar."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from seedbed.core.profile import Copies
from seedbed.core.similarity import choose_kind, components, normalise, shingle, similar_pairs
from seedbed.core.similarity.shingles import SHORT
from seedbed.core.values import said

from .distinct import Distinct
from .hashed import hashes_of
from .numbers import scaled

#: Similarity from which texts are near copies: that of the step `near_duplicates`.
AT_LEAST = 0.8
_MOST = 65_536
_SCHEMA = {"key": pl.UInt64, "n": pl.Int64, "low": pl.UInt64, "high": pl.UInt64}


@dataclass
class CopiesPart:
    """Texts that were seen, by the hash of each without case and white space, and the labels that stand with them."""

    texts: Distinct = field(default_factory=lambda: Distinct(_MOST))
    held: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_SCHEMA))
    """Of the texts with the smallest hashes: rows with a label, and the least and the largest hash of their labels."""
    full: bool = False

    def add(self, texts: pl.Series, labels: pl.Series | None) -> None:
        """Take in a batch."""
        alike = normalise(said(texts))
        there = (alike.str.len_bytes() > 0).fill_null(False).arg_true()
        hashes = hashes_of(alike.gather(there))
        found, counts = np.unique(hashes, return_counts=True)
        self.texts.add(found, counts.astype(np.int64))
        if labels is None or labels.dtype.is_nested():
            return
        given = labels.gather(there).cast(pl.String, strict=False).str.strip_chars().str.to_lowercase()
        rows = pl.DataFrame({"key": hashes, "label": hashes_of(given)}).filter(given.is_not_null())
        if self.full:
            rows = rows.filter(pl.col("key") <= self.held["key"][-1])
        label = pl.col("label")
        self._take(
            rows.group_by("key").agg(
                pl.len().cast(pl.Int64).alias("n"), label.min().alias("low"), label.max().alias("high")
            )
        )

    def merge(self, other: CopiesPart) -> None:
        """Take in those of another part of the table."""
        self.texts.merge(other.texts)
        self.full |= other.full
        self._take(other.held)

    def _take(self, more: pl.DataFrame) -> None:
        together = (
            pl.concat([self.held, more])
            .group_by("key")
            .agg(pl.col("n").sum(), pl.col("low").min(), pl.col("high").max())
            .sort("key")
        )
        self.full |= together.height > _MOST
        self.held = together.head(_MOST)

    def facts(self, rows: Distinct, texts: pl.Series | None, of: int, whole: bool, *, near: bool) -> Copies:
        """What was found.

        Args:
            rows: Hashes of the rows.
            texts: Those of the sample, where there is a text.
            of: Rows in all.
            whole: Whether the sample is all of them.
            near: Whether texts are compared with each other.
        """
        found = Copies(rows=rows.copies())
        if texts is None:
            return found
        apart = self.held.filter(pl.col("low") != pl.col("high"))
        conflicts = scaled(int(apart["n"].sum()), int(self.held["n"].sum()), self.texts.values, not self.full)
        update: dict[str, object] = {"texts": self.texts.copies(), "conflicts": conflicts if self.held.height else None}
        if near:
            update |= _near(texts, whole)
        return found.model_copy(update=update)


def _near(texts: pl.Series, whole: bool) -> dict[str, int | bool]:
    """Texts that are similar to one before, of the different texts of the sample."""
    alike = normalise(texts)
    unique = alike.filter(alike.str.len_bytes() > 0).unique(maintain_order=True)
    found = 0
    if unique.len() > 1:
        kind = choose_kind(int((unique.str.len_chars() < SHORT).sum()), unique.len())
        one, other, _ = similar_pairs(shingle(unique, kind), AT_LEAST, spanning=True)
        found = unique.len() - len(np.unique(components(unique.len(), one, other)))
    return {"near": found, "near_of": unique.len(), "near_whole": whole}
