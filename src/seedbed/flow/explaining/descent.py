"""The story of a row that a part of `prepare` made, and of the rows that it was made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from seedbed.core.errors import RecipeError
from seedbed.core.numbers import things

from .held import Held
from .kept import kept_story
from .made import maker_of, parents_of
from .rejected import MOST_RELATIVES, rejected_story
from .showing import shown
from .story import Relative, Story


def made_story(held: Held, row: str, maker: str) -> Story:
    """The story of a made row.

    Raises:
        RecipeError: The part made no such row.
    """
    entry = next(iter(held.entries([row], "made")), None)
    if entry is None:
        made = held.ledger.filter(pl.col("action") == "made", pl.col("part") == maker).select(pl.len()).collect().item()
        raise RecipeError(
            f"the run made no row {row[:120]!r}",
            at="seedbed explain",
            hint=f"{maker} made {things(made, 'row')}, from 1",
        )
    rejected, kept = held.rejected([row]).get(row), held.kept([row]).get(row)
    parts = rejected_story(held, row, rejected) if rejected else kept_story(held, row, kept)
    values = kept and {name: shown(value) for name, value in kept[1].items()}
    return Story(
        run=held.finished.run.id,
        row=row,
        text=held.text,
        label=held.label,
        maker=maker,
        parents=tuple(_parents(held, row, parents_of(entry))),
        **{"values": values, **parts},
    )


def _parents(held: Held, row: str, names: Sequence[str]) -> Iterator[Relative]:
    """The rows that one was made of, and where those were made too, the rows that they were made of."""
    seen, waiting = {row}, [(row, name) for name in names]
    while waiting and len(seen) <= MOST_RELATIVES:
        of, name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        gone, kept = held.rejected([name]).get(name), held.kept([name]).get(name)
        values = kept[1] if kept else {}
        yield Relative(
            row=name,
            relation="parent",
            to=of,
            text=held.text_of(values) if values else (gone or {}).get("excerpt", ""),
            label=held.label_of(values) if values else None,
            fate=held.fate(gone, kept),
        )
        if maker_of(name, held.finished.run):
            waiting += [(name, more) for one in held.entries([name], "made") for more in parents_of(one)]
