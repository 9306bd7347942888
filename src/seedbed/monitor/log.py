"""The log of predictions: what a served model was asked and said, in Parquet files that appear whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import polars as pl

from seedbed.core.errors import DataError
from seedbed.store.places import arriving, sweep

from .columns import LENGTH, as_text
from .reference import joined
from .sketches import MAKER, sketched

#: Columns of every log; those of the model stand after them.
REQUEST, TIME, MODEL, ROW, WARNINGS = "request", "time", "model", "row", "warnings"
ANSWERS = ("predicted", "confidence", "probabilities", "start", "nats", "tokens")
#: What a row has besides the columns that the model reads.
OWN = (REQUEST, TIME, MODEL, ROW, "read_length", *ANSWERS, WARNINGS, MAKER)
#: Rows that wait while files cannot be written; then the oldest are lost.
_MOST_WAITING = 200_000
#: Frames that are put together while they wait.
_LOOSE = 256
_NAME = re.compile(r"(?P<first>\d{8}T\d{12})-(?P<last>\d{8}T\d{12})-[\w-]+\.parquet")
_MOMENT, _POLARS = "%Y%m%dT%H%M%S%f", "%Y%m%dT%H%M%S%6f"


class PredictionLog:
    """Writes what a model answered. Threads may share it; each process has its own, and all may share a folder.

    Rows wait in memory until there are `rotate_bytes` of them or the first is `rotate_seconds` old; a thread of its own
    then writes them as one file, so that no answer waits for a disk. What waits when a process is killed is lost.

    Texts are not written unless `texts`: of each, its length stays, and of all texts of a row a sketch
    (`seedbed.monitor.sketches`), by which their drift can be seen and from which they cannot be read.

    Args:
        folder: Where files are put; made if need be.
        rotate_bytes: Size of the rows in memory at which a file is written.
        rotate_seconds: Age of the oldest row at which a file is written.
        texts: Whether texts are kept.
        categories: Columns of text whose values may be kept anyway, because they are categories; of others nobody
            knows what people write into them.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rotate_bytes: int = 16_000_000,
        rotate_seconds: float = 300,
        texts: bool = False,
        categories: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self._bytes, self._seconds = rotate_bytes, rotate_seconds
        self._texts, self._categories = texts, frozenset(categories)
        self._changed = threading.Condition()
        self._waiting: list[pl.DataFrame] = []
        self._loose = 0  # frames at the end of these that nobody put together yet
        self._held: float = 0
        self._count = 0
        self._since = 0.0
        self._closed = False
        self._trouble: OSError | None = None
        self.lost = 0
        """Rows that could not be written and were given up."""
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder.iterdir())
        self._thread = threading.Thread(target=self._rotate, name="prediction-log", daemon=True)
        self._thread.start()

    def write(self, frame: pl.DataFrame) -> None:
        """Take rows; they are written later.

        Args:
            frame: `request`, `time` (UTC), `model`, `row`, the columns that the model read, what it said, and its
                `warnings`.

        Raises:
            OSError: The last file could not be written. These rows are kept all the same, and tried again.
            ValueError: The log is closed.
        """
        with self._changed:
            if self._closed:
                raise ValueError("this log is closed")
            if frame.height:
                if not self._waiting:
                    self._since = time.monotonic()
                self._waiting.append(frame)
                self._loose += 1
                if self._loose == _LOOSE:
                    self._waiting[-_LOOSE:] = _together(self._waiting[-_LOOSE:])
                    self._loose = 0
                self._held += frame.estimated_size()
                self._count += frame.height
                self._changed.notify()
            trouble, self._trouble = self._trouble, None
        if trouble is not None:
            raise trouble

    def close(self) -> None:
        """Write what waits, and end.

        Raises:
            OSError: It could not be written.
        """
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        trouble, self._trouble = self._trouble, None
        if trouble is not None:
            raise trouble

    def _rotate(self) -> None:
        while True:
            with self._changed:
                while not self._closed and not self._due():
                    left = self._since + self._seconds - time.monotonic() if self._waiting else None
                    self._changed.wait(left)
                frames, closed = self._waiting, self._closed
                self._waiting, self._held, self._loose = [], 0, 0
            if frames:
                rows = sum(one.height for one in frames)
                try:
                    self._write_file(frames)
                    self._count -= rows
                except OSError as error:
                    self._keep(frames, error)
                except Exception as error:  # noqa: BLE001 (whatever is wrong with these rows, others must be written)
                    self._give_up(rows, error)
            if closed:
                return

    def _due(self) -> bool:
        old = bool(self._waiting) and time.monotonic() - self._since >= self._seconds
        return old or self._held >= self._bytes

    def _keep(self, frames: list[pl.DataFrame], error: OSError) -> None:
        """Rows that could not be written wait for the next time."""
        with self._changed:
            self._trouble = error
            self._waiting = [*frames, *self._waiting]
            self._since = time.monotonic()
            self._held = 0  # not at once again: whatever is wrong with the disk needs time
            while self._count > _MOST_WAITING and self._waiting:
                gone = self._waiting.pop(0)
                self.lost += gone.height
                self._count -= gone.height
            if self._closed:
                self.lost += sum(one.height for one in self._waiting)

    def _give_up(self, rows: int, error: Exception) -> None:
        with self._changed:
            self._trouble = OSError(f"{rows} rows cannot be logged ({type(error).__name__})")
            self._count -= rows
            self.lost += rows

    def _write_file(self, frames: list[pl.DataFrame]) -> None:
        rows = pl.concat(frames, how="diagonal_relaxed")
        rows = rows.with_columns(pl.col(TIME).cast(pl.Datetime("us", "UTC")))
        if not self._texts:
            rows = self._without_texts(rows)
        first, last = rows[TIME].dt.strftime(_POLARS).sort().gather([0, -1])
        name = f"{first}-{last}-{os.getpid()}-{secrets.token_hex(4)}.parquet"
        written = BytesIO()  # Polars would not say that it was the disk which failed
        rows.write_parquet(written, compression="zstd")
        with arriving(self.folder / name) as partial:
            partial.write_bytes(written.getbuffer())

    def _without_texts(self, rows: pl.DataFrame) -> pl.DataFrame:
        texts = [
            column.name
            for column in rows
            if column.name not in (REQUEST, MODEL, ROW, WARNINGS, *self._categories) and _may_be_text(column)
        ]
        lengths = [as_text(rows[name]).str.len_chars().alias(LENGTH + name) for name in texts]
        read = [name for name in texts if name not in ANSWERS]
        kept = rows.drop(texts).with_columns(lengths)
        if not read:
            return kept
        sketches = sketched(joined(rows, read))
        packed = pl.Series(MAKER, [one.tobytes() for one in sketches], dtype=pl.Binary)
        return kept.with_columns(packed)


def _together(frames: list[pl.DataFrame]) -> list[pl.DataFrame]:
    """Frames as one: a frame of one row holds 20 KB, and a row of many less than 100 bytes."""
    try:
        return [pl.concat(frames, how="diagonal_relaxed", rechunk=True)]
    except pl.exceptions.PolarsError:  # whoever writes the file finds out whose fault it is
        return frames


def _may_be_text(column: pl.Series) -> bool:
    kind = column.dtype
    if isinstance(kind, pl.Struct) and column.name == "probabilities":
        return False
    if isinstance(kind, pl.List) and column.name == "predicted":  # labels, of which a row has several
        return False
    return kind.is_nested() or kind in (pl.String, pl.Binary, pl.Categorical, pl.Enum, pl.Object)


def is_log(folder: Path) -> bool:
    """Whether a folder is a log of predictions: it has a file of one, whole or not written yet."""
    return folder.is_dir() and any(_NAME.fullmatch(one.name) for one in folder.iterdir())


def end_of(folder: Path) -> datetime | None:
    """The time of a log's last row, UTC, as its files' names say it."""
    last = max((told["last"] for one in folder.iterdir() if (told := _NAME.fullmatch(one.name))), default=None)
    return datetime.strptime(last, _MOMENT).replace(tzinfo=UTC) if last else None


def pieces(
    folder: Path, *, since: datetime | None = None, until: datetime | None = None
) -> Iterator[tuple[Path, pl.DataFrame | None]]:
    """The files of a log, in the order of their first row, each with its rows of a window; none where it is damaged.

    Args:
        folder: The log.
        since: Rows at this moment or later, UTC.
        until: Rows before this moment.

    Raises:
        DataError: There is no such folder.
    """
    if not folder.is_dir():
        raise DataError("there is no such folder", at=str(folder), hint="give the folder that `seedbed serve` logs to")
    for path in sorted(folder.iterdir()):
        told = _NAME.fullmatch(path.name)
        if told is None or (since and told["last"] < f"{since:{_MOMENT}}"):
            continue
        if until and told["first"] >= f"{until:{_MOMENT}}":
            continue
        try:
            rows = pl.read_parquet(path)
            if not _is_ours(rows.schema):
                yield path, None
                continue
            moments = pl.col(TIME)
            kept = pl.lit(True) if since is None else moments >= since
            rows = rows.filter(kept if until is None else kept & (moments < until))
        except (OSError, pl.exceptions.PolarsError):
            yield path, None
            continue
        yield path, rows


def _is_ours(schema: pl.Schema) -> bool:
    """Whether a file has the columns of a log, of the types that a log has."""
    time = schema.get(TIME)
    texts = all(schema.get(name) == pl.String for name in (MODEL, ROW))
    utc = isinstance(time, pl.Datetime) and time.time_zone is not None
    told = schema.get(WARNINGS, pl.List(pl.String))
    return texts and utc and told in (pl.List(pl.String), pl.List(pl.Null))


def read_log(folder: Path, since: datetime | None = None, until: datetime | None = None) -> pl.DataFrame:
    """All rows of a window, in memory; `pieces` gives them file by file.

    Raises:
        DataError: There is no such folder, or a file in it is damaged.
    """
    found = []
    for path, rows in pieces(folder, since=since, until=until):
        if rows is None:
            raise DataError("this file of the log cannot be read", at=str(path), hint="delete it if it is damaged")
        found.append(rows)
    return pl.concat(found, how="diagonal_relaxed") if found else pl.DataFrame()
