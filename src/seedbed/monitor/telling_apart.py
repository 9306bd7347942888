"""Whether two sets of rows can be told apart, with a null distribution that keeps false alarms at the stated rate.

A linear classifier learns to tell reference from window on four fifths of both and is tried on the fifth that it did
not see (a classifier two-sample test: Lopez-Paz and Oquab 2017, https://arxiv.org/abs/1610.06545). Its area under the
ROC curve is held against those of the same rows with memberships drawn anew, so that the test is exact however the
folds depend on each other (Phipson and Smyth 2010: the observed one counts, so p is never 0). Ridge regression makes
that cheap: one solution serves all drawn memberships at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FOLDS = 5
#: Penalty of the squared weights; rows have length 1.
_RIDGE = 10.0
#: Rows of each side that are compared.
MOST = 2_000
#: Fewer rows of a side tell nothing.
FEWEST = 20
#: Memberships that are drawn.
DRAWS = 999
_MOST_DRAWS = 9_999


def draws_for(tests: int, level: float) -> int:
    """Memberships to draw, so that the smallest p can pass Holm's correction over so many tests."""
    return int(min(_MOST_DRAWS, max(DRAWS, np.ceil(2 * max(tests, 1) / level))))


def told_apart(before: Floats, now: Floats, *, draws: int = DRAWS, seed: int = 13) -> tuple[float, float]:
    """How well rows can be told apart.

    Args:
        before: Features of reference rows, shape (rows, features).
        now: Of the window's.
        draws: Memberships to draw.
        seed: Of folds and memberships.

    Returns:
        The area under the ROC curve on rows that were not learned from (0.5: they cannot), and its p.
    """
    random = np.random.default_rng(seed)
    rows = np.concatenate([before, now])
    rows = rows - rows.mean(axis=0)  # of both together, so that it says nothing of who is who
    member = np.concatenate([np.zeros(len(before), np.float32), np.ones(len(now), np.float32)])
    members = np.stack([member, *(random.permutation(member) for _ in range(draws))], axis=1)
    fold = random.permutation(np.arange(len(rows)) % FOLDS)  # not by membership, which must be free to change
    areas = np.mean([_areas(rows, members, fold == one) for one in range(FOLDS)], axis=0)
    at_least = int((areas[1:] >= areas[0]).sum())
    return float(areas[0]), (1 + at_least) / (1 + draws)


def _areas(rows: Floats, members: Floats, tried: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Areas under the ROC curve of rows that are tried, one of each column of memberships."""
    from scipy.stats import rankdata

    learned, said = rows[~tried], members[~tried]
    gram = learned.T @ learned + np.float32(_RIDGE) * np.eye(rows.shape[1], dtype=np.float32)
    told = rows[tried] @ np.linalg.solve(gram, learned.T @ (said - said.mean(axis=0)))
    truth = members[tried]
    ranks = rankdata(told, axis=0)
    ones = truth.sum(axis=0, dtype=np.float64)
    pairs = ones * (len(truth) - ones)
    won = (ranks * truth).sum(axis=0) - ones * (ones + 1) / 2
    return np.asarray(np.where(pairs > 0, won / np.maximum(pairs, 1), 0.5), dtype=np.float64)
