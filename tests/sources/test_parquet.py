from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from source_reading import Read, read

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.sources import Parquet, parquet

TABLE = pl.DataFrame(
    {
        "text": [f"text {n}" if n % 7 else None for n in range(1000)],
        "tags": [["a"] * (n % 3) for n in range(1000)],
        "of": [{"n": n, "deep": [{"x": n}]} for n in range(1000)],
        "at": [datetime(2026, 1, 1, tzinfo=UTC)] * 1000,
    }
)


def of(folder: Path, **options: object) -> Read:
    return read(Parquet.model_validate({"use": "parquet", "path": "t.parquet", **options}), folder)


def test_reads_back_whatever_the_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(TABLE.to_arrow(), tmp_path / "t.parquet", row_group_size=300)
    for rows in (1 << 16, 300, 77):
        monkeypatch.setattr(Parquet, "block_rows", rows)
        found = of(tmp_path)
        assert found.table.equals(TABLE)
        assert found.records == list(range(1, 1001))
        assert sum(block.size for block in found.blocks) == found.scan.files[0].size
        assert max(block.payload.rows for block in found.blocks) <= rows
        limited = of(tmp_path, limit=301)
        assert limited.table.equals(TABLE.head(301))


def test_several_files(tmp_path: Path) -> None:
    TABLE.head(3).write_parquet(tmp_path / "b.parquet")
    TABLE.head(0).write_parquet(tmp_path / "a.parquet")
    found = of(tmp_path, path=".", limit=2)
    assert found.table.equals(TABLE.head(2))
    assert found.scan.notes == ("a.parquet has no rows",)
    TABLE.select("text").write_parquet(tmp_path / "c.parquet")
    with pytest.raises(DataError, match=r"other columns or types than a\.parquet"):
        of(tmp_path, path=".")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    TABLE.write_parquet(path)
    whole = path.read_bytes()
    for data, words in (
        (b"", "is empty"),
        (b"text,label\n", "use: csv"),
        (b"%PDF-1.4", "PDF"),
        (whole[:-100], "damaged"),
        (whole[: len(whole) // 2], "damaged"),
    ):
        path.write_bytes(data)
        with pytest.raises(DataError) as error:
            of(tmp_path)
        assert words in str(error.value)
        assert "t.parquet" in str(error.value)
        assert len(str(error.value).splitlines()) <= 5
    path.write_bytes(whole[:100] + bytes(400) + whole[500:])  # the footer is whole, a page is not
    with pytest.raises(DataError, match="damaged"):
        of(tmp_path)
    TABLE.head(0).write_parquet(path)
    with pytest.raises(DataError, match="no rows"):
        of(tmp_path)


def test_a_slice_reads_its_own_row_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(1).bytes(16 * 40_000).hex()
    table = pl.DataFrame({"text": [noise[at : at + 32] for at in range(0, len(noise), 32)]})
    pq.write_table(table.to_arrow(), tmp_path / "t.parquet", row_group_size=4_000, compression="none")
    monkeypatch.setattr(Parquet, "block_rows", 1_000)
    source, context = Parquet(path="t.parquet"), Context(base=tmp_path)
    scan = source.scan(context)
    blocks = list(source.blocks(scan, context))
    assert len(blocks) == 40
    read_at: list[tuple[int, int]] = []

    class Watched(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            start = self.tell()
            data = super().read(size)
            read_at.append((start, len(data)))
            return data

    monkeypatch.setattr(parquet, "open_stored", lambda url: Watched(url))
    assert source.parse(blocks[21], scan).table.equals(table.slice(21_000, 1_000))
    whole = (tmp_path / "t.parquet").stat().st_size
    assert whole / 50 < sum(size for _, size in read_at) < whole / 4
