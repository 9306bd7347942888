"""Wrong labels by out-of-fold probabilities: against cleanlab, and against flips that were planted."""

from __future__ import annotations

import numpy as np
import pytest
from cleanlab.count import estimate_joint
from cleanlab.filter import find_label_issues
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.evaluate import label_errors
from seedbed.evaluate.label_errors import (
    confident_joint,
    look,
    quality_of_label_sets,
    quality_of_numbers,
    ranks_among_others,
    share_wrong,
    thresholds_of,
)


def told(rows: int, labels: int, seed: int, sharpness: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """The right labels, and probabilities of a model that mostly knows them."""
    rng = np.random.default_rng(seed)
    right = rng.integers(0, labels, rows)
    scores = rng.normal(size=(rows, labels))
    scores[np.arange(rows), right] += sharpness
    probabilities = np.exp(scores)
    return right, probabilities / probabilities.sum(1, keepdims=True)


def flipped(right: np.ndarray, share: float, labels: int, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    wrong = rng.random(len(right)) < share
    return np.where(wrong, (right + rng.integers(1, labels, len(right))) % labels, right), wrong


@pytest.mark.parametrize(("rows", "labels"), [(2000, 2), (3000, 5), (5000, 40)])
def test_the_joint_is_cleanlabs(rows: int, labels: int) -> None:
    right, probabilities = told(rows, labels, seed=labels)
    given_labels, _ = flipped(right, 0.1, labels)
    seen = look(probabilities, given_labels, thresholds_of(probabilities, given_labels))
    ours = confident_joint(given_labels, seen.confident, labels)
    theirs = estimate_joint(given_labels, probabilities)  # which rounds counts
    assert np.allclose(ours, theirs, atol=labels / rows)
    wrong = (seen.confident >= 0) & (seen.confident != given_labels)
    issues = find_label_issues(given_labels, probabilities, filter_by="confident_learning", n_jobs=1)
    # cleanlab forgives rows whose own label is the most probable after all
    assert np.array_equal(wrong & (seen.other_probability > seen.own), issues)


@pytest.mark.parametrize("labels", [2, 6, 100])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.2])
def test_the_share_is_that_which_was_flipped(labels: int, share: float) -> None:
    right, probabilities = told(6000, labels, seed=1, sharpness=6.0)
    given_labels, wrong = flipped(right, share, labels)
    found = share_wrong(ranks_among_others(probabilities, given_labels), given_labels)
    assert found.n == 6000
    assert found.low <= found.value <= found.high
    assert abs(found.value - wrong.mean()) < 0.02


def test_nothing_found_is_not_nothing_there() -> None:
    given_labels = np.arange(60) % 2
    probabilities = np.where(given_labels[:, None] == [0, 1], 0.99, 0.01)
    found = share_wrong(ranks_among_others(probabilities, given_labels), given_labels)
    assert (found.value, found.low, found.high) == (0, 0, 0.05)  # three of sixty


def test_what_a_model_cannot_tell_counts_far_less_than_in_the_joint() -> None:
    right, probabilities = told(6000, 3, seed=2, sharpness=1.5)
    seen = look(probabilities, right, thresholds_of(probabilities, right))
    joint = 1 - np.trace(confident_joint(right, seen.confident, 3))
    assert joint > 0.1  # nothing is wrong
    assert share_wrong(ranks_among_others(probabilities, right), right).value < joint / 3


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(2, 7), st.integers(0, 2**31), st.integers(1, 30))
def test_blocks_do_not_matter(rows: int, labels: int, seed: int, cells: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(labels), rows)
    given_labels = rng.integers(0, labels, rows)
    whole = look(probabilities, given_labels, thresholds_of(probabilities, given_labels))
    ranks = ranks_among_others(probabilities, given_labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(label_errors, "_CELLS", cells)
        parts = look(probabilities, given_labels, thresholds_of(probabilities, given_labels))
        assert np.array_equal(ranks_among_others(probabilities, given_labels), ranks)
    for name in ("own", "other", "other_probability", "confident"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))
    assert (whole.other != given_labels).all()
    assert np.array_equal(whole.own, probabilities[np.arange(rows), given_labels])
    for row in range(rows):  # as one would write it down
        label = given_labels[row]
        others = probabilities[given_labels != label, label]
        expected = (others <= probabilities[row, label]).mean() if len(others) else 1.0
        assert ranks[row] == pytest.approx(expected)


def test_sets_of_labels_and_numbers_are_judged_too() -> None:
    rng = np.random.default_rng(3)
    right = rng.random((400, 6)) < 0.3
    right[~right.any(axis=1), 0] = True
    probabilities = np.clip(right * 0.8 + rng.random((400, 6)) * 0.2, 0, 1)
    given_sets = [list(np.flatnonzero(row)) for row in right]
    wrong = np.arange(0, 400, 20)
    for row in wrong:
        given_sets[row] = [int(np.flatnonzero(~right[row])[0])] if not right[row].all() else [0]
    quality = quality_of_label_sets(given_sets, probabilities)
    assert set(np.argsort(quality)[: len(wrong)]) == set(wrong)
    numbers = rng.normal(size=500)
    said = numbers + rng.normal(scale=0.1, size=500)
    numbers[::50] += 4
    assert set(np.argsort(quality_of_numbers(numbers, said))[:10]) == set(range(0, 500, 50))
