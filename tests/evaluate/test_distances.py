"""How far numbers are off: against scikit-learn and NumPy, and whether the intervals hold what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error

from seedbed.core.task import Regression
from seedbed.evaluate.distances import BARS, POINTS, distances
from seedbed.evaluate.forms import Number, form_of
from seedbed.evaluate.forms.number import ENOUGH, PARTS

FORM = form_of(Regression(kind="regression", text="text", target="price"))


def details(truth: np.ndarray, answers: np.ndarray, resamples: int = 200) -> Any:
    assert isinstance(FORM, Number)
    return FORM.details(truth, answers.reshape(-1, 1), level=0.95, resamples=resamples, seed=3).distances


@pytest.mark.parametrize("rows", [1, 2, 17, 40, 350, 1200])
def test_parts_cover_all_rows_in_order(rows: int) -> None:
    draw = np.random.default_rng(rows)
    truth, answers = np.exp(draw.normal(3, 2, rows)), np.exp(draw.normal(3, 2, rows))
    found = details(truth, answers)
    assert sum(part.error.n for part in found.parts) == rows
    assert len(found.parts) <= min(PARTS, max(2, rows // ENOUGH))
    order = np.sort(truth)
    start = 0
    for part in found.parts:
        some = np.isin(truth, order[start : start + part.error.n])
        start += part.error.n
        assert (part.low, part.high) == (truth[some].min(), truth[some].max())
        assert part.error.value == pytest.approx(mean_absolute_error(truth[some], answers[some]))
        assert part.bias.value == pytest.approx((answers - truth)[some].mean())
        assert part.error.low <= part.error.value + 1e-9 and part.error.value <= part.error.high + 1e-9
    assert [part.low for part in found.parts] == sorted(part.low for part in found.parts)


def test_equal_numbers_are_in_one_part() -> None:
    truth = np.repeat([1.0, 2.0, 2.0, 2.0, 2.0, 9.0], 40)
    found = details(truth, truth + 1)
    assert [(part.low, part.high, part.error.n) for part in found.parts] == [(1, 1, 40), (2, 2, 160), (9, 9, 40)]


def test_shares_points_and_bars() -> None:
    draw = np.random.default_rng(1)
    truth = draw.normal(100, 30, 2_000)
    answers = truth + draw.normal(5, 10, 2_000)
    found = details(truth, answers)
    far = np.abs(answers - truth)
    assert (found.half, found.most) == pytest.approx((np.median(far), np.quantile(far, 0.9)))
    assert found.bias.low < 5 < found.bias.high
    assert len(found.points) == POINTS
    assert [a for a, _ in found.points] == sorted(a for a, _ in found.points)
    pairs = {(float(f"{a:.6g}"), float(f"{b:.6g}")) for a, b in zip(truth, answers, strict=True)}
    assert set(found.points) <= pairs
    assert {found.points[0][0], found.points[-1][0]} == {float(f"{truth.min():.6g}"), float(f"{truth.max():.6g}")}
    assert len(found.rows) == BARS == len(found.edges) - 1 and sum(found.rows) == 2_000
    assert found.edges[0] == -found.edges[-1]
    inner = ((answers - truth >= found.edges[5]) & (answers - truth < found.edges[6])).sum()
    assert abs(found.rows[5] - inner) <= 1, "edges are rounded"


def test_no_error_has_no_bars() -> None:
    truth = np.arange(30.0)
    found = details(truth, truth)
    assert (found.half, found.most, found.edges, found.rows) == (0.0, 0.0, (), ())
    one = truth.copy()
    one[7] += 3  # beyond what the bars would span
    assert sum(details(truth, one).rows) == 30


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=60))
def test_any_numbers_can_be_told(pairs: list[tuple[float, float]]) -> None:
    truth, answers = np.array(pairs).T
    found = distances(truth, answers, np.zeros(len(truth), dtype=np.int64), level=0.9, resamples=100, seed=1)
    assert not found.rows or sum(found.rows) == len(pairs)
    assert found.half <= found.most <= np.abs(answers - truth).max() * (1 + 1e-12)
    (part,) = found.parts
    assert part.error.n == len(pairs)


def test_intervals_hold_the_mean_as_often_as_they_say() -> None:
    draw, held = np.random.default_rng(5), 0
    for _ in range(200):
        errors = draw.exponential(2.0, 120)
        found = distances(np.zeros(120), errors, np.zeros(120, np.int64), level=0.9, resamples=300, seed=2)
        held += found.bias.low <= 2.0 <= found.bias.high
    # 90 % of 200 is 180; the binomial's 0.1 % point, less what a percentile interval of a skewed mean lacks.
    assert 163 <= held <= 195, held
