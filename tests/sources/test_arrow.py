"""Arrow files and streams, whole, cut and damaged."""

from __future__ import annotations

import gzip
import io
import random
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from source_reading import Read, read

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.sources import Arrow

TABLE = pl.DataFrame(
    {
        "text": [f"text {n}" if n % 7 else None for n in range(1000)],
        "tags": [["a"] * (n % 3) for n in range(1000)],
        "of": [{"n": n, "deep": [{"x": n}]} for n in range(1000)],
        "at": [datetime(2026, 1, 1, tzinfo=UTC)] * 1000,
    }
)
ARROW = TABLE.to_arrow()


def of(folder: Path, **options: object) -> Read:
    return read(Arrow.model_validate({"use": "arrow", "path": "t.arrow", **options}), folder)


def _written(kind: str, table: pa.Table = ARROW, rows: int = 300) -> bytes:
    held = io.BytesIO()
    with (pa.ipc.new_file if kind == "file" else pa.ipc.new_stream)(held, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows)
    return held.getvalue()


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_reads_back_whatever_the_blocks(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.arrow").write_bytes(_written(kind))
    for rows in (1 << 16, 300, 77):
        monkeypatch.setattr(Arrow, "block_rows", rows)
        found = of(tmp_path)
        assert found.table.equals(TABLE)
        assert found.records == list(range(1, 1001))
        assert of(tmp_path, limit=301).table.equals(TABLE.head(301))
    (tmp_path / "t.arrow").write_bytes(gzip.compress(_written(kind)))
    if kind == "stream":
        assert of(tmp_path).table.equals(TABLE)
    else:
        with pytest.raises(DataError, match="unpack it"):
            of(tmp_path)


def test_what_others_write(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": pd.Categorical(["x", "y"]), "c": ["s", None]})
    frame.to_feather(tmp_path / "t.arrow")
    assert of(tmp_path).table.rows() == [(1, "x", "s"), (2, "y", None)]
    TABLE.write_ipc(tmp_path / "t.arrow", compression="zstd")
    assert of(tmp_path).table.equals(TABLE)
    TABLE.write_ipc_stream(tmp_path / "t.arrow")
    assert of(tmp_path).table.equals(TABLE)


def test_several_files(tmp_path: Path) -> None:
    (tmp_path / "b.arrow").write_bytes(_written("file", TABLE.head(3).to_arrow()))
    (tmp_path / "a.arrows").write_bytes(_written("stream", TABLE.head(2).to_arrow()))
    assert of(tmp_path, path=".", limit=4).table.equals(pl.concat([TABLE.head(2), TABLE.head(2)]))
    (tmp_path / "c.arrow").write_bytes(_written("file", TABLE.select("text").to_arrow()))
    with pytest.raises(DataError, match=r"other columns or types than a\.arrows"):
        of(tmp_path, path=".")


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_damaged_files_are_refused_or_whole(kind: str, tmp_path: Path) -> None:
    whole, path = _written(kind), tmp_path / "t.arrow"
    for data, words in ((b"", "is empty"), (b"text,label\n", "use: csv"), (b"PAR1" * 9, "use: parquet")):
        path.write_bytes(data)
        with pytest.raises(DataError, match=words):
            of(tmp_path)
    deal = random.Random(1)
    refused = 0
    for trial in range(60):
        data = bytearray(whole if trial % 2 else whole[: deal.randrange(9, len(whole))])
        for _ in range(deal.randint(1, 30) if trial % 2 else 0):
            data[deal.randrange(8, len(data))] = deal.randrange(256)
        path.write_bytes(data)
        try:
            of(tmp_path)
        except DataError as error:
            refused += 1
            assert "t.arrow" in str(error)
            assert len(str(error).splitlines()) <= 5
    assert refused > 20
    path.write_bytes(_written(kind, TABLE.head(0).to_arrow()))
    with pytest.raises(DataError, match="no rows"):
        of(tmp_path)
    path.write_bytes(_written(kind, pa.table({"a": pa.array(np.zeros(2, "f2"))})))
    of(tmp_path)
    path.write_bytes(_written(kind, pa.table({"a": pa.array([(1, 2, 3)], pa.month_day_nano_interval())})))
    with pytest.raises(DataError, match="cannot be read"):
        of(tmp_path)


def test_the_mark_of_a_file_and_nothing_sound_after_it_is_damage(tmp_path: Path) -> None:
    (tmp_path / "t.arrow").write_bytes(b"ARROW1garbage")
    with pytest.raises(DataError, match="is a damaged Arrow file"):
        Arrow(path="t.arrow").scan(Context(base=tmp_path, store=tmp_path / "store"))
