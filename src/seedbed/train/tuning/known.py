"""What options scored on folds, kept in the store: a search that was stopped, or goes on, computes none twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

_TABLE = """
create table if not exists tried (
  options text not null,
  fold integer not null,
  score real,
  seconds real not null,
  primary key (options, fold)
)
"""
#: Seconds that another process that is writing is waited for.
_PATIENCE = 60.0


@dataclass(frozen=True)
class Outcome:
    """What came of some options on a fold."""

    score: float | None
    """None where the metric has no value there, or learning failed."""
    seconds: float
    error: str = ""
    """Why learning failed; empty where it did not."""


class Known:
    """Outcomes by options and fold, in SQLite. Each is there once it is written, whatever happens then."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.execute(_TABLE)

    @classmethod
    @contextmanager
    def at(cls, folder: Path) -> Iterator[Known]:
        """Those of a folder; none where what was kept is damaged."""
        with closing(_opened(folder / "tried.sqlite")) as database:
            yield cls(database)

    def get(self, options: Mapping[str, Any], fold: int) -> Outcome | None:
        """What came of it before."""
        asked = "select score, seconds from tried where options = ? and fold = ?"
        row = self._database.execute(asked, (_key(options), fold)).fetchone()
        return Outcome(*row) if row else None

    def put(self, options: Mapping[str, Any], fold: int, outcome: Outcome) -> None:
        """Keep what came of it, unless it failed: what stood in the way may be gone next time."""
        if not outcome.error:
            told = (_key(options), fold, outcome.score, outcome.seconds)
            self._database.execute("insert or replace into tried values (?, ?, ?, ?)", told)


def _opened(file: Path) -> sqlite3.Connection:
    """The database of a file; a new one in its place where it is damaged."""
    database = sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None)
    try:
        sound = database.execute("pragma quick_check").fetchone() == ("ok",)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # busy, or a disk that fails: nothing is said of what it holds
            database.close()
            raise
        sound = False
    if sound:
        return database
    database.close()
    file.unlink()
    return sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None)


def _key(options: Mapping[str, Any]) -> str:
    return orjson.dumps(options, option=orjson.OPT_SORT_KEYS).decode()
