"""The sqlite source: real files, made by SQLite itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError
from source_reading import Read, read

from seedbed.core.context import Context
from seedbed.core.errors import SeedbedError
from seedbed.sources import Sqlite


def make(path: Path, *statements: str, many: int = 0) -> Path:
    with closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(statement)
        if many:
            rows = ((3 * n, f"text {n}", n / 4 if n % 5 else None) for n in range(1, many + 1))
            database.executemany("INSERT INTO many VALUES (?, ?, ?)", rows)
    return path


@pytest.fixture
def many(tmp_path: Path) -> Path:
    return make(tmp_path / "t.db", "CREATE TABLE many (id INTEGER PRIMARY KEY, text TEXT, x REAL)", many=1000)


def of(folder: Path, **options: Any) -> Read:
    return read(Sqlite.model_validate({"use": "sqlite", "path": "t.db", **options}), folder)


def refused(folder: Path, **options: Any) -> str:
    with pytest.raises(SeedbedError) as error:
        of(folder, **options)
    assert len(str(error.value).splitlines()) <= 5
    return str(error.value)


def test_a_table_in_pieces(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = of(many.parent)
    assert whole.table["id"].to_list() == whole.records == list(range(3, 3001, 3))
    assert whole.table["x"].null_count() == 200
    monkeypatch.setattr(Sqlite, "block_rows", 77)
    cut = of(many.parent, table="MANY")
    assert len(cut.blocks) == 13
    assert cut.table.equals(whole.table)
    assert cut.records == whole.records
    assert sum(block.size for block in cut.blocks) == cut.scan.files[0].size
    assert of(many.parent, limit=100).table.equals(whole.table.head(100))


def test_a_query(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sqlite, "block_rows", 60)
    query = "SELECT id * 2 AS id, text FROM many WHERE id > ? -- not the first\n;"
    found = of(many.parent, query=query, parameters=[300])
    assert found.table["id"].to_list() == list(range(606, 6001, 6))
    assert found.records == list(range(1, 901))
    keyed = of(many.parent, query=query, parameters=[300], key="id")
    assert keyed.table.equals(found.table)
    assert keyed.records == keyed.table["id"].to_list()
    assert len(keyed.blocks) == 15
    assert of(many.parent, query=query, parameters=[300], limit=70).table.equals(found.table.head(70))


def test_kinds_of_values(tmp_path: Path) -> None:
    make(
        tmp_path / "t.db",
        'CREATE TABLE t (a, b, c, d, e, "f ""x""", rowid)',
        "INSERT INTO t VALUES (1, 1.5, 'x', x'00ff', NULL, 'y', 'mine')",
        "INSERT INTO t VALUES (2, 2, 7, NULL, NULL, 1e300, NULL)",
    )
    found = of(tmp_path)
    assert found.scan.schema == pl.Schema(
        {
            **{"a": pl.Int64(), "b": pl.Float64(), "c": pl.String(), "d": pl.Binary(), "e": pl.String()},
            **{'f "x"': pl.String(), "rowid": pl.String()},
        }
    )
    assert found.table.rows() == [
        (1, 1.5, "x", b"\x00\xff", None, "y", "mine"),
        (2, 2.0, "7", None, None, "1.0e+300", None),
    ]
    assert found.records == [1, 2]
    assert "several kinds" in found.scan.notes[0]


def test_values_that_are_none(tmp_path: Path) -> None:
    make(
        tmp_path / "t.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT)",
        "INSERT INTO t VALUES (1, 'good'), (2, CAST(x'636166e9' AS TEXT)), (5, x'ff'), (9, 'fine')",
    )
    found = of(tmp_path)
    assert found.table["s"].to_list() == ["good", "fine"]
    assert found.records == [1, 9]
    assert found.reasons == [(2, 2, "bad_encoding"), (5, 5, "wrong_type")]
    assert "caf\ufffd" in found.malformed[0]["raw"]


def test_tables_without_record_numbers(tmp_path: Path) -> None:
    make(
        tmp_path / "t.db",
        "CREATE TABLE a (k TEXT PRIMARY KEY, n) WITHOUT ROWID",
        "INSERT INTO a VALUES ('x', 1), ('y', 2)",
        "CREATE TABLE b (id INTEGER PRIMARY KEY)",
        "INSERT INTO b VALUES (-5), (4)",
        "CREATE VIEW c AS SELECT n FROM a",
    )
    assert of(tmp_path, table="a").table.rows() == [("x", 1), ("y", 2)]
    assert of(tmp_path, table="b").table["id"].to_list() == [-5, 4]
    assert of(tmp_path, table="b").records == [1, 2]
    assert of(tmp_path, table="c").table["n"].to_list() == [1, 2]


def test_several_files(tmp_path: Path) -> None:
    for name, value in (("a", "1"), ("b", "'x'")):
        make(tmp_path / f"{name}.db", "CREATE TABLE t (v)", f"INSERT INTO t VALUES ({value})")
    assert of(tmp_path, path=".").table["v"].to_list() == ["1", "x"]
    make(tmp_path / "c.db", "CREATE TABLE t (w)", "INSERT INTO t VALUES (1)")
    assert "other columns than a.db" in refused(tmp_path, path=".")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"table": "mani"}, "did you mean 'many'"),
        ({"query": "SELECT nope FROM many"}, "no such column"),
        ({"query": "SELECT 1 AS a, 2 AS a"}, "several columns named a"),
        ({"query": "SELECT id FROM many WHERE id = ?"}, "do not fit"),
        ({"query": "SELECT 1; DROP TABLE many"}, "refused"),
        ({"query": "PRAGMA journal_mode = WAL"}, "syntax error"),
        ({"query": "SELECT 1 WHERE false"}, "no rows"),
        ({"query": "SELECT length(zeroblob(999999999)) AS n"}, "too big"),
        ({"query": "SELECT id / 9 AS k FROM many", "key": "k"}, "not unique"),
        ({"query": "SELECT text AS k FROM many", "key": "k"}, "no whole number"),
        ({"query": "SELECT id - 3 AS k FROM many", "key": "k"}, "goes below 1"),
        ({"query": "SELECT id FROM many", "key": "idd"}, "did you mean 'id'"),
        (
            {
                "query": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) AS n FROM r",
                "timeout": 0.2,
            },
            "after 0.2 seconds",
        ),
    ],
)
def test_what_sqlite_refuses(many: Path, options: dict[str, Any], words: str) -> None:
    before = many.read_bytes()
    assert words in refused(many.parent, **options)
    assert many.read_bytes() == before
    assert [path.name for path in many.parent.iterdir() if path.name != ".seedbed"] == ["t.db"]


def test_files_that_cannot_be_read(many: Path) -> None:
    folder, whole = many.parent, many.read_bytes()
    for data, words in (
        (b"", "is empty"),
        (b"PAR1" + whole, "use: parquet"),
        (b"random" * 1000, "not an SQLite database"),
        (whole[:100], "damaged"),
        (whole[:5000], "damaged"),
        (whole[:4200] + b"\xff" * 4000 + whole[8200:], "damaged"),
    ):
        many.write_bytes(data)
        assert words in refused(folder, table="many"), data[:20]
        many.write_bytes(whole)
    with closing(sqlite3.connect(folder / "w.db")) as writing:
        writing.execute("PRAGMA journal_mode = WAL")
        writing.execute("CREATE TABLE t (a)")
        writing.commit()
        assert "not in the file yet" in refused(folder, path="w.db")
    make(folder / "two.db", "CREATE TABLE a (x)", "CREATE TABLE b (x)")
    assert "has 2 tables: a, b" in refused(folder, path="two.db")


def test_a_file_that_changes_is_told(many: Path) -> None:
    source, context = Sqlite(path="t.db"), Context(base=many.parent)
    scan = source.scan(context)
    blocks = list(source.blocks(scan, context))
    make(many, "DELETE FROM many WHERE id = 3")
    with pytest.raises(SeedbedError, match="changed while it was read"):
        source.parse(blocks[0], scan)


def test_a_block_is_known_by_its_file_and_place(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sqlite, "block_rows", 400)
    context = Context(base=many.parent)
    for options in ({}, {"query": "SELECT * FROM many"}):
        keys = []
        for _ in range(2):
            source = Sqlite.model_validate({"use": "sqlite", "path": "t.db", **options})
            scan = source.scan(context)
            keys.append([str(source.heeds(block, scan)) for block in source.blocks(scan, context)])
        assert keys[0] == keys[1]
        assert len(set(keys[0])) == 3


def test_options_that_do_not_go_together() -> None:
    with pytest.raises(ValidationError, match="and not both"):
        Sqlite.model_validate({"use": "sqlite", "path": "t.db", "table": "a", "query": "SELECT 1"})
    with pytest.raises(ValidationError, match="begins with DROP"):
        Sqlite.model_validate({"use": "sqlite", "path": "t.db", "query": "drop table a"})
