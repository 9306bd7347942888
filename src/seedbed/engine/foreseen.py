"""What passes will do, before they do it: what the store holds, and the rest estimated from a few blocks.

Some blocks of each source go through the row-wise steps in a folder of the system's that is gone afterwards; the store
is asked and not touched. What whole-table steps reject shows only when all rows are compared, and is not guessed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seedbed.core.context import Stage
from seedbed.core.source import Block
from seedbed.store.store import Store

from .jobs import ROWS, KeysJob, ShardJob
from .passes import Passes, key_after, key_judged
from .plan import Leg
from .units import Unit, known_units
from .workers import Facts

#: Blocks of each source that are tried, spread evenly over it.
SAMPLED = 3
#: Bytes of each source that are cut into blocks to see which of them the store holds.
LOOKED_AT = 2 << 30


@dataclass(frozen=True)
class Tried:
    """What became of sampled rows in a pass, scaled up to all rows; or what the store says of the whole pass."""

    read: float = 0.0
    rows: float = 0.0
    rows_out: Mapping[str, float] = field(default_factory=dict)
    changed: Mapping[str, float] = field(default_factory=dict)
    rejected: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    seconds: float = 0.0
    """CPU seconds of the pass and of the keys after it, if all of it were done."""
    bytes: float = 0.0
    """What both would leave in the store."""


@dataclass(frozen=True)
class Foreseen:
    """A pass before it is done."""

    leg: Leg
    there: bool
    """Whether the store holds all of it."""
    judged: bool
    """Whether the store holds what the whole-table step after it said; so, too, where there is none."""
    units: int | None
    """Units of the pass; none where only the pass before tells."""
    units_there: int | None
    tried: Tried


@dataclass(frozen=True)
class Sample:
    """What estimates rest on."""

    rows: int
    blocks: int
    bytes: float
    of_bytes: float


@dataclass
class _Source:
    """A source's blocks, as far as they were cut."""

    units: int = 0
    there: int = 0
    weight: float = 0.0
    """Of all its units."""
    whole: bool = True
    chosen: list[Unit] = field(default_factory=list)


def foresee(passes: Passes, legs: list[Leg]) -> tuple[list[Foreseen], Sample]:
    """The passes of legs, in order, and what the estimates rest on."""
    sources = _looked_through(passes, legs[0])
    tried: list[list[tuple[float, Facts, float, float]]] = [[] for _ in legs]
    with tempfile.TemporaryDirectory(prefix="seedbed-dry-run-") as place:
        for which, one in enumerate(sources):
            weight = one.weight / sum(map(_weight, one.chosen)) if one.chosen else 0.0
            for at, unit in enumerate(one.chosen):
                for done, outcome in enumerate(_through(passes, legs, unit.item, Path(place) / f"{which}-{at}")):
                    tried[done].append((weight, *outcome))
    sample = Sample(
        rows=sum(facts["read"] for _, facts, _, _ in tried[0]),
        blocks=len(tried[0]),
        bytes=sum(_weight(unit) for one in sources for unit in one.chosen),
        of_bytes=sum(one.weight for one in sources),
    )
    store, key, found = Store(passes.crew.context.store), "", []
    for leg, outcomes in zip(legs, tried, strict=True):
        key = key_after(key, leg, passes)
        held = known_units(store, store.look_at("passes", key))
        counted = leg is legs[0] and all(one.whole for one in sources)
        units = sum(one.units for one in sources) if counted else None
        there = sum(one.there for one in sources) if counted else None
        estimated = _scaled(outcomes)
        if held:
            units = there = len(held.units)
            estimated = _exact(held.facts, estimated)
        judged = True
        if leg.ends_with:
            key = key_judged(key, leg.ends_with[1])
            judged = store.holds("verdicts", key)
        found.append(Foreseen(leg, held is not None, judged, units, there, estimated))
    return found, sample


def _looked_through(passes: Passes, leg: Leg) -> list[_Source]:
    """Each source's blocks, some of them chosen."""
    size = float(sum(file.size for one in passes.opened for file in one.scan.files))
    with passes.crew.context.stage("Looking at what the store holds", size, "B") as stage:
        return [_cut(passes, leg, which, stage) for which in range(len(passes.opened))]


def _cut(passes: Passes, leg: Leg, which: int, stage: Stage) -> _Source:
    store, found, every, read = Store(passes.crew.context.store), _Source(), 1, 0.0
    for unit in passes.blocks_of(leg, which):
        if read >= LOOKED_AT:
            found.whole = False
            break
        if found.units % every == 0:
            found.chosen.append(unit)
        if len(found.chosen) > 2 * SAMPLED:  # too many are held: every second of them is spread as evenly
            found.chosen, every = found.chosen[::2], 2 * every
        found.units += 1
        found.there += store.unit(unit.key).intact
        found.weight += _weight(unit)
        read += unit.size
        stage.advance(unit.size)
    spread = range(SAMPLED if len(found.chosen) > SAMPLED else len(found.chosen))
    found.chosen = [found.chosen[place * len(found.chosen) // len(spread)] for place in spread]
    if not found.whole:
        found.weight *= sum(file.size for file in passes.opened[which].scan.files) / read
    return found


def _weight(unit: Unit) -> float:
    """Bytes that blocks hold; of one that does not carry them, those that it stands for."""
    return sum(map(_bytes_of, unit.item[1]))


def _bytes_of(block: Block) -> float:
    held = getattr(block.payload, "data", block.payload)
    return float(len(held)) if isinstance(held, bytes) else max(block.size, 1.0)


def _through(
    passes: Passes, legs: list[Leg], item: tuple[int, Sequence[Block]], place: Path
) -> Iterator[tuple[Facts, float, float]]:
    """Blocks through all row-wise steps: of each pass its counts, CPU seconds and bytes."""
    shard: Path | None = None
    for at, leg in enumerate(legs):
        folder = place / f"{at}"
        folder.mkdir(parents=True)
        begin = time.process_time()
        facts = passes.reading(leg)(item, folder) if shard is None else ShardJob(passes.as_pass(leg))(shard, folder)
        shard = folder / ROWS
        if leg.ends_with:
            KeysJob(leg.ends_with[1], facts["survey"], passes.crew.context.batch)(shard, folder)
        yield facts, time.process_time() - begin, float(sum(file.stat().st_size for file in folder.iterdir()))


def _scaled(outcomes: list[tuple[float, Facts, float, float]]) -> Tried:
    total = Tried()
    for weight, facts, seconds, size in outcomes:
        total = Tried(
            read=total.read + weight * facts["read"],
            rows=total.rows + weight * facts["rows"],
            rows_out=_plus(total.rows_out, facts["rows_out"], weight),
            changed=_plus(total.changed, facts["changed"], weight),
            rejected={
                part: _plus(total.rejected.get(part, {}), facts["rejected"].get(part, {}), weight)
                for part in {**total.rejected, **facts["rejected"]}
            },
            seconds=total.seconds + weight * seconds,
            bytes=total.bytes + weight * size,
        )
    return total


def _plus(total: Mapping[str, float], more: Mapping[str, float], weight: float) -> dict[str, float]:
    return {name: total.get(name, 0) + weight * more.get(name, 0) for name in {**total, **more}}


def _exact(facts: Facts, estimated: Tried) -> Tried:
    """What the store knows of a whole pass."""
    return Tried(
        read=facts["read"],
        rows=facts["rows"],
        rows_out=facts["rows_out"],
        changed=facts["changed"],
        rejected=facts["rejected"],
        seconds=estimated.seconds,
        bytes=estimated.bytes,
    )
