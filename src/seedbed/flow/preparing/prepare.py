"""`prepare`: parts that learn from training rows or make some, one after the other, with the books kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.errors import BooksError, DataError, RecipeError
from seedbed.core.ledger import Books
from seedbed.core.numbers import things
from seedbed.core.part import labels_of
from seedbed.core.rows import NUMBER, PARENTS, ROW, data_columns
from seedbed.core.run import StepRecord
from seedbed.core.splitter import Certificate
from seedbed.core.step import Filter, Fitted, Make, Map, Step
from seedbed.core.table import Table
from seedbed.core.task import Task
from seedbed.engine.curate import Curated
from seedbed.engine.jobs import LEDGER, ROWS
from seedbed.engine.learned import on_others, on_training
from seedbed.engine.making import NEAR_HELD_OUT, Making
from seedbed.engine.plan import check_columns, refuse_clashes
from seedbed.engine.preparing import Made, applied, keys_of, learn, make, parted
from seedbed.engine.units import Crew
from seedbed.flow.splitting.split import Split
from seedbed.splits.verify import Verification, verify

#: The split that everything here is for.
TRAIN = "train"


@dataclass(frozen=True)
class Learning:
    """A part and what it learned."""

    name: str
    step: Fitted
    state: dict[str, Any]


@dataclass(frozen=True)
class Prepared:
    """Rows after `prepare`."""

    curated: Curated
    split: Split
    learned: tuple[Learning, ...]


def prepare(
    steps: Sequence[Step],
    curated: Curated,
    split: Split,
    task: Task,
    context: Context,
    changes: Literal["sample", "all"] = "sample",
) -> Prepared:
    """Learn from training rows, rewrite columns everywhere, drop training rows and make new ones, as the steps say.

    Args:
        steps: The recipe's `prepare`, in order.
        curated: The rows so far.
        split: Where each of them is.
        task: Its text is what the ledger shows.
        context: Of the run.
        changes: As in `Kernel`.

    Raises:
        RecipeError: A step names a column that is not there.
        DataError: A step cannot learn from these rows, or leaves none.
        BooksError: Rows were lost or invented.
    """
    own = any(type(step).__module__ == "__main__" for step in steps)
    with Crew.of(replace(context, workers=1) if own else context) as crew:
        rows = _Preparing.of(curated, split, task, crew, changes)
        for place, (name, step) in enumerate(zip(labels_of(list(steps)), steps, strict=True)):
            columns = data_columns(rows.train.schema)
            check_columns(step, columns, f"prepare.{place}")
            refuse_clashes(step, columns, f"prepare.{place}")
            if isinstance(step, Make) and PARENTS in columns:
                raise RecipeError(
                    f"the rows have a column {PARENTS!r}, which made rows tell their parents in",
                    at=f"prepare.{place}",
                    hint="rename it with the `columns: {NEW: OLD}` of its source",
                )
            if isinstance(step, Fitted):
                rows.fit(name, step)
            elif isinstance(step, Make):
                rows.make(name, step, place)
    return Prepared(rows.finished(steps), rows.split_now(), tuple(rows.learned))


def weighs(steps: Sequence[Step]) -> bool:
    """Whether a step says how much each training row counts."""
    return any(isinstance(step, Fitted) and step.weighs for step in steps)


@dataclass
class _Preparing:
    """Rows on their way through `prepare`."""

    curated: Curated
    split: Split
    task: Task
    crew: Crew
    changes: Literal["sample", "all"]
    train: Table
    others: Table
    before: Table
    """The rows as they were split."""
    learned: list[Learning] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    checked: list[Verification] = field(default_factory=list)

    @classmethod
    def of(
        cls, curated: Curated, split: Split, task: Task, crew: Crew, changes: Literal["sample", "all"]
    ) -> _Preparing:
        """Training rows and others, set apart."""
        place = split.names.index(TRAIN)
        sides = {}
        for shard in curated.table.shards:
            numbers = pl.read_parquet(shard, columns=[NUMBER], glob=False)
            sides[shard] = (split.of(numbers) == place).to_numpy()
        train, others = parted(curated.table, sides, crew)
        return cls(curated, split, task, crew, changes, train, others, curated.table)

    def fit(self, name: str, step: Fitted) -> None:
        """Learn from training rows, and apply it to all."""
        state = learn(step, name, self.train, self.crew.context)
        self.learned.append(Learning(name, step, state))
        before = self.train.height
        train, changed, rejected = self._applied(name, step, state, self.train, on_training(step, state))
        others, more, _ = self._applied(name, step, state, self.others, on_others(step, state))
        if not train.height:
            raise DataError(f"{name} leaves none of {things(before, 'training row')}", at=name)
        if train.schema != others.schema:
            raise BooksError("it writes other columns for training rows than for the others", at=name)
        self.train, self.others = train, others
        kept = train.height + others.height
        gone = sum(rejected.values())
        told = tuple(step.told(state))
        self._account(name, step, changed=changed + more, rejected=rejected, kept=kept, made=0, told=told)
        if before - train.height != gone:
            raise BooksError(f"{before - train.height} training rows went and {gone} were rejected", at=name)

    def _applied(
        self, name: str, step: Fitted, state: dict[str, Any], table: Table, doing: Sequence[Map | Filter]
    ) -> tuple[Table, int, dict[str, int]]:
        """A table after a step, rows that it changed, and rows that it rejected by reason."""
        drops = [name for name in step.drops(state) if name in table.schema]
        if set(self.task.roles.values()) & set(drops):
            raise BooksError("it would take away a column that the task reads", at=name)
        if not doing and not drops:
            return table, 0, {}
        made_from = [name, step.model_dump(mode="json"), step.made_from(), state, [type(one).__name__ for one in doing]]
        made_from.append([getattr(one, "training", True) for one in doing])
        steps = [(name, one) for one in doing]
        shown, changes = self.task.shown, self.changes
        done = applied(table, steps, made_from, self.crew, drops=drops, shown=shown, changes=changes)
        self.curated = replace(self.curated, ledger=(*self.curated.ledger, done.files(LEDGER)))
        facts = done.facts
        return Table(done.files(ROWS)), facts.get("changed", {}).get(name, 0), facts["rejected"].get(name, {})

    def make(self, name: str, step: Make, place: int) -> None:
        """Have a part make training rows; those that are near to a held-out row are rejected."""
        similarity, context = self.split.similarity.within(self.train.schema), self.crew.context
        file = max(one.first_file + len(one.scan.files) for one in self.curated.opened) + place
        held_out = similarity.held_out(self.others.scan().select(ROW, *similarity.columns).collect())
        asked = [similarity.columns, similarity.kind, similarity.threshold, keys_of(self.others)]
        making = Making(step, name, file, context.seed, self.task.shown or "", held_out)
        made = make(making, self.train, asked, context)
        self.train = Table((*self.train.shards, *made.table.shards))
        self.made.append(made)
        self.checked.append(self._verify(made))
        self.curated = replace(self.curated, ledger=(*self.curated.ledger, made.ledger))
        rejected = {NEAR_HELD_OUT: made.near} if made.near else {}
        kept = self.train.height + self.others.height
        self._account(name, step, changed=0, rejected=rejected, kept=kept, made=made.made)

    def _account(
        self,
        name: str,
        step: Step,
        *,
        changed: int,
        rejected: dict[str, int],
        kept: int,
        made: int,
        told: tuple[str, ...] = (),
    ) -> None:
        before = self.curated.books
        later = Books(
            read=before.kept,
            made=made,
            kept=kept,
            changed={name: changed} if changed else {},
            rejected={name: rejected} if rejected else {},
        ).check(at=name)
        record = StepRecord(
            part=name, use=step.use, rows_in=before.kept, rows_out=kept, changed=changed, rejected=rejected, told=told
        )
        books = before.then(later).check(at=name)
        self.curated = replace(self.curated, books=books, parts=(*self.curated.parts, record))

    def finished(self, steps: Sequence[Step]) -> Curated:
        """All rows: those that train, then the others, each in order."""
        told = [[step.model_dump(mode="json"), step.made_from()] for step in steps]
        key = digest.of_json([self.curated.key, told, [learning.state for learning in self.learned]])
        return replace(self.curated, table=Table((*self.train.shards, *self.others.shards)), key=key)

    def split_now(self) -> Split:
        """Where each row is: made rows train, in the cluster of their first parent."""
        train = self.train.scan().select(NUMBER, ROW).collect()
        numbers, was = train[NUMBER].to_numpy(), self.split
        of_read = was.numbers[was.places != was.names.index(TRAIN)]
        merged = np.sort(np.concatenate([numbers, of_read]))
        at = np.searchsorted(was.numbers, merged).clip(max=len(was.numbers) - 1)
        read = was.numbers[at] == merged
        places = np.where(read, was.places[at], was.names.index(TRAIN)).astype(np.int8)
        clusters = np.where(read, was.clusters[at], -1)
        made = merged[~read]
        clusters[~read] = self._clusters_of(made)
        only_train = ~read if was.only_train is None else np.where(read, was.only_train[at], True)
        return replace(
            was,
            numbers=merged,
            places=places,
            clusters=clusters,
            groups=None if was.groups is None else np.where(read, was.groups[at], clusters),
            only_train=only_train if (~read).any() or was.only_train is not None else None,
            certificate=self._certificate(int((~read).sum())),
        )

    def _clusters_of(self, made: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Clusters of made rows: that of the first parent, or of the parent's first parent where that was made, too."""
        if not len(made):
            return np.zeros(0, dtype=np.int64)
        told = pl.concat([one.parents for one in self.made]).with_columns(pl.col(PARENTS).list.first())
        named = told[PARENTS].unique().implode()
        scans = [self.before.scan(), *(one.table.scan() for one in self.made)]
        names = pl.concat([scan.select(ROW, NUMBER).filter(pl.col(ROW).is_in(named)) for scan in scans]).collect()
        parent = told.join(names.rename({NUMBER: "_of"}), left_on=PARENTS, right_on=ROW, how="left")
        cluster = dict(zip(self.split.numbers.tolist(), self.split.clusters.tolist(), strict=True))
        for number, of in parent.sort(NUMBER).select(NUMBER, "_of").iter_rows():
            cluster[number] = cluster[of]  # what it was made from was numbered before
        return np.array([cluster[number] for number in made.tolist()], dtype=np.int64)

    def _verify(self, made: Made) -> Verification:
        """The independent check of made rows: other code compares held-out rows with all of them."""
        similarity, own = self.split.similarity.within(self.train.schema), self.crew.context
        scans = [table.scan().select(NUMBER, *similarity.columns).collect() for table in (self.others, made.table)]
        others, told = (one.select(NUMBER, text=similarity.texts(one)) for one in scans)
        rows = pl.concat([others, told.unique("text", keep="first", maintain_order=True)]).sort(NUMBER)
        numbers = rows[NUMBER].to_numpy()
        places = np.isin(numbers, others[NUMBER].to_numpy()).astype(np.int8)
        with own.stage("Verifying made rows independently", 2, "sweeps") as stage:

            def texts() -> Iterator[tuple[NDArray[np.uint64], list[str | None]]]:
                yield numbers, rows["text"].to_list()
                stage.advance(1)

            return verify(texts, numbers, places, kind=similarity.kind, threshold=similarity.threshold, seed=own.seed)

    def _certificate(self, rows: int) -> Certificate:
        """The split's certificate, with what is known of made rows."""
        certificate = self.split.certificate
        if not self.made:
            return certificate
        found = sum(len(one.pairs) for one in self.checked)
        told = {
            "rows": rows,
            "rejected": sum(one.near for one in self.made),
            "compared": min(one.rows for one in self.checked),
            "of": min(one.of for one in self.checked),
            "pairs_found": found,
        }
        return certificate.model_copy(update={"made": told, "passed": certificate.passed and not found})
