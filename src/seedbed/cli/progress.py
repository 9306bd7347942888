"""Progress on standard error: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from seedbed.core.context import Progress, Stage
from seedbed.core.numbers import count, duration, seconds, size, things, typed

from .terminal import clean

if TYPE_CHECKING:
    import rich.progress
    from rich.console import Console
    from rich.text import Text

#: Seconds between two lines about one stage.
EVERY = 5.0
#: Seconds of work from which a guess of the time left is worth telling.
SURE_AFTER = 1.0
#: Columns of a bar, and of one on a terminal of fewer than `NARROW`.
BAR, SHORT_BAR = 20, 10
NARROW = 120
#: Fewer columns of a note tell nothing.
SHORTEST_NOTE = 8
_BYTES = ("bytes", "B")


def shown_on(stream: TextIO | None = None) -> Progress:
    """Progress as fits where it is shown (standard error when left out)."""
    stream = stream or sys.stderr
    if stream.isatty() and os.environ.get("TERM") != "dumb":
        return Bars(stream)
    return Lines(stream)


def amount(number: float, unit: str) -> str:
    """A number with its unit: `12.3 MB`, `4,500 rows`."""
    if unit in _BYTES:
        return typed(size(number))
    return typed(things(round(number), unit.removesuffix("s"), unit) if unit else count(number))


def speed(number: float, unit: str, taken: float) -> str:
    """So many in so many seconds: `300 rows/s`; below one a second, the seconds of each: `12.0 s each`."""
    if unit in _BYTES or number >= taken:
        return typed(f"{size(number / taken) if unit in _BYTES else f'{count(number / taken)} {unit}'.strip()}/s")
    return typed(f"{seconds(taken / number)} each")


@dataclass
class Standing:
    """How far a stage is, how fast it goes, and how long it still takes."""

    title: str
    total: float | None
    unit: str
    started: float
    done: float = 0.0
    found: float = 0.0
    """What an earlier run had done."""
    rows: int = 0
    note: str = ""
    _working_since: float | None = None

    def add(self, amount: float, note: str, rows: int, found: bool, now: float) -> None:
        """More is done."""
        if found:
            self.found += amount
            # What is found at the start is passed over in no time, and must not count as work.
            self._working_since = now if not self.done else self._working_since
        else:
            self.done += amount
            self.rows += rows
        self.note = note or self.note

    def told(self, now: float, note: str | None = None) -> str:
        """The facts, with dots between: share, speed, time left, and whatever the stage says (or `note` instead)."""
        note = self.note if note is None else note
        taken = max(now - (self._working_since or self.started), 1e-9)
        if not self.done and not self.found:
            return " · ".join(filter(None, [f"{typed(seconds(now - self.started))} so far", note]))
        fast = speed(self.rows, "rows", taken) if self.rows else speed(self.done, self.unit, taken) if self.done else ""
        pieces = [self._share(), fast, note, self._left(taken)]
        return " · ".join(filter(None, pieces))

    def _share(self) -> str:
        reached = self.done + self.found
        if not self.total:
            return amount(reached, self.unit)
        share = f"{100 * min(reached / self.total, 1):.0f} % of {amount(self.total, self.unit)}"
        return f"{share} ({amount(self.found, self.unit)} there already)" if self.found else share

    def _left(self, taken: float) -> str:
        if not self.total or not self.done or taken < SURE_AFTER:
            return ""
        rest = max(self.total - self.done - self.found, 0) * taken / self.done
        return f"{duration(rest)} left" if rest else ""


@dataclass
class _LineStage:
    lines: Lines
    standing: Standing
    said: float

    def advance(self, amount: float = 1, note: str = "", *, rows: int = 0, found: bool = False) -> None:
        now = self.lines.clock()
        self.standing.add(amount, note, rows, found, now)
        self.tell(now)

    def tell(self, now: float) -> None:
        """A line, unless there was one a moment ago."""
        if now - self.said >= EVERY:
            self.said = now
            self.lines.say(f"{self.standing.title}: {self.standing.told(now)}")


@dataclass
class Lines:
    """A line when a stage starts, one every few seconds, and one when it is over."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    clock: Callable[[], float] = time.monotonic
    _open: list[_LineStage] = field(default_factory=list)
    _beats: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, title: str, total: float | None, unit: str) -> Stage:
        """Begin to show a stage."""
        now = self.clock()
        self.say(f"{title} …")
        stage = _LineStage(self, Standing(title, total, unit, now), now)
        with self._lock:
            self._open.append(stage)
            if not self._beats:
                self._beats = True
                threading.Thread(target=self._beat, daemon=True).start()
        return stage

    def finish(self, stage: Stage) -> None:
        """The stage is over."""
        if isinstance(stage, _LineStage):
            self._open.remove(stage)
            self.say(_finished(stage.standing.title, self.clock() - stage.standing.started))

    def say(self, text: str) -> None:
        """One line for a person."""
        self.stream.write(clean(text).replace("\n", " ") + "\n")
        self.stream.flush()

    def _beat(self) -> None:
        """Speak for stages that do not get to it themselves."""
        while True:
            time.sleep(EVERY / 5)
            with self._lock:
                if not self._open:
                    self._beats = False
                    return
            with suppress(IndexError, ValueError):  # the stage, or the stream, has just been closed
                self._open[-1].tell(self.clock())


@dataclass
class _BarStage:
    bars: rich.progress.Progress
    task: rich.progress.TaskID
    standing: Standing

    def advance(self, amount: float = 1, note: str = "", *, rows: int = 0, found: bool = False) -> None:
        self.standing.add(amount, clean(note), rows, found, time.monotonic())
        self.bars.update(self.task, advance=amount)


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
        standing = Standing(clean(title), total, unit, time.monotonic())
        task = self._bars.add_task(standing.title, total=total, standing=standing)
        return _BarStage(self._bars, task, standing)

    def finish(self, stage: Stage) -> None:
        """The stage is over."""
        if not isinstance(stage, _BarStage):
            return
        stage.bars.remove_task(stage.task)
        if not stage.bars.tasks:
            # No bar, no live display: whatever is printed between two stages is safe from being overdrawn.
            stage.bars.stop()
            self._bars = None
        self.say(_finished(stage.standing.title, time.monotonic() - stage.standing.started))

    def say(self, text: str) -> None:
        """One line for a person."""
        self._console.print(clean(text).replace("\n", " "), soft_wrap=True)


def _bars_on(console: Console) -> rich.progress.Progress:
    from rich import progress
    from rich.cells import cell_len
    from rich.table import Column

    bar = BAR if console.width >= NARROW else SHORT_BAR

    class Told(progress.ProgressColumn):
        """What the stage's standing tells."""

        max_refresh = 0.5

        def render(self, task: progress.Task) -> Text:
            titles = max(cell_len(one.description) for one in [task, *shown.tasks])
            # Beside it: a spinner, the titles and the bar, with a gap after each.
            room = console.width - (1 + titles + bar + 3)
            return _fitting(task.fields["standing"], time.monotonic(), room)

    shown = progress.Progress(
        progress.SpinnerColumn(),
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(bar_width=bar),
        Told(table_column=Column(no_wrap=True, overflow="ellipsis")),
        console=console,
        transient=True,
    )
    return shown


def _fitting(standing: Standing, now: float, room: int) -> Text:
    """What a stage's standing tells in so many columns of a terminal: the note is what gets shorter first."""
    from rich.text import Text

    told = Text(standing.told(now))
    if told.cell_len > room and standing.note:
        note = Text(standing.note)
        left = note.cell_len - (told.cell_len - room)
        note.truncate(max(left, 1), overflow="ellipsis")
        told = Text(standing.told(now, note.plain if left >= SHORTEST_NOTE else ""))
    told.truncate(max(room, 1), overflow="ellipsis")
    return told


def _finished(title: str, taken: float) -> str:
    return typed(f"{title}: done in {seconds(taken)}")
