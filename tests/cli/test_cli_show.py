"""`seedbed show`: what a run came to, as a page of text."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
import sample
import sample_hostile

from seedbed.core.run import Run
from seedbed.report.told import plain

RUNS = {
    "tweets": sample.tweets,
    "whole": sample.whole,
    "failed": sample.failed,
    "indistinct": sample.indistinct,
    "many_labels": sample.many_labels,
    "hostile": sample_hostile.hostile,
}


def seedbed(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seedbed", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run.json").write_text(sample.whole().model_dump_json(), encoding="utf-8")
    (tmp_path / "report.html").write_text("", encoding="utf-8")
    return tmp_path


def test_a_run_is_shown_without_a_terminal(folder: Path) -> None:
    shown = seedbed("show", folder)
    assert shown.returncode == 0 and shown.stderr == ""
    assert "\x1b" not in shown.stdout
    text = shown.stdout
    for words in (
        "tweets: passed in 151.2 s",
        "rows: 38,158 read = 35,793 kept + 2,365 rejected (near_duplicates 1,236,\n",
        "best model: tfidf_embedding_logistic, macro_f1 0.774 on test",
        "split: clean by a sample (0 pairs among 2,000 of 7,159 held-out rows compared)",
        "near_duplicates     -1,236   3.2 %  ████",
        "Models: macro-F1 on test (3,579 rows)",
        "text length: 125 characters or more  0.688 (0.647-0.729)  -0.058  717 rows",
        "passed   gate macro_f1   0.733 (0.718-0.748) of tfidf_logistic on test; at",
        "- Who collected the texts, when and how?",
        f"report: {folder / 'report.html'}",
    ):
        assert words in text, words
    assert re.search(r"tfidf_embedding_logistic +0\.774 +0\.759-0\.789 +\.*=*o=*\.* +best", text)
    assert re.search(r"embedding_logistic +not distinguishable from tfidf_logistic: -0\.009\n", text)
    assert re.search(r"negative +16,186 +15,190 +0\.824 \(0\.806-0\.842\) +1,519", text)


def test_a_terminal_gets_colours(folder: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "seedbed", "show", str(folder)]
    settings = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"}
    settings.pop("NO_COLOR", None)
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=settings) as running:
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 65536):
                said += part
        except OSError:  # how a terminal says that the other end has gone
            pass
        running.wait(timeout=60)
    os.close(ours)
    assert b"\x1b[32mpassed" in said and b"\x1b[1m" in said


def test_json_is_the_record(folder: Path) -> None:
    shown = seedbed("show", folder, "--json")
    assert Run.model_validate(json.loads(shown.stdout)) == sample.whole()


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    shown = seedbed("show", tmp_path / "none")
    assert shown.returncode == 3 and shown.stderr.startswith("error: ") and "there is no such folder" in shown.stderr
    assert shown.stdout == "" and "Traceback" not in shown.stderr


@pytest.mark.parametrize("name", RUNS)
def test_it_fits_eighty_columns_and_steers_no_terminal(name: str) -> None:
    text = plain(RUNS[name](), Path("runs/x"))
    listed = text.partition("\n\nreport:")[0].partition("\n\npublished:")[0]
    assert max(map(len, listed.splitlines())) <= 80
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert len(text.splitlines()) < 250


@pytest.mark.parametrize("run", [sample.tweets(), sample.whole()])
def test_the_bars_of_the_waterfall_get_no_longer(run: Run) -> None:
    bars = re.findall(r"^  \S+ +[-+]?[\d,]+ +(?:<? ?[\d.]+ %)? +([█▒]+)$", plain(run, Path("x")), re.MULTILINE)
    assert len(bars) == 8 and len(bars[0]) == 30
    left = [bar.count("█") for bar in bars]
    assert left == sorted(left, reverse=True) and max(map(len, bars)) <= 30
    assert all("▒" in bar for bar in bars[1:-1])
