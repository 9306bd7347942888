"""What a run has come to know so far, and how long that took."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from seedbed.core.check import Finding
from seedbed.core.licences import Mixed
from seedbed.core.run import DatasetRecord, GateRecord, LeakageClaim
from seedbed.core.task import Task
from seedbed.engine.curate import Curated
from seedbed.publish.answers import Answers

from .judging.judge import Judged
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
    dataset: DatasetRecord | None = None
    judged: Judged | None = None
    leakage: LeakageClaim | None = None
    gates: list[GateRecord] = field(default_factory=list)
    stopped_by: list[str] = field(default_factory=list)
    blanks: tuple[str, ...] = ()


@dataclass
class Clock:
    """Seconds by stage."""

    start: float = field(default_factory=time.perf_counter)
    started: str = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"))
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Count the seconds of the body."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = round(time.perf_counter() - begin, 3)

    @property
    def total(self) -> float:
        """Seconds since the start."""
        return round(time.perf_counter() - self.start, 3)
