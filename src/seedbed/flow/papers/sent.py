"""Rows whose texts go to services on other machines: refused where nobody said that they may, counted where they do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from seedbed.core.asking.calling import is_here
from seedbed.core.errors import RecipeError
from seedbed.core.rows import ROW
from seedbed.core.sending import Sending, Sent, Service
from seedbed.flow.splitting.dataset import Dataset
from seedbed.recipe.recipe import Recipe

_NONE = "none"


def elsewhere(recipe: Recipe) -> Iterator[tuple[str, str, Service]]:
    """The services on other machines that a recipe has asked about rows: where it says so, who asks, and whom."""
    rooms = {"sources": recipe.sources, "steps": recipe.steps, "prepare": recipe.prepare, "train": recipe.train}
    for room, parts in rooms.items():
        for place, part in enumerate(parts):
            for service in part.services():
                if not is_here(service.address):
                    yield f"{room}.{place}", part.use, service
    judge = recipe.evaluate.judged_by
    if judge is not None and not is_here(judge.endpoint):
        yield "evaluate.judged_by", "the judge", Service(judge.endpoint, judge.may_send or "")


def refuse_sending(recipe: Recipe) -> None:
    """Say before anything runs that rows would leave this machine, and nobody said that they may.

    Raises:
        RecipeError: A part asks a service on another machine, and the recipe does not say why it may.
    """
    for at, who, service in elsewhere(recipe):
        if not service.why:
            raise RecipeError(
                f"{who} sends rows' texts to {service.address[:80]}, and nobody said that they may go",
                at=at,
                hint="say why with `may_send: …` beside `endpoint` (the report and the card print it), or name an "
                "endpoint on this machine",
            )


def sent_by(sending: Mapping[str, Sending], splits: Iterable[str], dataset: Dataset) -> tuple[Sent, ...]:
    """What a run sent, by the splits of its dataset.

    Args:
        sending: What was noted of each address.
        splits: Their names.
        dataset: Its folder.
    """
    found = []
    for to, one in sending.items():
        asked = pl.LazyFrame({ROW: sorted(one.rows)}, schema={ROW: pl.String})
        there = {name: dataset.scan(name).select(ROW).join(asked, on=ROW, how="semi") for name in splits}
        rows = {name: int(scan.select(pl.len()).collect(engine="streaming").item()) for name, scan in there.items()}
        rows[_NONE] = len(one.rows) - sum(rows.values())
        told = {name: many for name, many in rows.items() if many}
        found.append(Sent(to=to, why=one.why, rows=told, shown=len(one.shown)))
    return tuple(found)
