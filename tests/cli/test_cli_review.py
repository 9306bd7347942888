"""`seedbed review` as it is typed: it serves and ends cleanly, compares blindly, and says kindly what is wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from predicting_sample import small_run

COMMAND = [sys.executable, "-m", "seedbed", "review"]


def told(folder: Path, *words: str) -> tuple[int, str, str]:
    done = subprocess.run([*COMMAND, *words], cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout, done.stderr


def answers(path: Path, name: str, ids: range) -> None:
    path.write_text(
        "".join(json.dumps({"id": n, "prompt": f"q{n}", "answer": f"{name} {n}"}) + "\n" for n in ids), "utf-8"
    )


def test_it_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    done = small_run(tmp_path, train=[{"use": "naive_bayes"}])
    words = [*COMMAND, str(done.folder), "--port", "0", "--people", "ana,ben", "--queue", "rejected"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None and process.stderr is not None
        lines = [process.stdout.readline() for _ in range(3)]
        links = [
            re.fullmatch(r"(ana|ben) reviews at (http://127\.0\.0\.1:\d+)/#(\S{32})\n", line) for line in lines[:2]
        ]
        assert all(links) and "3 rejected rows; decisions go to" in lines[2], lines
        assert links[0] is not None and links[1] is not None and links[0][3] != links[1][3]
        asked = urllib.request.Request(links[1][2] + "/api/about", headers={"Authorization": f"Bearer {links[1][3]}"})
        with urllib.request.urlopen(asked, timeout=60) as reply:
            about = json.loads(reply.read())
        assert about["who"] == "ben" and about["file"] == str(tmp_path / "review.jsonl")
        assert "does not apply decisions yet" in about["notes"][0]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert "what was decided is kept" in process.stdout.read()
        assert links[0][3] not in process.stderr.read()


def test_two_files_are_compared(tmp_path: Path) -> None:
    answers(tmp_path / "a.jsonl", "A", range(10))
    answers(tmp_path / "b.jsonl", "B", range(2, 12))
    code, out, _ = told(tmp_path, "--compare", "a.jsonl", "b.jsonl", "--summary", "--json")
    found = json.loads(out)
    assert (code, found["left"], found["rate"], found["verdict"]) == (0, 8, None, "nothing was decided")
    said = [
        {"id": str(n), "row": f"pair:{n}", "action": "prefer", "label": "ab"[n > 2], "who": "ana", "when": ""}
        for n in range(2, 10)
    ]
    (tmp_path / "preferences.jsonl").write_text("".join(json.dumps(one) + "\n" for one in said), "utf-8")
    code, out, _ = told(tmp_path, "--compare", "a.jsonl", "b.jsonl", "--summary")
    assert code == 0 and "not distinguishable: A 1, B 7, ties 0, undecided 0" in out
    assert "B in 87.5 % of 8 that are no ties (95 % interval 47.3 to 99.7 %), p 0.0703" in out


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        ([], 2, "name a run, or two files to compare"),
        (["nowhere"], 3, "nowhere"),
        (["nowhere", "--compare", "a", "b"], 2, "name a run, or two files to compare"),
        (["--compare", "none.jsonl", "a.jsonl", "--summary"], 3, "none.jsonl: cannot be read"),
        (["--compare", "bad.jsonl", "a.jsonl", "--summary"], 3, "bad.jsonl, line 2: is no JSON object with an answer"),
        (["--compare", "a.jsonl", "other.jsonl", "--summary"], 3, "no line of it has a partner"),
    ],
)
def test_what_is_wrong_is_told_in_a_few_lines(tmp_path: Path, words: list[str], code: int, problem: str) -> None:
    answers(tmp_path / "a.jsonl", "A", range(3))
    answers(tmp_path / "other.jsonl", "B", range(7, 9))
    (tmp_path / "bad.jsonl").write_text('{"id": 1, "answer": "x"}\n{"id": 2}\n', "utf-8")
    found, _, err = told(tmp_path, *words)
    assert (found, problem in err, len(err.splitlines()) <= 5, "Traceback" in err) == (code, True, True, False), err
