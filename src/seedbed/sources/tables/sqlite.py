"""SQLite files that are only read: opened, looked through, and their values as rows.

By Python's own module: values of a column may be of different kinds, which a driver for Arrow refuses in the middle.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl

from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.rows import RECORD_BITS
from seedbed.core.showing import clean
from seedbed.core.source import Parsed
from seedbed.sources.reading.blocks import Malformed, malformed_table
from seedbed.sources.reading.files import failures as file_failures
from seedbed.sources.reading.files import is_local, local_path, open_stored
from seedbed.sources.reading.kinds import refuse_other

from .asked import Value, quoted

SUFFIXES = (".db", ".sqlite", ".sqlite3", ".db3")
_MAGIC = b"SQLite format 3\0"
_KINDS = ("integer", "real", "text", "blob")
#: Columns of one statement that looks at kinds: SQLite allows 2,000 results.
_AT_A_TIME = 400
#: A larger value is refused; functions of SQLite can make some out of nothing.
_LONGEST = 64 << 20
#: Steps of SQLite between two looks at the clock: one step may make such a value.
_STEPS = 1_000


@dataclass(frozen=True)
class Survey:
    """What was found out about an answer before any row is read."""

    selected: str
    """What stands after FROM, with the alias q."""
    number: str | None
    """The expression that numbers the rows; none where they are numbered as they come."""
    columns: list[str]
    rows: int
    kinds: Mapping[str, frozenset[str]]
    """Kinds of each column's values: integer, real, text, blob."""


def check(at: str) -> None:
    """Refuse what is no SQLite file at rest on this machine.

    Raises:
        DataError: It is packed, elsewhere, of another kind, or somebody is writing to it.
    """
    if not is_local(at):
        raise DataError("is not a plain file on this machine", at=at, hint="copy it here, and unpack it")
    with file_failures(at), open_stored(at) as stored:
        head = stored.read(1024)
    if not head.startswith(_MAGIC):
        refuse_other(head, at=at, wanted="an SQLite database")
        hint = "is it packed, or encrypted?" if head else "is this the right file?"
        raise DataError("is not an SQLite database" if head else "is empty", at=at, hint=hint)
    for ending in ("-wal", "-journal"):
        beside = Path(f"{local_path(at)}{ending}")
        if beside.exists() and any(_head(beside)):  # a journal that is done with begins with zeros
            hint = f"close the program that writes to it, or: sqlite3 {local_path(at).name} VACUUM"
            raise DataError(f"has changes that are not in the file yet ({beside.name})", at=at, hint=hint)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def opened(at: str) -> sqlite3.Connection:
    """The database, for reading alone. Text that is not UTF-8 keeps its bytes as surrogates."""
    path = quote(str(local_path(at).absolute()))
    database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True, check_same_thread=False)
    database.text_factory = lambda data: data.decode(errors="surrogateescape")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    database.execute("PRAGMA trusted_schema = OFF")  # its views call no function that could do harm
    return database


@contextmanager
def failures(database: sqlite3.Connection, at: str, timeout: float) -> Iterator[None]:
    """Tell what SQLite refuses in words, and break off the body where it takes longer than `timeout` seconds."""
    end = time.monotonic() + timeout
    database.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
        said = clean(str(error))[:200]
        if "interrupted" in said:
            told = f"the query was broken off after {timeout:g} seconds"
            raise DataError(told, at=at, hint="`timeout` says how long it may take") from None
        if "malformed" in said or "not a database" in said:
            raise DataError(f"is a damaged SQLite database ({said})", at=at, hint="fetch it again") from None
        if "binding" in said:
            raise RecipeError(f"`parameters` do not fit the query: {said}", at=at) from None
        raise DataError(f"SQLite refused the query: {said}", at=at, hint=_way_out(said)) from None


def _way_out(said: str) -> str:
    if "readonly" in said or "one statement" in said:
        return "a source only reads: give one SELECT"
    if "too big" in said:
        return f"values of more than {_LONGEST >> 20} MiB are not read: leave that column out by a `query`"
    return ""


def tables(database: sqlite3.Connection) -> list[str]:
    """Names of the tables and views."""
    found = database.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name")
    return [name for (name,) in found if not name.startswith("sqlite_")]


def known(table: str, there: Sequence[str], *, at: str) -> str:
    """The table, as the database writes its name.

    Raises:
        DataError: There is none.
    """
    for name in there:
        if name.lower() == table.lower():
            return name
    raise DataError(f"has no table {table}", at=at, hint=did_you_mean(table, there, show=6))


def survey(
    database: sqlite3.Connection, asked: str, values: Sequence[Value], *, at: str, table: str | None, key: str | None
) -> Survey:
    """Look at all values of an answer once.

    Args:
        database: Open.
        asked: The query.
        values: Of its parameters.
        at: The file.
        table: The table, where all of one is asked for.
        key: The column that numbers the rows, if the recipe names one.

    Raises:
        RecipeError: Two columns have one name, or the key is none.
    """
    selected = f"{quoted(table)} AS q" if table else f"(\n{asked}\n) AS q"
    named = [one[0] for one in database.execute(f"SELECT * FROM {selected} LIMIT 0", values).description]
    # The second of a name is called `name:1` in a subquery.
    twice = [one.rpartition(":")[0] for one in named if re.search(r":\d+$", one) and one.rpartition(":")[0] in named]
    if twice:
        raise RecipeError(f"the query has several columns named {twice[0]}", at=at, hint="name them apart with AS")
    kinds: dict[str, frozenset[str]] = {}
    rows = 0
    for start in range(0, len(named), _AT_A_TIME):
        some = named[start : start + _AT_A_TIME]
        asks = ", ".join(f"max(typeof(q.{quoted(name)}) = '{kind}')" for name in some for kind in _KINDS)
        rows, *found = database.execute(f"SELECT count(*), {asks} FROM {selected}", values).fetchone()
        for place, name in enumerate(some):
            held = found[place * len(_KINDS) : (place + 1) * len(_KINDS)]
            kinds[name] = frozenset(kind for kind, there in zip(_KINDS, held, strict=True) if there)
    number = _key(database, selected, values, key, named, at) if key else _rowid(database, selected, table, named)
    return Survey(selected, number, named, rows, kinds)


def _key(
    database: sqlite3.Connection, selected: str, values: Sequence[Value], key: str, named: list[str], at: str
) -> str:
    if key not in named:
        raise RecipeError(f"`key`: there is no column {key!r}", at=at, hint=did_you_mean(key, named))
    column = f"q.{quoted(key)}"
    asks = f"count(*), count(DISTINCT {column}), max(typeof({column}) <> 'integer'), min({column}), max({column})"
    rows, different, others, low, high = database.execute(f"SELECT {asks} FROM {selected}", values).fetchone()
    if rows and (others or different < rows or low < 1 or high >> RECORD_BITS):
        why = "is no whole number in some rows" if others else "is not unique" if different < rows else "goes below 1"
        raise RecipeError(f"`key`: {key} {why}", at=at, hint="leave it out, and rows are numbered as they come")
    return column


def _rowid(database: sqlite3.Connection, selected: str, table: str | None, named: list[str]) -> str | None:
    """The name of the rows' numbers, where the table has some that can be record numbers."""
    taken = {name.lower() for name in named}
    free = [name for name in ("rowid", "_rowid_", "oid") if name not in taken]
    if table is None or not free:
        return None
    try:
        asks = f"SELECT min(q.{free[0]}), max(q.{free[0]}), count(q.{free[0]}) = count(*) FROM {selected}"
        low, high, all_there = database.execute(asks).fetchone()
    except sqlite3.OperationalError:  # a view, or a table WITHOUT ROWID
        return None
    return f"q.{free[0]}" if all_there and low is not None and low > 0 and not high >> RECORD_BITS else None


def schema_of(kinds: Mapping[str, set[str]]) -> pl.Schema:
    """The type of each column by the kinds of its values."""
    return pl.Schema({name: _type_of(set(held)) for name, held in kinds.items()})


def _type_of(held: set[str]) -> pl.DataType:
    if held == {"integer"}:
        return pl.Int64()
    if held and held <= {"integer", "real"}:
        return pl.Float64()
    return pl.Binary() if held == {"blob"} else pl.String()


def wanted(selected: str, kinds: Mapping[str, Sequence[str]], number: str | None = None) -> str:
    """The query for the rows, their number first if it is given, with values as the columns' types have them."""
    columns = [] if number is None else [number]
    for name, held in kinds.items():
        column, kind = f"q.{quoted(name)}", _type_of(set(held))
        if kind == pl.Float64() and len(held) > 1:
            column = f"CAST({column} AS REAL)"
        elif kind == pl.String() and set(held) - {"text"}:
            column = f"CASE typeof({column}) WHEN 'blob' THEN {column} ELSE CAST({column} AS TEXT) END"
        columns.append(f"{column} AS {quoted(name)}")
    return f"SELECT {', '.join(columns)} FROM {selected}"


def some(cursor: sqlite3.Cursor, most_rows: int, most_bytes: int) -> list[tuple[Any, ...]]:
    """The next rows of an answer: so many at most, and no more once they are large."""
    rows: list[tuple[Any, ...]] = []
    size = 0
    while len(rows) < most_rows and size < most_bytes:
        more = cursor.fetchmany(min(500, most_rows - len(rows)))
        if not more:
            break
        rows += more
        size += sum(len(value) for row in more for value in row if type(value) in (str, bytes))
    return rows


def parsed(rows: Sequence[tuple[Any, ...]], numbers: Sequence[int], schema: pl.Schema) -> Parsed:
    """Rows of an answer; those with a value that its column cannot hold are malformed.

    Args:
        rows: As SQLite gives them.
        numbers: Of the records.
        schema: Of the columns.
    """
    records = pl.Series(numbers, dtype=pl.UInt64)
    try:
        return Parsed(pl.DataFrame(rows, schema=schema, orient="row"), records)
    except (TypeError, UnicodeError, pl.exceptions.PolarsError):
        pass
    faults = [_fault(row, schema) for row in rows]
    good = [row for row, fault in zip(rows, faults, strict=True) if not fault]
    found = [
        Malformed(number, number, fault[0], fault[1], _raw(row, schema))
        for row, number, fault in zip(rows, numbers, faults, strict=True)
        if fault
    ]
    keep = pl.Series([not fault for fault in faults], dtype=pl.Boolean)
    return Parsed(pl.DataFrame(good, schema=schema, orient="row"), records.filter(keep), malformed_table(found))


def _fault(row: tuple[Any, ...], schema: pl.Schema) -> tuple[str, dict[str, Any]] | None:
    for value, (name, kind) in zip(row, schema.items(), strict=True):
        if isinstance(value, bytes) and kind != pl.Binary():
            return "wrong_type", {"column": name, "expected": "text", "found": "bytes"}
        if isinstance(value, str) and not _is_utf8(value):
            return "bad_encoding", {"column": name, "encoding": "utf-8"}
    return None


def _is_utf8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _raw(row: tuple[Any, ...], schema: pl.Schema) -> str:
    shown = {name: _shown(value) for name, value in zip(schema, row, strict=True)}
    return json.dumps(shown, ensure_ascii=False)[: 1 << 16]


def _shown(value: Any) -> Any:
    if isinstance(value, bytes):
        return value[:1000].decode(errors="replace")
    return value.encode(errors="surrogateescape").decode(errors="replace") if isinstance(value, str) else value
