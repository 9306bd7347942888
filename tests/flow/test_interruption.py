"""Ctrl-C and kill -9 at any moment: nothing half-written, no process left, and the next run goes on to the same end."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seedbed.cli.interrupting import TOLD

RECIPE = """\
seedbed: 1
name: long
task: {kind: text_classification, text: text, label: label}
sources: [{use: jsonl, path: "parts", name: long}]
steps:
  - {use: fix_text}
  - {use: normalize}
  - {use: exact_duplicates}
  - {use: near_duplicates}
train: [{use: majority}]
evaluate: {intervals: {resamples: 200}}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    chance = random.Random(3)
    words = [f"w{chance.randrange(10**6)}" for _ in range(3000)]
    (tmp_path / "parts").mkdir()
    for part in range(12):  # more files than two workers take at once, so that processes are started
        with (tmp_path / "parts" / f"{part:02}.jsonl").open("w") as out:
            for number in range(400):
                text = " ".join(chance.choices(words, k=12)) + " é"
                out.write(json.dumps({"text": text, "label": "ab"[number % 2]}) + "\n")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def start(place: Path, store: str, out: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "seedbed", "run", "recipe.yaml", "--out", out, "--workers", "2"],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a process group of its own, so that a signal reaches the workers as Ctrl-C does
        env={**os.environ, "SEEDBED_STORE": str(place / store)},
    )


def digest(place: Path, out: str) -> str:
    found: str = json.loads((place / out / "run.json").read_text())["dataset"]["digest"]
    return found


def left_over(place: Path) -> list[str]:
    known = {"parts", "recipe.yaml", "whole", "store0", "store1"}
    return [path.name for path in place.iterdir() if path.name not in known]


def processes_of(group: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getpgid(int(entry.name)) == group and "Z" not in (entry / "stat").read_text().split(")")[1][:3]:
                    found.append(int(entry.name))
            except (ProcessLookupError, FileNotFoundError, PermissionError):
                continue
    return found


def ends_within(running: subprocess.Popen[str], promised: float, since: float) -> None:
    """The process, and whatever it started, is gone in time."""
    while (left := processes_of(running.pid)) and time.monotonic() - since < promised:
        time.sleep(0.01)
    if left:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
    assert not left, f"{len(left)} processes were there {promised} s after the signal"


STUBBORN = """\
import hashlib, multiprocessing, os, signal, sys, time
from pathlib import Path
from seedbed.cli.interrupting import ended_soon

def begun():
    Path("begun").write_text("")

def child():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    begun()
    time.sleep(60)

with ended_soon():
    if sys.argv[1] == "foreign":      # a library that computes in its own language, and looks at no signal
        begun()
        hashlib.pbkdf2_hmac("sha256", b"x", b"y", 1_000_000_000)
    elif sys.argv[1] == "swallowed":  # somebody on the way catches everything
        begun()
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                time.sleep(60)
            except BaseException:
                pass
    elif sys.argv[1] == "children":
        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join()
    else:                             # what a callback raises, a library may tell as its own error
        begun()
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            raise ValueError("a callback failed") from None
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("how", ["foreign", "swallowed", "children", "renamed"])
def test_whatever_a_run_is_busy_with_it_ends_within_two_seconds(tmp_path: Path, how: str) -> None:
    running = subprocess.Popen(
        [sys.executable, "-c", STUBBORN, how],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not (tmp_path / "begun").exists():
        assert running.poll() is None, running.communicate()
        time.sleep(0.02)
    stopped = time.monotonic()
    os.killpg(running.pid, signal.SIGINT)
    ends_within(running, 2.0, stopped)
    _, said = running.communicate(timeout=10)
    assert running.returncode == 130
    assert said == f"{TOLD}\n", "no traceback either"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_a_run_that_was_stopped_goes_on_to_the_same_end(place: Path, how: signal.Signals) -> None:
    begin = time.monotonic()
    first = start(place, "store0", "whole")
    assert first.communicate(timeout=300) and first.returncode == 0
    seconds = time.monotonic() - begin
    chance = random.Random(int(how))
    for _ in range(5):
        running = start(place, "store1", "stopped")
        try:
            running.wait(timeout=chance.uniform(0.1, 0.9) * seconds)
        except subprocess.TimeoutExpired:
            stopped = time.monotonic()
            if how == signal.SIGINT:
                os.killpg(running.pid, how)
            else:
                running.kill()
            ends_within(running, 2.0 if how == signal.SIGINT else 10.0, stopped)
        _, said = running.communicate(timeout=60)
        if running.returncode == 0:
            break
        # Before Python has started and after it has begun to end, the signal itself ends the process: a shell says 130.
        assert running.returncode in ((130, -signal.SIGINT) if how == signal.SIGINT else (-signal.SIGKILL,)), said
        assert "Traceback" not in said
        # One that was stopped at its very end has its folder, whole.
        assert left_over(place) in ([], ["stopped"])
        assert not (place / "stopped").exists() or digest(place, "stopped") == digest(place, "whole")
    last = start(place, "store1", "stopped")
    _, said = last.communicate(timeout=300)
    assert last.returncode == 0, said
    assert digest(place, "stopped") == digest(place, "whole")
