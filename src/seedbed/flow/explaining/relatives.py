"""Which rows of a dataset are near to some texts: the ones kept together with them, and those that taught the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import polars as pl
import pyarrow.parquet as pq

from seedbed.core.ledger import excerpt_of
from seedbed.core.rows import ROW
from seedbed.core.run import Neighbour, Run
from seedbed.core.similarity.nearest import nearest
from seedbed.core.similarity.shingles import Kind
from seedbed.core.values import said
from seedbed.flow.splitting.dataset import Dataset

from .showing import shown
from .story import Mate

#: Rows kept together that are named.
MOST_MATES = 20
#: Training rows that are named.
MOST_NEIGHBOURS = 3
_BATCH = 50_000


@dataclass(frozen=True)
class Near:
    """A row near to a text."""

    row: str
    text: str
    label: str
    split: str
    similarity: float


@dataclass(frozen=True)
class Relating:
    """The rows of a run's dataset, compared as its split compared them."""

    dataset: Dataset
    splits: tuple[str, ...]
    column: str
    label: str
    """Empty where rows have none."""
    kind: Kind
    threshold: float
    quotes: bool = False
    """Whether answers quote what data says, so that they are shown as excerpts."""

    @classmethod
    def of(cls, run: Run, dataset: Dataset, label: str, *, quotes: bool = False) -> Relating:
        """What a run's record says of how rows were compared."""
        near = run.dataset.near_duplicates
        return cls(
            dataset=dataset,
            splits=tuple(split for split in run.dataset.splits if dataset.files(split)),
            column=near["column"],
            label=label,
            quotes=quotes,
            kind=cast(Kind, near["shingles"]),
            threshold=near["threshold"],
        )

    def about(self, row: str, text: str) -> tuple[tuple[Mate, ...], tuple[Neighbour, ...]]:
        """The rows that are joined to one by similar pairs, and the training rows nearest to it.

        Both are looked for in one look through the dataset; rows that only others join take one more for each step.
        """
        near = {split: self._nearest([text], (split,), MOST_MATES + 1)[0] for split in self.splits}
        ordered = [one for split in self.splits for one in near[split] if one.row != row]
        first = sorted(ordered, key=lambda one: -one.similarity)[:MOST_MATES]
        taught = [one for one in near.get("train", ()) if one.row != row][:MOST_NEIGHBOURS]
        return tuple(self._together(row, first)), tuple(
            Neighbour(row=one.row, text=shown(one.text) or "", label=one.label, similarity=round(one.similarity, 4))
            for one in taught
        )

    def _together(self, row: str, near: Sequence[Near]) -> list[Mate]:
        """The rows that are joined to one, directly or through others, nearest first; the first `MOST_MATES`."""
        found: dict[str, Mate] = {}
        joined = [(row, one) for one in near]
        while joined and len(found) < MOST_MATES:
            asked = []
            for by, one in joined:
                if one.similarity < self.threshold or one.row == row or one.row in found:
                    continue
                asked.append((one.row, one.text))
                found[one.row] = Mate(
                    row=one.row,
                    similarity=round(one.similarity, 4),
                    joined_by=by,
                    text=shown(one.text) or "",
                    label=one.label,
                    split=one.split,
                )
            if not asked:
                break
            further = self._nearest([text for _, text in asked], self.splits, MOST_MATES + 1)
            joined = [(by, one) for (by, _), rows in zip(asked, further, strict=True) for one in rows]
        return list(found.values())[:MOST_MATES]

    def _nearest(self, texts: Sequence[str], splits: Sequence[str], most: int) -> list[list[Near]]:
        places = nearest(texts, self._batches(splits), kind=self.kind, most=most)
        rows = self._at(splits, sorted({place for found in places for place, _ in found}))
        return [[Near(**rows[place], similarity=similarity) for place, similarity in found] for found in places]

    def _batches(self, splits: Sequence[str]) -> Iterator[tuple[Sequence[int], Sequence[str]]]:
        start = 0
        for split in splits:
            for file in self.dataset.files(split):
                for batch in pq.ParquetFile(file).iter_batches(_BATCH, columns=[self.column]):
                    texts = said(cast(pl.DataFrame, pl.from_arrow(batch))[self.column])
                    yield range(start, start + len(texts)), cast(Sequence[str], texts)
                    start += len(texts)

    def _at(self, splits: Sequence[str], places: Sequence[int]) -> dict[int, dict[str, str]]:
        """What is shown of the rows at some places."""
        names = {"text": self.column, "label": self.label}
        told = [_told(column).alias(name) for name, column in names.items()]
        scans = [self.dataset.scan(one).select(ROW, *told, split=pl.lit(one)) for one in splits]
        found = pl.concat(scans).with_row_index("_place").filter(pl.col("_place").is_in(list(places))).collect()
        if self.label == self.column:  # what is to be answered stands in what is shown
            found = found.with_columns(label=pl.lit(""))
        elif self.quotes:
            found = found.with_columns(label=excerpt_of(pl.col("label")))
        return {one.pop("_place"): one for one in found.to_dicts()}


def _told(column: str) -> pl.Expr:
    """What a column says, of lists their values with commas between; nothing where there is no such column."""
    if not column:
        return pl.lit("", pl.String)
    return pl.col(column).map_batches(_in_a_line, return_dtype=pl.String, is_elementwise=True)


def _in_a_line(values: pl.Series) -> pl.Series:
    told = said(values)
    return told.str.replace_all("\n", ", ", literal=True) if isinstance(values.dtype, pl.List) else told
