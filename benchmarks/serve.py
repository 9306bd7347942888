"""A fine-tuned transformer, served by Seedbed and by FastAPI with a pipeline of transformers: same model, same cores.

`python benchmarks/serve.py` prints requests a second, latencies and memory of each, and ratios;
`python benchmarks/serve.py --soak 600` asks Seedbed alone for ten minutes, one request in a hundred meaning it ill, and
ends with 1 where a well-formed request was not answered, or one of the others made the server fail.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from loading import Told, load, memory, of_text, texts

HERE = Path(__file__).resolve().parent
GOOD, BAD = ("love", "great", "fine", "brilliant", "lovely"), ("hate", "awful", "poor", "dreadful", "boring")
CONTENDERS = ["pipeline", "seedbed", "seedbed, int8", "seedbed, 2 processes", "seedbed, each alone"]
#: How Seedbed is started for comparing: answering each request alone.
ALONE = """
import sys
from pathlib import Path
from seedbed.core.serving import listen
from seedbed.flow.serving import Named
from seedbed.serve.limits import Limits
from seedbed.serve.server import Terms, open_fit, serve
source = Named(Path(sys.argv[1]))
version, _ = open_fit(source, "127.0.0.1")
with listen("127.0.0.1", int(sys.argv[2])) as listening:
    serve(source, version, listening, Terms(limits=Limits(together=1)), complain=print)
"""


def small_model(base: Path) -> Path:
    """A run whose model is MiniLM, fine-tuned on 400 made-up texts for an epoch: what it knows does not matter here."""
    from seedbed.flow.running import run
    from seedbed.recipe.loading import parse

    draw = random.Random(3)
    with (base / "rows.jsonl").open("w") as out:
        for text in texts(400, seed=3):
            good = draw.random() < 0.5
            row = {"text": f"{text} {draw.choice(GOOD if good else BAD)}", "label": "good" if good else "bad"}
            out.write(json.dumps(row) + "\n")
    recipe = {
        "seedbed": 1,
        "name": "served",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "made"}],
        "train": [{"use": "transformer", "epochs": 1, "max_tokens": 64, "freeze_layers": 5}],
        "evaluate": {"intervals": {"resamples": 100}, "leakage": False},
    }
    return run(parse(recipe, base), out=base / "run", workers=1).folder


@contextlib.contextmanager
def started(command: Sequence[str], cores: Sequence[int], port: int) -> Iterator[int]:
    """A server on some cores, once it answers; its process."""
    process = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )  # fmt: skip
    try:
        for _ in range(3000):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            if process.poll() is not None:
                sys.exit(f"the server ended with {process.returncode}: {' '.join(command)[:200]}")
            time.sleep(0.1)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def answer(port: int, text: str) -> dict[str, float]:
    """Probabilities that a server gives a text."""
    body = json.dumps({"text": text}).encode()
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/predict", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=120) as reply:
        told = json.load(reply)
    return told["predictions"][0]["probabilities"] if "predictions" in told else told


def measured(command: Sequence[str], given: argparse.Namespace, port: int) -> dict[str, Any]:
    """What a server does at each number of requests at once."""
    sample, found = texts(50, seed=99), {}
    with started(command, given.cores, port) as pid:
        asked = [of_text(text) for text in texts(2000)]
        asyncio.run(load(port, asked, at_once=8, seconds=given.warm))
        found["answers"] = [answer(port, text) for text in sample]
        most = memory(pid)
        for at_once in given.at_once:
            runs = [asyncio.run(load(port, asked, at_once=at_once, seconds=given.seconds)) for _ in range(given.runs)]
            told = sorted(runs, key=lambda one: one.a_second)[len(runs) // 2]
            most = max(most, memory(pid))
            found[at_once] = told
        found["memory"] = most
    return found


def compare(given: argparse.Namespace, run: Path) -> None:
    model = run / "models" / json.loads((run / "run.json").read_text())["best"]
    contenders: dict[str, tuple[int, list[str]]] = {}
    for name in given.only:
        port = free_port()
        commands = {
            "pipeline": [str(HERE / "peers/pipeline_server/server.py"), str(model), str(port)],
            "seedbed": ["-m", "seedbed", "serve", str(run), "--port", str(port), "--no-watch"],
            "seedbed, 2 processes": [
                "-m", "seedbed", "serve", str(run), "--port", str(port), "--no-watch", "--workers", "2"
            ],
            "seedbed, int8": [
                "-m", "seedbed", "serve", str(run), "--port", str(port), "--no-watch", "--precision", "int8"
            ],
            "seedbed, each alone": ["-c", ALONE, str(run), str(port)],
        }  # fmt: skip
        contenders[name] = (port, commands[name])
    found = {name: measured(command, given, port) for name, (port, command) in contenders.items()}
    base = found.get("pipeline")
    print("| at once |  | requests/s | p50 ms | p99 ms | failed | MB | requests/s ÷ | p99 ÷ | MB ÷ |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for at_once in given.at_once:
        for name, one in found.items():
            told: Told = one[at_once]
            ratios = [""] * 3
            if base:
                over: Told = base[at_once]
                pairs = (told.a_second, over.a_second), (told.percentile(99), over.percentile(99)), (
                    one["memory"], base["memory"],
                )  # fmt: skip
                ratios = [f"{own / peer:.2f}" for own, peer in pairs]
            numbers = f"{told.a_second:,.0f} | {told.percentile(50):.1f} | {told.percentile(99):.1f} | {told.failed}"
            print(f"| {at_once} | {name} | {numbers} | {one['memory']:.0f} | {' | '.join(ratios)} |")
    if base:
        for name, one in found.items():
            pairs = list(zip(base["answers"], one["answers"], strict=True))
            apart = max(abs(peer[label] - own[label]) for peer, own in pairs for label in peer)
            same = sum(max(peer, key=peer.__getitem__) == max(own, key=own.__getitem__) for peer, own in pairs)
            print(f"{name}: probabilities differ from the pipeline's by {apart:.1g} at most, "
                  f"{same} of {len(pairs)} labels are the same")  # fmt: skip


def soak(given: argparse.Namespace, run: Path) -> int:
    port = free_port()
    command = ["-m", "seedbed", "serve", str(run), "--port", str(port), "--workers", str(given.workers)]
    with started(command, given.cores, port) as pid:
        asked = [of_text(text) for text in texts(2000)]
        asyncio.run(load(port, asked, at_once=8, seconds=given.warm))
        before = memory(pid)
        told = asyncio.run(load(port, asked, at_once=given.at_once[0], seconds=given.soak, hostile=0.01))
        after = memory(pid)
    print(f"{told.spent:.0f} s, {told.status[200]:,} answered ({told.a_second:,.0f}/s), {told.failed} failed; "
          f"p50 {told.percentile(50):.1f} ms, p99 {told.percentile(99):.1f} ms")  # fmt: skip
    print(f"by status {dict(told.status)}; {told.hostile.total()} hostile, by status {dict(told.hostile)} (0: hung up)")
    print(f"{before:.0f} MB at the beginning, {after:.0f} at the end")
    return int(bool(told.failed or told.broken))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--run", type=Path, help="a run whose best model is a transformer; a small one is made else")
    asked.add_argument("--cores", type=lambda text: [int(one) for one in text.split(",")], default=[0, 1])
    asked.add_argument("--at-once", type=lambda text: [int(one) for one in text.split(",")], default=[1, 16, 64])
    asked.add_argument("--seconds", type=float, default=20)
    asked.add_argument("--warm", type=float, default=5)
    asked.add_argument("--runs", type=int, default=3)
    asked.add_argument("--only", type=lambda text: text.split(";"), default=CONTENDERS)
    asked.add_argument("--soak", type=float, metavar="SECONDS", help="ask Seedbed alone for so long")
    asked.add_argument("--workers", type=int, default=2, help="processes of the soak")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="seedbed-serve-") as name:
        run = given.run or small_model(Path(name))
        if given.soak:
            sys.exit(soak(given, run.resolve()))
        compare(given, run.resolve())


if __name__ == "__main__":
    main()
