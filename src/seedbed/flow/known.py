"""What a run has come to know so far, and how long that took."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from seedbed.core.check import Finding
from seedbed.core.licences import Mixed
from seedbed.core.profile import DatasetProfile
from seedbed.core.run import AblationRecord, DatasetRecord, Effect, GateRecord, LeakageClaim, LearningCurve
from seedbed.core.scrutiny import Scrutiny
from seedbed.core.sending import Sent
from seedbed.core.task import Task
from seedbed.engine.curate import Curated
from seedbed.publish.papers.answers import Answers

from .judging.judge import Judged
from .preparing.prepare import Learning
from .preparing.unprepared import Unprepared
from .splitting.split import Split


@dataclass
class Known:
    """What a run has come to know so far."""

    curated: Curated
    task: Task
    answers: Answers
    limit: int | None = None
    """Records that were read of each source at most, of a quick look."""
    findings: list[Finding] = field(default_factory=list)
    licences: Mixed | None = None
    """Whether the sources may be mixed."""
    split: Split | None = None
    unprepared: Unprepared | None = None
    """Rows and splits before `prepare`, where there is one."""
    learned: tuple[Learning, ...] = ()
    """What parts of `prepare` learned."""
    dataset: DatasetRecord | None = None
    profile: DatasetProfile | None = None
    judged: Judged | None = None
    effects: tuple[Effect, ...] = ()
    learning_curve: LearningCurve | None = None
    scrutiny: Scrutiny | None = None
    leakage: LeakageClaim | None = None
    ablation: AblationRecord | None = None
    gates: list[GateRecord] = field(default_factory=list)
    stopped_by: list[str] = field(default_factory=list)
    blanks: tuple[str, ...] = ()
    sent: tuple[Sent, ...] = ()
    """Rows whose texts went to services on other machines."""


@dataclass
class Clock:
    """Seconds by stage."""

    start: float = field(default_factory=time.perf_counter)
    started: str = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"))
    """By milliseconds, so that the later of two quick runs is the latest."""
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Count the seconds of the body, with those of the stage before it."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = round(self.seconds.get(stage, 0.0) + time.perf_counter() - begin, 3)

    @property
    def total(self) -> float:
        """Seconds since the start."""
        return round(time.perf_counter() - self.start, 3)
