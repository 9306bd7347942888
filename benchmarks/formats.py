"""Rows in every file format: CPU, peak memory, and how memory grows with the rows.

Usage: python benchmarks/formats.py [--rows 100000,1000000] [--formats jsonl,csv] [--back]

A Parquet file of made-up texts with a label, a whole number, a decimal one and a time is exported by `seedbed export`,
a process of its own for each; formats that say a task get the texts with their labels, or questions about them.
`--back` also exports what was written to JSON lines again, where the format is read.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from measuring import Measured, measure

FORMATS = (
    "jsonl",
    "csv",
    "parquet",
    "arrow",
    "pickle",
    "numpy",
    "duckdb",
    "webdataset",
    "torch",
    "tfrecord",
    "tf_data",
    "openai_chat",
    "sharegpt",
    "alpaca",
    "prompt_completion",
    "squad",
)
#: What the rows are to formats that say a task.
TASKS = dict.fromkeys(
    ("openai_chat", "sharegpt", "alpaca", "prompt_completion"), "{kind: text_classification, text: text, label: label}"
) | {"squad": "{kind: question_answering, question: label, context: text, answers: answers}"}
NOT_BACK = ("parquet", "arrow")  # read by the sources of that name
BATCH = 20_000


def batches(rows: int, *, times: bool, questions: bool = False) -> Iterator[pl.DataFrame]:
    """Texts of about 110 characters, from a seed."""
    rng = np.random.default_rng(13)
    words = np.array(
        ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), rng.integers(2, 9))) for _ in range(5_000)]
    )
    for start in range(0, rows, BATCH):
        n = min(BATCH, rows - start)
        ends = np.cumsum(rng.poisson(18, n) + 1)
        picked = words[rng.zipf(1.3, ends[-1]) % len(words)]
        texts = [" ".join(piece) for piece in np.split(picked, ends[:-1])]
        table = pl.DataFrame(
            {"text": texts, "label": rng.choice(["bad", "good", "so"], n), "n": range(start, start + n)}
        )
        table = table.with_columns(score=pl.Series(rng.random(n)))
        first = pl.struct(text=pl.col("text").str.slice(0, 5), start=pl.lit(0, pl.Int64))
        table = table.with_columns(answers=pl.concat_list(first)) if questions else table
        yield table.with_columns(seen=pl.from_epoch("n", time_unit="s")) if times else table


def corpus(path: Path, rows: int, *, times: bool, questions: bool = False) -> Path:
    writer: pq.ParquetWriter | None = None
    for batch in batches(rows, times=times, questions=questions):
        table = batch.to_arrow(compat_level=pl.CompatLevel.oldest())
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    assert writer is not None
    writer.close()
    return path


def size(place: Path) -> float:
    files = [place] if place.is_file() else [one for one in place.rglob("*") if one.is_file()]
    return sum(one.stat().st_size for one in files) / 1e6


def exported(source: Path, to: str, out: Path) -> Measured:
    command = [sys.executable, "-m", "seedbed", "export", str(source), "--to", to, "--out", str(out)]
    command += ["--set", f"task={TASKS[to]}"] if to in TASKS else []
    log = out.with_name("log.txt")
    cores = sorted(os.sched_getaffinity(0))
    found = measure(command, cores=cores, log=log, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"})
    if found.code:
        sys.exit(f"{to}: {log.read_text('utf-8')[-2000:]}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="100000,1000000")
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--back", action="store_true")
    given = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'format':<12} {'rows':>9} {'CPU s':>7} {'rows/CPU s':>11} {'peak MB':>8} {'own MB':>7} {'MB written':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for rows in map(int, given.rows.split(",")):
            source = corpus(Path(folder) / f"{rows}.parquet", rows, times=True)
            bare = corpus(Path(folder) / f"{rows}-bare.parquet", rows, times=False)
            asked = corpus(Path(folder) / f"{rows}-asked.parquet", rows, times=False, questions=True)
            for to in given.formats.split(","):
                out = Path(folder) / f"{to}-{rows}"
                found = exported({"tf_data": bare, "squad": asked}.get(to, source), to, out)
                told(to, rows, found, size(out))
                if given.back and to not in NOT_BACK:
                    told(f"{to} back", rows, exported(out, "jsonl", Path(folder) / "back.jsonl"), 0)


def told(name: str, rows: int, found: Measured, written: float) -> None:
    rate = rows / found.cpu
    print(
        f"{name:<12} {rows:>9,} {found.cpu:>7.1f} {rate:>11,.0f} {found.peak:>8,.0f} {found.anonymous:>7,.0f} "
        f"{written:>10,.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
