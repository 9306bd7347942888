"""Progress on standard error: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from seedbed.core.context import Progress, Stage
from seedbed.core.numbers import count, seconds, size, typed

from .terminal import clean

if TYPE_CHECKING:
    import rich.progress
    from rich.console import Console

#: Seconds between two lines about one stage.
EVERY = 5.0


def shown_on(stream: TextIO | None = None) -> Progress:
    """Progress as fits where it is shown (standard error when left out)."""
    stream = stream or sys.stderr
    if stream.isatty() and os.environ.get("TERM") != "dumb":
        return Bars(stream)
    return Lines(stream)


def amount(number: float, unit: str) -> str:
    """A number with its unit: `12.3 MB`, `4,500 rows`."""
    return typed(size(number) if unit in ("bytes", "B") else f"{count(number)} {unit}".strip())


@dataclass
class _LineStage:
    lines: Lines
    title: str
    total: float | None
    unit: str
    started: float
    said: float
    done: float = 0.0

    def advance(self, amount: float = 1, note: str = "") -> None:
        self.done += amount
        now = self.lines.clock()
        if now - self.said >= EVERY:
            self.said = now
            self.lines.say(f"{self.title}: {self.standing(now)}{f' · {note}' if note else ''}")

    def standing(self, now: float) -> str:
        rate = f"{amount(self.done / max(now - self.started, 1e-9), self.unit)}/s"
        if not self.total:
            return f"{amount(self.done, self.unit)} · {rate}"
        return f"{100 * min(self.done / self.total, 1):.0f} % of {amount(self.total, self.unit)} · {rate}"


@dataclass
class Lines:
    """A line when a stage starts, one every few seconds, and one when it is over."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    clock: Callable[[], float] = time.monotonic

    def start(self, title: str, total: float | None, unit: str) -> Stage:
        """Begin to show a stage."""
        now = self.clock()
        self.say(f"{title} …")
        return _LineStage(self, title, total, unit, now, now)

    def finish(self, stage: Stage) -> None:
        """The stage is over."""
        if isinstance(stage, _LineStage):
            self.say(_finished(stage.title, self.clock() - stage.started))

    def say(self, text: str) -> None:
        """One line for a person."""
        self.stream.write(clean(text).replace("\n", " ") + "\n")
        self.stream.flush()


@dataclass
class _BarStage:
    bars: rich.progress.Progress
    task: rich.progress.TaskID
    title: str
    started: float

    def advance(self, amount: float = 1, note: str = "") -> None:
        self.bars.update(self.task, advance=amount)
        if note:
            self.bars.update(self.task, note=clean(note))


class Bars:
    """Bars that vanish when their stage is over and leave a line."""

    def __init__(self, stream: TextIO | None = None) -> None:
        from rich.console import Console

        self._console: Console = Console(file=stream or sys.stderr, markup=False, highlight=False, emoji=False)
        self._bars: rich.progress.Progress | None = None

    def start(self, title: str, total: float | None, unit: str) -> Stage:
        """Begin to show a stage."""
        if self._bars is None:
            self._bars = _bars_on(self._console)
            self._bars.start()
        title = clean(title)
        task = self._bars.add_task(title, total=total, note="")
        return _BarStage(self._bars, task, title, time.monotonic())

    def finish(self, stage: Stage) -> None:
        """The stage is over."""
        if not isinstance(stage, _BarStage):
            return
        stage.bars.remove_task(stage.task)
        if not stage.bars.tasks:
            # No bar, no live display: whatever is printed between two stages is safe from being overdrawn.
            stage.bars.stop()
            self._bars = None
        self.say(_finished(stage.title, time.monotonic() - stage.started))

    def say(self, text: str) -> None:
        """One line for a person."""
        self._console.print(clean(text).replace("\n", " "), soft_wrap=True)


def _bars_on(console: Console) -> rich.progress.Progress:
    from rich import progress

    return progress.Progress(
        progress.SpinnerColumn(),
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.fields[note]}", markup=False),
        console=console,
        transient=True,
    )


def _finished(title: str, taken: float) -> str:
    return typed(f"{title}: done in {seconds(taken)}")
