"""From which probability on a label is given, chosen on validation rows.

Decisions at 0.5 are best where probabilities can be believed and every mistake costs the same. For F1 they are not: it
is highest at a threshold of half of what it reaches there (Lipton, Elkan & Naryanaswamy 2014, *Optimal Thresholding of
Classifiers to Maximize F1 Measure*), which is below 0.5, far below it for rare labels. Or a person needs a certain
precision, and takes the recall that is left.

Thresholds are fitted: what they gain on the rows that they were chosen on is more than what they gain on others, the
more so the fewer rows have a label. A label that fewer than `FEWEST` rows have, or lack, keeps 0.5. Scores that anybody
is told come from rows that took no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.errors import RecipeError, did_you_mean

#: Where labels are decided that nobody chose a threshold for.
USUAL = 0.5
#: Fewer validation rows with a label, or without it, than this say too little about where to decide.
FEWEST = 10

Aim = Literal["f1", "precision"]
_Floats = NDArray[np.float64]
_Held = NDArray[np.bool_]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Threshold(_Data):
    """From which probability on a label is given, and what that does on the rows that it was chosen on."""

    label: str
    at: float = Field(gt=0, lt=1, description="The label is given from this probability on.")
    chosen: bool = Field(description="Whether it was chosen; if not, too few rows have the label, or none reached.")
    support: int = Field(description="Rows with the label that it was chosen on.")
    precision: float | None = Field(description="On those rows; none where the label was never given.")
    recall: float | None = Field(description="On those rows; none where no row has the label.")
    f1: float | None = Field(description="On those rows; none where it neither occurs nor was given.")
    f1_before: float | None = Field(description="The same at 0.5.")


class Thresholds(_Data):
    """Where labels are decided. The numbers are of the rows that it was fitted on: of others, they will be lower."""

    aim: Aim = Field(description="What was made as large as can be: F1, or recall at a certain precision.")
    precision: float | None = Field(None, description="That precision.")
    split: str = Field(description="Rows that it was fitted on.")
    rows: int
    labels: tuple[Threshold, ...] = Field(description="In the model's order; of two that exclude each other, the one.")

    def at(self, labels: Sequence[str]) -> _Floats:
        """The thresholds of some labels in their order, `USUAL` for those that have none, shape (labels,)."""
        known = {one.label: one.at for one in self.labels}
        return np.array([known.get(label, USUAL) for label in labels])

    def moved(self, labels: Sequence[str], answers: _Floats) -> _Floats:
        """Probabilities that are decided at 0.5 as the thresholds decide these, shape (rows, labels).

        Args:
            labels: The model's, in order: two of which every row has one, where there is a threshold for one alone.
            answers: The model's probabilities.
        """
        if len(self.labels) == 1 and len(labels) == 2:
            (one,) = self.labels
            return moved_pair(answers, list(labels).index(one.label), one.at)
        return moved_sets(answers, self.at(labels))


def thresholds_of(
    truth: _Held,
    answers: _Floats,
    labels: Sequence[str],
    *,
    split: str,
    precision: float | None = None,
) -> Thresholds:
    """A threshold for each label of rows that have any number of them.

    Args:
        truth: Which labels each row has, shape (rows, labels).
        answers: Their probabilities, from a model that was not trained on these rows, shape (rows, labels).
        labels: The labels in order.
        split: What the rows are called.
        precision: The least share of right ones among what is given; when left out, F1 is made as large as can be.
    """
    each = (
        _threshold(label, has, scores, precision) for label, has, scores in zip(labels, truth.T, answers.T, strict=True)
    )
    return Thresholds(
        aim="f1" if precision is None else "precision",
        precision=precision,
        split=split,
        rows=len(truth),
        labels=tuple(each),
    )


def threshold_of_positive(
    truth: NDArray[np.int64],
    answers: _Floats,
    labels: Sequence[str],
    positive: str,
    *,
    split: str,
    precision: float | None = None,
) -> Thresholds:
    """A threshold for one of two labels, of which every row has one.

    Args:
        truth: The label of each row, from 0, shape (rows,).
        answers: Probabilities, from a model that was not trained on these rows, shape (rows, 2).
        labels: The two labels.
        positive: That one of them which is looked for.
        split: What the rows are called.
        precision: The least share of right ones among what is given; when left out, F1 is made as large as can be.

    Raises:
        RecipeError: There are more labels than two, or the positive one is none of them.
    """
    if len(labels) != 2:
        raise RecipeError(
            f"a threshold is for tasks of two labels, or of any number of labels a row; this one has {len(labels)}",
            at="evaluate.thresholds",
            hint="of several labels that exclude one another, the most probable one is decided",
        )
    if positive not in labels:
        raise RecipeError(
            f"the label {positive!r} is none of the task's",
            at="evaluate.thresholds",
            hint=did_you_mean(positive, tuple(labels)),
        )
    place = list(labels).index(positive)
    one = _threshold(positive, truth == place, answers[:, place], precision)
    aim: Aim = "f1" if precision is None else "precision"
    return Thresholds(aim=aim, precision=precision, split=split, rows=len(truth), labels=(one,))


def moved_sets(answers: _Floats, at: _Floats) -> _Floats:
    """Probabilities whose odds are divided by those of the thresholds: what was at a threshold is at 0.5 then.

    Whatever decides at 0.5 decides as the thresholds say, and the order of the rows stays. They are no probabilities to
    believe any more: measure log loss, Brier score and calibration before.

    Args:
        answers: Probabilities, shape (rows, labels).
        at: Thresholds above 0 and below 1, shape (labels,).
    """
    if (at == USUAL).all():
        return answers
    for_it, against = answers * (1 - at), (1 - answers) * at
    moved = for_it / (for_it + against)
    # What is just below may have been rounded up to 0.5; at the threshold and above, rounding cannot go below.
    return np.asarray(np.where(answers < at, np.minimum(moved, np.nextafter(USUAL, 0)), moved))


def moved_pair(answers: _Floats, place: int, at: float) -> _Floats:
    """The same for one of two labels, of which every row has one: the most probable one is that which is decided.

    Args:
        answers: Probabilities, shape (rows, 2).
        place: Which label the threshold is for.
        at: The threshold.
    """
    if at == USUAL:
        return answers
    own = moved_sets(answers[:, [place]], np.array([at]))[:, 0]
    # Of equals the first is decided; the one that is looked for is given from its threshold on.
    own = np.where(answers[:, place] >= at, np.maximum(own, np.nextafter(USUAL, 1)), own)
    return np.stack([own, 1 - own] if place == 0 else [1 - own, own], axis=1)


def _threshold(label: str, has: _Held, scores: _Floats, precision: float | None) -> Threshold:
    support = int(has.sum())
    enough = min(support, has.size - support) >= FEWEST
    found = best_threshold(has, scores, precision=precision) if enough else None
    at = USUAL if found is None else found
    told = _measured(has, scores >= at)
    return Threshold(
        label=label,
        at=at,
        chosen=found is not None,
        support=support,
        precision=told[0],
        recall=told[1],
        f1=told[2],
        f1_before=_measured(has, scores >= USUAL)[2],
    )


def best_threshold(has: _Held, scores: _Floats, *, precision: float | None = None) -> float | None:
    """The threshold with the highest F1, or with the highest recall at some precision; of equals that nearest to 0.5.

    It lies midway between the least score that is above it and the greatest below, so that it is not one row's own.

    Args:
        has: Whether each row has the label, shape (rows,).
        scores: Its probability, shape (rows,).
        precision: The least share of right ones among what is given; F1 when left out.

    Returns:
        Above 0 and below 1; none where no row has the label, or that precision is not reached.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    hits = np.cumsum(has[order])
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # rows of equal score are given together
    given, right = ends + 1, hits[ends]
    at = _midway(ranked[ends], np.append(ranked[ends[1:]], 0.0))
    possible = (at > 0) & (at < 1) & (right > 0)
    if precision is None:
        worth = 2 * right / (given + hits[-1])
    else:
        possible &= right / given >= precision
        worth = right - given / (has.size + 1)  # of equal recall the highest precision
    if not possible.any():
        return None
    best = possible & (worth == worth[possible].max())
    return float(at[best][np.abs(at[best] - USUAL).argmin()])


def _midway(above: _Floats, below: _Floats) -> _Floats:
    """Between two scores: the upper one where floats leave no room."""
    middle = (above + below) / 2
    return np.where(middle > below, middle, above)


def _measured(has: _Held, given: _Held) -> tuple[float | None, float | None, float | None]:
    """Precision, recall and F1; none where there is nothing to divide by."""
    hits, told, true = int((has & given).sum()), int(given.sum()), int(has.sum())
    return (
        hits / told if told else None,
        hits / true if true else None,
        2 * hits / (told + true) if told + true else None,
    )
