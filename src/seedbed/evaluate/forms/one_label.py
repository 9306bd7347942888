"""One of several labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import ModelError
from seedbed.core.numbers import things
from seedbed.evaluate.curves import curves
from seedbed.evaluate.groups import Groups
from seedbed.evaluate.intervals import class_scores, confusion, units_of
from seedbed.evaluate.reliability import reliability

from .form import Details, Form, Wrong, refuse_shape

_Codes = NDArray[np.int64]
_Floats = NDArray[np.float64]


def decide(probabilities: _Floats) -> _Codes:
    """The most probable label of each row, the first of equals: shape (rows, labels) to (rows,).

    Raises:
        ModelError: A probability is not a number.
    """
    if np.isnan(probabilities).any():
        rows = int(np.isnan(probabilities).any(axis=1).sum())
        raise ModelError(f"the model gave no probability for {rows} of {things(len(probabilities), 'row')}")
    return np.asarray(probabilities.argmax(axis=1), dtype=np.int64)


def in_order(answers: Any, rows: int, known: Sequence[str], labels: Sequence[str]) -> _Floats:
    """Probabilities in the order of some labels; 0 for those that the model does not know.

    Raises:
        ModelError: They are not one number a row and label.
    """
    if not isinstance(answers, np.ndarray) or answers.shape != (rows, len(known)):
        raise refuse_shape(answers, rows)
    found = np.zeros((rows, len(labels)))
    found[:, [labels.index(label) for label in known]] = answers
    return found


class OneLabel(Form):
    """Truth: codes from 0, shape (rows,). Answers: the probability of each label, shape (rows, labels)."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The task's."""
        return self.task.names

    def truth(self, rows: pl.DataFrame) -> _Codes:
        """Codes of the labels."""
        codes = {label: code for code, label in enumerate(self.labels)}
        return rows[self.answer].cast(pl.String).replace_strict(codes, return_dtype=pl.Int64).to_numpy()

    def checked(self, answers: Any, rows: int, known: Sequence[str]) -> _Floats:
        """Probabilities in the task's order.

        Raises:
            ModelError: They are not one number a row and label.
        """
        return in_order(answers, rows, known, self.labels)

    def right(self, truth: _Codes, answers: _Floats) -> NDArray[np.bool_]:
        """Whether the most probable label is the true one."""
        return np.asarray(decide(answers) == truth)

    def strata(self, truth: _Codes) -> _Codes:
        """The labels."""
        return truth

    def details(
        self, truth: _Codes, answers: _Floats, *, level: float, resamples: int, seed: int, groups: Groups = None
    ) -> Details:
        """Scores of each label, who is taken for whom, curves, how often the model is as right as it is sure."""
        decided, size = decide(answers), len(self.labels)
        cells, units = confusion(truth, decided, size), units_of(truth, decided, size, groups)
        return Details(
            classes=class_scores(cells, self.labels, level=level, resamples=resamples, seed=seed, units=units),
            confusion=cells.tolist(),
            curves=curves(truth, answers, self.labels),
            reliability=reliability(truth, answers, level=level),
        )

    def wrong(self, truth: _Codes, answers: _Floats, most: int) -> list[Wrong]:
        """The wrong answers that the model was surest of."""
        predicted = decide(answers)
        confidence = answers.max(axis=1) if truth.size else np.zeros(0)
        off = np.flatnonzero(predicted != truth)
        worst = off[np.argsort(-confidence[off], kind="stable")][:most].tolist()
        return [Wrong(i, self.labels[truth[i]], self.labels[predicted[i]], float(confidence[i])) for i in worst]

    def written(self, truth: _Codes | None, answers: _Floats) -> pl.DataFrame:
        """`truth`, `predicted`, `confidence`, and the `probabilities` in the order of the labels."""
        names, guess = np.asarray(self.labels, dtype=object), decide(answers)
        told = {} if truth is None else {"truth": pl.Series(names[truth].tolist(), dtype=pl.String)}
        return pl.DataFrame(
            {
                **told,
                "predicted": pl.Series(names[guess].tolist(), dtype=pl.String),
                "confidence": answers[np.arange(len(guess)), guess],
                "probabilities": pl.Series(answers.tolist(), dtype=pl.List(pl.Float64)),
            }
        )

    def reread(self, written: pl.DataFrame) -> tuple[_Codes, _Floats]:
        """Codes and probabilities."""
        codes = {label: code for code, label in enumerate(self.labels)}
        truth = written["truth"].replace_strict(codes, return_dtype=pl.Int64).to_numpy()
        return truth, np.asarray(written["probabilities"].to_list(), dtype=np.float64)

    def said(self, answers: _Floats) -> list[Any]:
        """The probability of each label, by name."""
        return [dict(zip(self.labels, row, strict=True)) for row in answers.tolist()]

    def apart(self, said: Any, again: Any) -> float:
        """The largest difference of a probability."""
        return max((abs(share - again.get(label, 0.0)) for label, share in said.items()), default=0.0)
