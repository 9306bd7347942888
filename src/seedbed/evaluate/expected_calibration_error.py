"""The metric `expected_calibration_error`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.metric import ProbabilityMetric
from seedbed.core.part import Example

from .ranking import blocks

BINS = 15


class ExpectedCalibrationError(ProbabilityMetric):
    """How far, on average, the model's confidence is from how often it is right.

    ## Why
    A confidence of 0.9 is worth something only where nine in ten such answers are right. Rows are put into 15 bins of
    equal width by the probability of their decided label, above the lower edge up to the upper one; in each bin the
    mean confidence is held against the share of right answers, and the absolute differences are averaged by the bins'
    rows (Guo et al. 2017, *On Calibration of Modern Neural Networks*). Lower is better; 0 is perfect.

    ## Limits
    It looks at the decided label only, and a model that always gives the labels' shares scores well: read it beside
    `log_loss`. Differences within a bin cancel out. On few rows chance alone makes it larger than 0: the bins' shares
    vary. Resamples add as much again, so that its interval is reflected (the basic bootstrap of Efron & Tibshirani
    1993, chapter 13); below about 1,000 rows it is a rough guide. The report draws the bins.
    """

    lower_is_better: ClassVar[bool] = True
    adds_up_chance: ClassVar[bool] = True
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    use: Literal["expected_calibration_error"] = "expected_calibration_error"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="sure at 0.9, right three times of four",
            before={
                "truth": ["ham", "ham", "spam", "spam"],
                "probabilities": [[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.1]],
            },
            after={"value": [0.15]},
        ),
    )

    def of_rows(
        self, truth: NDArray[np.int64], probabilities: NDArray[np.float64], weights: NDArray[Any]
    ) -> NDArray[np.float64]:
        """The mean of absolute differences over bins, by rows; NaN where there are no rows."""
        right, confidence, places = binned(truth, probabilities)
        order = np.argsort(places, kind="stable")
        gaps = (right - confidence)[order, None]
        starts = np.unique(places[order], return_index=True)[1]
        found = np.empty(len(weights))
        for here, block in blocks(weights):
            rows = block.sum(axis=0)
            off = np.abs(np.add.reduceat(block[order] * gaps, starts, axis=0)).sum(axis=0)
            found[here] = np.where(rows > 0, off / np.maximum(rows, 1e-300), np.nan)
        return found


def binned(
    truth: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.int64]]:
    """Whether each row was right, how sure the model was, and its bin from 0, each of shape (rows,)."""
    decided = probabilities.argmax(axis=1)
    confidence = probabilities[np.arange(truth.size), decided]
    places = np.ceil(confidence * BINS).astype(np.int64) - 1
    return decided == truth, confidence, places.clip(0, BINS - 1)
