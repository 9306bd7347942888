"""Rows into splits: what belongs together, who goes where, the proof, and the dataset's files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
import xxhash
from numpy.typing import NDArray

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.similarity.join import similar_pairs
from seedbed.core.similarity.pairs import PAIR_SCHEMA, verified_pairs
from seedbed.core.similarity.shingles import SHORT, Kind, choose_kind, normalise, shingle
from seedbed.core.splitter import Certificate, InTurn, NearDuplicatesTogether, Splitter
from seedbed.core.table import Table
from seedbed.core.task import Task
from seedbed.engine.jobs import write_parquet
from seedbed.engine.provenance import code_of, versions
from seedbed.engine.units import Crew
from seedbed.splits.certify import MadeRows, make_split
from seedbed.splits.clusters import cluster
from seedbed.splits.in_turn import BRIDGES, Neighbour, Rows, Turned, split_in_turn
from seedbed.splits.verify import Verification, verify
from seedbed.steps.near_duplicates import NearDuplicates
from seedbed.store.store import Store

from .made import Made

#: Up to so many rows, and so many shingles, every pair is compared exactly; above, bands of MinHash find candidates.
EXACT_UP_TO = 200_000
EXACT_SHINGLES = 40_000_000
#: Why rows are in no split, as verdicts.
LEFT_OUT_FILE = "left_out.parquet"
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
    only_train: NDArray[np.bool_] | None = None
    """Whether each of `numbers` may judge nothing; none where all may."""
    left_out: Path | None = None
    """Verdicts (`NUMBER`, `reason`, `evidence`) on rows that are in no split, where there are any."""

    def clusters_in(self, name: str) -> NDArray[np.int64]:
        """Clusters of the rows of a split, in the order of the dataset's rows."""
        found: NDArray[np.int64] = self.clusters[self.places == self.names.index(name)]
        return found

    def judging_in(self, name: str) -> NDArray[np.bool_]:
        """Whether the rows of a split may judge, in the order of the dataset's rows."""
        here = self.places == self.names.index(name)
        found: NDArray[np.bool_] = np.ones(here.sum(), np.bool_) if self.only_train is None else ~self.only_train[here]
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
    if together.shingles != "auto":
        kind = together.shingles
    else:  # rows that are added must not change what near copies are where they must move no old row
        kind = "characters" if isinstance(splitter, InTurn) else choose_kind(short, table.height)
    return Similarity(column, kind, together.at_least, characters or 0)


@dataclass(frozen=True)
class Near:
    """Pairs of rows, by their `NUMBER`s, that are similar."""

    left: NDArray[np.uint64]
    right: NDArray[np.uint64]
    similarity: NDArray[np.float64]
    method: str
    """How they were found, in words."""


def near_pairs(table: Table, similarity: Similarity, context: Context, key: str, *, every: bool = False) -> Near:
    """Pairs of rows that are similar: enough of them to join what belongs together, or `every` pair.

    Rows with equal sets of shingles are paired with one of them only.
    """
    if table.height <= EXACT_UP_TO and similarity.shingles <= EXACT_SHINGLES:
        with context.stage("Looking for rows that belong together", table.height, "rows"):
            rows = pl.concat(list(table.batches([NUMBER, similarity.column])))
            texts = rows[similarity.column].cast(pl.String)
            sets = shingle(texts, similarity.kind)
            left, right, alike = similar_pairs(sets, similarity.threshold, spanning=not every)
            numbers = rows[NUMBER].to_numpy()
            return Near(numbers[left], numbers[right], alike, "every pair compared exactly (prefix-filter join)")
    step = NearDuplicates(column=similarity.column, at_least=similarity.threshold, shingles=similarity.kind)
    made_from = [key, step.model_dump(mode="json"), code_of(type(step)), versions()]
    place = Store.of(context).artefact("pairs", digest.of_json(made_from))
    with Crew.of(context) as crew:
        groups = crew.grouped(step, table, {"rows": table.height}, place, title="Keys of rows that belong together")
        with context.stage("Looking for rows that belong together"):
            crowd = None if every else 0
            column, kind, threshold = similarity.column, similarity.kind, similarity.threshold
            found = list(verified_pairs(groups, column, kind, threshold, crowd=crowd))
    pairs = pl.concat([pl.DataFrame(schema=PAIR_SCHEMA), *found])
    method = "MinHash bands, candidates compared exactly"
    return Near(pairs["a"].to_numpy(), pairs["b"].to_numpy(), pairs["similarity"].to_numpy(), method)


def split_rows(
    table: Table, splitter: Splitter, task: Task, context: Context, key: str, made: Made | None = None
) -> Split:
    """Decide the split of every row, and prove that nothing that belongs together straddles; once per content.

    Args:
        table: The rows.
        splitter: The recipe's.
        task: Its text is compared where the splitter names no column.
        context: Where to keep what was decided.
        key: Digest of everything that the rows were made from.
        made: Which of the rows a model wrote, and from what.

    Raises:
        DataError: The rows do not fit the shares.
    """
    similarity = similarity_of(splitter, table, task)
    here = [digest.of_file(Path(__file__).with_name(name)) for name in ("made.py", "split.py")]
    code = [code_of(type(splitter)), here, versions()]
    made_from = [key, splitter.model_dump(mode="json"), task.label, asdict(similarity), code]
    place = Store.of(context).artefact("splits", digest.of_json(made_from))
    if not place.intact:
        place.done.unlink(missing_ok=True)  # damaged: deal again
        rows = _Splitting(table, splitter, task, similarity, context, made)
        split = rows.in_turn(splitter, key, place.folder) if isinstance(splitter, InTurn) else rows.dealt(key)
        assigned = pl.DataFrame({NUMBER: split.numbers, "place": split.places, "cluster": split.clusters})
        write_parquet(assigned, place.folder / "splits.parquet")
        told = {"certificate": split.certificate.model_dump(mode="json"), "similar": split.similar}
        place.seal(told, "splits.parquet", *([split.left_out.name] if split.left_out else []))
        return split
    assigned, facts = pl.read_parquet(place.folder / "splits.parquet"), place.facts()
    numbers = assigned[NUMBER].to_numpy()
    return Split(
        names=tuple(splitter.shares),
        numbers=numbers,
        places=assigned["place"].to_numpy(),
        certificate=Certificate.model_validate(facts["certificate"]),
        similarity=similarity,
        similar=facts["similar"],
        clusters=assigned["cluster"].to_numpy(),
        only_train=made.only_train(numbers) if made else None,
        left_out=left_out if (left_out := place.folder / LEFT_OUT_FILE).exists() else None,
    )


@dataclass(frozen=True)
class _Splitting:
    """Rows that are to be split."""

    table: Table
    splitter: Splitter
    task: Task
    similarity: Similarity
    context: Context
    made: Made | None = None

    @cached_property
    def rows(self) -> pl.DataFrame:
        """What is in memory of all of them: their numbers, labels and groups."""
        also = [self.task.text] if self.similarity.column != self.task.text else []
        group = [self.splitter.group] if self.splitter.group else []
        age = [self.splitter.age] if isinstance(self.splitter, InTurn) and self.splitter.age else []
        columns = dict.fromkeys([NUMBER, self.splitter.label or self.task.label, *also, *group, *age])
        return pl.concat(list(self.table.batches(list(columns))))

    @cached_property
    def numbers(self) -> NDArray[np.uint64]:
        """`NUMBER` of each row."""
        return self.rows[NUMBER].to_numpy()

    @cached_property
    def parents(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64]] | None:
        """Made rows and what they were made from."""
        return self.made.pairs(self.numbers, self.table) if self.made and self.made.parents else None

    @property
    def only_train(self) -> NDArray[np.bool_] | None:
        """Whether each row may judge nothing."""
        return self.made.only_train(self.numbers) if self.made else None

    @property
    def groups(self) -> list[pl.Series]:
        """Columns whose equal values belong together."""
        # Where another column says what is similar, equal texts belong together all the same.
        also = [self.task.text] if self.similarity.column != self.task.text else []
        named = [self.rows[self.splitter.group]] if self.splitter.group else []
        return [*named, *(normalise(self.rows[text].cast(pl.String)) for text in also)]

    def check(self, places: NDArray[np.int8], made: int) -> Verification:
        """The independent check of the rows that are in a split."""
        kept = places >= 0
        numbers = self.numbers[kept]
        sweeps = iter(("taking the sample's texts", "comparing"))

        def texts() -> Iterator[tuple[NDArray[np.uint64], list[str | None]]]:
            doing = next(sweeps, "comparing")
            # The sweep that only finds the sample weighs little: rows count as they are compared, and so does the time.
            found = doing != "comparing"
            for batch in self.table.batches([NUMBER, self.similarity.column]):
                here = batch.filter(pl.Series(kept[np.searchsorted(self.numbers, batch[NUMBER].to_numpy())]))
                yield here[NUMBER].to_numpy(), here[self.similarity.column].cast(pl.String).to_list()
                stage.advance(0 if found else batch.height, doing, found=found)

        title = "Verifying the split independently" + (f", round {made}" if made > 1 else "")
        with self.context.stage(title, len(self.numbers), "rows") as stage:
            return verify(
                texts,
                numbers,
                places[kept],
                kind=self.similarity.kind,
                threshold=self.similarity.threshold,
                seed=self.splitter.seed + made - 1,
            )

    def dealt(self, key: str) -> Split:
        """Whole clusters, as the splitter deals them."""
        near = near_pairs(self.table, self.similarity, self.context, key)
        label = self.rows[self.splitter.label or self.task.label]
        labels = label.cast(pl.String).rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
        mended: list[tuple[int, int]] = []

        def check(places: NDArray[np.int8], made: int) -> Verification:
            found = self.check(places, made)
            mended.extend((one, other) for one, other, _ in found.pairs)
            return found

        places, certificate = make_split(
            self.splitter,
            self.numbers,
            labels,
            pairs=(near.left, near.right),
            groups=self.groups,
            made=MadeRows(self.parents, self.only_train),
            verify_with=check,
            method=near.method,
        )
        one, other = np.array(mended, dtype=np.uint64).reshape(-1, 2).T
        pairs = (np.concatenate([near.left, one]), np.concatenate([near.right, other]))
        clusters = cluster(self.numbers, pairs=pairs, groups=self.groups, parents=self.parents).ids
        return self._split(self.numbers, places, certificate, near, clusters)

    def in_turn(self, splitter: InTurn, key: str, folder: Path) -> Split:
        """One row after the other, the oldest first; verdicts on rows that are left out go into a folder."""
        near = near_pairs(self.table, self.similarity, self.context, key, every=True)
        with self.context.stage("Giving rows their splits, the oldest first"):
            identities = np.concatenate([_identities(batch) for batch in self.table.batches([self.similarity.column])])
            rows = Rows(
                numbers=self.numbers,
                identities=identities,
                turns=_turns(self.rows[splitter.age] if splitter.age else None, identities),
                left=np.searchsorted(self.numbers, near.left),
                right=np.searchsorted(self.numbers, near.right),
                similarity=near.similarity,
                groups=self.groups,
                parents=self._positions(self.parents),
                only_train=self.only_train,
            )
            turned = split_in_turn(splitter, rows, verify_with=self.check, method=near.method)
        kept = turned.places >= 0
        left_out = self._verdicts(turned, folder / LEFT_OUT_FILE) if turned.bridging else None
        numbers, clusters = self.numbers[kept], turned.clusters[kept]
        split = self._split(numbers, turned.places[kept], turned.certificate, near, clusters)
        return replace(split, left_out=left_out)

    def _positions(
        self, pairs: tuple[NDArray[np.uint64], NDArray[np.uint64]] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
        if pairs is None:
            return None
        return np.searchsorted(self.numbers, pairs[0]), np.searchsorted(self.numbers, pairs[1])

    def _split(
        self,
        numbers: NDArray[np.uint64],
        places: NDArray[np.int8],
        certificate: Certificate,
        near: Near,
        clusters: NDArray[np.int64],
    ) -> Split:
        similar = len(np.intersect1d(np.concatenate([near.left, near.right]), numbers))
        only_train = self.made.only_train(numbers) if self.made else None
        names = tuple(self.splitter.shares)
        return Split(names, numbers, places, certificate, self.similarity, similar, clusters, only_train)

    def _verdicts(self, turned: Turned, path: Path) -> Path:
        """Write why rows are left out: a neighbour of each split that the row would bridge."""
        named = {one.row for found in turned.bridging.values() for one in found}
        numbers = pl.Series(self.numbers[sorted(named)])
        known = self.table.scan().select(NUMBER, ROW).filter(pl.col(NUMBER).is_in(numbers.implode())).collect()
        names = dict(known.iter_rows())
        splits = list(self.splitter.shares)

        def told(one: Neighbour) -> dict[str, object]:
            alike = {} if one.similarity is None else {"similarity": round(one.similarity, 4)}
            return {"of": names[int(self.numbers[one.row])], "split": splits[one.split], **alike}

        entries = [
            (int(self.numbers[row]), BRIDGES, json.dumps({**told(found[0]), "neighbours": list(map(told, found))}))
            for row, found in sorted(turned.bridging.items())
        ]
        schema = {NUMBER: pl.UInt64, "reason": pl.String, "evidence": pl.String}
        write_parquet(pl.DataFrame(entries, schema=schema, orient="row"), path)
        return path


def _identities(batch: pl.DataFrame) -> NDArray[np.uint64]:
    """A hash of each text, as similarity sees it."""
    texts = normalise(batch.to_series().cast(pl.String))
    return np.array([xxhash.xxh3_64_intdigest((text or "").encode()) for text in texts], dtype=np.uint64)


def _turns(age: pl.Series | None, identities: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Positions of rows, the oldest first."""
    if age is None:
        return np.arange(len(identities), dtype=np.int64)
    # Rows of one age go by what they say: not by the order in which files happen to be read.
    keys = pl.DataFrame({"age": age, "says": identities, "row": np.arange(len(identities), dtype=np.int64)})
    return keys.sort("age", "says", "row", nulls_last=True)["row"].to_numpy()
