"""One model at work for many: which version answers, who waits, what is counted, what is logged."""

from __future__ import annotations

import queue
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, overload

import polars as pl

from seedbed.core.reported import Reports

from .answers import answered
from .explaining import Explainer
from .lane import Lane
from .limits import Limits
from .metrics import Metrics
from .near import Near
from .odd import unquoted
from .predictor import Predictor
from .standing import owed

#: Takes a frame with a row for each row that was answered: `request`, `time` (UTC), `model` (digest), `row` (unique),
#: the columns that the model read, `read_length` (characters), what was answered, and `warnings`.
Log = Callable[[pl.DataFrame], None]
#: Requests whose answers may wait for the log; what comes then is not logged, and counted.
_BACKLOG = 10_000
_LOGGED = ("predicted", "start", "confidence", "probabilities", "nats", "tokens", "warnings")


@dataclass(eq=False)
class Version:
    """A model that answers, or did."""

    predictor: Predictor
    log: Log | None = None
    close: Callable[[], None] = lambda: None
    """Ends the log."""
    standing: str = ""
    """What its source said of it when it was opened, where it did."""
    near: Near | None = None
    """The training rows, where they are at hand and may be looked up."""
    log_texts: bool = False
    """Whether the log holds what people write."""
    reports: Reports | None = None
    """Where it is kept what people say is wrong."""

    @cached_property
    def debts(self) -> tuple[str, ...]:
        """What stands in the way of showing it to others."""
        return owed(self.predictor.run)

    @cached_property
    def explainer(self) -> Explainer:
        """Explains its answers."""
        return Explainer(self.predictor)


class Answers(Sequence[Mapping[str, Any]]):
    """Answers as they are given, and the frame that the log is told of."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], frame: pl.DataFrame | None) -> None:
        self.rows, self.frame = rows, frame

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> Answers: ...
    def __getitem__(self, place: int | slice) -> Mapping[str, Any] | Answers:
        if isinstance(place, int):
            return self.rows[place]
        return Answers(self.rows[place], None if self.frame is None else self.frame[place])


@dataclass
class Service:
    """What the routes share.

    Args:
        version: What answers at first.
        limits: How much is taken on.
        complain: Told of failures, in a sentence that holds nothing of what was asked.
    """

    version: Version
    limits: Limits = field(default_factory=Limits)
    complain: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        self.lane = Lane(self._answer, self.limits)
        self.metrics = Metrics(waiting=lambda: self.lane.waiting, busy=lambda: self.lane.busy)
        self.metrics.version(self.version.predictor.name, self.version.predictor.digest)
        self._logged: queue.SimpleQueue[tuple[Version, str, datetime, pl.DataFrame] | Version | None]
        self._logged = queue.SimpleQueue()
        self._logging = threading.Thread(target=self._keep_log, name="log", daemon=True)
        self._logging.start()

    async def ask(self, version: Version, rows: pl.DataFrame, request: str) -> Sequence[Mapping[str, Any]]:
        """Answers to rows, as they are given.

        Raises:
            FullError, LateError: See `Lane.ask`.
            SeedbedError: The model failed.
        """
        told = await self.lane.ask(version, rows)
        assert isinstance(told, Answers)
        self._count(version, told.rows)
        if version.log is not None and told.frame is not None:
            if self._logged.qsize() < _BACKLOG:
                self._logged.put((version, request, datetime.now(UTC), told.frame))
            else:
                self.metrics.failures.labels("log").inc(len(told))
        return told.rows

    def take_over(self, version: Version) -> None:
        """Let another version answer from now on; what the one before was asked, it answers."""
        before, self.version = self.version, version
        told = before.predictor
        same = (told.name, told.digest) == (version.predictor.name, version.predictor.digest)
        self.metrics.version(
            version.predictor.name, version.predictor.digest, before=None if same else (told.name, told.digest)
        )
        self.metrics.reloads.inc()
        # Whoever asked the version before has its answer, or was told that it is late, by then.
        timer = threading.Timer(self.limits.seconds + 1, self._logged.put, [before])
        timer.daemon = True
        timer.start()

    def end(self) -> None:
        """End threads and logs. What was answered is in the log then."""
        self.lane.end()
        self._logged.put(None)
        self._logging.join(self.limits.grace)
        try:
            self.version.close()
        except OSError as error:
            self.complain(f"the log of predictions could not be ended ({error.strerror}): its last rows are not in it")

    def _answer(self, version: Version, rows: pl.DataFrame) -> Answers:
        says = version.predictor.bundle.task.says
        told, read = version.predictor.answer(rows)
        self.metrics.together.observe(rows.height)
        given = [answered(says, row) for row in told.iter_rows(named=True)]
        if version.log is None:
            return Answers(given, None)
        length = told["read"].str.len_chars().alias("read_length")
        named = [name for name in _LOGGED if name in told.columns]
        if not version.log_texts:
            told = told.with_columns(unquoted(told["warnings"]).alias("warnings"))
        return Answers(given, read.drop(named, strict=False).hstack([length, *told.select(named)]))

    def _count(self, version: Version, rows: Sequence[Mapping[str, Any]]) -> None:
        self.metrics.rows.inc(len(rows))
        if version.predictor.bundle.task.says == "label":
            for row in rows:
                self.metrics.predicted.labels(row["predicted"]).inc()

    def _keep_log(self) -> None:
        while (one := self._logged.get()) is not None:
            try:
                if isinstance(one, Version):
                    one.close()
                elif one[0].log is not None:
                    one[0].log(_as_logged(*one))
            except Exception as error:  # noqa: BLE001 - a log that fails must not end what it is a log of
                self.metrics.failures.labels("log").inc()
                self.complain(
                    f"the log of predictions failed with {type(error).__name__}: what was answered is not in it"
                )


def _as_logged(version: Version, request: str, time: datetime, frame: pl.DataFrame) -> pl.DataFrame:
    names = [f"{request}#{place}" for place in range(frame.height)]
    same = (pl.lit(request), pl.lit(time), pl.lit(version.predictor.digest))
    head = [one.alias(name) for one, name in zip(same, ("request", "time", "model"), strict=True)]
    return frame.select(*head, pl.Series("row", names, dtype=pl.String), pl.all())


def new_request() -> str:
    """A name for a request that no other has."""
    return secrets.token_hex(10)
