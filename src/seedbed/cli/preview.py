"""What `seedbed run --dry-run` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from seedbed.core.numbers import count, seconds, size, things, typed, word

if TYPE_CHECKING:
    from seedbed.flow.previewing import PassEstimate, Preview


def told(preview: Preview) -> list[str]:
    """The passes in order, what the store holds of them, and what they will come to."""
    return [typed(line) for line in _lines(preview)]


def _lines(preview: Preview) -> Iterator[str]:
    files, held = sum(one.files for one in preview.sources), sum(one.bytes for one in preview.sources)
    if preview.fetches:
        yield f"{preview.name}: a run would fetch; nothing is fetched, done or written now"
        yield from (f"  {one}" for one in preview.fetches)
        if not preview.sources:
            yield "nothing can be estimated before it is fetched"
            yield f"then: {' · '.join(preview.then)}"
            return
    yield f"{preview.name}: {files:,} {'file' if files == 1 else 'files'}, {size(held)}; nothing is done or written"
    for place, one in enumerate(preview.passes, start=1):
        yield ""
        yield f"pass {place}: {_doing(one, place)}"
        yield f"  {_standing(one)}"
        yield from _table(one) if one.estimates else ()
    yield ""
    to_do = sum(one.cpu_seconds for one in preview.passes)
    room = sum(one.bytes for one in preview.passes)
    workers = f"{preview.workers} {'worker' if preview.workers == 1 else 'workers'}"
    by = preview.cluster or workers
    yield f"cleaning only: about {seconds(to_do)} of CPU for {by}, and {size(room)} in {preview.store}"
    if preview.cluster:
        yield (
            "there, workers cut, read, clean and compare; this machine splits, trains and reports. The cluster was not "
            "asked: every node must see that store, and the seconds are those of this machine's cores"
        )
    yield f"not in it, and often most of a run: {' · '.join(preview.then)}"
    yield (
        f"estimated from {things(preview.sample_rows, 'row')} in {count(preview.sample_blocks)} "
        f"{'block' if preview.sample_blocks == 1 else 'blocks'} "
        f"({size(preview.sample_bytes)} of {size(preview.of_bytes)}); rows that a whole-table step rejects are not "
        "known before all are compared, so later passes may have fewer"
    )


def _doing(one: PassEstimate, place: int) -> str:
    steps = ", ".join(name for name in one.steps if name != "task") or "rows"
    doing = f"{'read' if place == 1 else 'apply'} {steps}"
    return f"{doing}, then compare rows for {one.ends_with}" if one.ends_with else doing


def _standing(one: PassEstimate) -> str:
    if one.there and one.judged:
        return "in the store: nothing is to do"
    if one.there:
        return f"in the store; rows are still to be compared for {one.ends_with}"
    if one.units is None:
        return f"to do: about {seconds(one.cpu_seconds)} of CPU, {size(one.bytes)} in the store"
    there = (
        f"{one.units_there:,} of {things(one.units, 'unit')} {word(one.units_there or 0, 'is', 'are')} in "
        f"the store, {one.units - (one.units_there or 0):,} to do"
    )
    return f"{there}: about {seconds(one.cpu_seconds)} of CPU, {size(one.bytes)} in the store"


def _table(one: PassEstimate) -> Iterator[str]:
    rows = [
        (step.part, count(step.rows_in), count(step.rows_out), count(step.changed), _why(step.rejected))
        for step in one.estimates
    ]
    head = ("part", "rows in", "rows out", "changed", "rejected")
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(4)]
    for row in (head, *rows):
        cells = [row[0].ljust(widths[0]), *(row[at].rjust(widths[at]) for at in (1, 2, 3)), row[4]]
        yield "  " + "  ".join(cells).rstrip()


def _why(rejected: dict[str, int]) -> str:
    return ", ".join(f"{count(rows)} {why}" for why, rows in sorted(rejected.items(), key=lambda one: -one[1])) or "0"
