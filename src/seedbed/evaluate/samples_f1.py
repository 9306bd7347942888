"""The metric `samples_f1`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.part import Example
from seedbed.core.task import Says

from .mean_of_rows import MeanOfRows
from .over_labels import sets_of


class SamplesF1(MeanOfRows):
    """The mean over rows of F1 of a row's labels.

    ## Why
    It says how well the answer to a row fits as a whole: how many of its labels were found, and how few others were
    given. Every row counts alike, however many labels it has. Values are those of scikit-learn's `f1_score` with
    `average="samples"` and `zero_division=1`.

    ## Limits
    A row that has no labels and is given none counts as 1: nothing was wrong (scikit-learn's default counts it as 0).
    One that has none and is given some counts as 0, however few. Frequent labels decide it: read `macro_f1` beside it.
    """

    says: ClassVar[tuple[Says, ...]] = ("labels",)
    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    use: Literal["samples_f1"] = "samples_f1"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="one of two labels found, both found, none to find",
            before={
                "truth": [[True, True], [True, True], [False, False]],
                "answers": [[0.9, 0.1], [0.8, 0.5], [0.2, 0.1]],
            },
            after={"value": [(2 / 3 + 1 + 1) / 3]},
        ),
    )

    def each(self, truth: NDArray[Any], answers: NDArray[np.float64]) -> NDArray[np.float64]:
        """2 hits / (labels + decided labels) of each row."""
        held, decided = sets_of(truth, answers)
        either = held.sum(axis=1) + decided.sum(axis=1)
        hits = (held & decided).sum(axis=1)
        return np.asarray(np.where(either > 0, 2 * hits / np.maximum(either, 1), 1.0))
