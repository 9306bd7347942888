"""Rows whose texts go to services on other machines: refused where nobody said that they may, counted where they do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from seedbed.core.asking.calling import is_here
from seedbed.core.errors import RecipeError
from seedbed.core.learner import Learner
from seedbed.core.rows import ROW
from seedbed.core.sending import Sending, Sent
from seedbed.flow.splitting.dataset import Dataset

_NONE = "none"


def refuse_sending(learners: Sequence[Learner]) -> None:
    """Say before anything runs that rows would leave this machine, and nobody said that they may.

    Raises:
        RecipeError: A learner asks a service on another machine, and the recipe does not say why it may.
    """
    for place, learner in enumerate(learners):
        for service in learner.services():
            if not service.why and not is_here(service.address):
                raise RecipeError(
                    f"{learner.use} sends rows' texts to {service.address[:80]}, and nobody said that they may go",
                    at=f"train.{place}",
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
