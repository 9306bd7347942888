from __future__ import annotations

import numpy as np
import pytest

from seedbed.core.metric import Score
from seedbed.core.scrutiny import Growth
from seedbed.evaluate.conformal import share
from seedbed.evaluate.growth import Bounds, growth

ACCURACY = Bounds(lower_is_better=False, lowest=0.0, highest=1.0)
ROWS = (500, 1_000, 2_000, 4_000)


def right(rows: float, best: float = 0.9, gap: float = 2.0, power: float = 0.4) -> float:
    return float(best - gap * rows**-power)


def drawn(values: list[float], judged: int, seed: int) -> list[Score]:
    random = np.random.default_rng(seed)
    return [share(int(random.binomial(judged, value)), judged, 0.95) for value in values]


def test_what_twice_the_rows_are_worth_lies_in_the_interval() -> None:
    true = right(8_000) - right(4_000)
    found = [
        growth(ROWS, drawn([*map(right, ROWS)], 1_000, seed), ACCURACY, level=0.95, seed=seed) for seed in range(60)
    ]
    told = [one for one in found if not one.refused]
    assert len(told) >= 50  # one in twenty by design, where the points lie badly
    held = [one.low <= true <= one.high for one in told if one.low is not None and one.high is not None]
    assert np.mean(held) > 0.85  # 60 trials at 95 %
    assert np.mean([one.gain for one in told]) == pytest.approx(true, abs=0.006)


def test_exact_points_are_gone_on_with_exactly() -> None:
    sure = [Score(value=value, low=value - 1e-4, high=value + 1e-4, n=10**6) for value in map(right, ROWS)]
    told = growth(ROWS, sure, ACCURACY, level=0.95)
    assert told.refused == ""
    assert told.rows == 8_000
    assert told.gain == pytest.approx(right(8_000) - right(4_000), abs=5e-4)
    assert told.value == pytest.approx(right(8_000), abs=5e-4)
    assert told.limit == pytest.approx(0.9, abs=0.01)
    assert told.exponent == pytest.approx(0.4, abs=0.03)


def test_a_flat_curve_promises_nothing() -> None:
    told = [growth(ROWS, drawn([0.7] * 4, 500, seed), ACCURACY, level=0.95, seed=seed) for seed in range(60)]
    assert sum("beyond chance" in one.refused for one in told) >= 54  # 2.5 % rise by chance
    assert all(one.gain is None for one in told if one.refused)


def test_points_that_no_power_law_has_are_refused() -> None:
    values = [0.60, 0.80, 0.62, 0.85]
    sure = [Score(value=value, low=value - 0.01, high=value + 0.01, n=9_000) for value in values]
    assert "power law" in growth(ROWS, sure, ACCURACY, level=0.95).refused


def test_three_points_are_too_few() -> None:
    told = growth(ROWS[:3], drawn([0.6, 0.7, 0.8], 500, 1), ACCURACY, level=0.95)
    assert told == Growth(factor=2.0, rows=4_000, refused="it takes 4 points, and there are 3")


def test_errors_mirror_scores() -> None:
    scores = drawn([*map(right, ROWS)], 3_000, 2)
    errors = [Score(value=1 - one.value, low=1 - one.high, high=1 - one.low, n=one.n) for one in scores]
    up = growth(ROWS, scores, ACCURACY, level=0.95)
    down = growth(ROWS, errors, Bounds(lower_is_better=True, lowest=0.0, highest=1.0), level=0.95)
    assert up.gain is not None and down.gain is not None
    assert down.gain == pytest.approx(-up.gain, abs=1e-3)  # other draws
    assert down.gain < 0 < up.gain
    assert down.limit == pytest.approx(1 - (up.limit or 0), abs=1e-2)


def test_nothing_is_better_than_the_best_there_can_be() -> None:
    values = [0.5, 0.75, 0.9, 0.99]
    told = growth(ROWS, [share(int(10_000 * one), 10_000, 0.95) for one in values], ACCURACY, level=0.95)
    assert told.refused or (told.value or 0) <= 1
    near = [1 - 50 / rows for rows in ROWS]
    sure = [Score(value=value, low=value - 1e-3, high=value + 1e-3, n=9_000) for value in near]
    told = growth(ROWS, sure, ACCURACY, level=0.95)
    assert told.refused == ""
    assert told.value is not None and told.value <= 1
    assert told.limit is not None and told.limit <= 1
