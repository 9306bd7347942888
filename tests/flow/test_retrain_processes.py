"""`seedbed retrain` as processes: stopped in the middle, and several at once. Who stands is never in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from retrained_sample import RECIPE, rows, write
from seedbed import run
from seedbed.cli.interrupting import TOLD
from seedbed.core.promotion import RETRAINED, RETRAINED_PAGE, Retrained
from seedbed.flow.finished import open_run
from seedbed.store.champions import Champions

pytestmark = pytest.mark.slow


def retrain(place: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "seedbed", "retrain", "films@latest", "--add", "more.jsonl"],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that a signal reaches its workers as Ctrl-C does
        env={**os.environ, "SEEDBED_STORE": str(place / ".seedbed")},
    )


def stopped_at(running: subprocess.Popen[str], stage: str) -> str:
    """What it said to Ctrl-C in a stage."""
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith(stage):
            break
    os.killpg(running.pid, signal.SIGINT)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 130
    return told


def test_stopped_in_the_middle_and_three_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / ".seedbed"))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    write(tmp_path / "films.jsonl", rows(700, 1))
    write(tmp_path / "more.jsonl", rows(1500, 2))
    first = run(tmp_path / "recipe.yaml").run.id
    champions = Champions(tmp_path / ".seedbed")
    for stage in ("Training tfidf_logistic", "Comparing with the champion"):
        assert stopped_at(retrain(tmp_path), stage).endswith(f"{TOLD}\n")
        assert [one.run for one in champions.history("films")] == [first]
        assert not [*tmp_path.rglob("retrain.*")]

    together = [retrain(tmp_path) for _ in range(3)]
    ends = [(*one.communicate(timeout=300), one.returncode) for one in together]
    winner = open_run("films@champion")
    assert [one.run for one in champions.history("films")] == [first, winner.run.id]
    assert sorted(code for _, _, code in ends) == [0, 1, 1], ends
    for told, _, code in ends:
        assert (f"\npromoted: films@champion is run {winner.run.id}" in told) == (code == 0)
        assert (f"run {winner.run.id} became champion meanwhile" in told) == (code == 1)
        assert (f"not promoted: films@champion is run {winner.run.id};" in told) == (code == 1)
    found = [Retrained.model_validate_json(one.read_bytes()) for one in tmp_path.glob(f"runs/films/[0-9]*/{RETRAINED}")]
    assert sorted(one.promoted for one in found) == [False, False, True]
    assert {one.champion.run for one in found} == {first}
    assert all((Path(one.challenger.folder) / RETRAINED_PAGE).exists() for one in found)
    assert not [*tmp_path.rglob("*.partial*"), *(tmp_path / ".seedbed" / "work").iterdir()], "half a run is left"
