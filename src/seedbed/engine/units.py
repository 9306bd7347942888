"""Does the units of an artefact that it does not hold yet: what makes an interrupted run resume."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from seedbed.core.context import Context
from seedbed.core.step import Reduce
from seedbed.core.table import Table
from seedbed.store.store import Artefact

from .grouping import LocalGroups
from .jobs import KeysJob
from .pool import Facts, Job, Pool, add_up


@dataclass(frozen=True)
class Crew:
    """Who does the work of a run: its context and its worker processes."""

    context: Context
    pool: Pool

    @classmethod
    @contextmanager
    def of(cls, context: Context) -> Iterator[Self]:
        """A crew as large as the context says; its processes end with the body."""
        with Pool(context.workers) as pool:
            yield cls(context, pool)

    def work(
        self, place: Artefact, job: Job, units: Iterable[tuple[Any, float]], *, title: str, total: float, unit: str
    ) -> Facts:
        """Do the units (each with its size) that the artefact does not hold yet; the sums of all units' facts."""
        facts: Facts = {}
        count = 0
        with self.context.stage(title, total, unit) as stage:

            def missing() -> Iterator[Any]:
                nonlocal facts, count
                for item, size in units:
                    count += 1
                    before = place.folder / f"unit-{item[0]:06}.json"
                    if before.exists():  # a run that was interrupted got this far
                        facts = add_up(facts, json.loads(before.read_text("utf-8")))
                    else:
                        yield item
                    stage.advance(size)

            for more in self.pool.run(job, missing()):
                facts = add_up(facts, more)
                stage.advance(0, _note(facts))
        return facts | {"units": count}

    def grouped(
        self, step: Reduce, table: Table, survey: Mapping[str, int], place: Artefact, *, title: str
    ) -> LocalGroups:
        """A whole-table step's keys of a table, brought together."""
        units = [(unit, 1.0) for unit in enumerate(table.shards)]
        job = KeysJob(place.folder, step, survey, self.context.batch)
        self.work(place, job, units, title=title, total=len(units), unit="shards")
        keys = tuple(place.folder / f"keys-{index:06}.parquet" for index in range(len(units)))
        return LocalGroups(place.folder, keys, table, survey)


def _note(facts: Facts) -> str:
    if "rows" not in facts:
        return ""
    rejected = sum(sum(reasons.values()) for reasons in facts["rejected"].values())
    return f"{facts['rows']:,} kept, {rejected:,} rejected"
