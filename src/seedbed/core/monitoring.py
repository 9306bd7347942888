"""What came of watching a model: every monitor's finding, how the model does, and whether anybody should be woken."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from .numbers import amount, score, signed
from .record import Record
from .score import Score

VERSION = 1
#: Smaller numbers are written with more than three decimals.
_SMALL = 0.0005
#: Share of the rows from which on groups of them are so many that rows are as good as independent.
_NEARLY = 0.9

Monitor = Literal[
    "schema", "missing", "numbers", "categories", "text", "scores", "labels", "estimate", "performance", "calibration"
]


class Signal(Record):
    """One question that was asked of a window, and its answer."""

    monitor: Monitor
    what: str = Field(description="The column, and what of it: `stars`, `text: length`, `predicted`.")
    measure: str = Field(description="What the effect is, in words, such as `Kolmogorov-Smirnov distance`.")
    effect: float | None = Field(
        None, description="How large the difference is: 0 is none; distances and shares end at 1. None: not measured."
    )
    change: float | None = Field(None, description="Now less before, where that has a sign.")
    way: str = Field("", description="What the sign means: `better`, `worse`, `surer`, `less sure`.")
    p: float | None = Field(
        None, description="That chance alone makes it as large, were rows independent; none where no chance is in it."
    )
    p_holm: float | None = Field(None, description="The same after Holm's correction over all tests of the window.")
    alarm: bool = Field(False, description="Whether it is beyond chance, large enough to matter, and for the worse.")
    why_not: str = Field("", description="Why it is no alarm, where it is beyond chance.")
    told: str = Field("", description="What it was before and is now, in words.")

    @property
    def size(self) -> str:
        """The effect for people; where the change has a sign, with it and what it means: `+0.233, better`."""
        value = self.effect if self.change is None else self.change
        if value is None:
            return ""
        if 0 < abs(value) < _SMALL:  # three decimals would say that it is none
            return f"{'+' if self.change is not None and value > 0 else ''}{amount(value)}" + self._meant
        return (score(value) if self.change is None else signed(value)) + self._meant

    @property
    def _meant(self) -> str:
        return f", {self.way}" if self.way else ""


class Measured(Record):
    """A metric in the window, beside what the model promised."""

    metric: str
    before: Score | None = Field(None, description="On the split of held-out rows that `of` names.")
    of: str = Field("", description="The split; empty where the model's bundle has no score.")
    now: Score
    difference: float | None = Field(None, description="Now less before.")
    low: float | None = Field(None, description="Ends of its 95 % interval (MOVER: Zou and Donner, 2008).")
    high: float | None = None


class Estimated(Record):
    """How a model does without anybody having said what is right."""

    metric: str
    before: Score = Field(description="On the held-out rows of the reference, where it is known.")
    now: Score = Field(description="Of the window.")
    assumes: str = Field(description="What must hold for the estimate to be right.")
    doubted: tuple[str, ...] = Field((), description="What came in otherwise than before, so that it may not hold.")


class Side(Record):
    """Rows that were looked at."""

    named: str
    rows: int = Field(description="All of them.")
    looked_at: int = Field(description="Those that were compared; a sample where there are very many.")
    since: datetime | None = Field(None, description="The first row's time, where rows have one.")
    until: datetime | None = None
    groups: int | None = Field(None, description="Groups of rows that belong together, where that is known.")


class Watch(Record):
    """A window of a model's rows against the model's reference."""

    version: int = VERSION
    seedbed: str
    model: str = Field(description="Name of the model.")
    digest: str = Field(description="SHA-256 of its `bundle.json`.")
    when: datetime = Field(description="When it was looked at, UTC.")
    window: Side
    reference: Side
    level: float = Field(description="Chance of a false alarm, of all tests together.")
    at_least: float = Field(description="Smallest effect of drift that is an alarm.")
    signals: tuple[Signal, ...] = Field(description="Alarms first, then by p.")
    performance: tuple[Measured, ...] = ()
    labelled: int = Field(0, description="Rows of the window of which somebody said what is right.")
    estimated: tuple[Estimated, ...] = ()
    notes: tuple[str, ...] = Field((), description="What could not be looked at, and why.")

    @property
    def alarms(self) -> tuple[Signal, ...]:
        """What somebody should look at."""
        return tuple(one for one in self.signals if one.alarm)

    @property
    def independent(self) -> bool:
        """Whether rows of the reference may be taken for independent draws, as chance is reckoned."""
        return self.reference.groups is None or self.reference.groups > _NEARLY * self.reference.rows

    @property
    def tests(self) -> int:
        """Questions that chance can answer, which Holm's correction is over."""
        return sum(one.p is not None for one in self.signals)
