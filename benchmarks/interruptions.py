"""Stops a run at random moments, by Ctrl-C or kill -9, lets it go on, and compares what comes out.

    python benchmarks/interruptions.py --times 100 --signal KILL
    python benchmarks/interruptions.py --times 100 --signal INT

A run over a made-up corpus is done once undisturbed. Then the same run is begun with an empty store and stopped at a
moment drawn evenly from the time that the whole run took; the next attempt goes on from there and is stopped in turn,
until one comes to its end. Its dataset's digest is compared, and all begins anew, until so many stops were made.

Printed: where the stops fell, how long it took until no process was left, how much was done twice, and what differed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

RECIPE = """\
seedbed: 1
name: stopped
task: {kind: text_classification, text: text, label: label}
sources: [{use: jsonl, path: parts, name: parts}]
steps:
  - {use: fix_text}
  - {use: normalize}
  - {use: exact_duplicates}
  - {use: near_duplicates}
split: {use: hashed}
train: [{use: majority}, {use: naive_bayes}]
evaluate: {intervals: {resamples: 200}, leakage: false}
"""
_CODES = {"INT": (130, -signal.SIGINT), "KILL": (-signal.SIGKILL,)}


@dataclass
class Attempt:
    """One run, stopped or not."""

    code: int
    seconds: float
    stage: str
    """What it was at when it was stopped."""
    to_stop: float = 0.0
    """Seconds from the signal until no process of it was left."""
    said: str = ""


@dataclass
class Tally:
    """What stops came to."""

    by_stage: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    twice: list[float] = field(default_factory=list)
    """Seconds by which a run that was stopped took longer than one that was not, for each stop."""
    ends: int = 0
    faults: list[str] = field(default_factory=list)
    whole: float = 0.0
    """Seconds of the undisturbed run."""


def make_corpus(folder: Path, rows: int, seed: int = 3) -> None:
    """Files of made-up texts with copies and near copies, and a recipe."""
    chance = random.Random(seed)
    words = [f"w{chance.randrange(10**6)}" for _ in range(3000)]
    (folder / "parts").mkdir(parents=True)
    text = ""
    for part in range(16):
        with (folder / "parts" / f"{part:02}.jsonl").open("w", encoding="utf-8") as out:
            for row in range(rows // 16):
                near = row % 20 == 1
                text = f"{text} more" if near else " ".join(chance.choices(words, k=40)) + " é"
                label = "a" if text < "w5" else "b"
                out.write(json.dumps({"text": text, "label": label}) + "\n")
    (folder / "recipe.yaml").write_text(RECIPE, "utf-8")


def attempt(folder: Path, store: str, workers: int, stop_after: float | None, how: signal.Signals) -> Attempt:
    """Run, and stop after so many seconds."""
    said = folder / "said.txt"
    begun = time.monotonic()
    with said.open("w") as out:
        running = subprocess.Popen(
            [sys.executable, "-m", "seedbed", "run", "recipe.yaml", "--out", f"out-{store}", "--workers", str(workers)],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=out,
            start_new_session=True,
            env={**os.environ, "SEEDBED_STORE": str(folder / store)},
        )
        try:
            running.wait(stop_after)
            return Attempt(running.returncode, time.monotonic() - begun, "", said=said.read_text())
        except subprocess.TimeoutExpired:
            stopped = time.monotonic()
        except KeyboardInterrupt:  # of the benchmark itself
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            raise
        stage = stage_of(said.read_text())
        # Ctrl-C reaches all processes of a terminal; kill -9 is for the one that is named.
        if how == signal.SIGINT:
            os.killpg(running.pid, how)
        else:
            running.kill()
        running.wait()
        while processes_of(running.pid):
            time.sleep(0.01)
    now = time.monotonic()
    return Attempt(running.returncode, now - begun, stage, now - stopped, said.read_text())


def stage_of(said: str) -> str:
    """The last stage that was begun and is not over, by what progress said."""
    open_stages: list[str] = []
    for line in said.splitlines():
        if line.endswith(" …"):
            open_stages.append(line[:-2])
        elif (title := line.rpartition(": done in ")[0]) in open_stages:
            open_stages.remove(title)
    title = open_stages[-1] if open_stages else ("between stages" if said else "starting")
    return title.partition(":")[0]


def processes_of(group: int) -> list[int]:
    """Processes of a group that have not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getpgid(int(entry.name)) == group and " Z " not in (entry / "stat").read_text():
                    found.append(int(entry.name))
            except (ProcessLookupError, FileNotFoundError, PermissionError):
                continue
    return found


def digest(folder: Path, store: str) -> str:
    """Of the dataset that a run wrote."""
    found: str = json.loads((folder / f"out-{store}" / "run.json").read_text())["dataset"]["digest"]
    return found


def left_beside(folder: Path) -> list[str]:
    """What lies beside the recipe and should not."""
    known = {"parts", "recipe.yaml", "said.txt", "whole", "stopped", "out-whole", "out-stopped"}
    return sorted(path.name for path in folder.iterdir() if path.name not in known)


def interrupt(folder: Path, times: int, how: signal.Signals, workers: int, seed: int, tally: Tally) -> None:
    """Stop so many times; what comes of it goes into the tally."""
    whole = attempt(folder, "whole", workers, None, how)
    if whole.code:
        sys.exit(whole.said)
    tally.whole = whole.seconds
    wanted, chance = digest(folder, "whole"), random.Random(seed)
    stops, spent, chain = 0, 0.0, 0
    while stops < times or chain:
        last = stops >= times  # what was begun is brought to its end
        one = attempt(folder, "stopped", workers, None if last else chance.uniform(0, whole.seconds), how)
        spent += one.seconds
        if one.code == 0 and not one.to_stop:
            tally.ends += 1
            if digest(folder, "stopped") != wanted:
                tally.faults.append(f"another digest after {chain} stops")
            if chain:
                tally.twice.append((spent - whole.seconds) / chain)
            for name in ("stopped", "out-stopped"):
                shutil.rmtree(folder / name, ignore_errors=True)
            spent, chain = 0.0, 0
            continue
        stops, chain = stops + 1, chain + 1
        tally.by_stage[one.stage].append(one.to_stop)
        print(f"stop {stops}: {one.stage}, {one.to_stop:.2f} s", file=sys.stderr, flush=True)
        if one.code not in _CODES[how.name.removeprefix("SIG")]:
            tally.faults.append(f"exit code {one.code} in {one.stage}: {one.said[-300:]}")
        if "Traceback" in one.said:
            tally.faults.append(f"a traceback in {one.stage}: {one.said[-300:]}")
        tally.faults += [f"left beside the recipe: {name}" for name in left_beside(folder)]


def told(tally: Tally, how: str) -> str:
    """The table."""
    lines = ["| stopped in | times | longest until no process was left, s |", "|---|---:|---:|"]
    for stage, seconds in sorted(tally.by_stage.items(), key=lambda item: -len(item[1])):
        lines.append(f"| {stage} | {len(seconds)} | {max(seconds):.2f} |")
    every = [one for seconds in tally.by_stage.values() for one in seconds]
    if not every:
        return "nothing was stopped"
    twice = f"{median(tally.twice):.1f} s" if tally.twice else "nothing"
    return "\n".join(
        [
            *lines,
            "",
            f"{how}: {len(every)} stops, {tally.ends} runs brought to their end; undisturbed {tally.whole:.1f} s. "
            f"Until no process was left: median {median(every):.2f} s, longest {max(every):.2f} s. "
            f"Start-up and work done again, for each stop: {twice} (median).",
            *(tally.faults or ["Every digest was that of the undisturbed run; nothing was left beside it."]),
        ]
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=100, help="stops")
    parser.add_argument("--signal", choices=sorted(_CODES), default="KILL")
    parser.add_argument("--rows", type=int, default=16_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory() as place, suppress(KeyboardInterrupt):  # what is known by then is printed
        folder = Path(place)
        make_corpus(folder, asked.rows)
        how = signal.Signals[f"SIG{asked.signal}"]
        interrupt(folder, asked.times, how, asked.workers, asked.seed, tally)
    print(told(tally, asked.signal))
    sys.exit(1 if tally.faults else 0)


if __name__ == "__main__":
    main()
