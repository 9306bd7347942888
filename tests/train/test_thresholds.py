"""Thresholds that are chosen on validation rows are the best there are, and what decides at one half heeds them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_recall_curve, precision_score, recall_score

from seedbed.core.errors import RecipeError
from seedbed.train.thresholds import (
    FEWEST,
    Threshold,
    Thresholds,
    best_threshold,
    moved_pair,
    moved_sets,
    threshold_of_positive,
    thresholds_of,
)

chances = st.sampled_from([0.0, 1e-300, 1e-9, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]) | st.floats(0, 1 - 2**-50)
rated = st.lists(st.tuples(st.booleans(), chances), min_size=1, max_size=25).map(
    lambda pairs: (np.array([has for has, _ in pairs]), np.array([score for _, score in pairs]))
)


def drawn(rows: int = 400, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Labels of shares 0.5, 0.1 and 0.01, and probabilities that know something of them."""
    random = np.random.default_rng(seed)
    truth = random.random((rows, 3)) < [0.5, 0.1, 0.01]
    odds = np.log([0.5 / 0.5, 0.1 / 0.9, 0.01 / 0.99]) + random.normal(0, 1, (rows, 3)) + 2 * (truth - 0.5)
    return truth, 1 / (1 + np.exp(-odds))


@given(rated)
def test_no_threshold_has_a_higher_f1(case: tuple[np.ndarray, np.ndarray]) -> None:
    has, scores = case
    found = best_threshold(has, scores)
    if not has.any():
        assert found is None
        return
    precision, recall, at = precision_recall_curve(has, scores)
    each = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    best = each[:-1][at > 0].max(initial=0)  # from 0 on is always
    if found is None:
        assert best == 0
        return
    assert 0 < found < 1
    assert f1_score(has, scores >= found) == pytest.approx(best)


@given(rated, st.sampled_from([0.3, 0.5, 0.55, 0.8, 1.0]))
def test_no_threshold_of_that_precision_has_a_higher_recall(case: tuple[np.ndarray, np.ndarray], least: float) -> None:
    has, scores = case
    found = best_threshold(has, scores, precision=least)
    each = [scores >= one for one in np.unique(scores[scores > 0])]
    good = [given for given in each if (has & given).any() and (has & given).sum() / given.sum() >= least]
    if found is None:
        assert not good
        return
    told = scores >= found
    assert precision_score(has, told) >= least
    assert recall_score(has, told) == max(recall_score(has, given) for given in good)
    assert precision_score(has, told) == max(
        precision_score(has, given) for given in good if recall_score(has, given) == recall_score(has, told)
    )


def test_it_lies_midway_and_of_equals_the_nearest_to_one_half_is_taken() -> None:
    has = np.array([True, False, False])
    assert best_threshold(has, np.array([0.9, 0.3, 0.2])) == pytest.approx(0.6)
    # One right of one, and two right of four: both have an F1 of 2/3.
    two = np.array([True, False, False, True])
    assert best_threshold(two, np.array([0.9, 0.7, 0.5, 0.1])) == pytest.approx(0.8)
    assert best_threshold(two, np.array([1.0, 0.98, 0.9, 0.8])) == pytest.approx(0.4)
    # Of equal recall, the higher precision counts more than what is nearer.
    assert best_threshold(has[:2], np.array([0.99, 0.95]), precision=0.5) == pytest.approx(0.97)


def test_of_labels_each_by_itself() -> None:
    truth, answers = drawn()
    found = thresholds_of(truth, answers, ("even", "some", "rare"), split="validation")
    assert (found.aim, found.precision, found.split, found.rows) == ("f1", None, "validation", 400)
    even, some, rare = found.labels
    assert 0.2 < even.at < 0.6
    assert some.at < even.at
    assert some.f1 == pytest.approx(f1_score(truth[:, 1], answers[:, 1] >= some.at))
    assert some.f1_before == pytest.approx(f1_score(truth[:, 1], answers[:, 1] >= 0.5))
    assert some.f1 > some.f1_before + 0.02
    assert rare.support < FEWEST
    assert (rare.chosen, rare.at) == (False, 0.5)
    assert found.at(("rare", "some", "unheard of")).tolist() == [0.5, some.at, 0.5]
    assert Thresholds.model_validate_json(found.model_dump_json()) == found


def test_a_label_that_nearly_every_row_has_keeps_one_half() -> None:
    truth, answers = drawn()
    assert not thresholds_of(~truth, 1 - answers, ("a", "b", "c"), split="v").labels[2].chosen


def test_what_they_gain_on_other_rows_is_less_than_what_they_seem_to() -> None:
    """Chosen on 100 rows, judged on 10,000: F1 gains, but less than on the rows that they were chosen on."""
    seemed, gained = [], []
    others, told = drawn(10_000, seed=999)
    for seed in range(40):
        truth, answers = drawn(100, seed)
        some = thresholds_of(truth, answers, ("even", "some", "rare"), split="validation").labels[1]
        if some.chosen:
            seemed.append(some.f1)
            gained.append(f1_score(others[:, 1], told[:, 1] >= some.at))
    usual = f1_score(others[:, 1], told[:, 1] >= 0.5)
    assert usual < np.mean(gained) < np.mean(seemed) - 0.02


def test_a_precision_that_is_not_reached_changes_nothing() -> None:
    has = np.arange(40) % 2 == 0
    found = thresholds_of(has[:, None], np.full((40, 1), 0.7), ("a",), split="validation", precision=0.9)
    assert found.labels == (
        Threshold(label="a", at=0.5, chosen=False, support=20, precision=0.5, recall=1, f1=2 / 3, f1_before=2 / 3),
    )
    assert (found.aim, found.precision) == ("precision", 0.9)


def test_a_label_that_is_never_there_and_never_given_has_no_numbers() -> None:
    found = thresholds_of(np.zeros((30, 1), bool), np.full((30, 1), 0.1), ("a",), split="validation").labels[0]
    assert (found.precision, found.recall, found.f1, found.f1_before) == (None, None, None, None)


def test_one_of_two_labels() -> None:
    truth, answers = drawn()
    codes, pair = truth[:, 1].astype(np.int64), np.stack([1 - answers[:, 1], answers[:, 1]], axis=1)
    found = threshold_of_positive(codes, pair, ("ham", "spam"), "spam", split="validation", precision=0.8)
    assert [one.label for one in found.labels] == ["spam"]
    at = found.labels[0].at
    decided = moved_pair(pair, 1, at).argmax(axis=1)
    assert (decided == (pair[:, 1] >= at)).all()
    assert precision_score(codes, decided) >= 0.8
    with pytest.raises(RecipeError, match="has 3"):
        threshold_of_positive(codes, pair, ("a", "b", "c"), "a", split="validation")
    with pytest.raises(RecipeError, match="'spm' is none of the task's") as caught:
        threshold_of_positive(codes, pair, ("ham", "spam"), "spm", split="validation")
    assert caught.value.hint == "did you mean 'spam'?"


@given(st.lists(chances, min_size=1, max_size=20), chances.filter(lambda one: 0 < one < 1))
def test_moved_probabilities_decide_at_one_half(scores: list[float], at: float) -> None:
    each = np.array([*scores, at, np.nextafter(at, 0), np.nextafter(at, 1)])
    moved = moved_sets(each[:, None], np.array([at]))
    assert ((moved >= 0.5) == (each[:, None] >= at)).all()
    assert ((moved >= 0) & (moved <= 1)).all()
    order = np.argsort(each, kind="stable")
    assert (np.diff(moved[order, 0]) >= -1e-12).all()  # but for rounding
    for place in (0, 1):
        other = 1 - each
        pair = np.stack([each, other] if place == 0 else [other, each], axis=1)
        found = moved_pair(pair, place, at)
        assert found.sum(axis=1) == pytest.approx(np.ones(len(each)))
        if at != 0.5:
            assert ((found.argmax(axis=1) == place) == (each >= at)).all()


def test_one_half_changes_nothing() -> None:
    _, answers = drawn()
    assert moved_sets(answers, np.full(3, 0.5)) is answers
    pair = np.array([[0.5, 0.5]])
    assert moved_pair(pair, 1, 0.5) is pair
