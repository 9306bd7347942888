"""Which rows of a dataset are near to some texts: the ones kept together with them, and those that taught the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import polars as pl
import pyarrow.parquet as pq

from seedbed.core.rows import ROW
from seedbed.core.run import Neighbour, Run
from seedbed.core.similarity.nearest import nearest
from seedbed.core.similarity.shingles import Kind
from seedbed.flow.splitting.dataset import Dataset

from .reread import shown
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
    kind: Kind
    threshold: float

    @classmethod
    def of(cls, run: Run, dataset: Dataset) -> Relating:
        """What a run's record says of how rows were compared."""
        near = run.dataset.near_duplicates
        return cls(
            dataset=dataset,
            splits=tuple(run.dataset.splits),
            column=near["column"],
            label=run.task["label"],
            kind=cast(Kind, near["shingles"]),
            threshold=near["threshold"],
        )

    def together(self, row: str, text: str) -> list[Mate]:
        """The rows that are joined to one by similar pairs, directly or through others; the first `MOST_MATES`."""
        found: dict[str, Mate] = {}
        asked = [(row, text)]
        while asked and len(found) < MOST_MATES:
            near = self._nearest([text for _, text in asked], self.splits, MOST_MATES + 1)
            joined = [(by, one) for (by, _), rows in zip(asked, near, strict=True) for one in rows]
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
        return list(found.values())[:MOST_MATES]

    def taught(self, row: str, text: str) -> tuple[Neighbour, ...]:
        """The training rows nearest to a text, without the row itself."""
        near = self._nearest([text], ("train",), MOST_NEIGHBOURS + 1)[0]
        return tuple(
            Neighbour(row=one.row, text=shown(one.text) or "", label=one.label, similarity=round(one.similarity, 4))
            for one in [one for one in near if one.row != row][:MOST_NEIGHBOURS]
        )

    def _nearest(self, texts: Sequence[str], splits: Sequence[str], most: int) -> list[list[Near]]:
        places = nearest(texts, self._batches(splits), kind=self.kind, most=most)
        rows = self._at(splits, sorted({place for found in places for place, _ in found}))
        return [[Near(**rows[place], similarity=similarity) for place, similarity in found] for found in places]

    def _batches(self, splits: Sequence[str]) -> Iterator[tuple[Sequence[int], Sequence[str]]]:
        start = 0
        for split in splits:
            for file in self.dataset.files(split):
                for batch in pq.ParquetFile(file).iter_batches(_BATCH, columns=[self.column]):
                    texts = cast(pl.DataFrame, pl.from_arrow(batch))[self.column].cast(pl.String)
                    yield range(start, start + len(texts)), cast(Sequence[str], texts)
                    start += len(texts)

    def _at(self, splits: Sequence[str], places: Sequence[int]) -> dict[int, dict[str, str]]:
        """What is shown of the rows at some places."""
        names = {ROW: ROW, "text": self.column, "label": self.label}
        shown = [pl.col(column).cast(pl.String).alias(name) for name, column in names.items()]
        scans = [self.dataset.scan(one).select(*shown, split=pl.lit(one)) for one in splits if self.dataset.files(one)]
        told = pl.concat(scans).with_row_index("_place").filter(pl.col("_place").is_in(list(places))).collect()
        return {one.pop("_place"): one for one in told.to_dicts()}
