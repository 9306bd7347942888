"""ROC and precision-recall curves, one label against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core.run import Curve, Curves

from .ranking import Ranking

MOST_LABELS = 20
MOST_POINTS = 200
#: Points of all curves of a kind together, beyond which each gets fewer; and the fewest that each gets.
_ALL_POINTS = 1_200
_FEWEST_POINTS = 60
_DIGITS = 5

_Floats = NDArray[np.float64]


def curves(truth: NDArray[Any], probabilities: _Floats, labels: Sequence[str]) -> Curves:
    """Curves of each label that has rows on both sides, the most frequent first, at most 20 labels.

    Args:
        truth: True label of each row, as an index into `labels`, shape (rows,); or whether each row has each label,
            shape (rows, labels).
        probabilities: Of each label for each row, shape (rows, labels).
        labels: The labels in order.

    Returns:
        At most 200 points a curve, evenly spread along it, from the strictest threshold to the loosest; a ROC curve
        starts at (0, 0). Areas are those of the whole curves.
    """
    held = truth if truth.ndim == 2 else truth[:, None] == np.arange(len(labels))
    rows, counts = len(held), held.sum(axis=0)
    judged = [k for k in np.argsort(-counts, kind="stable").tolist() if 0 < counts[k] < rows][:MOST_LABELS]
    most = min(MOST_POINTS, max(_FEWEST_POINTS, _ALL_POINTS // max(1, len(judged))))
    once = np.ones((rows, 1))
    roc, precision_recall = [], []
    for k in judged:
        holds, scores = held[:, k], probabilities[:, k]
        ranking = Ranking(holds, scores)
        hits, alarms = _at_thresholds(holds, scores)
        recall, fall_out = hits / counts[k], alarms / (rows - counts[k])
        start = np.zeros(1)
        x, y = np.concatenate([start, fall_out]), np.concatenate([start, recall])
        roc.append(_curve(labels[k], x, y, x + y, float(ranking.roc_area(once)[0]), most))
        area = float(ranking.average_precision(once)[0])
        precision_recall.append(_curve(labels[k], recall, hits / (hits + alarms), recall, area, most))
    return Curves(roc=tuple(roc), precision_recall=tuple(precision_recall))


def _at_thresholds(holds: NDArray[np.bool_], scores: _Floats) -> tuple[_Floats, _Floats]:
    """Rows with the label and rows without it whose score reaches each threshold, the strictest first."""
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    hits = np.cumsum(holds[order])[last].astype(np.float64)
    return hits, last + 1 - hits


def _curve(label: str, x: _Floats, y: _Floats, along: _Floats, area: float, most: int) -> Curve:
    """A curve thinned to points that are evenly spread `along` it; first and last stay."""
    places = np.arange(len(x))
    if len(x) > most:
        places = np.searchsorted(along, np.linspace(along[0], along[-1], most))
        places[0], places[-1] = 0, len(x) - 1
        places = np.unique(places)
    return Curve(label=label, x=_rounded(x[places]), y=_rounded(y[places]), area=area)


def _rounded(values: _Floats) -> tuple[float, ...]:
    return tuple(np.round(values, _DIGITS).tolist())
