"""Odd but legal data through whole runs: each ends well, or in an error that says what to do."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedbed.cli import main

WORDS = ("awful sad broken late", "lovely happy fine early")
TABLE = {"kind": "tabular_classification", "label": "y"}
TARGET = {"kind": "regression", "text": "text", "target": "target"}
LABEL = {"kind": "text_classification", "text": "text", "label": "target"}
TEXTS = {"kind": "causal_lm", "text": "text"}


def said(place: int) -> str:
    words = WORDS[place % 2].split()
    return f"{words[place // 2 % 4]} {words[place // 3 % 4]} the w{place}x{place * 7}"


def numbered(number: Callable[[int], Any]) -> list[dict[str, Any]]:
    return [{"text": said(place), "target": number(place)} for place in range(40)]


def blank(place: int) -> str | None:
    return ["", " ", None, "nan"][place % 4]


def table(**columns: Callable[[int], Any]) -> list[dict[str, Any]]:
    told = {"a": lambda place: place * 37 % 40 / 4, **columns}
    return [
        {**{name: make(place) for name, make in told.items()}, "y": "hi" if place * 37 % 40 > 20 else "lo"}
        for place in range(40)
    ]


#: Name of the case: the task, its rows, the learner, the exit code, and words of the error.
CASES: dict[str, tuple[dict[str, Any], list[dict[str, Any]], str, int, str]] = {
    "texts that say nan in a column": (TABLE, table(b=blank), "gradient_boosting", 0, ""),
    "as large as numbers can be": (TARGET, numbered(lambda i: 1.7e308 * (-1) ** i), "tfidf_ridge", 3, "beyond 1e+30"),
    "next to nothing": (TARGET, numbered(lambda i: 1e-300 * (i % 5)), "tfidf_ridge", 0, ""),
    "few rows of each label": (LABEL, numbered(lambda i: f"L{i % 20}"), "tfidf_logistic", 0, ""),
    "texts of one letter": (TEXTS, [{"text": letter} for letter in "abcdefghijklmnopqrstuvwxyz"], "ngram", 0, ""),
}  # fmt: skip


@pytest.mark.filterwarnings("error::RuntimeWarning", "error:The number of unique classes")
@pytest.mark.parametrize("case", CASES)
def test_a_run_ends_well_or_in_a_told_error(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    task, rows, learner, code, words = CASES[case]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store"))
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    evaluate = {"intervals": {"resamples": 100}, "leakage": False, "curve": False}
    asked = {"seedbed": 1, "name": "odd", "task": task, "sources": [{"use": "jsonl", "path": "rows.jsonl"}]}
    asked |= {"split": {"use": "random"}, "train": [{"use": learner}], "evaluate": evaluate}
    Path("recipe.yaml").write_text(json.dumps(asked))
    with pytest.raises(SystemExit) as ended:
        main(["run", "recipe.yaml", "--out", "out", "--workers", "1"])
    err = capfd.readouterr().err
    told = [line for line in err.splitlines() if not re.search(r"…$|: (done in|.* so far)", line)]
    assert (ended.value.code or 0) == code, err
    assert words in err and len(told) <= 5 and "fault in Seedbed" not in err and "failed with" not in err, err
    if code == 0:
        assert all(map(math.isfinite, numbers_in(json.loads(Path("out/run.json").read_text("utf-8")))))


def numbers_in(held: Any) -> list[float]:
    if isinstance(held, dict | list):
        each = held.values() if isinstance(held, dict) else held
        return [number for one in each for number in numbers_in(one)]
    return [held] if isinstance(held, float) else []
