"""The answers that a model was surest of, and wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.ledger import excerpt_of
from seedbed.core.run import Mistake

from .judge import decide


def mistakes(
    rows: pl.Series,
    texts: pl.Series,
    truth: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    labels: Sequence[str],
    most: int = 20,
) -> tuple[Mistake, ...]:
    """The wrong answers that the model was surest of, surest first; equals in the order of the rows.

    Args:
        rows: Row ids, shape (rows,).
        texts: What the model read, shape (rows,).
        truth: True label of each row, as an index into `labels`, shape (rows,).
        probabilities: Of each label for each row, shape (rows, labels).
        labels: The labels in order.
        most: At most so many.
    """
    predicted = decide(probabilities)
    confidence = probabilities.max(axis=1) if truth.size else np.zeros(0)
    wrong = np.flatnonzero(predicted != truth)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:most].tolist()
    excerpts = pl.DataFrame({"text": texts[worst].cast(pl.String).fill_null("")}).select(excerpt_of(pl.col("text")))
    return tuple(
        Mistake(
            row=str(rows[i]),
            text=text,
            truth=labels[truth[i]],
            predicted=labels[predicted[i]],
            confidence=float(confidence[i]),
        )
        for i, text in zip(worst, excerpts["text"].to_list(), strict=True)
    )
