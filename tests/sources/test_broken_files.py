"""The corpus of broken files, given to every source that reads files: a clear error, soon, and no traceback."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import pytest
from broken import ARCHIVES, CSV, tarred, zipped
from source_reading import read

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.source import FileSource
from seedbed.sources import Arrow, Csv, Json, Jsonl, Parquet, Pickle, Text, Xml
from seedbed.sources.reading import archives

SOURCES: dict[str, type[FileSource]] = {
    ".csv": Csv, ".jsonl": Jsonl, ".json": Json, ".xml": Xml, ".txt": Text, ".arrow": Arrow, ".parquet": Parquet,
    ".pkl": Pickle,
}  # fmt: skip
BOMBS = ("a gzip bomb", "a bzip2 bomb", "an xz bomb", "a zip bomb")


@pytest.fixture(autouse=True)
def _sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    # A tenth of what is unpacked in earnest before anyone wonders.
    monkeypatch.setattr(archives, "LOOKED_AT", archives.LOOKED_AT // 10)


@pytest.mark.parametrize("ending", SOURCES)
@pytest.mark.parametrize("case", ARCHIVES)
def test_every_broken_file_is_refused(case: str, ending: str, tmp_path: Path) -> None:
    name, make, words = ARCHIVES[case]
    if case in BOMBS and ending not in (".csv", ".jsonl"):
        pytest.skip("the same stream unpacks them")
    path = tmp_path / name.format(ending)
    path.write_bytes(make(ending))
    options = {"trust": True} if ending == ".pkl" else {}
    began = time.process_time()
    with pytest.raises(DataError) as error:
        read(SOURCES[ending].model_validate({"path": path.name, **options}), tmp_path)
    assert time.process_time() - began < 20
    said = str(error.value)
    assert path.name in said
    assert len(said.splitlines()) <= 5
    if ending in (".csv", ".jsonl", ".txt"):
        assert words in said
    assert not list(tmp_path.rglob("x.*"))


def test_links_and_archives_inside_are_told(tmp_path: Path) -> None:
    members = (("a.csv", CSV), ("b.csv", b"/etc/passwd"), ("in.zip", b"PK"), ("c.tar.gz", b""))
    (tmp_path / "data.zip").write_bytes(zipped(*members, links=("b.csv",)))
    (tmp_path / "more.tar").write_bytes(tarred())
    found = read(Csv(path="."), tmp_path)
    assert [file.name for file in found.scan.files] == ["data.zip/a.csv"]
    told = " ".join(found.scan.notes)
    for words in ("b.csv (a link)", "in.zip (an archive inside", "c.tar.gz (a tar archive", "more.tar (a tar archive"):
        assert words in told


def test_what_packs_well_is_no_bomb(tmp_path: Path) -> None:
    rows = b"text,label\n" + b"".join(b"text number %d,a\n" % (n % 5000) for n in range(40_000))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("odd::name.csv", rows)
    assert read(Csv(path="a.zip", limit=5), tmp_path, context=Context(base=tmp_path)).table.height == 5
