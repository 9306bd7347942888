"""Rows of SQLite databases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.part import Example
from seedbed.core.source import Block, FileSource, InputFile, Parsed, Scan

from .reading.files import changed, find, stamp_of
from .reading.stream import stored_sha256
from .tables import sqlite
from .tables.asked import Asked, names, plain, quoted


@dataclass(frozen=True)
class _Between:
    """Payload of a block: the rows whose number is above one and up to another."""

    above: int
    to: int


@dataclass(frozen=True)
class _Rows:
    """Payload of a block: rows of an answer that cannot be cut."""

    rows: list[tuple[Any, ...]]


class Sqlite(FileSource, Asked):
    """Reads a table or a query of SQLite databases.

    ## Why
    SQLite keeps any value in any column, and readers that go by the first rows, or by what a column was declared as,
    fail late or change values. Here types come from all values: whole numbers, numbers, text or bytes where a column
    holds nothing else; where it holds several kinds it is text. The file is opened for reading alone, and one with
    changes that are not written into it yet (`-wal`, `-journal`) is refused: its digest would not be that of its rows.

    A table is read in pieces, by several workers; the record number of a row is its `rowid`, which is its whole-number
    primary key where it has one. Rows of a query are numbered as they come, or by `key`.

    ## Limits
    Local files that are not packed. SQLite has no dates and no true/false: they come as what they were written as.
    Text that is not UTF-8 (`bad_encoding`) and bytes among text (`wrong_type`) are malformed records. All values are
    looked at once before rows are read. A query whose rows have no `key` is run by one process; without ORDER BY it
    gives rows in an order of SQLite's own, which is the same as long as the file is.
    """

    block_rows: ClassVar[int] = 20_000
    block_bytes: ClassVar[int] = 16 << 20
    not_parsed: ClassVar[frozenset[str]] = FileSource.not_parsed | {"timeout"}
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A table whose column holds several kinds of values",
            options={"table": "films"},
            before={
                "sql": [
                    "CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT, stars)",
                    "INSERT INTO films VALUES (3, 'Good', 4.5), (7, NULL, 'none')",
                ]
            },
            after={"id": [3, 7], "title": ["Good", None], "stars": ["4.5", "none"]},
        ),
        Example(
            title="A query with a parameter",
            options={"query": "SELECT title FROM films WHERE year > ?", "parameters": [1999]},
            before={
                "sql": [
                    "CREATE TABLE films (title TEXT, year INTEGER)",
                    "INSERT INTO films VALUES ('Old', 1950), ('New', 2020)",
                ]
            },
            after={"title": ["New"]},
        ),
    )

    use: Literal["sqlite"] = "sqlite"
    key: str | None = Field(
        None, min_length=1, description="Column of whole numbers from 1, unique, that numbers the rows of a query."
    )
    timeout: float = Field(600.0, gt=0, le=86_400, description="Seconds that a query may take.")

    def scan(self, context: Context) -> Scan:
        """Hash every file, and look at the kinds of all values."""
        notes: list[str] = []
        found = find(self.path, context, suffixes=sqlite.SUFFIXES, use=self.use, notes=notes)
        files: list[InputFile] = []
        surveys: list[sqlite.Survey] = []
        with context.stage(f"looking at {self.path}", sum(file.size for file in found), "B") as stage:
            for file in found:
                sqlite.check(file.url)
                files.append(replace(file, stamp=stamp_of(file.url), sha256=stored_sha256(file.url)))
                with closing(sqlite.opened(file.url)) as database, sqlite.failures(database, file.url, self.timeout):
                    table = self._table(database, file.url)
                    surveys.append(self._survey(database, table, file.url))
                if surveys[-1].columns != surveys[0].columns:
                    hint = "read files with different columns as sources of their own"
                    raise DataError(f"has other columns than {files[0].name}", at=file.url, hint=hint)
                stage.advance(file.size)
        if not any(survey.rows for survey in surveys):
            raise DataError(f"{self._what} has no rows", at=files[0].url, hint="is this the right table or query?")
        kinds = {name: set().union(*(survey.kinds[name] for survey in surveys)) for name in surveys[0].columns}
        settings = {
            "selected": [survey.selected for survey in surveys],
            "numbers": [survey.number for survey in surveys],
            "rows": [survey.rows for survey in surveys],
            "kinds": {name: sorted(kinds[name]) for name in kinds},
        }
        mixed = [name for name, held in kinds.items() if "text" in held and len(held) > 1]
        if mixed:
            notes.append(f"values of several kinds come as text: {', '.join(mixed)}")
        return Scan(tuple(files), sqlite.schema_of(kinds), settings, notes=tuple(notes))

    @property
    def _what(self) -> str:
        return f"table {self.table}" if self.table else "the query" if self.query else "the database"

    def _table(self, database: Any, at: str) -> str | None:
        """The table that is meant: the only one, where the recipe names none; none where there is a query."""
        if self.query is not None:
            return None
        known = sqlite.tables(database)
        if self.table is not None:
            return sqlite.known(".".join(names(self.table)), known, at=at)
        if len(known) != 1:
            some = ", ".join(known[:6]) or "none"
            raise DataError(f"has {len(known)} tables: {some}", at=at, hint="name one with `table`, or give a `query`")
        return known[0]

    def _survey(self, database: Any, table: str | None, at: str) -> sqlite.Survey:
        asked = plain(self.query or "") if table is None else f"SELECT * FROM {quoted(table)}"
        return sqlite.survey(database, asked, self.values(self.path), at=at, table=table, key=self.key)

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """Ranges of row numbers; rows themselves where there are no numbers to go by."""
        left = self.limit
        for number, file in enumerate(scan.files):
            cut = self._ranges if scan.settings["numbers"][number] else self._sequence
            place, total = 0, max(scan.settings["rows"][number], 1)
            with closing(sqlite.opened(file.url)) as database:
                for first, payload, rows in cut(scan, number, database, left):
                    size = file.size * (place + rows) // total - file.size * place // total
                    yield Block(number, first, first, size, payload)
                    place += rows
            left = None if left is None else left - place
            if left == 0:
                return

    def _ranges(self, scan: Scan, file: int, database: Any, left: int | None) -> Iterator[tuple[int, _Between, int]]:
        selected, column, rows = (scan.settings[name][file] for name in ("selected", "numbers", "rows"))
        height = max(1, min(self.block_rows, rows * self.block_bytes // max(scan.files[file].size, 1)))
        numbers = f"SELECT {column} AS n FROM {selected} WHERE {column} > ? ORDER BY {column} LIMIT ?"
        above = 0
        while left is None or left > 0:
            values = [*self.values(self.path), above, height if left is None else min(height, left)]
            with sqlite.failures(database, scan.files[file].url, self.timeout):
                asked = f"SELECT min(n), max(n), count(*) FROM ({numbers})"
                first, to, found = database.execute(asked, values).fetchone()
            if not found:
                return
            yield first, _Between(above, to), found
            above, left = to, None if left is None else left - found

    def _sequence(self, scan: Scan, file: int, database: Any, left: int | None) -> Iterator[tuple[int, _Rows, int]]:
        query = sqlite.wanted(scan.settings["selected"][file], scan.settings["kinds"])
        first = 1
        with sqlite.failures(database, scan.files[file].url, self.timeout):
            cursor = database.execute(query if left is None else f"{query} LIMIT {left}", self.values(self.path))
        while True:
            with sqlite.failures(database, scan.files[file].url, self.timeout):
                rows = sqlite.some(cursor, self.block_rows, self.block_bytes)
            if not rows:
                return
            yield first, _Rows(rows), len(rows)
            first += len(rows)

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a block.

        Raises:
            DataError: The file is damaged, or is not the one that was scanned.
        """
        file, wanted = scan.files[block.file], block.payload
        if isinstance(wanted, _Rows):
            numbers = list(range(block.first_record, block.first_record + len(wanted.rows)))
            return sqlite.parsed(wanted.rows, numbers, scan.schema)
        column = scan.settings["numbers"][block.file]
        selected = scan.settings["selected"][block.file]
        query = sqlite.wanted(selected, scan.settings["kinds"], column)
        query += f" WHERE {column} > ? AND {column} <= ? ORDER BY {column}"
        with closing(sqlite.opened(file.url)) as database, sqlite.failures(database, file.url, self.timeout):
            rows = database.execute(query, [*self.values(self.path), wanted.above, wanted.to]).fetchall()
        if stamp_of(file.url) != file.stamp:
            raise changed(file.url)
        return sqlite.parsed([row[1:] for row in rows], [row[0] for row in rows], scan.schema)

    def heeds(self, block: Block, scan: Scan) -> Any:
        """The file, the place in it, and what stands for the columns: rows follow from these."""
        file, wanted = scan.files[block.file], block.payload
        place = [wanted.above, wanted.to] if isinstance(wanted, _Between) else [block.first_record, len(wanted.rows)]
        settings = {name: value for name, value in scan.settings.items() if name != "rows"}
        return [file.sha256, place, settings, self.parameters and self.values(self.path)]

    @classmethod
    def write_example(cls, before: Mapping[str, list[Any]], path: Path) -> None:
        """Run the statements of an example."""
        import sqlite3

        with closing(sqlite3.connect(path)) as database, database:
            for statement in before["sql"]:
                database.execute(statement)
