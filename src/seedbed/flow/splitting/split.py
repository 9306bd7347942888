"""Rows into splits: what belongs together, who goes where, the proof, and the dataset's files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.rows import NUMBER
from seedbed.core.similarity.join import similar_pairs
from seedbed.core.similarity.pairs import verified_pairs
from seedbed.core.similarity.shingles import SHORT, Kind, choose_kind, normalise, shingle
from seedbed.core.splitter import Certificate, NearDuplicatesTogether, Splitter
from seedbed.core.table import Table
from seedbed.core.task import Task
from seedbed.engine.jobs import write_parquet
from seedbed.engine.provenance import code_of, versions
from seedbed.engine.units import Crew
from seedbed.splits.certify import make_split
from seedbed.splits.clusters import cluster
from seedbed.splits.verify import Verification, verify
from seedbed.steps.near_duplicates import NearDuplicates
from seedbed.store.store import Store

#: Up to so many rows, and so many shingles, every pair is compared exactly; above, bands of MinHash find candidates.
EXACT_UP_TO = 200_000
EXACT_SHINGLES = 40_000_000
#: Characters to a word, for an estimate of how many shingles of words there are.
_WORD = 6


@dataclass(frozen=True)
class Similarity:
    """What "similar" means for a split."""

    column: str
    kind: Kind
    threshold: float
    characters: int
    """In all texts together."""

    @property
    def shingles(self) -> int:
        """About how many there are."""
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

    def clusters_in(self, name: str) -> NDArray[np.int64]:
        """Clusters of the rows of a split, in the order of the dataset's rows."""
        found: NDArray[np.int64] = self.clusters[self.places == self.names.index(name)]
        return found

    def of(self, rows: pl.DataFrame) -> pl.Series:
        """The split of each row, as an index into `names`."""
        return pl.Series(self.places[np.searchsorted(self.numbers, rows[NUMBER].to_numpy())])


def similarity_of(splitter: Splitter, table: Table, task: Task) -> Similarity:
    """What "similar" means for these rows: the recipe's word, else by the lengths of the texts."""
    together = splitter.keep_together or NearDuplicatesTogether(at_least=1.0)
    column = together.column or task.text
    lengths = pl.col(column).cast(pl.String).str.len_chars()
    asked = ((lengths < SHORT).sum().alias("short"), lengths.sum().alias("characters"))
    short, characters = table.scan().select(asked).collect(engine="streaming").row(0)
    kind = choose_kind(short, table.height) if together.shingles == "auto" else together.shingles
    return Similarity(column, kind, together.at_least, characters or 0)


def near_pairs(
    table: Table, similarity: Similarity, context: Context, key: str
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], str]:
    """Pairs of rows (their `NUMBER`s) that are similar, and in words how they were found."""
    if table.height <= EXACT_UP_TO and similarity.shingles <= EXACT_SHINGLES:
        with context.stage("Looking for rows that belong together", table.height, "rows"):
            rows = pl.concat(list(table.batches([NUMBER, similarity.column])))
            texts = rows[similarity.column].cast(pl.String)
            left, right, _ = similar_pairs(shingle(texts, similarity.kind), similarity.threshold, spanning=True)
            numbers = rows[NUMBER].to_numpy()
            return numbers[left], numbers[right], "every pair compared exactly (prefix-filter join)"
    step = NearDuplicates(column=similarity.column, at_least=similarity.threshold, shingles=similarity.kind)
    made_from = [key, step.model_dump(mode="json"), code_of(type(step)), versions()]
    place = Store.of(context).artefact("pairs", digest.of_json(made_from))
    with Crew.of(context) as crew:
        groups = crew.grouped(step, table, {}, place, title="Keys of rows that belong together")
    with context.stage("Looking for rows that belong together"):
        found = list(verified_pairs(groups, similarity.column, similarity.kind, similarity.threshold))
    pairs = pl.concat(found) if found else pl.DataFrame(schema={"a": pl.UInt64, "b": pl.UInt64})
    return pairs["a"].to_numpy(), pairs["b"].to_numpy(), "MinHash bands, candidates compared exactly"


def split_rows(table: Table, splitter: Splitter, task: Task, context: Context, key: str) -> Split:
    """Decide the split of every row, and prove that nothing that belongs together straddles; once per content.

    Raises:
        DataError: The rows do not fit the shares.
    """
    similarity = similarity_of(splitter, table, task)
    code = [code_of(type(splitter)), digest.of_file(Path(__file__)), versions()]
    made_from = [key, splitter.model_dump(mode="json"), task.label, asdict(similarity), code]
    place = Store.of(context).artefact("splits", digest.of_json(made_from))
    if not place.whole:
        split = _split(table, splitter, task, similarity, context, key)
        assigned = pl.DataFrame({NUMBER: split.numbers, "place": split.places, "cluster": split.clusters})
        write_parquet(assigned, place.folder / "splits.parquet")
        place.seal({"certificate": split.certificate.model_dump(mode="json"), "similar": split.similar})
        return split
    assigned, facts = pl.read_parquet(place.folder / "splits.parquet"), place.facts()
    certificate = Certificate.model_validate(facts["certificate"])
    numbers, places = assigned[NUMBER].to_numpy(), assigned["place"].to_numpy()
    clusters = assigned["cluster"].to_numpy()
    return Split(tuple(splitter.shares), numbers, places, certificate, similarity, facts["similar"], clusters)


def _split(table: Table, splitter: Splitter, task: Task, similarity: Similarity, context: Context, key: str) -> Split:
    left, right, method = near_pairs(table, similarity, context, key)
    label = splitter.label or task.label
    # Where another column says what is similar, equal texts belong together all the same.
    also = [task.text] if similarity.column != task.text else []
    columns = list(dict.fromkeys([NUMBER, label, *also, *([splitter.group] if splitter.group else [])]))
    rows = pl.concat(list(table.batches(columns)))
    numbers = rows[NUMBER].to_numpy()
    labels = rows[label].cast(pl.String).rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    names = tuple(splitter.shares)
    groups = [*([rows[splitter.group]] if splitter.group else []), *(normalise(rows[text]) for text in also)]
    mended: list[tuple[int, int]] = []

    def texts() -> Iterator[tuple[NDArray[np.uint64], list[str | None]]]:
        for batch in table.batches([NUMBER, similarity.column]):
            yield batch[NUMBER].to_numpy(), batch[similarity.column].cast(pl.String).to_list()

    def check(places: NDArray[np.int8], made: int) -> Verification:
        with context.stage("Verifying the split independently" + (f", round {made}" if made > 1 else "")):
            found = verify(
                texts,
                numbers,
                places,
                kind=similarity.kind,
                threshold=similarity.threshold,
                seed=splitter.seed + made - 1,
            )
            mended.extend((one, other) for one, other, _ in found.pairs)
            return found

    places, certificate = make_split(
        splitter,
        numbers,
        labels,
        pairs=(left, right),
        groups=groups,
        verify_with=check,
        method=method,
    )
    similar = len(np.unique(np.concatenate([left, right])))
    one, other = np.array(mended, dtype=np.uint64).reshape(-1, 2).T
    pairs = (np.concatenate([left, one]), np.concatenate([right, other]))
    clusters = cluster(numbers, pairs=pairs, groups=groups).ids
    return Split(names, numbers, places, certificate, similarity, similar, clusters)
