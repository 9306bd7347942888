from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from seedbed.core.errors import ModelError
from seedbed.core.scrutiny import CONFORMAL, THRESHOLDS, Conformal
from seedbed.core.task import MultiLabelClassification, Regression, TextClassification
from seedbed.evaluate.forms import Form, form_of
from seedbed.serve.answers import Label, Labels, Number, answered
from seedbed.serve.kept import Kept
from seedbed.train.thresholds import Threshold, Thresholds

LABELS = ("ham", "spam")
ONE = form_of(TextClassification(text="text", label="label", labels=LABELS))
SETS = form_of(MultiLabelClassification(text="text", label="label", labels=LABELS))
NUMBER = form_of(Regression(text="text", target="y"))
PROMISE = Conformal(kind="sets", coverage=0.9, split="validation", rows=99, rank=90, at_least=0.2)


def threshold(label: str, at: float) -> Threshold:
    return Threshold(label=label, at=at, chosen=True, support=20, precision=None, recall=None, f1=None, f1_before=None)


def thresholds(*of: Threshold) -> Thresholds:
    return Thresholds(aim="f1", split="validation", rows=99, labels=of)


def told(kept: Kept, form: Form, answers: np.ndarray) -> pl.DataFrame:
    return kept.beside(form.written(None, answers), form, answers)


def test_a_bundle_without_such_files_adds_nothing(tmp_path: Path) -> None:
    kept = Kept.of(tmp_path)
    assert kept == Kept()
    answers = np.array([[0.3, 0.7]])
    assert told(kept, ONE, answers).equals(ONE.written(None, answers))


def test_one_of_two_labels_is_decided_at_its_threshold(tmp_path: Path) -> None:
    (tmp_path / CONFORMAL).write_text(PROMISE.model_dump_json())
    (tmp_path / THRESHOLDS).write_text(thresholds(threshold("spam", 0.25)).model_dump_json())
    answers = np.array([[0.9, 0.1], [0.76, 0.24], [0.75, 0.25], [0.1, 0.9]])
    found = told(Kept.of(tmp_path), ONE, answers)
    assert found["predicted"].to_list() == ["ham", "ham", "ham", "spam"]
    assert found["decided"].to_list() == ["ham", "ham", "spam", "spam"]
    assert found["set"].to_list() == [["ham"], ["ham", "spam"], ["ham", "spam"], ["spam"]]
    assert found["confidence"].to_list() == [0.9, 0.76, 0.75, 0.9]  # as they were


def test_each_label_of_several_is_decided_at_its_own() -> None:
    kept = Kept(thresholds=thresholds(threshold("ham", 0.8), threshold("spam", 0.1)))
    found = told(kept, SETS, np.array([[0.7, 0.2], [0.9, 0.05]]))
    assert found["predicted"].to_list() == [["ham"], ["ham"]]
    assert found["decided"].to_list() == [["spam"], ["ham"]]


def test_numbers_come_with_both_ends() -> None:
    fitted = Conformal(
        kind="intervals",
        coverage=0.9,
        split="validation",
        rows=99,
        rank=90,
        reach=2.0,
        edges=(5.0,),
        difficulty=(1.0, 3.0),
    )
    found = told(Kept(conformal=fitted), NUMBER, np.array([[4.0], [5.0]]))
    assert found.select("low", "high").rows() == [(2.0, 6.0), (-1.0, 11.0)]


def test_the_api_gives_them_where_they_are_and_null_elsewhere() -> None:
    common = {"read": "text", "warnings": []}
    row = {"predicted": "ham", "confidence": 0.9, "probabilities": {"ham": 0.9, "spam": 0.1}, **common}
    plain, kept = answered("label", row), answered("label", {**row, "set": ["ham", "spam"], "decided": "spam"})
    assert Label(**plain).model_dump() == plain and Label(**kept).model_dump() == kept
    assert (plain["set"], plain["decided"]) == (None, None)
    assert (kept["set"], kept["decided"]) == (["ham", "spam"], "spam")
    number = answered("number", {"predicted": 1.0, "low": 0.5, "high": 2.0, **common})
    assert Number(**number).model_dump() == number
    assert (number["low"], number["high"]) == (0.5, 2.0)
    several = answered("labels", {"predicted": [], "probabilities": {}, "decided": ["ham"], **common})
    assert Labels(**several).model_dump() == several
    assert several["decided"] == ["ham"]


@pytest.mark.parametrize("name", [CONFORMAL, THRESHOLDS])
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"kind": "sets"}')
    with pytest.raises(ModelError, match=rf"{name}: this is none that Seedbed .* knows .*\n.*run the recipe once more"):
        Kept.of(tmp_path)


def test_one_of_a_newer_version_says_which_is_needed(tmp_path: Path) -> None:
    newer = PROMISE.model_dump(mode="json") | {"by_group": {"a": 0.3}}
    (tmp_path / CONFORMAL).write_text(json.dumps(newer))
    with pytest.raises(ModelError, match=r"conformal.json: .*by_group.*\n.*pip install 'seedbed>=99.1'"):
        Kept.of(tmp_path, "99.1")
