"""A DuckDB database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl

from seedbed.core.errors import DataError
from seedbed.core.exporter import BATCH, Rows
from seedbed.core.part import Example

from .files.described import described
from .files.plain import inner_of, is_plain, kind_of, plain, typed
from .files.splits import Splits

#: The database of a run, and the table of rows that are no split.
DATABASE, TABLE = "dataset.duckdb", "rows"


class Duckdb(Splits):
    """Write all splits into one DuckDB database, `dataset.duckdb`, a table each.

    Texts, bytes, numbers, true and false, dates, and lists and structs of them are what they are. Points in time are
    texts (ISO 8601), because DuckDB keeps no time zone and no nanoseconds; so are decimals and whole numbers beyond 64
    bits. Spans of time are counted in their unit. `schema.json` beside the database says what they were.

    ## Why
    One file that answers SQL, also about splits together, without loading anything.

    ## Limits
    A database is written by one program at a time. Categories come back as texts. Of columns whose names differ in case
    alone DuckDB calls the second `NAME_1`; reading gives it its own name back.
    """

    ending: ClassVar[str] = ".duckdb"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A table a split",
            options={"path": "out/duckdb", "row_ids": False},
            before={"text": ["good", None], "stars": [5, 1]},
            after={"train": [{"text": "good", "stars": 5}, {"text": None, "stars": 1}]},
        ),
    )

    use: Literal["duckdb"] = "duckdb"

    def write(self, rows: Rows, target: Path) -> None:
        """Write rows as the table `rows` of a database."""
        with _open(target) as database:
            _write(database, TABLE, rows)

    def write_splits(self, splits: Mapping[str, Rows], folder: Path) -> dict[str, Rows]:
        """Write a table a split."""
        with _open(folder / DATABASE) as database:
            for name, rows in splits.items():
                _write(database, name, rows)
        return {DATABASE: replace(next(iter(splits.values())), parts=tuple(splits))}

    def more(self, files: Mapping[str, Rows]) -> dict[str, Any]:
        """The tables in order."""
        return {"tables": list(next(iter(files.values())).parts) or [TABLE]}

    @classmethod
    def read(cls, path: Path) -> Rows:
        """The rows of all tables, one after the other, as they were given to `write`.

        Raises:
            DataError: The schema or the database is damaged.
        """
        known = described(path, "duckdb")
        schema, tables = known.schema, known.more.get("tables", [TABLE])

        def batches() -> Iterator[pl.DataFrame]:
            with _open(path, read_only=True) as database:
                for name in tables:
                    for batch in database.sql(f"SELECT * FROM {_quoted(name)}").to_arrow_reader(BATCH):
                        if len(batch.schema) != len(schema):
                            raise DataError("does not have the columns of its schema", at=str(path))
                        yield _typed(pl.DataFrame(pl.from_arrow(batch)), schema)

        return Rows(schema, batches)


def _write(database: Any, name: str, rows: Rows) -> None:
    schema = _said(pl.DataFrame(schema=rows.schema)).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    begin = f"CREATE TABLE {_quoted(name)} AS"
    for batch in chain([pl.DataFrame(schema=rows.schema)], rows.batches()):
        database.register("incoming", _said(batch).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema))
        database.execute(f"{begin} SELECT * FROM incoming")
        database.unregister("incoming")
        begin = f"INSERT INTO {_quoted(name)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _open(path: Path, *, read_only: bool = False) -> Iterator[Any]:
    import duckdb

    try:
        with duckdb.connect(str(path), read_only=read_only) as database:
            yield database
    except duckdb.Error as error:
        raise DataError(f"DuckDB says: {str(error).splitlines()[0][:160]}", at=str(path)) from None


def _kept(kind: pl.DataType) -> bool:
    """Whether DuckDB has the type."""
    match kind:
        case pl.List():
            return _kept(inner_of(kind))
        case pl.Struct():
            return bool(kind.fields) and all(_kept(kind_of(one.dtype)) for one in kind.fields)
    return kind in (pl.Date(), pl.Binary()) or (is_plain(kind) and kind != pl.Null)


def _said(rows: pl.DataFrame) -> pl.DataFrame:
    columns = [one if _kept(one.dtype) else plain(one.to_frame())[one.name] for one in rows]
    return pl.DataFrame([one.cast(pl.String) if one.dtype == pl.Null else one for one in columns])


def _typed(rows: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    found = []
    # By place: of `row` and `Row`, which are one name to DuckDB, it calls the second `Row_1`.
    for held, (name, kind) in zip(rows, schema.items(), strict=True):
        column = held.alias(name)
        found.append(column.cast(kind) if _kept(kind) or kind == pl.Null else _from_plain(column, kind))
    return pl.DataFrame(found)


def _from_plain(column: pl.Series, kind: pl.DataType) -> pl.Series:
    return typed(column.to_frame(), pl.Schema({column.name: kind}))[column.name]
