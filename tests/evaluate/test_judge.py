from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from seedbed.core.errors import DataError, ModelError
from seedbed.core.task import TextClassification
from seedbed.evaluate import Accuracy, LogLoss, MacroF1, RocAuc
from seedbed.evaluate.forms import OneLabel, decide
from seedbed.evaluate.judge import judge, measure
from seedbed.evaluate.mistakes import mistakes

LABELS = ("no", "yes", "maybe")


def form(labels: tuple[str, ...]) -> OneLabel:
    return OneLabel(TextClassification(text="t", label="l", labels=labels))


FORM = form(LABELS)
TRUTH = np.array([0, 1, 1, 2])
PROBABILITIES = np.array([[0.8, 0.1, 0.1], [0.3, 0.4, 0.3], [0.9, 0.05, 0.05], [0.2, 0.6, 0.2]])


def test_judgement() -> None:
    found = judge(FORM, TRUTH, PROBABILITIES, [Accuracy(), MacroF1()], level=0.95, resamples=500, seed=1)
    assert found.details.confusion == [[1, 0, 0], [1, 1, 0], [0, 1, 0]]
    assert list(found.scores) == ["accuracy", "macro_f1"]
    assert found.scores["accuracy"].value == 0.5
    assert found.scores["accuracy"].low < 0.5 < found.scores["accuracy"].high
    assert list(found.details.classes) == list(LABELS)
    assert found.details.classes["yes"].recall.value == 0.5
    assert found.details.classes["maybe"].f1.value == 0


def test_a_metric_without_a_value_is_left_out() -> None:
    truth, probabilities = np.array([1, 1]), np.array([[0.4, 0.6], [0.7, 0.3]])
    found = judge(form(("no", "yes")), truth, probabilities, [RocAuc(), LogLoss(), Accuracy()], resamples=100)
    assert list(found.scores) == ["log_loss", "accuracy"]
    assert found.details.curves.roc == () and found.details.curves.precision_recall == ()
    assert np.isnan(measure(RocAuc(), truth, probabilities))
    assert measure(Accuracy(), truth, probabilities) == 0.5


def test_first_of_equals_wins() -> None:
    assert decide(np.array([[0.2, 0.4, 0.4], [0.5, 0.5, 0.0]])).tolist() == [1, 0]


def test_no_rows() -> None:
    with pytest.raises(DataError, match="no rows"):
        judge(FORM, np.zeros(0, dtype=np.int64), np.zeros((0, 3)), [Accuracy()])


def test_wrong_shape() -> None:
    with pytest.raises(ModelError, match="4 x 2 answers for 4 rows"):
        FORM.checked(PROBABILITIES[:, :2], len(TRUTH), LABELS)


def test_not_a_number() -> None:
    broken = PROBABILITIES.copy()
    broken[1, 2] = np.nan
    with pytest.raises(ModelError, match="1 of 4 rows"):
        judge(FORM, TRUTH, broken, [Accuracy()])


def test_mistakes_are_the_surest_wrong_answers() -> None:
    rows = pl.Series([f"0:a.csv#{i}" for i in range(1, 5)])
    texts = pl.Series(["fine", "also fine", "write to\njane.doe@example.org " + "x" * 300, None])
    found = mistakes(FORM, rows, texts, TRUTH, PROBABILITIES)
    assert [one.row for one in found] == ["0:a.csv#3", "0:a.csv#4"]
    assert found[0].confidence == 0.9
    assert (found[0].truth, found[0].predicted) == ("yes", "no")
    assert found[0].text.startswith("write to [e-mail] x")
    assert len(found[0].text) == 200
    assert found[1].text == ""


def test_mistakes_are_so_many_and_equals_keep_their_order() -> None:
    n = 50
    rows = pl.Series([str(i) for i in range(n)])
    probabilities = np.tile([0.7, 0.3, 0.0], (n, 1))
    found = mistakes(FORM, rows, rows, np.ones(n, dtype=np.int64), probabilities, most=5)
    assert [one.row for one in found] == ["0", "1", "2", "3", "4"]


def test_no_mistakes() -> None:
    nothing = pl.Series([], dtype=pl.String)
    assert mistakes(FORM, nothing, nothing, np.zeros(0, dtype=np.int64), np.zeros((0, 3))) == ()
    assert mistakes(FORM, pl.Series(["a"]), pl.Series(["t"]), np.array([0]), np.array([[1.0, 0, 0]])) == ()
