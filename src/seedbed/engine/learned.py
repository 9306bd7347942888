"""What was learned from training rows, applied to rows: the engine's own parts, which no recipe can name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from pydantic import SerializeAsAny

from seedbed.core.step import Filter, Fitted, Map


class Learned(Map):
    """A `Fitted` that has learned rewrites columns like a `Map`."""

    use: str = ""
    step: SerializeAsAny[Fitted]
    state: dict[str, Any]
    training: bool = False
    """Whether the rows are training rows, of which the step may say something else."""

    def columns(self) -> Sequence[pl.Expr]:
        """As the step says."""
        return self.step.train_columns(self.state) if self.training else self.step.columns(self.state)


class Dropping(Filter):
    """A `Fitted` that has learned keeps some training rows."""

    use: str = ""
    step: SerializeAsAny[Fitted]
    state: dict[str, Any]

    def keep(self) -> pl.Expr:
        """As the step says; all rows where it says nothing."""
        kept = self.step.keep(self.state)
        return pl.lit(True) if kept is None else kept

    def reason(self) -> pl.Expr:
        """As the step says."""
        return self.step.reason(self.state)

    def evidence(self) -> Mapping[str, pl.Expr]:
        """As the step says."""
        return self.step.evidence(self.state)


def on_training(step: Fitted, state: dict[str, Any]) -> list[Map | Filter]:
    """What a step does to training rows: those that go are judged before columns are rewritten."""
    drops: list[Map | Filter] = []
    if step.keep(state) is not None:
        drops.append(Dropping(step=step, state=state))
    return [*drops, Learned(step=step, state=state, training=True)] if step.train_columns(state) else drops


def on_others(step: Fitted, state: dict[str, Any]) -> list[Map | Filter]:
    """What it does to other rows: all of them stay."""
    return [Learned(step=step, state=state)] if step.columns(state) else []
