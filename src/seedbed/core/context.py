"""What a stage may know besides its options: seed, folders, workers and where progress goes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import quote

from .errors import RecipeError
from .held_out import ReadOfTest, Why
from .sending import Sending, Service

_PLACEHOLDER = re.compile(r"\$\{env:(\w+)\}")
#: A shorter value is no secret, and would be found in every other word.
_SHORTEST_SECRET = 4


class Stage(Protocol):
    """A long piece of work that a person may be waiting for."""

    def advance(self, amount: float = 1, note: str = "", *, rows: int = 0, found: bool = False) -> None:
        """Say that more is done.

        Args:
            amount: How much, in the unit of the total.
            note: Replaces the text beside the bar.
            rows: Rows that this was, where the unit is another.
            found: An earlier run had done it, so that it says nothing of how fast this one is.
        """


class Progress(Protocol):
    """Where progress is shown."""

    def start(self, title: str, total: float | None, unit: str) -> Stage:
        """Begin to show a stage."""

    def finish(self, stage: Stage) -> None:
        """The stage is over."""

    def say(self, text: str) -> None:
        """One line for a person."""


class _Silent:
    def advance(self, amount: float = 1, note: str = "", *, rows: int = 0, found: bool = False) -> None: ...

    def start(self, title: str, total: float | None, unit: str) -> Stage:
        return self

    def finish(self, stage: Stage) -> None: ...

    def say(self, text: str) -> None: ...


def utc_now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Context:
    """Seed, folders, workers and progress of a run."""

    base: Path = field(default_factory=Path.cwd)
    """Folder that the recipe's relative paths start from."""
    store: Path = field(default_factory=lambda: Path(".seedbed"))
    seed: int = 13
    workers: int = 1
    batch: int = 50_000
    """Most rows that a step sees at once."""
    progress: Progress = field(default_factory=_Silent)
    engine: Literal["local", "ray"] = "local"
    """Who does the work: processes of this machine, or a Ray cluster."""
    address: str = ""
    """Of the Ray cluster; one is started on this machine where there is none."""
    offline: bool = False
    """Nothing is fetched: what was kept is used, and what was not is missing."""
    refresh: bool = False
    """What was fetched before is fetched again."""
    fetched: set[str] = field(default_factory=set, compare=False)
    """Snapshots that this run has brought up to date, by key: nothing is fetched twice in a run."""
    clock: Callable[[], datetime] = utc_now
    """Tells the moment, in UTC, to what asks how old rows are."""
    used: set[str] = field(default_factory=set, compare=False)
    """Artefacts of the store that were asked for so far, as KIND/KEY."""
    test_reads: list[ReadOfTest] = field(default_factory=list, compare=False)
    """Each time that this run read test rows."""
    spent: dict[str, Any] = field(default_factory=dict, compare=False)
    """What this run has paid services for so far (`seedbed.core.asking.caps.Meter`), by who paid."""
    sent: dict[str, Sending] = field(default_factory=dict, compare=False)
    """Rows whose texts this run sends to services on other machines, by address."""
    named: frozenset[str] = frozenset()
    """Columns that somebody named: a first line that holds one is a header, however much it looks like a row."""

    def read_test(self, who: str, why: Why, rows: int) -> None:
        """Note that so many test rows are read to see how a model does on them."""
        self.test_reads.append(ReadOfTest.of(who, why, rows, self.clock()))

    def sends(self, to: Service, rows: Iterable[str], shown: Iterable[str]) -> None:
        """Note which rows' texts go to a service on another machine."""
        self.sent.setdefault(to.address, Sending(to.why)).note(rows, shown)

    @contextmanager
    def stage(self, title: str, total: float | None = None, unit: str = "") -> Iterator[Stage]:
        """Show a stage while the body runs."""
        shown = self.progress.start(title, total, unit)
        try:
            yield shown
        finally:
            self.progress.finish(shown)


def workers_for(asked: int | None) -> int:
    """Worker processes: as many as are asked for, else one for each core, at most 8."""
    return asked or min(8, os.cpu_count() or 1)


#: The contexts of what this process does now, the innermost last.
_CURRENT: list[Context] = []


@contextmanager
def current(context: Context) -> Iterator[Context]:
    """Have parts that are handed no context find this one by `context_at` while the body runs."""
    _CURRENT.append(context)
    try:
        yield context
    finally:
        _CURRENT.remove(context)


def running() -> Context | None:
    """The context of what this process does now: that of a run; none in a server, or where nobody said."""
    return _CURRENT[-1] if _CURRENT else None


def context_at(base: Path) -> Context:
    """What a part may know that is handed no context, such as a step that reads a source of its own.

    It is that of the run. In a worker, in a server and wherever else there is none, nothing may be fetched: what the
    run had kept is in its store.
    """
    if _CURRENT:
        return replace(_CURRENT[-1], base=base, progress=_Silent())
    return Context(base=base, store=store_of(base), offline=True)


def store_of(base: Path) -> Path:
    """The store of recipes in a folder: what `SEEDBED_STORE` says, else `.seedbed` there."""
    return Path(os.environ.get("SEEDBED_STORE") or base / ".seedbed").absolute()


def expand(text: str, *, at: str = "") -> str:
    """Put environment variables where a recipe says `${env:NAME}`. The recipe itself keeps the placeholder.

    Raises:
        RecipeError: A variable is not set.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in os.environ:
            raise RecipeError(
                f"the environment variable {name} is not set", at=at, hint=f"export {name}=… before the run"
            )
        return os.environ[name]

    return _PLACEHOLDER.sub(value, text)


def key_of(written: str, *, at: str = "") -> str:
    """A service's key with its placeholders filled in, fit for a header; white space at its ends is none of it.

    Raises:
        RecipeError: A variable is not set, or holds what no key holds.
    """
    key = expand(written, at=at).strip()
    if not (key.isascii() and key.isprintable()):
        raise RecipeError(
            f"{written} holds a character that no key has", at=at, hint="copy the key once more, in one line"
        )
    return key


def conceal(text: str, written: str) -> str:
    """Put `${env:NAME}` back where values came in through the placeholders of `written`; `expand` brings them in again.

    Values of fewer than four characters are left. A value that a library quoted for a URL or wrote with escapes is
    found, too, and so is one without the white space at its ends, such as a `\\r` out of a Windows file.
    """
    names: dict[str, str] = {}
    for name in _PLACEHOLDER.findall(written):
        for value in (os.environ.get(name, ""), os.environ.get(name, "").strip()):
            if len(value) >= _SHORTEST_SECRET:
                for form in (value, quote(value), quote(value, safe=""), repr(value)[1:-1], json.dumps(value)[1:-1]):
                    names.setdefault(form, name)
    if not names:
        return text
    longest_first = sorted(names, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), lambda found: f"${{env:{names[found[0]]}}}", text)
