"""Does the units that the store does not hold yet: what makes a run resume, and grow with its data.

A unit's key says everything that its outcome depends on and nothing else. So a killed run goes on where it was, and
rows that are appended cost what they cost: the units of the rows before them are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.source import Block, Scan, Source
from seedbed.core.step import Reduce
from seedbed.core.table import Table
from seedbed.store.store import Artefact, Store, kept

from .cluster import connected
from .cutting import cut_by
from .grouping import LocalGroups
from .jobs import KEYS, KeysJob
from .pool import Pool
from .provenance import code_of, versions
from .ray_workers import RayWorkers
from .shuffled import RayGroups
from .workers import Facts, Workers, add_up

#: Writes the files of a unit into its folder and returns its counts.
Job = Callable[[Any, Path], Facts]


@dataclass(frozen=True)
class Unit:
    """One piece of work."""

    key: str
    """Digest of everything that its outcome depends on."""
    item: Any
    """What the job is given."""
    size: float = 1.0
    """Share of the work, for progress."""


@dataclass(frozen=True)
class Done:
    """Units that are in the store, in order, and the sums of their counts."""

    facts: Facts
    units: tuple[Artefact, ...]

    @property
    def keys(self) -> list[str]:
        """The units' keys."""
        return [unit.folder.name for unit in self.units]

    def files(self, name: str) -> tuple[Path, ...]:
        """One file of each unit."""
        return tuple(unit.folder / name for unit in self.units)


@dataclass(frozen=True)
class Crew:
    """Who does the work of a run: its context and its workers."""

    context: Context
    workers: Workers

    @classmethod
    @contextmanager
    def of(cls, context: Context) -> Iterator[Self]:
        """A crew as large as the context says, or the cluster's; its processes end with the body."""
        if context.engine == "ray":
            with connected(context):
                yield cls(context, RayWorkers.connected())
            return
        with Pool(context.workers) as pool:
            yield cls(context, pool)

    def blocks(self, source: Source, scan: Scan) -> Iterator[Block]:
        """The blocks of a source, in order; cut by the workers where they are a cluster and the source can be."""
        if self.context.engine == "ray":
            yield from cut_by(self.workers, source, scan, self.context)
        else:
            yield from source.blocks(scan, self.context)

    def work(self, artefact: Artefact, job: Job, units: Iterable[Unit], *, title: str, total: float, unit: str) -> Done:
        """Do the units that the store does not hold, and seal an artefact that is made of them.

        Args:
            artefact: Lists the units; if it is whole and so are they, nothing is done.
            job: Does a unit.
            units: In order; taken one by one, so that they need not be in memory together.
            title: What a person is shown.
            total: The units' sizes together.
            unit: Of the sizes.
        """
        store = Store.of(self.context)
        known = known_units(store, artefact)
        if known is not None:
            return known
        store.units_begin()
        facts: Facts = {}
        places: list[Artefact] = []
        with self.context.stage(title, total, unit) as stage:

            def missing() -> Iterator[tuple[Path, Unit]]:
                nonlocal facts
                for one in units:
                    place = store.unit(one.key)
                    places.append(place)
                    if place.intact:  # an earlier run got this far, or had the same rows
                        facts = add_up(facts, place.facts())
                        stage.advance(one.size, _note(facts), found=True)
                    else:
                        place.forget()
                        yield place.folder, one

            for more, size in self.workers.run(_Kept(job), missing()):
                facts = add_up(facts, more)
                stage.advance(size, _note(facts), rows=more.get("read", 0))
        done = Done(facts, tuple(places))
        artefact.seal({"facts": facts, "units": done.keys})
        return done

    def grouped(
        self, step: Reduce, table: Table, survey: Mapping[str, int], place: Artefact, *, title: str
    ) -> LocalGroups:
        """A whole-table step's keys of a table, brought together.

        Args:
            step: Makes the keys.
            table: The rows, in units of the store.
            survey: What the step asked about them.
            place: Of the groups' own files.
            title: What a person is shown.
        """
        made_from = [step.model_dump(mode="json"), step.heeds(survey), code_of(type(step)), versions()]
        of_step = digest.of_json(made_from)
        units = [Unit(digest.of_json([of_step, _key_of(shard)]), shard) for shard in table.shards]
        keys = Store.of(self.context).artefact("keys", digest.of_json([unit.key for unit in units]))
        job = KeysJob(step, survey, self.context.batch)
        done = self.work(keys, job, units, title=title, total=len(units), unit="shards")
        groups = RayGroups if self.context.engine == "ray" else LocalGroups
        return groups(place.folder, done.files(KEYS), table, survey, self.context, self.workers)


@dataclass(frozen=True)
class _Kept:
    """Does a unit in a worker and keeps its outcome in the store."""

    job: Job

    def __call__(self, todo: tuple[Path, Unit]) -> tuple[Facts, float]:
        """The unit's counts, and its size."""
        place, unit = todo
        with kept(Artefact(place)) as folder:
            facts = self.job(unit.item, folder)
            Artefact(folder).seal(facts, *(file.name for file in folder.iterdir()))
        return facts, unit.size


def known_units(store: Store, artefact: Artefact) -> Done | None:
    """The units of an artefact that is whole, if all of them still are."""
    if not artefact.whole:
        return None
    try:
        facts = artefact.facts()
        units = tuple(store.unit(key) for key in facts["units"])
    except (OSError, ValueError, KeyError):
        return None
    return Done(facts["facts"], units) if all(unit.intact for unit in units) else None


def _key_of(shard: Path) -> str:
    """The key of the unit that a shard is a file of."""
    return shard.parent.name


def _note(facts: Facts) -> str:
    if "rows" not in facts:
        return ""
    rejected = sum(sum(reasons.values()) for reasons in facts["rejected"].values())
    return f"{facts['rows']:,} kept, {rejected:,} rejected"


def keys_of(shards: Sequence[Path]) -> list[str]:
    """The keys of the units that shards are files of."""
    return [_key_of(shard) for shard in shards]
