"""The sql source against a real PostgreSQL server."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
import pytest
from pydantic import ValidationError
from source_reading import Read, read

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError, SeedbedError
from seedbed.flow.running import run
from seedbed.recipe.loading import load
from seedbed.sources import Sql
from seedbed.sources.tables.postgres import shown
from serving.cutting import cutting
from serving.postgres import PASSWORD, Postgres, missing, postgres

pytest.importorskip("adbc_driver_postgresql")
pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as found:
        found.run(
            "CREATE TABLE many (id bigint PRIMARY KEY, text text, n int)",
            "INSERT INTO many SELECT 2 * g, 't ' || g, CASE WHEN g % 7 > 0 THEN g END FROM generate_series(1, 1000) g",
        )
        yield found


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)


def sql(server: Postgres, **options: Any) -> Sql:
    return Sql.model_validate({"use": "sql", "url": server.uri(), **options})


def of(server: Postgres, store: Path, *, offline: bool = False, again: bool = False, **options: Any) -> Read:
    return read(sql(server, **options), context=Context(store=store, offline=offline, refresh=again))


def refused(server: Postgres, store: Path, **options: Any) -> str:
    with pytest.raises(SeedbedError) as error:
        of(server, store, **options)
    said = str(error.value)
    assert len(said.splitlines()) <= 5
    assert PASSWORD not in said
    assert "w@rd" not in said
    return said


@pytest.mark.parametrize("options", [{}, {"key": "id"}, {"key": "id", "page": 77}, {"key": "id", "page": 500}])
def test_a_table(server: Postgres, tmp_path: Path, options: dict[str, Any]) -> None:
    found = of(server, tmp_path, table="many", **options)
    assert found.table["id"].to_list() == list(range(2, 2001, 2))
    assert found.table["n"].null_count() == 142
    assert found.records == (found.table["id"].to_list() if options else list(range(1, 1001)))
    assert found.scan.files[0].name == "many"
    again = of(server, tmp_path, table="many", offline=True, **options)
    assert again.table.equals(found.table)
    assert again.scan.files[0].sha256 == found.scan.files[0].sha256


def test_the_pages_do_not_matter_for_the_rows(server: Postgres, tmp_path: Path) -> None:
    whole = of(server, tmp_path, table="many", key="id").table
    query = 'SELECT id, text, n FROM "many" -- all of them'
    assert of(server, tmp_path, query=query, key="id", page=33).table.equals(whole)
    assert of(server, tmp_path, query=query + "\n;").table.sort("id").equals(whole)
    assert of(server, tmp_path, table="public.many", key="id", page=30, limit=100).table.equals(whole.head(100))
    assert of(server, tmp_path, table="many", limit=5).table.height == 5


NAME = '"All ""types"""'


def test_types(server: Postgres, tmp_path: Path) -> None:
    server.run(
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        f'CREATE TABLE {NAME} ("select" int2, f real, d double precision, num numeric(12, 3), nan numeric, '
        "s varchar(9), b boolean, day date, t time, ts timestamp, tz timestamptz, i interval, u uuid, "
        'j jsonb, raw bytea, m mood, a int[], deep text[], ip inet, "ip." inet, o oid, money money)',
        f"INSERT INTO {NAME} VALUES (1, 1.5, 2.5, 1234.5, 'NaN', 'ä', true, '2024-01-02', '10:11:12.5', "
        "'2024-01-02 03:04:05.678', '2024-01-02 03:04:05+02', '1 mon 2 days', '12345678-1234-1234-1234-123456789abc', "
        "'{\"a\": [1]}', '\\x00ff', 'ok', '{1,null,3}', '{{a,b},{c,d}}', '10.0.0.1/8', null, 4294967295, '12.50')",
        f"INSERT INTO {NAME} DEFAULT VALUES",
    )
    found = of(server, tmp_path, table=NAME)
    assert found.table.row(0, named=True) == {
        **{"select": 1, "f": 1.5, "d": 2.5, "num": "1234.500", "nan": "NaN", "s": "ä", "b": True},
        **{"day": date(2024, 1, 2), "t": found.table["t"][0], "ts": datetime(2024, 1, 2, 3, 4, 5, 678_000)},
        **{"tz": datetime(2024, 1, 2, 1, 4, 5, tzinfo=UTC), "i": "P1M2D", "u": "12345678-1234-1234-1234-123456789abc"},
        **{"j": '{"a": [1]}', "raw": b"\x00\xff", "m": "ok", "a": "[1,null,3]", "deep": '[["a","b"],["c","d"]]'},
        **{"ip": "10.0.0.1/8", "ip.": None, "o": "4294967295", "money": "$12.50"},
    }
    assert set(found.table.row(1)) == {None}
    assert found.scan.schema["tz"] == pl.Datetime("us", "UTC")
    assert "num" in found.scan.notes[0]


def test_dates_that_no_calendar_has(server: Postgres, tmp_path: Path) -> None:
    query = "SELECT 'x' AS s, 'infinity'::timestamptz AS t, now()::date AS d UNION ALL SELECT 'y', now(), '-infinity' "
    query += "UNION ALL SELECT 'z', now(), now()"
    found = of(server, tmp_path, query=query)
    assert found.table["s"].to_list() == ["z"]
    assert found.records == [3]
    assert [(bad["record"], bad["reason"], bad["raw"]) for bad in found.malformed] == [
        (1, "no_date", '{"s":"x"}'),
        (2, "no_date", '{"s":"y"}'),
    ]


@pytest.mark.parametrize("kind", ["uuid", "numeric", "date", "timestamptz", "text"])
def test_keys_of_any_type(server: Postgres, tmp_path: Path, kind: str) -> None:
    made = {
        "uuid": "md5(g::text)::uuid",
        "numeric": "g * 1.5",
        "date": "'2024-01-01'::date + g",
        "timestamptz": "'2024-01-01'::timestamptz + g * interval '0.000001 s'",
        "text": "'it''s ' || g",
    }
    query = f"SELECT ({made[kind]})::{kind} AS k, g FROM generate_series(1, 30) AS g"
    found = of(server, tmp_path, query=query, key="k", page=7)
    assert sorted(found.table["g"].to_list()) == list(range(1, 31))
    assert found.records == list(range(1, 31))
    assert {block.payload.rows for block in found.blocks} == {7, 2}


def test_keys_that_are_none(server: Postgres, tmp_path: Path) -> None:
    assert "is not unique: 1 comes twice" in refused(server, tmp_path, query="SELECT id / 4 AS k FROM many", key="k")
    query = "SELECT g / 2 AS k FROM generate_series(2, 9) AS g"
    assert "is not unique" in refused(server, tmp_path, query=query, key="k", page=1)
    assert "null in some rows" in refused(server, tmp_path, table="many", key="n")
    assert "did you mean 'id'" in refused(server, tmp_path, table="many", key="idd")
    assert "of type jsonb" in refused(server, tmp_path, query="SELECT '1'::jsonb AS k", key="k")


def test_negative_keys_are_no_record_numbers(server: Postgres, tmp_path: Path) -> None:
    query = "SELECT g AS k FROM generate_series(-2, 2) AS g"
    found = of(server, tmp_path, query=query, key="k", page=2)
    assert found.table["k"].to_list() == [-2, -1, 0, 1, 2]
    assert found.records == [1, 2, 3, 4, 5]


def test_parameters_are_bound(server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "x'; DROP TABLE many; --"
    found = of(
        server, tmp_path, query="SELECT $1::text AS said, $2::int AS n, $3::bool AS b", parameters=[evil, 7, None]
    )
    assert found.table.rows() == [(evil, 7, None)]
    assert server.run("SELECT count(*) FROM many") == "1000"
    monkeypatch.setenv("SINCE", "1990")
    options = {"query": "SELECT id FROM many WHERE id > $1::text::int", "parameters": ["${env:SINCE}"]}
    for more in ({}, {"key": "id", "page": 2}):
        assert of(server, tmp_path, **options, **more).table["id"].to_list() == [1992, 1994, 1996, 1998, 2000]
    many = of(server, tmp_path, query="SELECT g FROM generate_series(1, $1::int) AS g", parameters=[25_000])
    assert many.table["g"].to_list() == list(range(1, 25_001))
    assert len(many.blocks) == 3


def test_only_new_rows_are_asked_for(server: Postgres, tmp_path: Path) -> None:
    server.run("CREATE TABLE growing (id int PRIMARY KEY, text text)", "INSERT INTO growing VALUES (1, 'a'), (2, 'b')")
    options: dict[str, Any] = {"table": "growing", "key": "id", "refresh": "new", "page": 2}
    assert of(server, tmp_path, **options).table["id"].to_list() == [1, 2]
    server.run("INSERT INTO growing VALUES (5, 'c')", "UPDATE growing SET text = 'changed' WHERE id = 1")
    found = of(server, tmp_path, **options)
    assert found.table.rows() == [(1, "a"), (2, "b"), (5, "c")]
    assert of(server, tmp_path, **options).table.rows() == found.table.rows()  # nothing new is no error
    assert of(server, tmp_path, **{**options, "refresh": "never"}).table.rows() == found.table.rows()
    server.run("ALTER TABLE growing ADD COLUMN more int", "INSERT INTO growing VALUES (6, 'd', 1)")
    assert "columns have changed" in refused(server, tmp_path, **options)


def test_a_query_that_fails_late(server: Postgres, tmp_path: Path) -> None:
    query = "SELECT id, 10 / (1502 - id) AS x FROM many"
    said = refused(
        server, tmp_path / "a", query="SELECT g, 1 / (900000 - g) AS x FROM generate_series(1, 1000000) AS g"
    )
    assert "division by zero" in said
    assert "SELECT g, 1 / (900000 - g)" in said
    assert " rows: " in said
    said = refused(server, tmp_path / "b", query=query, key="id", page=100)
    assert "after id = 1400: " in said
    assert query in said
    source = sql(server, query=query, key="id", page=100)
    kept = source.snapshot(Context(store=tmp_path / "b"))
    assert kept.unfinished
    assert len(list(kept.ever_kept)) == 7
    assert not list((tmp_path / "a").rglob("*.parquet"))


def test_a_connection_that_is_cut_goes_on(server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = of(server, tmp_path / "whole", table="many", key="id", page=100)
    source = sql(server, table="many", key="id", page=100)
    monkeypatch.setattr(Sql, "_keep", _cut_after(Sql._keep, 3, server))
    said = refused(server, tmp_path / "cut", table="many", key="id", page=100)
    assert "terminating connection" in said or "closed the connection" in said
    monkeypatch.undo()
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    asked = server.run("SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_user_tables WHERE relname = 'many'")
    assert asked
    begun = source.snapshot(Context(store=tmp_path / "cut"))
    assert begun.unfinished
    found = of(server, tmp_path / "cut", table="many", key="id", page=100)
    assert found.table.equals(whole.table)
    assert found.scan.files[0].sha256 == whole.scan.files[0].sha256


def _cut_after(keep: Any, pages: int, server: Postgres) -> Any:
    """Ends the session on the server once so many pages are kept."""
    left = [pages]

    def kept(*args: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'seedbed'")
        return keep(*args)

    return kept


@pytest.mark.slow
def test_a_connection_that_is_cut_anywhere_ends_with_the_same_rows(server: Postgres, tmp_path: Path) -> None:
    chance = random.Random(7)
    with cutting(server.port) as cutter:
        here = replace(server, port=cutter.port)
        whole = of(here, tmp_path / "whole", table="many", key="id", page=250)
        asked, cuts = cutter.passed, 0
        while cuts < 50:
            store = tmp_path / str(cuts)
            cutter.left = chance.randrange(asked)
            before = cuts
            for again in (True, False):
                try:
                    found = of(here, store, table="many", key="id", page=250)
                    break
                except DataError:
                    cuts += 1
                    cutter.left = None
                    assert again
            assert found.scan.files[0].sha256 == whole.scan.files[0].sha256
            assert found.table.equals(whole.table)
            assert cuts > before


def test_without_a_key_all_rows_or_none_are_kept(server: Postgres, tmp_path: Path) -> None:
    query = "SELECT g, 1 / (90000 - g) AS x, repeat('x', 300) AS t FROM generate_series(1, 100000) AS g"
    refused(server, tmp_path, query=query)
    begun = sql(server, query=query).snapshot(Context(store=tmp_path))
    assert begun.unfinished
    assert not begun.kept
    assert not list(tmp_path.rglob("partial*"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"table": "manny"}, "did you mean 'many'"),
        ({"table": "nowhere.many"}, "does not exist"),
        ({"query": "SELECT txt FROM many"}, 'column "txt" does not exist'),
        ({"query": "SELECT 1 AS a, 2 AS a"}, "several columns named a"),
        ({"query": "SELECT FROM many"}, "no columns"),
        ({"query": "SELEC 1"}, "syntax error"),
        ({"query": "SELECT 1 AS a; DROP TABLE many"}, "multiple commands"),
        ({"query": "WITH gone AS (DELETE FROM many RETURNING id) SELECT * FROM gone"}, "data-modifying"),
        ({"query": "SELECT setval('counter', 5) AS n"}, "read-only"),
        ({"query": "SELECT set_config('transaction_read_only', 'off', false) AS a"}, "read-write"),
        ({"query": "SELECT id FROM many WHERE id = $1"}, "parameter"),
        ({"query": "SELECT pg_sleep(300)::text AS a", "timeout": 0.3}, "after 0.3 seconds"),
        ({"query": "SELECT id FROM many WHERE false"}, "gave no rows"),
        ({"query": "SELECT id FROM many WHERE false", "key": "id"}, "gave no rows"),
        ({"query": "SELECT 'me@example.org'::int AS a"}, "[e-mail]"),
    ],
)
def test_what_the_server_refuses(server: Postgres, tmp_path: Path, options: dict[str, Any], words: str) -> None:
    server.run("CREATE SEQUENCE IF NOT EXISTS counter")
    started = time.monotonic()
    assert words in refused(server, tmp_path, **options)
    assert time.monotonic() - started < 150, "nobody waited for the query to end"
    assert server.run("SELECT count(*) FROM many") == "1000"


def test_servers_that_are_not_there(server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(url: str, **more: Any) -> str:
        return refused(replace(server), tmp_path, table="many", url=url, **more)

    at = f"127.0.0.1:{server.port}"
    assert "no password" in _without_password(monkeypatch, lambda: told(f"postgresql://seedbed@{at}/postgres"))
    monkeypatch.setenv("WRONG", "not-the-password")
    wrong = told(server.uri().replace("PGPASSWORD", "WRONG"))
    assert "is the user's name right, and the password in ${env:WRONG}?" in wrong and "not-the-password" not in wrong
    monkeypatch.setenv("WRONG_URL", f"postgresql://seedbed:not-the-password@{at}/postgres")
    assert "and the password in ${env:WRONG_URL}?" in told("${env:WRONG_URL}")
    with monkeypatch.context() as other:
        other.setenv("PGPASSWORD", "not-the-password")
        assert "and the password in PGPASSWORD (or in" in told(f"postgresql://seedbed@{at}/postgres")
    assert 'database "nodb" does not exist' in told(server.uri(database="nodb"))
    assert "refused" in told("postgresql://seedbed:${env:PGPASSWORD}@127.0.0.1:1/x")
    assert "translate host name" in told("postgresql://seedbed:${env:PGPASSWORD}@nowhere.invalid/x")
    assert "use: sqlite" in told("sqlite:///x.db")
    assert "not mysql" in told("mysql://x/y")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert "timeout" in told(f"postgresql://u:${{env:PGPASSWORD}}@127.0.0.1:{silent.getsockname()[1]}/x", timeout=2)


def _without_password(monkeypatch: pytest.MonkeyPatch, then: Any) -> str:
    with monkeypatch.context() as gone:
        gone.delenv("PGPASSWORD")
        return str(then())


@pytest.mark.parametrize("secret", ["wrong-secret", "s%zz/p@ss:word?", "p w'\\=&#%"])
def test_a_password_is_never_told(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    at = f"127.0.0.1:{server.port}/postgres"
    monkeypatch.setenv("MY_SECRET", secret)
    monkeypatch.setenv("MY_URL", f"postgresql://seedbed:{secret}@{at}")
    urls = ["postgresql://seedbed:${env:MY_SECRET}@" + at, "${env:MY_URL}", f"postgresql://seedbed:{secret}@{at}"]
    urls += [f"postgresql://{at}?user=seedbed&password=${{env:MY_SECRET}}", f"postgresql://{at}?password=abcdefg"]
    for url in urls:
        with pytest.raises(SeedbedError) as error:
            of(server, tmp_path, table="many", url=url)
        said = str(error.value)
        for piece in (secret, secret[2:], "ss:word", "abcdefg"):
            assert piece not in said
    assert "a password stands in the recipe" in refused(server, tmp_path, table="many", url=urls[2])
    assert secret not in shown(urls[2])
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or secret.encode() not in file.read_bytes()


def test_a_password_is_in_nothing_that_is_kept(server: Postgres, tmp_path: Path) -> None:
    of(server, tmp_path, table="many")
    kept = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(kept) >= 2
    for file in kept:
        assert PASSWORD.encode() not in file.read_bytes()
        assert b"s3cret" not in file.read_bytes()


def test_a_run_that_is_made_again_without_the_server(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store"))
    query = "SELECT id, text || CASE WHEN id % 4 = 0 THEN ' good' ELSE ' bad' END AS text, id % 4 = 0 AS good FROM many"
    recipe = {
        "seedbed": 1,
        "name": "sql",
        "task": {"kind": "text_classification", "text": "text", "label": "good"},
        "sources": [{"use": "sql", "name": "db", "url": server.uri(), "query": query, "key": "id"}],
        "steps": [{"use": "cast", "types": {"good": "text"}}],
        "train": [{"use": "majority"}],
        "evaluate": {"leakage": False, "intervals": {"resamples": 500}},
    }
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    first = run(load(tmp_path / "recipe.yaml"), out=tmp_path / "first", workers=1)
    monkeypatch.delenv("PGPASSWORD")
    again = run(load(tmp_path / "recipe.yaml"), out=tmp_path / "again", workers=1, offline=True)
    assert first.run.rows.kept == 1000
    assert again.run.dataset.digest == first.run.dataset.digest
    kept = pl.concat([pl.read_parquet(file) for file in (tmp_path / "first/dataset/data").glob("*.parquet")])
    assert sorted(kept["row"], key=lambda row: int(row.partition("#")[2]))[0] == "db:query#2"
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 20
    for file in files:
        for form in (PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD)):
            assert form.encode() not in file.read_bytes(), file


def _spoiled(store: Path, page: str) -> None:
    [journal] = store.rglob("journal.jsonl")
    kept = [told["kept"] for line in journal.read_text().splitlines() if "kept" in (told := json.loads(line or "{}"))]
    hashed = next(one["sha256"] for one in kept if one["name"] == page)
    body = journal.parent / "bodies" / hashed[:2] / hashed
    body.write_bytes(body.read_bytes()[:-9])


def test_what_was_kept_and_is_damaged(server: Postgres, tmp_path: Path) -> None:
    first = of(server, tmp_path, table="many")
    _spoiled(tmp_path, "all")
    said = refused(server, tmp_path, table="many", offline=True)
    assert "what was kept of all is damaged" in said and "a run without --offline fetches it again" in said
    assert of(server, tmp_path, table="many").table.equals(first.table)


def test_only_a_page_that_is_damaged_is_read_again(server: Postgres, tmp_path: Path) -> None:
    server.run("CREATE TABLE mended AS SELECT g AS id, 'a' AS text FROM generate_series(1, 10) g")
    first = of(server, tmp_path, table="mended", key="id", page=3)
    _spoiled(tmp_path, "page-000002")
    server.run("UPDATE mended SET text = 'b' WHERE id IN (1, 5)", "INSERT INTO mended VALUES (11, 'b')")
    found = of(server, tmp_path, table="mended", key="id", page=3)
    assert found.table["id"].to_list() == first.table["id"].to_list() == list(range(1, 11))
    assert "".join(found.table["text"]) == "aaaabaaaaa"
    assert "not what it was: page-000002" in found.scan.notes[-1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "one of `table` and `query`"),
        ({"table": "a", "query": "SELECT 1"}, "and not both"),
        ({"table": "a", "parameters": [1]}, "belong to a `query`"),
        ({"query": " ; "}, "empty"),
        ({"query": "DELETE FROM many"}, "begins with DELETE"),
        ({"table": "a", "refresh": "new"}, "needs a `key`"),
    ],
)
def test_options_that_do_not_go_together(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Sql.model_validate({"use": "sql", "url": "postgresql://h/d", **options})


def test_offline_without_anything_kept(server: Postgres, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing was kept"):
        of(server, tmp_path, table="many", offline=True)
    with pytest.raises(RecipeError, match="NO_SUCH is not set"):
        of(server, tmp_path, table="many", url="postgresql://u:${env:NO_SUCH}@127.0.0.1/x")
