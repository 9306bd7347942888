"""Any number of labels."""

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
from seedbed.evaluate.intervals import drawn_by_group, label_scores
from seedbed.evaluate.over_labels import DECIDED

from .form import Details, Form, Wrong
from .one_label import in_order
from .words import in_words

_Sets = NDArray[np.bool_]
_Floats = NDArray[np.float64]


def decide_sets(probabilities: _Floats) -> _Sets:
    """The labels that are given, shape (rows, labels).

    Raises:
        ModelError: A probability is not a number.
    """
    if np.isnan(probabilities).any():
        rows = int(np.isnan(probabilities).any(axis=1).sum())
        raise ModelError(f"the model gave no probability for {rows} of {things(len(probabilities), 'row')}")
    return np.asarray(probabilities >= DECIDED)


class LabelSets(Form):
    """Truth: whether each row has each label, shape (rows, labels). Answers: its probability, shape (rows, labels)."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The task's."""
        return self.task.names

    def truth(self, rows: pl.DataFrame) -> _Sets:
        """Whether each row has each label."""
        held = rows[self.answer].list
        return np.column_stack([held.contains(label).fill_null(False).to_numpy() for label in self.labels])

    def checked(self, answers: Any, rows: int, known: Sequence[str]) -> _Floats:
        """Probabilities in the task's order.

        Raises:
            ModelError: They are not one number a row and label.
        """
        return in_order(answers, rows, known, self.labels)

    def right(self, truth: _Sets, answers: _Floats) -> NDArray[np.bool_]:
        """Whether all labels of a row, and no others, are given."""
        return np.asarray((decide_sets(answers) == truth).all(axis=1))

    def rightness(self, truth: _Sets, answers: _Floats) -> _Floats:
        """The share of the labels that are rightly given or rightly not."""
        return np.asarray((decide_sets(answers) == truth).mean(axis=1))

    def strata(self, truth: _Sets) -> NDArray[np.int64]:
        """The number of labels."""
        return np.asarray(truth.sum(axis=1), dtype=np.int64)

    def details(
        self, truth: _Sets, answers: _Floats, *, level: float, resamples: int, seed: int, groups: Groups = None
    ) -> Details:
        """Scores and curves of each label."""
        given = decide_sets(answers)
        three = given & truth, given & ~truth, truth & ~given
        drawn = None if groups is None else drawn_by_group(three, groups, level=level, resamples=resamples, seed=seed)
        hits, alarms, misses = (one.sum(axis=0) for one in three)
        found = label_scores(
            hits, alarms, misses, len(truth), self.labels,
            level=level, resamples=resamples, seed=seed, by_group=drawn,
        )  # fmt: skip
        return Details(classes=found, confusion=[], curves=curves(truth, answers, self.labels))

    def wrong(self, truth: _Sets, answers: _Floats, most: int) -> list[Wrong]:
        """Rows with a label that was surely given or surely not, and wrongly so, the surest first."""
        given = decide_sets(answers)
        sure = np.where(given != truth, np.abs(answers - DECIDED), -1.0).max(axis=1, initial=-1.0)
        off = np.flatnonzero(sure >= 0)
        worst = off[np.argsort(-sure[off], kind="stable")][:most].tolist()
        return [Wrong(i, self._names(truth[i]), self._names(given[i]), float(DECIDED + sure[i])) for i in worst]

    def _names(self, held: _Sets) -> str:
        return in_words("labels", [label for label, has in zip(self.labels, held.tolist(), strict=True) if has])

    def written(self, truth: _Sets | None, answers: _Floats) -> pl.DataFrame:
        """`truth` and `predicted` as lists, and the `probabilities` in the order of the labels."""
        told = {} if truth is None else {"truth": self._lists(truth)}
        return pl.DataFrame(
            {
                **told,
                "predicted": self._lists(decide_sets(answers)),
                "probabilities": pl.Series(answers.tolist(), dtype=pl.List(pl.Float64)),
            }
        )

    def _lists(self, held: _Sets) -> pl.Series:
        names = [[label for label, has in zip(self.labels, row, strict=True) if has] for row in held.tolist()]
        return pl.Series(names, dtype=pl.List(pl.String))

    def reread(self, written: pl.DataFrame) -> tuple[_Sets, _Floats]:
        """Sets and probabilities."""
        truth = self.truth(written.select(pl.col("truth").alias(self.answer)))
        return truth, np.asarray(written["probabilities"].to_list(), dtype=np.float64)

    def said(self, answers: _Floats) -> list[Any]:
        """The probability of each label, by name."""
        return [dict(zip(self.labels, row, strict=True)) for row in answers.tolist()]

    def apart(self, said: Any, again: Any) -> float:
        """The largest difference of a probability."""
        return max((abs(share - again.get(label, 0.0)) for label, share in said.items()), default=0.0)
