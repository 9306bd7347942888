"""The rows of a window: out of a log of predictions, or out of a file that the model is asked about now."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.numbers import count, things
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.similarity.shingles import mix
from seedbed.flow.predicting.labelling import BAD, records_of
from seedbed.flow.predicting.predict import open_file, reading_of
from seedbed.flow.truth import InWords, Truth
from seedbed.monitor.columns import LENGTH
from seedbed.monitor.log import ANSWERS, MODEL, OWN, TIME, WARNINGS, end_of, is_log, pieces
from seedbed.monitor.reference import joined
from seedbed.monitor.sketches import MAKER, WIDTH, Sketches, sketched
from seedbed.serve.predictor import Predictor
from seedbed.serve.preparation import left_out
from seedbed.sources.reading.files import is_local

#: Of more rows, so many are compared, drawn by their places.
MOST = 20_000
#: Other versions that are named.
_NAMED = 3
_MINUTE = "%Y-%m-%d %H:%M"
_KEY = "\x00key"
_SPAN = re.compile(r"(\d+)\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Taken:
    """Rows as a model read and answered them."""

    rows: int
    """All of the window."""
    reads: pl.DataFrame
    answers: pl.DataFrame
    ids: pl.Series
    left_out: pl.Series
    """Whether training would have left out a row."""
    texts: pl.Series | None
    """All texts of each row as one, where they are known."""
    sketches: Sketches | None
    since: datetime | None = None
    until: datetime | None = None
    own: Truth | None = None
    """What is right, where the file says so itself."""
    lacking: tuple[str, ...] = ()
    """Columns that the model reads and the file does not have: then it was not asked."""
    notes: tuple[str, ...] = field(default=())

    def like_training(self) -> Taken:
        """Without the rows that training would have left out."""
        if not self.left_out.any():
            return self
        kept = ~self.left_out
        mask = kept.to_numpy()
        return replace(
            self,
            reads=self.reads.filter(kept),
            answers=self.answers.filter(kept),
            ids=self.ids.filter(kept),
            left_out=self.left_out.filter(kept),
            texts=None if self.texts is None else self.texts.filter(kept),
            sketches=None if self.sketches is None else self.sketches[mask],
            own=None if self.own is None else self.own.kept(kept),
        )


def span_of(text: str) -> timedelta:
    """A length of time such as `90m`, `12h`, `7d`, `2w`.

    Raises:
        RecipeError: It is none.
    """
    found = _SPAN.fullmatch(text.strip())
    try:
        span = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    except OverflowError:
        span = timedelta()
    if not span:
        raise RecipeError("this is no length of time", at=f"--window {text}", hint="such as 90m, 12h, 7d or 2w")
    return span


@dataclass(frozen=True)
class Watched:
    """A model, and what must be known of it to read a window."""

    predictor: Predictor
    texts: Sequence[str]
    """The columns that sketches are of."""
    words: InWords


def take(named: str, watched: Watched, *, columns: Mapping[str, str], window: str, context: Context) -> Taken:
    """The rows of a window.

    Args:
        named: The folder of a log, or a file, folder or glob that a source reads.
        watched: The model.
        columns: Columns of a file to be read as inputs of the model, as INPUT: COLUMN.
        window: How far back from now, of a log; all of it if empty.
        context: Where paths start, what time it is, where progress is shown.

    Raises:
        RecipeError: `window` is no length of time, or there are no times.
        DataError: It cannot be read, or there are no rows.
    """
    span = span_of(window) if window else None
    place = context.base / named
    if is_local(named) and is_log(place):
        if columns:
            raise RecipeError("a log has the model's own columns", at="--column", hint="leave it out")
        return _logged(place, watched, span, context)
    if span is not None:
        raise RecipeError(
            "only the rows of a log have times, and this is none",
            at=f"--window {window}",
            hint="leave it out, and give the rows of the window as a file",
        )
    with TemporaryDirectory(prefix="seedbed-") as folder:  # what is fetched is kept no longer than that
        return _asked(named, watched, columns, replace(context, store=Path(folder)))


def _logged(folder: Path, watched: Watched, span: timedelta | None, context: Context) -> Taken:
    predictor, texts = watched.predictor, watched.texts
    since = context.clock() - span if span else None
    held = Drawn()
    others: Counter[str] = Counter()
    damaged = 0
    for _, rows in pieces(folder, since=since):
        if rows is None:
            damaged += 1
            continue
        own = rows.filter(pl.col(MODEL) == predictor.digest)
        if not held.fits(own):
            damaged += 1
            continue
        others.update(dict(rows.filter(pl.col(MODEL) != predictor.digest)[MODEL].value_counts().iter_rows()))
        held.add(own)
    if not held.seen:
        raise _empty(folder, since, others, damaged)
    rows = held.rows()
    notes = []
    if others:
        notes.append(f"{things(others.total(), 'row')} of the window are left out: {_answered_by(others)}")
    if damaged:
        notes.append(f"{things(damaged, 'file of the log is', 'files of the log are')} damaged and left out")
    there = [name for name in texts if name in rows.columns]
    said = joined(rows, there) if texts and len(there) == len(texts) else None
    sketches = sketched(said) if said is not None else None
    if said is None and texts and MAKER in rows.columns and not rows[MAKER].has_nulls():
        sketches = np.frombuffer(b"".join(rows[MAKER].to_list()), dtype=np.int8).reshape(-1, WIDTH)
    # A text that was answered and is not kept has a length, too.
    read = [name for name in rows.columns if name not in OWN and name.removeprefix(LENGTH) not in ANSWERS]
    answers = [name for name in ANSWERS if name in rows.columns]
    odd = left_out(rows[WARNINGS]) if WARNINGS in rows.columns else _none(rows.height)
    moments = rows[TIME]
    first, last = moments.min(), moments.max()
    assert isinstance(first, datetime) and isinstance(last, datetime)
    if ahead := int((moments > context.clock()).sum()):
        told = things(ahead, "row is", "rows are")
        notes.append(f"{told} of a time that has not come yet: is the server's clock right?")
    return Taken(
        held.seen,
        rows.select(read),
        rows.select(answers),
        rows[ROW],
        odd,
        said,
        sketches,
        first,
        last,
        notes=tuple(notes),
    )


def _empty(folder: Path, since: datetime | None, others: Counter[str], damaged: int) -> DataError:
    """That a window has no rows: where there are some, and who answered those that it has."""
    where = " in the window" if since else ""
    hint = "widen --window" if since else "ask the model something"
    if others:
        hint = f"{'widen --window, or ' if since else ''}name the run of the one that answered: --against RUN"
        return DataError(
            f"this log has no rows of this model{where}: {_answered_by(others)}", at=str(folder), hint=hint
        )
    end = end_of(folder)
    if since and end and end < since:
        where += f", from {since:{_MINUTE}} UTC on; the log ends at {end:{_MINUTE}} UTC"
    if damaged:
        where += f"; {things(damaged, 'file of it is', 'files of it are')} damaged"
    return DataError(f"this log has no rows{where}", at=str(folder), hint=hint)


def _answered_by(others: Counter[str]) -> str:
    """Which other versions answered, by the beginnings of their digests, as `/model` and each answer tell them."""
    told = [f"{count(rows)} by {name[:12]}" for name, rows in others.most_common(_NAMED)]
    rest = others.total() - sum(rows for _, rows in others.most_common(_NAMED))
    who = "another model" if len(others) == 1 else f"{count(len(others))} other models"
    return f"{who} answered them ({', '.join([*told, *([f'{count(rest)} by others'] if rest else [])])})"


def _asked(path: str, watched: Watched, columns: Mapping[str, str], context: Context) -> Taken:
    """Rows of a file, or as many of them as are compared, answered now."""
    predictor, texts = watched.predictor, watched.texts
    opened, notes = open_file(predictor, path, context, columns.values())
    there = list(opened.renames)
    lacking = [one.name for one in predictor.preparation.inputs if one.name not in columns]
    lacking = [name for name in lacking if not _has(predictor, name, there)]
    held, malformed = Drawn(), 0
    total = sum(file.size for file in opened.scan.files)
    with context.stage(f"Reading {PurePosixPath(path).name}", total, "B") as stage:
        for block in opened.source.blocks(opened.scan, context):
            rows = records_of(opened, block)
            good = rows.filter(pl.col(BAD).is_null())
            malformed += rows.height - good.height
            held.add(good.drop(BAD, NUMBER))
            stage.advance(block.size, things(held.seen, "row"))
    if not held.seen:
        raise DataError("there are no rows", at=path)
    rows = held.rows()
    told = [*notes]
    if malformed:
        told.append(f"{things(malformed, 'record')} cannot be read and {'is' if malformed == 1 else 'are'} left out")
    if lacking:
        nothing, odd = pl.DataFrame(), _none(rows.height)
        return Taken(held.seen, nothing, nothing, rows[ROW], odd, None, None, lacking=tuple(lacking), notes=tuple(told))
    reading = reading_of(predictor, there, columns, path)
    given = rows.select(pl.col(column).alias(name) for name, column in reading.items())
    with context.stage(f"Asking {predictor.name}", given.height, "rows") as stage:
        parts = []
        for some in given.iter_slices(4096):
            parts.append(predictor.answer(some))
            stage.advance(some.height)
    answers, reads = (pl.concat(each) for each in zip(*parts, strict=True))
    said = joined(reads, texts) if texts else None
    own = watched.words.of_source(rows)
    sketches = None if said is None else sketched(said)
    odd = left_out(answers["warnings"])
    return Taken(held.seen, reads, answers, rows[ROW], odd, said, sketches, own=own, notes=tuple(told))


def _none(rows: int) -> pl.Series:
    return pl.Series([False]).new_from_index(0, rows)


def _has(predictor: Predictor, name: str, there: list[str]) -> bool:
    one = next(one for one in predictor.preparation.inputs if one.name == name)
    return any(known in there for known in (one.name, *one.known_as))


def _alike(one: pl.DataType, other: pl.DataType) -> bool:
    """Whether values of both types can stand in one column."""
    if one == other or pl.Null in (one, other) or (one.is_numeric() and other.is_numeric()):
        return True
    return one.is_nested() and type(one) is type(other)


class Drawn:
    """Rows as they come by, of which at most `MOST` stay: a sample by their places, the same every time."""

    def __init__(self) -> None:
        self.seen = 0
        self._held: list[pl.DataFrame] = []
        self._count = 0

    def fits(self, rows: pl.DataFrame) -> bool:
        """Whether columns of the same name have types of one kind, as those of one log do."""
        known = self._held[0].schema if self._held else rows.schema
        return all(_alike(kind, known[name]) for name, kind in rows.schema.items() if name in known)

    def add(self, rows: pl.DataFrame) -> None:
        """Take some."""
        keys = mix(np.arange(self.seen, self.seen + rows.height, dtype=np.uint64))
        self._held.append(rows.with_columns(pl.Series(_KEY, keys)))
        self.seen += rows.height
        self._count += rows.height
        if self._count > 4 * MOST:
            self._held = [self._chosen()]
            self._count = self._held[0].height

    def rows(self) -> pl.DataFrame:
        """Those that stay, in their order."""
        return self._chosen().drop(_KEY)

    def _chosen(self) -> pl.DataFrame:
        every = pl.concat(self._held, how="diagonal_relaxed")
        if every.height <= MOST:
            return every
        limit = np.partition(every[_KEY].to_numpy(), MOST - 1)[MOST - 1]
        return every.filter(pl.col(_KEY) <= limit)


def drawn_note(taken: Taken) -> tuple[str, ...]:
    """That a sample was compared, where it was."""
    if taken.rows <= len(taken.ids):
        return ()
    return (f"a sample of {count(len(taken.ids))} of {count(taken.rows)} rows is compared",)
