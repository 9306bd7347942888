"""Which rows are similar, and which split each of them goes to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.rows import NUMBER, ROW, as_json, data_columns
from seedbed.core.similarity.against import Against
from seedbed.core.similarity.clusters import clusters
from seedbed.core.similarity.join import similar_pairs
from seedbed.core.similarity.pairs import PAIR_SCHEMA, verified_pairs
from seedbed.core.similarity.shingles import SHORT, Kind, choose_kind, shingle
from seedbed.core.splitter import Certificate, InTurn, NearDuplicatesTogether, Splitter
from seedbed.core.table import Table
from seedbed.core.task import Task
from seedbed.core.values import said
from seedbed.engine.making import HeldOut
from seedbed.engine.provenance import code_of, versions
from seedbed.engine.units import Crew
from seedbed.steps.near_duplicates import NearDuplicates
from seedbed.store.store import Store

#: Up to so many rows, and so many shingles, every pair is compared exactly; above, bands of MinHash find candidates.
EXACT_UP_TO = 200_000
EXACT_SHINGLES = 40_000_000
#: How pairs are found where every one is compared, of texts and of rows.
_EXACTLY = ("every pair compared exactly (prefix-filter join)", "equal rows")
#: Characters to a word, for an estimate of how many shingles of words there are.
_WORD = 6


@dataclass(frozen=True)
class Similarity:
    """What "similar" means for a split."""

    columns: tuple[str, ...]
    """What is compared: a column, or the columns of rows that have no text."""
    kind: Kind
    threshold: float
    characters: int
    """In all texts together."""

    @property
    def column(self) -> str:
        """The column, where it is one; empty where rows are compared."""
        return self.columns[0] if self.kind != "rows" else ""

    def texts(self, rows: pl.DataFrame) -> pl.Series:
        """What of each row is compared, as text."""
        if self.kind == "rows":
            return as_json(rows.select(self.columns))
        return said(rows[self.column])

    def within(self, names: Collection[str]) -> Similarity:
        """What is left to compare where rows have columns of some names: `prepare` may have taken some of a table."""
        compared = self.columns if self.kind == "rows" else self.columns[:1]
        return replace(self, columns=tuple(name for name in compared if name in names))

    def held_out(self, rows: pl.DataFrame) -> HeldOut:
        """Rows that judge (`ROW` and the columns), ready for made ones to be compared with."""
        against = Against.of(self.texts(rows), self.kind, self.threshold)
        return HeldOut(rows[ROW], self.columns, self.texts, against)

    @property
    def shingles(self) -> int:
        """About how many there are."""
        if self.kind == "rows":
            return 0
        return self.characters if self.kind == "characters" else self.characters // _WORD


@dataclass(frozen=True)
class Split:
    """Which split each row goes to."""

    names: tuple[str, ...]
    numbers: NDArray[np.uint64]
    places: NDArray[np.int8]
    """Index into `names` for each of `numbers`."""
    certificate: Certificate
    similarity: Similarity
    similar: int
    """Rows that have a similar one."""
    clusters: NDArray[np.int64]
    """Cluster of each of `numbers`: rows of one belong together."""
    only_train: NDArray[np.bool_] | None = None
    """Whether each of `numbers` may judge nothing; none where all may."""
    left_out: Path | None = None
    """Verdicts (`NUMBER`, `reason`, `evidence`) on rows that are in no split, where there are any."""
    folds: NDArray[np.int8] | None = None
    """Fold of each of `numbers`, from 0, where training rows were dealt to folds; as many as there are folds for rows
    that train in all, -1 for rows that do not train. The dataset's training rows stand fold by fold."""
    groups: NDArray[np.int64] | None = None
    """Group of each of `numbers`: rows of one are no independent draws; clusters where there is none."""

    def clusters_in(self, name: str) -> NDArray[np.int64]:
        """Clusters of the rows of a split, in the order of the dataset's rows."""
        found: NDArray[np.int64] = self.clusters[self._order(name)]
        return found

    def groups_in(self, name: str) -> NDArray[np.int64]:
        """Groups of the rows of a split, in the order of the dataset's rows."""
        found: NDArray[np.int64] = (self.clusters if self.groups is None else self.groups)[self._order(name)]
        return found

    def judging_in(self, name: str) -> NDArray[np.bool_]:
        """Whether the rows of a split may judge, in the order of the dataset's rows."""
        here = self._order(name)
        found: NDArray[np.bool_] = np.ones(len(here), np.bool_) if self.only_train is None else ~self.only_train[here]
        return found

    def folds_in(self, name: str) -> NDArray[np.int64]:
        """Folds of the rows of a split, in the order of the dataset's rows."""
        if self.folds is None:
            raise ValueError("the rows were not dealt to folds")
        return self.folds[self._order(name)].astype(np.int64)

    def _order(self, name: str) -> NDArray[np.int64]:
        """Positions of a split's rows, in the order of the dataset's rows."""
        here = np.flatnonzero(self.places == self.names.index(name))
        if self.folds is None or name != "train":
            return here
        return here[np.argsort(self.folds[here], kind="stable")]

    def folds_of(self, rows: pl.DataFrame) -> pl.Series:
        """The fold of each row."""
        if self.folds is None:
            raise ValueError("the rows were not dealt to folds")
        return pl.Series(self.folds[np.searchsorted(self.numbers, rows[NUMBER].to_numpy())])

    def of(self, rows: pl.DataFrame) -> pl.Series:
        """The split of each row, as an index into `names`."""
        return pl.Series(self.places[np.searchsorted(self.numbers, rows[NUMBER].to_numpy())])

    def only_trains(self, numbers: pl.Series) -> pl.Series:
        """Whether each row of some `NUMBER`s may judge nothing: a part or a model made it."""
        if self.only_train is None:
            return pl.Series([False], dtype=pl.Boolean).new_from_index(0, numbers.len())
        return pl.Series(self.only_train[np.searchsorted(self.numbers, numbers.to_numpy())])


def similarity_of(splitter: Splitter, table: Table, task: Task) -> Similarity:
    """What "similar" means for these rows: the recipe's word, else by the lengths of the texts."""
    together = splitter.keep_together or NearDuplicatesTogether(at_least=1.0)
    columns = (together.column,) if together.column else task.compared(data_columns(table.schema))
    if task.alike_if_equal and not together.column:
        return Similarity(columns, "rows", 1.0, 0)
    short = characters = 0
    for batch in table.batches(columns):
        lengths = said(batch.to_series()).str.len_chars()
        short, characters = short + int((lengths < SHORT).sum()), characters + int(lengths.sum())
    kind: Kind
    if together.shingles != "auto":
        kind = together.shingles
    else:  # rows that are added must not change what near copies are where they must move no old row
        kind = "characters" if isinstance(splitter, InTurn) else choose_kind(short, table.height)
    return Similarity(columns, kind, together.at_least, characters)


@dataclass(frozen=True)
class Near:
    """Pairs of rows, by their `NUMBER`s, that are similar; or, where it is enough to join, that others join."""

    left: NDArray[np.uint64]
    right: NDArray[np.uint64]
    similarity: NDArray[np.float64]
    """Of the two; where others join them, of the right row and its own neighbour."""
    method: str
    """How they were found, in words."""


def near_pairs(table: Table, similarity: Similarity, context: Context, key: str, *, every: bool = False) -> Near:
    """Pairs of rows that are similar: enough of them to join what belongs together, or `every` pair.

    Rows with equal sets of shingles are paired with one of them only. Memory: where it is enough to join, up to 40
    bytes for each row that is similar to another; 24 for `every` pair.
    """
    column, kind, threshold = similarity.column, similarity.kind, similarity.threshold
    few = table.height <= EXACT_UP_TO and similarity.shingles <= EXACT_SHINGLES
    if few or kind == "rows":
        with context.stage("Looking for rows that belong together", table.height, "rows") as stage:
            rows = [(one[NUMBER], similarity.texts(one)) for one in table.batches([NUMBER, *similarity.columns])]
            numbers = pl.concat([one for one, _ in rows]).to_numpy()
            sets = shingle(pl.concat([texts for _, texts in rows]), kind)
            left, right, alike = similar_pairs(sets, threshold, spanning=not every, told=stage.advance)
            return Near(numbers[left], numbers[right], alike, _EXACTLY[kind == "rows"])
    step = NearDuplicates(column=column, at_least=threshold, shingles=kind)
    made_from = [key, step.model_dump(mode="json"), code_of(type(step)), versions()]
    place = Store.of(context).artefact("pairs", digest.of_json(made_from))
    with Crew.of(context) as crew:
        groups = crew.grouped(step, table, {"rows": table.height}, place, title="Keys of rows that belong together")
        with context.stage("Looking for rows that belong together"):
            if every:
                found = pl.concat([pl.DataFrame(schema=PAIR_SCHEMA), *verified_pairs(groups, column, kind, threshold)])
            else:
                joined = clusters(groups, column, kind, threshold, crowd=0).filter(pl.col(NUMBER) != pl.col("first"))
                found = joined.select(a="first", b=NUMBER, similarity="similarity")
    method = "MinHash bands, candidates compared exactly"
    return Near(found["a"].to_numpy(), found["b"].to_numpy(), found["similarity"].to_numpy(), method)
