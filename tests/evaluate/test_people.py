from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import f1_score

from seedbed.core.metric import metric_named
from seedbed.core.scrutiny import People
from seedbed.core.statistics.agreement import krippendorff_alpha
from seedbed.core.statistics.holm import holm
from seedbed.core.task import (
    MultiLabelClassification,
    QuestionAnswering,
    Regression,
    TextClassification,
    TextToText,
)
from seedbed.evaluate.forms import form_of
from seedbed.evaluate.people import Panel, Said, held, majority, people

LABELS = ("cat", "dog", "owl")
ONE = form_of(TextClassification(text="text", label="label", labels=LABELS))
SETS = form_of(MultiLabelClassification(text="text", label="label", labels=LABELS))
NUMBER = form_of(Regression(text="text", target="y"))
TEXT = form_of(TextToText(text="text", target="y"))
SPANS = form_of(QuestionAnswering(question="q", context="c", answers="a"))


def panel(form: object, *metrics: str, **more: object) -> Panel:
    return Panel(form, [metric_named(name) for name in metrics], "best", "test", resamples=500, **more)  # type: ignore[arg-type]


def answered(truth: np.ndarray, right: float, random: np.random.Generator) -> np.ndarray:
    other = (truth + random.integers(1, 3, truth.size)) % 3
    return np.where(random.random(truth.size) < right, truth, other)


def case(seed: int, model: float, *persons: float, count: int = 300) -> tuple[np.ndarray, np.ndarray, list[Said]]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, count)
    said = []
    for who, right in enumerate(persons):
        given = answered(truth, right, random)
        said += [Said(f"p{who}", place, code) for place, code in enumerate(given.tolist()) if place % 10 or not who]
    return truth, np.eye(3)[answered(truth, model, random)], said


def told(truth: object, answers: object, said: list[Said], of: Panel) -> People:
    found = people(of, truth, answers, said)
    assert found is not None
    return found


def test_people_are_scored_on_their_rows_and_so_is_the_model() -> None:
    truth, answers, said = case(1, 0.7, 0.9, 0.6)
    found = told(truth, answers, said, panel(ONE, "macro_f1", "accuracy", "log_loss"))
    assert [one.who for one in found.people] == ["annotator 1", "annotator 2", "majority"]
    assert [one.rows for one in found.people] == [300, 270, 270]
    second = [one for one in said if one.who == "p1"]
    places = [one.place for one in second]
    given = [one.answer for one in second]
    expected = (
        f1_score(truth[places], given, average="macro"),
        f1_score(truth[places], answers[places].argmax(1), average="macro"),
    )
    one = found.people[1]
    assert (one.scores["macro_f1"].value, one.model_scores["macro_f1"].value) == pytest.approx(expected)
    assert set(one.scores) == {"macro_f1", "accuracy"}  # nobody says probabilities
    assert one.difference is not None
    assert one.difference.value == pytest.approx(expected[1] - expected[0])


def test_who_is_better_is_found() -> None:
    found = told(*case(2, 0.75, 0.95, 0.5), panel(ONE, "accuracy"))
    apart = [one.difference for one in found.people if one.difference]
    assert [one.p_holm for one in apart] == holm([one.p for one in apart])
    assert [one.verdict for one in found.people[:2]] == ["worse", "better"]  # the model, against each


def test_a_model_as_good_as_a_person_is_seldom_called_another() -> None:
    found = [told(*case(seed, 0.8, 0.8, 0.8, count=120), panel(ONE, "accuracy", seed=seed)) for seed in range(60)]
    wrong = [any(one.verdict != "not distinguishable" for one in each.people[:2]) for each in found]
    assert sum(wrong) <= 8  # 60 trials at 5 % or below


def test_agreement_is_krippendorffs_alpha() -> None:
    truth, answers, said = case(3, 0.8, 0.8, 0.8)
    ratings = np.full((300, 2), np.nan)
    for one in said:
        ratings[one.place, int(one.who[1])] = one.answer
    found = told(truth, answers, said, panel(ONE, "accuracy"))
    assert found.agreement is not None
    assert found.agreement.value == pytest.approx(krippendorff_alpha(ratings).value)
    assert told(*case(3, 0.8, 0.8), panel(ONE, "accuracy")).agreement is None  # one person agrees with nobody


def test_the_majority_is_better_than_each_of_three() -> None:
    found = told(*case(4, 0.7, 0.75, 0.75, 0.75, count=600), panel(ONE, "accuracy"))
    scores = {one.who: one.scores["accuracy"].value for one in found.people}
    assert scores["majority"] > max(score for who, score in scores.items() if who != "majority")


def test_majorities() -> None:
    assert majority(ONE, [{0: 1, 1: 2}, {0: 1, 1: 2, 2: 0}, {0: 2}], 1) == {0: 1, 1: 2}
    assert {majority(ONE, [{0: 1}, {0: 2}], seed)[0] for seed in range(20)} == {1, 2}
    sets = majority(SETS, [{0: np.array([1, 1, 0], bool)}, {0: np.array([1, 0, 0], bool)}], 1)
    assert sets[0].tolist() == [True, False, False]
    assert majority(NUMBER, [{0: 1.0}, {0: 2.0}], 1) == {0: 1.5}
    assert majority(TEXT, [{0: "a"}, {0: "a"}], 1) == {}


def test_sets_numbers_texts_and_spans_can_be_judged() -> None:
    random = np.random.default_rng(5)
    truth = random.random((60, 3)) < 0.4
    said = [Said("p", i, truth[i] ^ (random.random(3) < 0.1)) for i in range(60)]
    found = told(truth, truth.astype(float), said, panel(SETS, "macro_f1", "roc_auc"))
    assert set(found.people[0].scores) == {"macro_f1"}
    numbers = random.normal(size=60)
    said = [Said("p", i, numbers[i] + 0.5) for i in range(60)]
    found = told(numbers, numbers[:, None], said, panel(NUMBER, "mae"))
    assert found.people[0].scores["mae"].value == pytest.approx(0.5)
    assert found.people[0].verdict == "better"
    texts = pl.Series([f"text {i}" for i in range(60)])
    said = [Said("p", i, f"text {i}" if i % 2 else None) for i in range(60)]
    found = told(texts, pl.DataFrame({"text": texts}), said, panel(TEXT, "rouge_l"))
    assert found.people[0].scores["rouge_l"].value == pytest.approx(0.5)
    spans = pl.Series([[{"text": "yes", "start": 0}] if i % 3 else [] for i in range(60)])
    model = held(SPANS, ["yes"] * 60)
    found = told(spans, model, [Said("p", i, "yes" if i % 3 else None) for i in range(60)], panel(SPANS, "exact_match"))
    assert found.people[0].scores["exact_match"].value == 1.0
    assert found.people[0].verdict == "worse"


def test_too_few_answers_or_no_metric_tell_nothing() -> None:
    truth, answers, said = case(6, 0.8, 0.8)
    assert people(panel(ONE, "accuracy"), truth, answers, said[:9]) is None
    assert people(panel(ONE, "log_loss"), truth, answers, said) is None
    few = told(truth, answers, said[:20], panel(ONE, "accuracy"))
    assert (few.people[0].verdict, few.people[0].difference) == ("too few rows", None)
    mixed = told(truth, answers, [*said, Said("q", 0, 1)], panel(ONE, "accuracy"))
    assert mixed.notes == ("1 of 2 people answered too few rows, or are beyond the first 20",)


def test_of_one_person_and_row_the_last_word_counts() -> None:
    truth, answers, said = case(7, 0.8, 0.8)
    right = [Said("p0", place, code) for place, code in enumerate(truth.tolist())]
    assert told(truth, answers, [*said, *right], panel(ONE, "accuracy")).people[0].scores["accuracy"].value == 1.0
