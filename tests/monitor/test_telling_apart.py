"""Telling two sets of rows apart: the null distribution keeps false alarms at the stated rate."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom, kstest
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from seedbed.monitor import telling_apart
from seedbed.monitor.sketches import WIDTH, compared, packed, sketched, unpacked
from seedbed.monitor.telling_apart import draws_for, told_apart


def drawn(rows: int, seed: int, moved: float = 0.0, width: int = 16) -> np.ndarray:
    random = np.random.default_rng(seed)
    found = random.standard_normal((rows, width)) + moved
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def test_different_rows_are_told_apart() -> None:
    area, p = told_apart(drawn(300, 1), drawn(200, 2, moved=0.5))
    assert area > 0.8
    assert p == 1 / 1000  # the smallest that there is


def test_the_same_rows_are_not() -> None:
    area, p = told_apart(drawn(300, 1), drawn(200, 2), draws=199)
    assert 0.4 < area < 0.6
    assert p > 0.05


def test_the_area_is_that_of_a_ridge_regression_on_rows_it_did_not_see() -> None:
    before, now = drawn(150, 3), drawn(90, 4, moved=0.2)
    area, _ = told_apart(before, now, draws=1, seed=7)
    random = np.random.default_rng(7)
    rows, member = np.concatenate([before, now]).astype(float), np.repeat([0.0, 1.0], [150, 90])
    rows = rows - rows.mean(axis=0)
    random.permutation(member)
    fold = random.permutation(np.arange(240) % telling_apart.FOLDS)
    areas = []
    for one in range(telling_apart.FOLDS):
        there = fold != one
        # Centred beforehand, over both sets, so that no intercept is learned.
        model = Ridge(alpha=telling_apart._RIDGE, fit_intercept=False)
        model.fit(rows[there], member[there] - member[there].mean())
        areas.append(roc_auc_score(member[~there], model.predict(rows[~there])))
    assert area == pytest.approx(np.mean(areas), abs=1e-4)


@pytest.mark.slow
def test_false_alarms_stay_at_the_stated_rate() -> None:
    many, level = 400, 0.05
    p = [told_apart(drawn(80, 2 * s), drawn(50, 2 * s + 1), draws=99, seed=s)[1] for s in range(many)]
    alarms = sum(one <= level for one in p)
    assert alarms <= binom.ppf(0.999, many, level)
    assert alarms >= binom.ppf(0.001, many, level)  # nor is it careful for nothing
    assert kstest(p, "uniform").pvalue > 0.001


def test_enough_is_drawn_for_holm() -> None:
    for tests in (1, 40, 120):
        draws = draws_for(tests, 0.05)
        assert tests / (draws + 1) < 0.05
    assert draws_for(10**6, 0.05) < 10_000


def test_sketches_say_which_words_there_are_and_no_more() -> None:
    found = sketched(pl.Series(["a cat sat", "sat a cat", "the dog ran", None, "", "日本語"]))
    assert found.shape == (6, WIDTH)
    assert (found[0] == found[1]).all()  # in whatever order
    assert (found[0] != found[2]).any()
    assert not found[3].any()
    assert not found[4].any()
    assert np.abs(found[5]).sum() == 3  # each by itself: nobody writes spaces between them
    assert np.linalg.norm(compared(found)[0]) == pytest.approx(1)
    assert not compared(found)[3].any()
    assert (unpacked(packed(found)) == found).all()
    assert sketched(pl.Series([], dtype=pl.String)).shape == (0, WIDTH)
    for broken in ("%%%", "YWJj"):
        with pytest.raises(ValueError, match=r".+"):
            unpacked(broken)
