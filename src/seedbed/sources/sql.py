"""Rows of a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import polars as pl
import pyarrow as pa
from pydantic import Field, model_validator

from seedbed.core import digest
from seedbed.core.context import Context, Stage
from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.ledger import mask
from seedbed.core.part import Example
from seedbed.core.rows import RECORD_BITS
from seedbed.core.source import Block, InputFile, Origin, Parsed, Scan
from seedbed.store.snapshots import Kept, Snapshot, now

from .fetching.fetched import FetchingSource
from .tables import pages
from .tables.asked import Asked, quoted
from .tables.dates import out_of_range
from .tables.postgres import KEYS, Column, Server, check, shown, tables_like

_URL = "postgresql://reader:${env:PGPASSWORD}@db.example.org/shop"


@dataclass(frozen=True)
class _Group:
    """Payload of a block: a row group of a page that was kept."""

    page: int
    group: int
    rows: int


class Sql(FetchingSource, Asked):
    """Reads a table or a query of a PostgreSQL database, in Arrow batches.

    ## Why
    What a database holds is another thing tomorrow. What it gave is kept in the store, so a run can be made again, and
    without the server. With a `key`, a column whose values are unique and never null, rows come in pages, in its order:
    what was cut goes on after the last page, `refresh: new` asks for larger keys only, and a key of whole numbers is
    the row's id. Without one, all rows come in one transaction that sees one state of the database, or none are kept.

    The session is read-only, values of `parameters` are bound (`$1`, `$2`, …), and no statement is made out of data.

    ## Limits
    Whole numbers, floating-point numbers, text, true/false, bytes, dates and times come as they are, times with a zone
    in UTC. Everything else comes as the server writes it: `numeric` (exactly; the step `cast` makes numbers of it),
    uuid, json, enums, intervals, ranges, …; arrays and composite values come as JSON. Dates beyond the years 1 to 9999
    and `infinity` are malformed records (`no_date`). A query with a `key` is run once for every page: give it a table
    or an indexed column. Rows that change behind the last key are not seen before a run with --refresh. The password
    comes from the environment, as `${env:NAME}` or libpq's own PGPASSWORD: one in the recipe is refused.
    """

    extra: ClassVar[str] = "sql"
    needs: ClassVar[tuple[str, ...]] = ("adbc_driver_manager", "adbc_driver_postgresql")
    not_parsed: ClassVar[frozenset[str]] = FetchingSource.not_parsed | {"url", "timeout", "page"}
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A table, with its key as the rows' ids",
            options={"url": _URL, "table": "reviews", "key": "id"},
            before={
                "sql": [
                    "CREATE TABLE reviews (id bigint PRIMARY KEY, text text, stars numeric(2, 1), tags text[])",
                    "INSERT INTO reviews VALUES (3, 'good', 4.5, ARRAY['a', 'b']), (7, NULL, NULL, NULL)",
                ]
            },
            after={"id": [3, 7], "text": ["good", None], "stars": ["4.5", None], "tags": ['["a","b"]', None]},
        ),
        Example(
            title="A query with a parameter",
            options={
                "url": _URL,
                "query": "SELECT n, n * 2 AS twice FROM numbers WHERE n > $1",
                "parameters": [2],
            },
            before={"sql": ["CREATE TABLE numbers (n integer)", "INSERT INTO numbers VALUES (1), (2), (3), (4)"]},
            after={"n": [3, 4], "twice": [6, 8]},
        ),
    )

    use: Literal["sql"] = "sql"
    url: str = Field(
        description="Address of the database: `postgresql://USER:${env:PGPASSWORD}@HOST/DATABASE`, as libpq takes it."
    )
    key: str | None = Field(
        None, min_length=1, description="Column by which rows are told apart: unique, never null. Makes it resumable."
    )
    page: int = Field(20_000, ge=1, le=1_000_000, description="Rows of a page, where there is a `key`.")
    timeout: float = Field(600.0, gt=0, le=86_400, description="Seconds that one statement may take.")

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if self.table is None and self.query is None:
            raise ValueError("one of `table` and `query` is needed")
        if self.refresh == "new" and self.key is None:
            raise ValueError("`refresh: new` needs a `key`: only that tells which rows are new")
        return self

    @property
    def address(self) -> str:
        """The address; a password that somebody wrote into it is not shown."""
        return shown(self.url)

    def asks(self) -> Any:
        """Database, what is asked of it, and how it is cut."""
        check(self.url, f"source {self.use!r}, url")
        return [self.url, self.table, self.query, self.parameters, self.key, self.limit]

    def fetch(self, snapshot: Snapshot, context: Context) -> None:
        """Read what the snapshot does not hold yet."""
        with Server(self.url, self.timeout) as server, context.stage(f"asking {self._about}", None, "rows") as stage:
            columns = self._columns(server)
            if self.key is None:
                rows = self._at_once(server, columns, snapshot, stage)
            else:
                rows = self._page_by_page(server, columns, snapshot, stage)
            as_text = [one.name for one in columns if not one.comes_as_it_is]
            snapshot.end(rows=rows, server=f"PostgreSQL {server.version}", as_text=as_text)

    @property
    def _about(self) -> str:
        what = self.what if self.table else " ".join(self.selected.split())[:80]
        return f"{self.address}, {what}"

    def _columns(self, server: Server) -> list[Column]:
        values = self.values(self._about)
        try:
            return server.columns(self.selected, values, self._about)
        except DataError as error:
            if self.table and "does not exist" in error.problem:
                names = self.what.split(".")
                raise DataError(error.problem, at=error.at, hint=tables_like(server, names) or error.hint) from None
            raise

    def _at_once(self, server: Server, columns: list[Column], snapshot: Snapshot, stage: Stage) -> int:
        query = f"SELECT {_wanted(columns)} FROM (\n{self.selected}\n) AS q"
        if self.limit is not None:
            query += f" LIMIT {self.limit}"
        path = snapshot.folder / "partial.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        batches = server.batches(query, self.values(self._about), self._about)
        try:
            groups = pages.write(_counted(batches, stage), _schema(columns), path)
            snapshot.keep_file("all", path, self._origin(sum(groups)), groups=groups)
        finally:
            path.unlink(missing_ok=True)
        return sum(groups)

    def _page_by_page(self, server: Server, columns: list[Column], snapshot: Snapshot, stage: Stage) -> int:
        key = self._key(columns)
        column, schema = quoted(key.name), _schema(columns)
        values, q = self.values(self._about), f"(\n{self.selected}\n) AS q"
        base = f"SELECT {_wanted(columns)}, q.{column}::text AS {quoted(_KEY)} FROM {q}"
        for lost in snapshot.lost:
            self._read_again(server, snapshot, lost, base, key, schema)
        held = list(snapshot.kept)
        null = f"SELECT 1 FROM {q} WHERE q.{column} IS NULL LIMIT 1"
        if not held and server.rows(null, values, self._about).num_rows:
            raise self._no_key("is null in some rows")
        rows = sum(sum(one.state["groups"]) for one in held)
        if snapshot.mending and held:
            return rows
        while rows != self.limit:
            size = self.page if self.limit is None else min(self.page, self.limit - rows)
            last = held[-1].state["last"] if held else None
            after = "" if last is None else f" WHERE q.{column} > ${len(values) + 1}::text::{KEYS[key.type]}"
            query = f"{base}{after} ORDER BY q.{column} LIMIT {size + 1}"
            about = self._about if last is None else f"{self._about}, after {key.name} = {mask(last)}"
            found = server.rows(query, values if last is None else [*values, last], about)
            keys = found.column(_KEY).to_pylist()
            if len(set(keys)) < len(keys):
                raise self._no_key(f"is not unique: {_twice(keys)} comes twice")
            page = found.drop_columns([_KEY]).slice(0, size).cast(schema)
            if page.num_rows or not held:
                held.append(self._keep(snapshot, page, keys[:size], schema, rows))
            rows += page.num_rows
            stage.advance(page.num_rows, rows=page.num_rows)
            if len(keys) <= size:
                break
        return rows

    def _read_again(
        self, server: Server, snapshot: Snapshot, lost: Kept, base: str, key: Column, schema: pa.Schema
    ) -> None:
        """Read a page that is damaged or gone: the rows that now have keys from its first to its last."""
        first, last = lost.state["first"], lost.state["last"]
        values, kind, column = self.values(self._about), KEYS[key.type], f"q.{quoted(key.name)}"
        bounds = [f"{column} {sign} ${len(values) + n}::text::{kind}" for n, sign in ((1, ">="), (2, "<="))]
        query = f"{base} WHERE {' AND '.join(bounds)} ORDER BY {column}"
        found = server.rows(query, [*values, first, last], self._about)
        self._refuse_others(snapshot, schema)
        page = found.drop_columns([_KEY]).cast(schema)
        state = {**lost.state, "groups": [page.num_rows]}
        snapshot.keep(lost.name, pages.packed(page), self._origin(page.num_rows), **state)

    def _refuse_others(self, snapshot: Snapshot, schema: pa.Schema) -> None:
        """Pages of other columns do not go together."""
        if snapshot.kept and pages.schema_of(snapshot.path(snapshot.kept[0]), at=self.address) != schema:
            hint = "ask for all of it again: --refresh"
            raise DataError("the columns have changed since the pages before were read", at=self._about, hint=hint)

    def _keep(self, snapshot: Snapshot, page: pa.Table, keys: list[str], schema: pa.Schema, before: int) -> Kept:
        number = len(snapshot.kept) + 1
        self._refuse_others(snapshot, schema)
        state = {"groups": [page.num_rows], "first": keys[0] if keys else None, "last": keys[-1] if keys else None}
        return snapshot.keep(f"page-{number:06}", pages.packed(page), self._origin(before + page.num_rows), **state)

    def _key(self, columns: list[Column]) -> Column:
        found = [one for one in columns if one.name == self.key]
        if not found:
            hint = did_you_mean(self.key or "", [one.name for one in columns])
            raise RecipeError(f"`key`: there is no column {self.key!r}", at=self._about, hint=hint)
        if found[0].type not in KEYS:
            hint = "a key is a whole number, text, uuid, numeric, date or timestamp"
            raise RecipeError(f"`key`: {self.key} is of type {found[0].type}", at=self._about, hint=hint)
        return found[0]

    def _no_key(self, why: str) -> DataError:
        hint = "name a column that is unique and never null, or leave `key` out"
        return DataError(f"the key {self.key} {why}", at=self._about, hint=hint)

    def _origin(self, rows: int) -> Origin:
        facts = {"rows": rows, "parameters": len(self.parameters)}
        return Origin(self.address, now(), facts={"asked": self.selected, **facts})

    def look(self, snapshot: Snapshot, context: Context) -> Scan:
        """Columns of the first page; all pages are one file, named as the table."""
        held = snapshot.kept
        rows = sum(sum(one.state["groups"]) for one in held)
        if not rows:
            raise DataError("the database gave no rows", at=self._about, hint="is this the right table or query?")
        schema = pages.polars_schema(pages.schema_of(snapshot.path(held[0]), at=self._about))
        whole = digest.of_json([one.sha256 for one in held])
        size = sum(one.size for one in held)
        file = InputFile(self.what, str(snapshot.folder), size, whole, origin=held[-1].origin)
        kept = [
            [str(snapshot.path(one)), one.sha256, one.size, one.state["groups"], one.state.get("first")] for one in held
        ]
        ids = self._are_ids(schema, held)
        as_text = snapshot.facts.get("as_text", [])
        notes = (f"columns that come as the server writes them: {', '.join(as_text)}",) if as_text else ()
        return Scan((file,), schema, {"pages": kept, "ids": ids}, notes=notes)

    def _are_ids(self, schema: pl.Schema, held: tuple[Kept, ...]) -> bool:
        """Whether the key's values can be the numbers of records."""
        if self.key is None or not schema[self.key].is_integer():
            return False
        return int(held[0].state["first"]) > 0 and int(held[-1].state["last"]) < 1 << RECORD_BITS

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """Row groups."""
        record, left = 1, self.limit
        for number, (_, _, size, groups, first) in enumerate(scan.settings["pages"]):
            for place, rows in enumerate(groups):
                if left is not None and left <= 0:
                    return
                taken = rows if left is None else min(rows, left)
                start = int(first) if scan.settings["ids"] else record
                yield Block(0, start, record, size * rows // max(sum(groups), 1), _Group(number, place, taken))
                record += rows
                left = None if left is None else left - taken

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a row group.

        Raises:
            DataError: What was kept is damaged.
        """
        wanted: _Group = block.payload
        path = scan.settings["pages"][wanted.page][0]
        rows = pages.read(path, wanted.group, at=self.address).head(wanted.rows)
        if scan.settings["ids"]:
            records = rows[self.key or ""].cast(pl.UInt64)
        else:
            records = pl.int_range(block.first_record, block.first_record + rows.height, dtype=pl.UInt64, eager=True)
        return out_of_range(rows, records)

    def heeds(self, block: Block, scan: Scan) -> Any:
        """The page by its bytes, and which of its rows."""
        wanted: _Group = block.payload
        return [scan.settings["pages"][wanted.page][1], wanted.group, wanted.rows, scan.settings["ids"]]


#: The key as text, beside the columns.
_KEY = "\x01key"


def _wanted(columns: list[Column]) -> str:
    return ", ".join(one.wanted for one in columns)


def _schema(columns: list[Column]) -> pa.Schema:
    """Columns as they are kept: what the server writes as text is text."""
    return pa.schema([(one.name, one.kind if one.comes_as_it_is else pa.string()) for one in columns])


def _counted(batches: Iterator[pa.RecordBatch], stage: Stage) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch
        stage.advance(batch.num_rows, rows=batch.num_rows)


def _twice(keys: list[str]) -> str:
    return mask(next(key for place, key in enumerate(keys) if key in keys[:place]))
