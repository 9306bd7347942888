"""Time and peak memory of the demo's run, from an empty store, as a whole process.

Usage: python benchmarks/demo.py [--workers N]

Prints wall seconds, CPU seconds and the peak memory of the largest process, then a second run that finds the passes
in the store.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RECIPE = Path(__file__).parents[1] / "examples" / "tweets" / "recipe.yaml"


def measured(store: Path, out: Path, workers: int) -> dict[str, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "seedbed", "run", str(RECIPE), "--out", str(out), "--workers", str(workers)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "SEEDBED_STORE": str(store)},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "wall": time.perf_counter() - start,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak": after.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    workers = parser.parse_args().workers
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {workers} workers")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for title in ("from an empty store", "again, passes in the store"):
            found = measured(place / "store", place / "out", workers)
            print(f"{title}: {found['wall']:.0f} s, {found['cpu']:.0f} CPU s, peak {found['peak']:,.0f} MB")
        run = json.loads((place / "out" / "run.json").read_text("utf-8"))
    for stage, seconds in run["timings"].items():
        print(f"  {stage}: {seconds:.1f} s")


if __name__ == "__main__":
    main()
