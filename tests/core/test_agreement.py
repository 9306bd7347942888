"""Agreement of annotators: published examples, scikit-learn, and what must hold of any ratings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from seedbed.core.statistics.agreement import cohen_kappa, disagreement, fleiss_kappa, krippendorff_alpha

N = np.nan
#: Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), example C: four observers, twelve units.
OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
        [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
    ]
).T
#: Fleiss' kappa as it is worked out in many places: ten rows, fourteen raters, five categories.
FLEISS = np.array(
    [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]
)  # fmt: skip


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_krippendorffs_own_example(level: str, alpha: float) -> None:
    found = krippendorff_alpha(OBSERVERS, level=level)  # type: ignore[arg-type]
    assert found.value == pytest.approx(alpha, abs=0.0005)
    assert found.n == 11  # the unit that one observer alone rated says nothing
    assert found.low < found.value < found.high


def test_fleiss_known_example() -> None:
    ratings = np.array([np.repeat(np.arange(5.0), row) for row in FLEISS])
    assert fleiss_kappa(ratings).value == pytest.approx(0.210, abs=0.0005)
    assert fleiss_kappa(np.vstack([ratings, np.full(14, N)])).value == pytest.approx(0.210, abs=0.0005)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=40))
def test_cohen_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    one, other = np.array(pairs, dtype=float).T
    if len(set(one) | set(other)) < 2:
        assert cohen_kappa(one, other).value == 1
        return
    theirs = cohen_kappa_score(one, other)
    assert cohen_kappa(one, other).value == pytest.approx(theirs)
    if set(one) | set(other) == set(range(5)):  # scikit-learn weighs by places in the list of labels
        weighted = cohen_kappa_score(one, other, weights="quadratic")
        assert cohen_kappa(one, other, level="interval").value == pytest.approx(weighted)
        assert cohen_kappa(one, other, level="ordinal").value == pytest.approx(weighted)


RATED = st.lists(st.lists(st.sampled_from([1.0, 2.0, 3.0, N]), min_size=3, max_size=3), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None)
@given(RATED, st.sampled_from(["nominal", "ordinal", "interval"]))
def test_who_rated_and_in_which_order_does_not_matter(rows: list[list[float]], level: str) -> None:
    ratings = np.array(rows)
    found = krippendorff_alpha(ratings, level=level)  # type: ignore[arg-type]
    again = krippendorff_alpha(ratings[::-1, ::-1], level=level)  # type: ignore[arg-type]
    assert again.value == pytest.approx(found.value, nan_ok=True)
    if found.n:
        assert found.value <= 1 + 1e-9
    apart = disagreement(ratings, level=level)  # type: ignore[arg-type]
    same = [len({x for x in row if not np.isnan(x)}) < 2 for row in rows]
    assert np.array_equal(apart < 1e-9, same)


def test_large_numbers_do_not_lose_their_digits() -> None:
    near = krippendorff_alpha(OBSERVERS, level="interval").value
    far = krippendorff_alpha(OBSERVERS + 1e9, level="interval").value
    assert far == pytest.approx(near, abs=1e-6)


def test_the_interval_covers_as_often_as_it_says() -> None:
    def drawn(rows: int, rng: np.random.Generator) -> np.ndarray:
        right = rng.integers(0, 3, rows)
        said = np.where(rng.random((rows, 3)) < 0.8, right[:, None], rng.integers(0, 3, (rows, 3)))
        return said.astype(float)

    truth = krippendorff_alpha(drawn(50_000, np.random.default_rng(0))).value
    rng = np.random.default_rng(1)
    found = [krippendorff_alpha(drawn(150, rng), seed=place) for place in range(60)]
    assert sum(one.low <= truth <= one.high for one in found) >= 50
