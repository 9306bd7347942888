"""Rows of tasks whose answers are lists or objects can be reviewed, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from predicting_sample import write
from seedbed.cli import main
from seedbed.core.errors import RecipeError
from seedbed.flow.offering import reports_of
from seedbed.flow.predicting.opening import open_model
from seedbed.flow.reviewing.rows import RunRows
from seedbed.flow.running import run
from seedbed.recipe.loading import parse

WORDS = ["river", "stone", "lamp", "table", "walk"]


def asked(place: int) -> dict[str, Any]:
    context = f"{WORDS[place % 5]} {place * 7919}. The owner is N{place}. It was built in {1900 + place}."
    answer = {"text": [f"N{place}"], "answer_start": [context.index(f"N{place}.")]}
    return {"context": context, "question": f"Who owns number {place * 31}?", "answers": answer}


def chatted(place: int) -> dict[str, Any]:
    said = [("user", f"what of {WORDS[place % 5]} {place * 7919}"), ("assistant", f"it is N{place}")]
    return {"messages": [{"role": role, "content": content} for role, content in said]}


@pytest.mark.parametrize(
    ("kind", "learner", "made", "label"),
    [("question_answering", "best_sentence", asked, "N3"), ("chat", "nearest", chatted, "it is N3")],
)
def test_answers_that_are_no_plain_texts(
    kind: str, learner: str, made: Any, label: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "rows.jsonl", [made(place) for place in range(40)])
    recipe = {
        "seedbed": 1,
        "name": kind,
        "task": {"kind": kind},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "mine"}],
        "split": {"use": "random", "train": 0.5, "validation": 0.25, "test": 0.25},
        "train": [{"use": learner}],
        "evaluate": {"intervals": {"resamples": 100}, "leakage": False},
    }
    done = run(parse(recipe, tmp_path), out=tmp_path / "out", workers=1)
    with pytest.raises(SystemExit) as ended:
        main(["review", str(done.folder), "--summary"])
    assert ended.value.code == 0, capsys.readouterr().err
    told = RunRows(done).kept().filter(pl.col("row").str.ends_with("#4")).collect()
    assert label in told["label"].item()
    with pytest.raises(RecipeError, match="takes no reports of what is wrong"):
        reports_of(open_model(done.folder), tmp_path / "feedback")
