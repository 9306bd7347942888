"""What a model costs in each form that it is shipped in: size, memory, milliseconds a row; and how it agrees.

Usage: python benchmarks/ship.py RUN [--models tfidf_logistic,transformer] [--rows 300] [--json FILE]

RUN is a finished run. Each of its models is exported with `seedbed export`, to `onnx` and, where it is a layer on
terms, to `c_header` (weights of 32 bits and of 8). Every form then answers the same held-out rows, one at a time, in a
process of its own with one thread: the model itself (`seedbed`, without the recipe's steps, which stand before every
form), the graphs through the exported `runtime.py`, and the header compiled with -O2. Prints the size of what must be
shipped (the weights, and the tokenizer or vocabulary; of C the tables), the peak memory of the process (of C: tables,
code and what it works in), the time until it could be asked, the median and the 99th percentile of a row's time, and
the agreement that the export measured, with its interval. Of C, times are of all texts together, divided.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FEEDING = ("tokenizer.json", "vocabulary.json")
ASKS = """
import json, re, sys, time
started = time.perf_counter()
kind, place, graph, rows = sys.argv[1], sys.argv[2], sys.argv[3], json.load(open(sys.argv[4], encoding="utf-8"))
if kind == "seedbed":
    import polars as pl
    from seedbed.flow.predicting.opening import open_model
    opened = open_model(place)
    kinds = {name: pl.Series([row[name] for row in rows]).dtype for name in rows[0]}
    ask = lambda row: opened.model.predict(pl.DataFrame([row], schema=kinds))
else:
    sys.path.insert(0, place)
    from runtime import Model
    model = Model(graph=graph)
    told = model.told
    ask = lambda row: model([row if told["feed"] == "numbers" else row[told["reads"][0]]])
ask(rows[0])
ready = time.perf_counter() - started
took = []
for row in rows:
    began = time.perf_counter()
    ask(row)
    took.append(time.perf_counter() - began)
took.sort()
print(json.dumps({"ready": ready, "median": took[len(took) // 2],
                  "p99": took[min(len(took) - 1, int(0.99 * len(took)))],
                  "peak": 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])}))
"""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def asked(kind: str, place: Path, graph: str, rows: Path) -> dict[str, float]:
    """What a form took, in a process of its own."""
    environment = {**os.environ, **ONE_THREAD}
    if kind != "seedbed":
        environment.pop("PYTHONPATH", None)
    command = [sys.executable, "-c", ASKS, kind, str(place), graph, str(rows)]
    cores = os.sched_getaffinity(0)
    done = subprocess.run(
        ["taskset", "-c", str(min(cores)), *command] if shutil.which("taskset") else command,
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def compiled(folder: Path, texts: list[str], work: Path) -> dict[str, float | None]:
    """What the compiled header took, for each of the texts."""
    program = work / "example"
    subprocess.run(["cc", "-O2", str(folder / "example.c"), "-lm", "-o", str(program)], check=True)
    given, times = b"".join(text.replace("\0", " ").encode() + b"\0" for text in texts), 200_000 // len(texts)
    began = time.perf_counter()
    subprocess.run([str(program), "-0"], input=b"", check=True, stdout=subprocess.DEVNULL)
    ready = time.perf_counter() - began
    began = time.perf_counter()
    subprocess.run([str(program), "-0"], input=given * times, check=True, stdout=subprocess.DEVNULL)
    each = (time.perf_counter() - began - ready) / (times * len(texts))
    size = subprocess.run(["size", str(program)], capture_output=True, text=True, check=True).stdout.split()
    return {"ready": ready, "median": each, "p99": None, "peak": float(int(size[-3]))}


def export(model: Path, to: str, out: Path, *options: str) -> dict[str, Any] | None:
    """Export; what `parity.json` says, or nothing where the model cannot be said in that form."""
    command = [sys.executable, "-m", "seedbed", "export", str(model), "--to", to, "--out", str(out)]
    for option in options:
        command += ["--set", option]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **ONE_THREAD})
    if done.returncode:
        print(f"  {model.name} to {to}: {done.stderr.strip().splitlines()[0]}")
        return None
    found: dict[str, Any] = json.loads((out / "parity.json").read_text())["forms"]
    return found


def agreed(parity: dict[str, Any]) -> dict[str, float]:
    """What is told of the agreement."""
    return {name: parity[name] for name in ("agree", "low", "high")}


def forms_of(model: Path, given: Path, work: Path) -> list[dict[str, Any]]:
    """Each form of a model with what it takes."""
    weights = sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
    rows = [{"form": "seedbed", "size": weights, "agree": 1.0, **asked("seedbed", model, "", given)}]
    out = work / f"{model.name}-onnx"
    for name, parity in (export(model, "onnx", out, "agreement=0.5") or {}).items():
        beside = sum((out / one).stat().st_size for one in FEEDING if (out / one).is_file())
        took = asked("graph", out, name, given)
        rows.append({"form": name, "size": parity["bytes"] + beside, **agreed(parity), **took})
    if shutil.which("cc") and (out / "vocabulary.json").is_file() and not (out / "tokenizer.json").is_file():
        for kept in ("float32", "int8"):
            header = work / f"{model.name}-{kept}"
            found = export(model, "c_header", header, f"weights={kept}", "agreement=0.5")
            if found is None:  # trees on terms are no layer on them
                break
            for parity in found.values():
                texts = [next(iter(row.values())) or "" for row in json.loads(given.read_text())]
                took = compiled(header, texts, work)
                rows.append({"form": f"model.h, {kept}", "size": parity["bytes"], **agreed(parity), **took})
    return [{"model": model.name, **row} for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--models", help="Which, split by commas; all when left out.")
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    from seedbed.flow.predicting.opening import open_model
    from seedbed.flow.shipping.opened import shipped

    models = sorted(path.parent for path in (given.run / "models").glob("*/bundle.json"))
    wanted = given.models.split(",") if given.models else [path.name for path in models]
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="seedbed-ship-") as folder:
        work = Path(folder)
        for model in (path for path in models if path.name in wanted):
            opened = shipped(open_model(model))
            held = opened.rows(given.rows).select(opened.reads).to_dicts()
            (work / "rows.json").write_text(json.dumps(held, default=str), "utf-8")
            rows += forms_of(model, work / "rows.json", work)
    print("| model | form | MB | same answer (95 %) | memory, MB | ready after, s | ms a row, median | 99 % |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        slow = "" if row["p99"] is None else f"{1000 * row['p99']:.3f}"
        ends = f" ({row['low']:.1%} to {row['high']:.1%})" if "low" in row else ""
        print(
            f"| `{row['model']}` | {row['form']} | {row['size'] / 1e6:.2f} | {row['agree']:.1%}{ends} "
            f"| {row['peak'] / 1e6:.2f} | {row['ready']:.2f} | {1000 * row['median']:.3f} | {slow} |"
        )
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
