"""Files of web servers: fetched once, gone on with where the connection broke, read without the server afterwards."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from source_reading import read

from seedbed.core.context import Context
from seedbed.core.errors import Damaged, DataError, NotKept
from seedbed.sources import Csv, Parquet
from seedbed.sources.reading import download
from serving.file_server import FileServer, file_server

ROWS = [f"{n},text {random.Random(n).random()}" for n in range(6_000)]
BODY = "\n".join(["id,text", *ROWS]).encode()


def at(tmp_path: Path, **more: bool) -> Context:
    return Context(base=tmp_path, store=tmp_path / ".seedbed", **more)


def scanned(server: FileServer, tmp_path: Path, **more: bool) -> str:
    [file] = Csv(path=f"{server.url}/a.csv").scan(at(tmp_path, **more)).files
    return file.sha256


def test_a_file_is_fetched_once_and_needs_no_server_afterwards(tmp_path: Path) -> None:
    with file_server({"/a.csv": BODY}) as server:
        source = Csv(path=f"{server.url}/a.csv", license="CC0-1.0")
        first = read(source, tmp_path)
        asked = len(server.asked)
        assert server.got() == ["/a.csv"], "one request for all of it"
        again = read(source, tmp_path)
        assert len(server.asked) == asked
    offline = source.scan(at(tmp_path, offline=True))
    assert [file.name for file in first.scan.files] == ["a.csv"]
    assert first.table.equals(again.table) and first.table.height == len(ROWS)
    assert offline.files == first.scan.files
    origin = offline.files[0].origin
    assert origin and (origin.url, origin.status, origin.media_type) == (source.path, 200, "text/csv")
    assert set(origin.facts) == {"ETag"}


def test_what_was_not_kept_is_refused_offline_and_nothing_is_made(tmp_path: Path) -> None:
    with file_server({"/a.csv": BODY}) as server:
        with pytest.raises(NotKept, match="nothing was kept of this source") as error:
            scanned(server, tmp_path, offline=True)
        assert error.value.at == f"{server.url}/a.csv" and "without --offline" in error.value.hint
        assert server.asked == []
    assert list(tmp_path.iterdir()) == []


def test_a_changed_file_is_seen_where_it_is_asked_for(tmp_path: Path) -> None:
    with file_server({"/a.csv": BODY}) as server:
        before = scanned(server, tmp_path)
        server.files["/a.csv"] = BODY + b"\n20000,new"
        assert scanned(server, tmp_path) == before
        assert scanned(server, tmp_path, refresh=True) != before


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_connection_is_gone_on_with(tmp_path: Path, ranges: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PAUSE", 0.01)
    whole = None
    with file_server({"/a.csv": BODY}) as server:
        whole = scanned(server, tmp_path / "whole")
        server.ranges = ranges
        server.asked.clear()
        server.cuts = [30_000, 60_000]
        assert scanned(server, tmp_path) == whole
        asked = [what for method, _, what in server.asked if method == "GET"]
    assert asked == ["", "bytes=30000-", "bytes=90000-" if ranges else "bytes=60000-"]


def test_a_run_that_was_cut_goes_on_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    chance = random.Random(7)
    with file_server({"/a.csv": BODY}) as server:
        whole = scanned(server, tmp_path / "whole")
        for place in range(4):
            folder = tmp_path / str(place)
            cut = chance.randrange(1, len(BODY))
            server.cuts = [cut]
            with pytest.raises(DataError):
                scanned(server, folder)
            with pytest.raises(NotKept, match="is not whole"):
                scanned(server, folder, offline=True)
            server.asked.clear()
            assert scanned(server, folder) == whole
            assert f"bytes={cut}-" in [what[: len(f"bytes={cut}-")] for _, _, what in server.asked]


def test_what_is_there_of_another_file_is_not_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    with file_server({"/a.csv": BODY}) as server:
        server.cuts = [5_000]
        with pytest.raises(DataError):
            scanned(server, tmp_path)
        server.files["/a.csv"] = other = BODY[::-1].replace(b"txet,di", b"id,text")
        source = Csv(path=f"{server.url}/a.csv")
        [file] = source.scan(at(tmp_path)).files
        assert Path(file.url).read_bytes() == other


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_what_a_server_refuses_is_told_without_secrets(
    tmp_path: Path, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PAUSE", 0.01)
    monkeypatch.setenv("KEY", "s3cr3t-word")
    with file_server({"/a.csv": BODY}) as server:
        server.statuses["/a.csv?key=s3cr3t-word"] = status
        with pytest.raises(DataError) as error:
            Csv(path=f"{server.url}/a.csv?key=${{env:KEY}}").scan(at(tmp_path))
    assert "s3cr3t" not in str(error.value)
    assert len(server.asked) == (5 if status == 500 else 1)
    assert f"the server answers {status}" in str(error.value)
    assert "${env:KEY}" in error.value.at


def test_secrets_stay_out_of_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "s3cr3t-word")
    with file_server({"/a.csv": BODY}) as server:
        found = read(Csv(path=f"{server.url}/a.csv?key=${{env:KEY}}"), tmp_path)
        assert server.asked[-1][1] == "/a.csv?key=s3cr3t-word"
    assert found.table.height == len(ROWS)
    stored = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert stored and not any(b"s3cr3t" in path.read_bytes() or "s3cr3t" in str(path) for path in stored)


def test_a_server_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PAUSE", 0.01)
    with file_server({}) as server:
        pass
    with pytest.raises(DataError) as error:
        scanned(server, tmp_path)
    assert error.value.at == f"{server.url}/a.csv" and error.value.exit_code == 3


def test_messages_name_the_file_not_the_digest_of_its_bytes(tmp_path: Path) -> None:
    with file_server({"/a.parquet": b"not parquet"}) as server, pytest.raises(DataError) as error:
        Parquet(path=f"{server.url}/a.parquet").scan(at(tmp_path))
    assert error.value.at.endswith("/a.parquet")


def test_members_of_an_archive_know_where_it_came_from(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("in/one.csv", "a,b\n1,2\n")
    with file_server({"/a.zip": (tmp_path / "a.zip").read_bytes()}) as server:
        scan = Csv(path=f"{server.url}/a.zip").scan(at(tmp_path))
        found = read(Csv(path=f"{server.url}/a.zip"), tmp_path)
    assert [file.name for file in scan.files] == ["a.zip/in/one.csv"]
    assert scan.files[0].origin and scan.files[0].origin.url == f"{server.url}/a.zip"
    assert found.table.rows() == [("1", "2")]


def test_only_a_file_that_is_damaged_is_fetched_again(tmp_path: Path) -> None:
    with file_server({"/a.csv": BODY}) as server:
        source = Csv(path=f"{server.url}/a.csv")
        [file] = source.scan(at(tmp_path)).files
        Path(file.url).resolve().unlink()
        with pytest.raises(Damaged, match=r"what was kept of a\.csv is damaged or gone") as error:
            source.scan(at(tmp_path, offline=True))
        assert error.value.hint == "a run without --offline fetches it again"
        server.asked.clear()
        assert source.scan(at(tmp_path)).files[0].sha256 == file.sha256
        assert server.got() == ["/a.csv"]
        Path(file.url).resolve().write_bytes(b"id,text\n1,b")
        assert source.scan(replace(at(tmp_path), refresh=True)).files[0].sha256 == file.sha256
    assert source.scan(at(tmp_path, offline=True)).files[0].sha256 == file.sha256


def test_of_a_folder_elsewhere_only_what_is_damaged_is_fetched_again(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    for name in "ab":
        system.pipe(f"/damaged/{name}.csv", f"id,text\n1,{name}".encode())
    source = Csv(path="memory://damaged/*.csv")
    first = source.scan(at(tmp_path)).files
    system.pipe("/damaged/c.csv", b"id,text\n1,c")
    Path(first[1].url).resolve().unlink()
    assert source.scan(at(tmp_path)).files == first
    Path(first[0].url).resolve().unlink()
    system.rm("/damaged/a.csv")
    with pytest.raises(DataError, match="and the file is there no more") as error:
        source.scan(at(tmp_path))
    assert "--refresh" in error.value.hint
    assert [file.name for file in source.scan(at(tmp_path, refresh=True)).files] == ["b.csv", "c.csv"]
