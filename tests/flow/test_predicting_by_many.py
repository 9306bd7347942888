"""Several processes, or a Ray cluster, label a file: the same bytes come out, and workers may die."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import psutil
import pytest

from predicting_sample import STEPS, rows, small_run, write
from seedbed.cli.predict import predict_rows
from seedbed.core.context import Context
from seedbed.core.errors import ModelError, RecipeError
from seedbed.engine.pool import Pool
from seedbed.engine.workers import LostWorkersError
from seedbed.flow.predicting import labelling
from seedbed.flow.predicting.labelling import Labelled, Outcome, in_order
from seedbed.flow.predicting.opening import open_model
from seedbed.flow.predicting.predict import predict_file

#: Says who meets the row, the first time, and waits there.
OWN = """
import multiprocessing, os, signal, time
from pathlib import Path

MET = Path({met!r})

def wait_once(row):
    if row["said"] and "linger here" in row["said"] and MET.exists():
        if "KILLS" in os.environ and "SpawnProcess" in multiprocessing.current_process().name:
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            (MET / "first").touch(exist_ok=False)
        except FileExistsError:
            return {{"said": row["said"]}}
        (MET / "partial").write_text(str(os.getpid()))
        (MET / "partial").rename(MET / "worker")
        time.sleep(120)
    return {{"said": row["said"]}}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose model passes a function, and a file with records that cannot be read."""
    base = tmp_path_factory.mktemp("many")
    (base / "own.py").write_text(OWN.format(met=str(base / "met")))
    own = {"use": "python", "function": "own.py:wait_once", "reads": ["said"], "writes": {"said": "text"}}
    small_run(base, steps=[own, *STEPS], train=[{"use": "tfidf_logistic"}])
    made = rows(14_000, seed=9)
    made[9_000]["said"] = "linger here for a great film"
    lines = write(base / "new.jsonl", made).read_text().splitlines(keepends=True)
    lines[77:77] = ['{"said": "broken\n', "[1, 2]\n"]
    (base / "new.jsonl").write_text("".join(lines))
    return base


@pytest.fixture(scope="module")
def alone(place: Path) -> tuple[bytes, Labelled]:
    """What one process makes of it."""
    out = place / "alone.jsonl"
    done = predict_file(open_model(place / "out", trust=True), str(place / "new.jsonl"), out)
    return out.read_bytes(), done


def by(place: Path, out: Path, context: Context) -> tuple[bytes, Labelled]:
    done = predict_file(
        open_model(place / "out", trust=True), str(place / "new.jsonl"), out, context=context, trust=True
    )
    return out.read_bytes(), done


def test_two_processes_write_what_one_writes(
    place: Path, alone: tuple[bytes, Labelled], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    monkeypatch.setattr(Pool, "_started", lambda self, of=Pool._started: started.append(1) or of(self))
    found = by(place, tmp_path / "out.jsonl", Context(workers=2, store=tmp_path / "store"))
    assert found == alone
    assert len(started) >= 4 and found[1].malformed == 2 and found[1].rows == 14_002


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost(
    place: Path, alone: tuple[bytes, Labelled], tmp_path: Path
) -> None:
    killed: list[int] = []
    with _somebody_waits(place) as met:
        killer = threading.Thread(target=_kill_whoever_waits, args=[met, killed, 240])
        killer.start()
        try:
            found = by(place, tmp_path / "out.jsonl", Context(workers=2, store=tmp_path / "store"))
        finally:
            killer.join()
    assert killed and killed[0] != os.getpid(), "a worker was killed in the middle of a piece"
    assert found == alone


@pytest.mark.slow
def test_a_piece_that_kills_twice_ends_it_without_half_a_file(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KILLS", "1")
    with _somebody_waits(place), pytest.raises(LostWorkersError, match="died 2 times over the same piece") as told:
        by(place, tmp_path / "out.jsonl", Context(workers=2, store=tmp_path / "store"))
    assert "start again" in told.value.hint and "resumes" not in told.value.hint and "--batch" not in told.value.hint
    assert [path.name for path in tmp_path.iterdir() if path.name != "store"] == [], "neither a result nor half of one"


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_is_asked_to_end_leaves_nothing(place: Path, tmp_path: Path, number: int, code: int) -> None:
    for name in ("out", "tmp"):
        (tmp_path / name).mkdir()
    words = [
        "predict",
        str(place / "out"),
        str(place / "new.jsonl"),
        "--out",
        str(tmp_path / "out/new.jsonl"),
        "--trust",
    ]
    with _somebody_waits(place) as met:
        run = subprocess.Popen(
            [sys.executable, "-m", "seedbed", *words, "--workers", "2"],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(tmp_path / "tmp"), "SEEDBED_STORE": str(tmp_path / "store")},
            start_new_session=True,
        )
        until = time.monotonic() + 240
        while not (met / "worker").exists() and time.monotonic() < until and run.poll() is None:
            time.sleep(0.1)
        if number == signal.SIGINT:
            os.killpg(run.pid, number)  # as a terminal does
        else:
            run.send_signal(number)  # as a supervisor does
        try:
            _, told = run.communicate(timeout=60)  # the row waits for 120 seconds
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
            raise
    assert run.returncode == code, told
    assert "Traceback" not in told and "interrupted: nothing half-written is left" in told
    assert not list((tmp_path / "out").iterdir()) and not list((tmp_path / "tmp").iterdir())
    until = time.monotonic() + 30  # what it had begun ends by itself, as soon as it is its turn
    while left := [one for one in psutil.process_iter() if _group_of(one.pid) == run.pid]:
        assert time.monotonic() < until, f"orphans: {left}"
        time.sleep(0.1)


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


@contextmanager
def _somebody_waits(place: Path) -> Iterator[Path]:
    """A folder in which the row that waits, the first time, says who met it."""
    met = place / "met"
    met.mkdir()
    try:
        yield met
    finally:
        for path in met.iterdir():
            path.unlink()
        met.rmdir()


def _kill_whoever_waits(met: Path, killed: list[int], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not (met / "worker").exists() and time.monotonic() < until:
        time.sleep(0.1)
    killed.append(int((met / "worker").read_text()))
    os.kill(killed[0], signal.SIGKILL)


def test_pieces_come_in_order_and_none_twice() -> None:
    frames = [pl.DataFrame({"at": [place]}) for place in range(200)]
    mixed = random.Random(4).sample(range(200), 200)
    found = list(in_order(Outcome(place, 1.0, [frames[place]], Labelled(rows=1)) for place in mixed))
    assert [one.number for one in found] == list(range(200))
    assert all(one.frames[0].equals(frames[place]) for place, one in enumerate(found))


def test_a_worker_refuses_a_model_that_is_not_there_or_another_one(place: Path, tmp_path: Path) -> None:
    for folder, said in (
        (tmp_path / "none", "does not see the model"),
        (place / "out/models/tfidf_logistic", "another"),
    ):
        with pytest.raises(ModelError, match=said):
            labelling._opened(folder, "0" * 64, True)


def test_texts_need_no_workers(place: Path) -> None:
    for more in ({"workers": 2}, {"cluster": ""}):
        with pytest.raises(RecipeError, match="are for files"):
            predict_rows(place / "out", None, texts=["good"], out=None, as_json=False, **more)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_cluster_writes_the_same_though_a_worker_is_killed(
    place: Path, alone: tuple[bytes, Labelled], tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    met = place / "met"
    met.mkdir()
    killed: list[int] = []
    killer = threading.Thread(target=_kill_whoever_waits, args=[met, killed, 240])
    killer.start()
    try:
        found = by(place, tmp_path / "out.jsonl", Context(engine="ray", workers=2, store=tmp_path / "store"))
    finally:
        killer.join()
        for path in met.iterdir():
            path.unlink()
        met.rmdir()
    assert killed and killed[0] != os.getpid(), "a worker was killed in the middle of a piece"
    assert found == alone


@pytest.mark.slow
def test_ctrl_c_ends_a_cluster_and_leaves_nothing(place: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    met = place / "met"
    met.mkdir()
    folder = Path(tempfile.mkdtemp(prefix="sb-", dir="/tmp"))  # Ray's sockets want a short one
    words = ["predict", str(place / "out"), str(place / "new.jsonl"), "--out", str(tmp_path / "out.jsonl"), "--trust"]
    run = subprocess.Popen(
        [sys.executable, "-m", "seedbed", *words, "--engine", "ray", "--workers", "1"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder), "SEEDBED_STORE": str(tmp_path / "store")},
        start_new_session=True,
    )
    try:
        until = time.monotonic() + 240
        while not (met / "worker").exists() and time.monotonic() < until and run.poll() is None:
            time.sleep(0.1)
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does
        _, told = run.communicate(timeout=120)
    finally:
        for path in met.iterdir():
            path.unlink()
        met.rmdir()
    assert run.returncode == 130, told
    assert "Traceback" not in told
    assert [path.name for path in tmp_path.iterdir()] == ["store"], "neither a result nor half of one"
    assert not _of(folder), "the cluster ended with the command"
    folder.rmdir()  # nothing is left there


def _of(folder: Path) -> list[str]:
    """Processes that have a folder in their command line; some seconds are theirs to end in."""
    left: list[str] = []
    for _ in range(100):
        found = [one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"])]
        left = [" ".join(words)[:150] for words in found if any(str(folder) in word for word in words)]
        if not left:
            break
        time.sleep(0.2)
    return left
