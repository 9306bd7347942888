"""What several processes, or a Ray cluster of this machine, gain where a file is labelled; whether bytes are the same.

Usage: python benchmarks/predict.py MODEL FILE [--rows 20000] [--workers 1,2] [--ray] [--cores 0,1]

MODEL is a model's folder or a run, FILE any file that has the columns which it reads (CSV). The first so many of its
rows are labelled by `seedbed predict` with each number of workers, into CSV. Prints seconds, rows a second, CPU seconds
and peak memory of the whole tree of processes (start-up and the opening of models count), and whether the result is
byte for byte that of the first line.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import polars as pl
from measuring import measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--cores", default=",".join(map(str, sorted(os.sched_getaffinity(0)))))
    given = parser.parse_args()
    ways = [["--workers", count] for count in given.workers.split(",")]
    ways += [["--engine", "ray", *way] for way in ways[-1:] if given.ray]
    cores = [int(core) for core in given.cores.split(",")]
    print("| way | seconds | rows a second | CPU s | peak MB | same bytes |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="sb-", dir="/tmp") as folder:
        place = Path(folder)
        rows = pl.read_csv(given.file, infer_schema=False, n_rows=given.rows)
        rows.write_csv(place / "rows.csv")
        env, first = {**os.environ, "SEEDBED_STORE": str(place / "store"), "TMPDIR": folder}, b""
        for number, way in enumerate(ways):
            out = place / f"{number}.csv"
            words = ["predict", str(given.model.absolute()), str(place / "rows.csv"), "--out", str(out), *way]
            took = measure([sys.executable, "-m", "seedbed", *words], cores=cores, log=place / "log", env=env)
            if took.code:
                sys.exit(f"{' '.join(way)}: {(place / 'log').read_text('utf-8', 'replace')[-500:]}")
            first = first or out.read_bytes()
            print(
                f"| {' '.join(way)} | {took.wall:.1f} | {rows.height / took.wall:,.0f} | {took.cpu:.1f} "
                f"| {took.peak:.0f} | {'yes' if out.read_bytes() == first else 'NO'} |", flush=True,
            )  # fmt: skip


if __name__ == "__main__":
    main()
