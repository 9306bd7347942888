"""`seedbed profile` and ydata-profiling on the same file with planted problems: what each costs, and what each says.

Usage: python benchmarks/profiling.py [--rows 20000] [--runs 3] [--sizes 10MB,100MB] [--cores 0,1]

The file is a CSV of `tests/planted.py`: tweets with flipped labels, personal data, other languages, toxic lines, near
copies, outliers and misspelt categories. ydata-profiling runs as its documentation begins, and once with `minimal`.
What each says is taken from its own sentences: Seedbed's remarks, ydata-profiling's alerts. `--sizes` profiles ever
larger files (the planted rows over and over, with ids and numbers of their own) with Seedbed: the memory curve.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from contending import HERE, PLACE, machine, python_of
from measuring import Measured, measure

sys.path.insert(0, str(HERE.parent / "tests"))
from planted import Planted, planted

PEER = "ydata_profiling"


def costs(command: Sequence[str], name: str, options: argparse.Namespace) -> Measured:
    """The medians of some runs.

    Raises:
        RuntimeError: One of them failed.
    """
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(HERE.parent / "src")]))
    log = PLACE / "logs" / f"profile-{name}.txt"
    found = [measure(command, cores=options.cores, log=log, env=env) for _ in range(options.runs)]
    if any(run.code for run in found):
        raise RuntimeError(f"{name} failed: {log}")
    return Measured.middle(found)


def seedbed(file: Path, out: Path, options: argparse.Namespace) -> Measured:
    """Profile a file; writes the JSON and the page."""
    code = "import sys; from seedbed.cli import main; sys.stdout = open(sys.argv.pop(1), 'w'); main()"
    roles = ["--text", "text", "--label", "label", "--html", str(out / f"{file.stem}.html"), "--json"]
    workers = ["--workers", str(len(options.cores))]
    return costs(
        [sys.executable, "-c", code, str(out / f"{file.stem}.json"), "profile", str(file), *roles, *workers],
        f"seedbed-{file.stem}", options,
    )  # fmt: skip


def peer(file: Path, out: Path, kind: str, options: argparse.Namespace) -> Measured:
    """Profile a file with ydata-profiling."""
    job = HERE / "peers" / PEER / "job.py"
    return costs([str(python_of(PEER)), str(job), str(file), str(out), kind], f"{PEER}-{kind}", options)


def planted_faults(made: Planted) -> Iterator[tuple[str, int, str, str]]:
    """What was planted: in words, in how many rows, the kind of Seedbed's remark, the column."""
    truth = made.truth
    copies = truth["fault"].eq("copy").fill_null(False)
    yield "near copies of another row", int(copies.sum()), "near_copies", "text"
    yield "near copies with another label", int(truth["conflict"].fill_null(False).sum()), "conflicts", "text"
    yield "personal data", int(truth["fault"].eq("pii").fill_null(False).sum()), "personal", "text"
    yield "other languages", int(truth["fault"].eq("language").fill_null(False).sum()), "languages", "text"
    for column in ("amount", "height_cm", "weight_kg"):
        yield f"outliers of {column}", int(truth["outlier"].eq(column).fill_null(False).sum()), "outliers", column
    for fault, kind in (("case", "respelt"), ("misspelt", "slips")):
        rows = int(truth["category_fault"].eq(fault).fill_null(False).sum())
        yield f"categories written otherwise ({fault})", rows, kind, "category"
    yield "flipped labels", int(truth["flipped"].fill_null(False).sum()), "flipped", "label"
    yield "toxic lines", int(truth["fault"].eq("toxic").fill_null(False).sum()), "toxic", "text"


def said(profile: dict[str, Any], kind: str, column: str) -> str:
    """What Seedbed's remarks say about it."""
    found = [one for one in profile["whole"]["remarks"] if one["kind"] == kind and column in one["columns"]]
    return "; ".join(one["text"] for one in found) or "nothing"


#: Words of ydata-profiling's alerts that would be about a fault.
_ALERTS = {
    "near_copies": ("duplicate",), "conflicts": (), "personal": (), "languages": (), "outliers": ("skewed", "outlier"),
    "respelt": ("cardinality",), "slips": ("cardinality",), "flipped": (), "toxic": (),
}  # fmt: skip


def alerted(alerts: Sequence[str], kind: str, column: str) -> str:
    """What ydata-profiling's alerts say about it."""
    found = [
        one for one in alerts if f"[{column}]" in one and any(word in one.lower() for word in _ALERTS[kind])
    ]  # fmt: skip
    return "; ".join(found) or "nothing"


def larger(made: Planted, path: Path, size: int) -> int:
    """Write the planted rows over and over, with ids and numbers of their own; the rows written."""
    rng, rows = np.random.default_rng(7), 0
    with path.open("wb") as file:
        while file.tell() < size:
            n = made.rows.height
            more = made.rows.with_columns(
                pl.Series("id", np.arange(rows, rows + n)),
                pl.col("text") + pl.Series([f" {word:x}" for word in rng.integers(0, 1 << 40, n)]),
                pl.col("amount") * pl.Series(rng.lognormal(0, 0.2, n)),
            )
            more.write_csv(file, include_header=rows == 0)
            rows += n
    return rows


def _row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |"


def contest(made: Planted, options: argparse.Namespace) -> None:
    """Print what both cost and say."""
    out = PLACE / "profile"
    out.mkdir(parents=True, exist_ok=True)
    file = out / "planted.csv"
    made.rows.write_csv(file)
    ours = seedbed(file, out, options)
    theirs = {kind: peer(file, out, kind, options) for kind in ("minimal", "full")}
    print(f"\n{made.rows.height:,} rows, {file.stat().st_size / 1e6:.1f} MB, {options.runs} runs (medians)\n")
    print(_row(["", "CPU s", "wall s", "peak MB", "CPU s ÷ Seedbed's", "wall ÷", "peak ÷"]))
    print("|---|---|---|---|---|---|---|")
    for name, cost in (("seedbed", ours), *((f"{PEER} ({kind})", cost) for kind, cost in theirs.items())):
        ratios = [cost.cpu / ours.cpu, cost.wall / ours.wall, cost.peak / ours.peak]
        numbers = [f"{cost.cpu:.1f}", f"{cost.wall:.1f}", f"{cost.peak:,.0f}", *(f"{ratio:.2f}" for ratio in ratios)]
        print(_row([name, *numbers]))
    profile = json.loads((out / "planted.json").read_text("utf-8"))
    alerts = json.loads((out / "alerts.json").read_text("utf-8"))
    print(f"\n{_row(['planted', 'rows', 'Seedbed says', 'ydata-profiling says'])}\n|---|---|---|---|")
    for words, rows, kind, column in planted_faults(made):
        print(_row([words, f"{rows:,}", said(profile, kind, column), alerted(alerts, kind, column)]))
    print("\nAll alerts of ydata-profiling:", "; ".join(alerts) or "none")


def curve(made: Planted, options: argparse.Namespace) -> None:
    """Print what larger files cost Seedbed."""
    print(
        f"\n{_row(['file', 'rows', '', 'CPU s', 'MB per CPU s', 'wall s', 'peak MB'])}\n|---|---|---|---|---|---|---|"
    )
    for told in options.sizes:
        size = int(float(told.removesuffix("GB").removesuffix("MB")) * (1e9 if told.endswith("GB") else 1e6))
        file = PLACE / "profile" / f"larger-{told}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            rows = larger(made, file, size)
            options.runs = 1
            found = {"seedbed": seedbed(file, file.parent, options)}
            if options.both:
                found |= {f"{PEER} ({kind})": peer(file, file.parent, kind, options) for kind in ("minimal", "full")}
        finally:
            file.unlink(missing_ok=True)
        for name, cost in found.items():
            cells = [told, f"{rows:,}", name, f"{cost.cpu:.1f}", f"{size / 1e6 / cost.cpu:.1f}", f"{cost.wall:.1f}"]
            print(_row([*cells, f"{cost.peak:,.0f}"]), flush=True)


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sizes", type=lambda text: text.split(","), default=[])
    parser.add_argument("--both", action="store_true", help="ydata-profiling on the larger files, too")
    parser.add_argument("--cores", type=lambda text: [int(one) for one in text.split(",")], default=[0, 1])
    options = parser.parse_args()
    print(machine(options.cores))
    made = planted(options.rows)
    if options.sizes:
        curve(made, options)
    else:
        contest(made, options)


if __name__ == "__main__":
    main()
