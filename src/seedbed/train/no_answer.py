"""From which score on a question is answered, chosen on rows whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.statistics.squad import token_f1


def choose_threshold(scores: Sequence[float], said: Sequence[str], truth: pl.Series) -> float | None:
    """The score from which on it is best, by the mean F1 of words, to answer; as SQuAD's evaluator chooses it.

    Args:
        scores: How sure it is that there is an answer, of each row.
        said: What it would answer.
        truth: The right answers: lists of `{text, start}`, empty where there is none.

    Returns:
        Halfway between two scores; none where always answering is as good.
    """
    right = [[one["text"] for one in row or []] for row in truth.to_list()]
    silent = np.array([token_f1(some, None) for some in right])
    if not silent.any():
        return None
    answering = np.array([token_f1(some, text) for some, text in zip(right, said, strict=True)])
    return _best(np.asarray(scores, dtype=np.float64), answering, silent)


def _best(scores: NDArray[np.float64], answering: NDArray[np.float64], silent: NDArray[np.float64]) -> float | None:
    order = np.argsort(-scores, kind="stable")
    sure = scores[order]
    # Value of answering the first 0, 1, … of them; a cut between equal scores is none.
    values = silent.sum() + np.concatenate([[0.0], np.cumsum((answering - silent)[order])])
    cuts = np.concatenate([[True], sure[1:] < sure[:-1], [True]])
    values[~cuts] = -np.inf
    best = len(values) - 1 - int(np.argmax(values[::-1]))  # of equals, the one that answers most
    if best == len(sure):
        return None
    return float(sure[0] + 1 if best == 0 else (sure[best - 1] + sure[best]) / 2)
