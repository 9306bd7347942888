"""Logistic regression, solved close to its optimum."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from seedbed.core.context import Context
from seedbed.core.learner import Only
from seedbed.core.numbers import things
from seedbed.core.search import Search

from .linear import Layer, each_by_itself, layer_of
from .target import Target
from .target_sets import TargetSets
from .threads import one_thread

#: Largest slope at which the fit counts as solved. At 1e-4 (usual) the order of 29,786 tweets still changed 35 of
#: 7,447 answers, and probabilities by up to 0.08; at this one none, and by less than 0.0001.
TOLERANCE = 1e-6
#: From so many labels on a fit may take minutes, and shows that it moves: after every `_STEPS` steps.
MANY_LABELS, _STEPS = 12, 5
#: A smaller share of a row says nothing.
_SLIGHT = 1e-3


Trust = Annotated[
    float,
    Field(
        gt=0,
        allow_inf_nan=False,
        description="Trust in the training rows; a smaller value holds weights nearer 0.",
    ),
    Search(0.01, 100, log=True),
]
ClassWeight = Annotated[
    Literal["none", "balanced"],
    Field(description="Whether rows of rare labels count more (`balanced`: inversely to their label's frequency)."),
    Only("label", "labels"),
]
#: The same of learners that know nothing of labels one by one.
WeightOfOne = Annotated[
    Literal["none", "balanced"],
    Field(
        description="Whether rows of rare labels count more (`balanced`: inversely to their label's frequency), where "
        "rows have one label each."
    ),
    Only("label"),
]


class LogisticOptions(BaseModel):
    """Options of learners that end in a logistic regression."""

    c: Trust = 2.0
    class_weight: ClassWeight = "none"
    max_iter: int = Field(200, ge=1, description="Most steps of the solver.")

    def solve(
        self, features: Any, target: Target | TargetSets, context: Context, *, name: str, tolerance: float = TOLERANCE
    ) -> Layer:
        """Weights and intercepts; where rows have any number of labels, of each label by itself.

        Args:
            features: Of the training rows, sparse or dense, shape (rows, features).
            target: Their labels.
            context: Where progress goes, and word of a fit that did not settle.
            name: The learner, for that.
            tolerance: Largest slope at which the fit counts as solved.
        """
        from sklearn.linear_model import LogisticRegression

        if isinstance(target, TargetSets):

            def solve(one: Target, label: str) -> Layer:
                return self.solve(features, one, context, name=f"{name}, {label!r},", tolerance=tolerance)

            return each_by_itself(target, features.shape[1], context, solve)
        balanced = self.class_weight == "balanced"
        codes, counts = target.codes, target.weights
        if target.shares is not None:
            rows, codes, counts = _each_label(target.shares, counts, balanced=balanced)
            features = features[rows]
        solver = LogisticRegression(
            C=self.c,
            solver="newton-cg",
            class_weight="balanced" if balanced and target.shares is None else None,
            tol=tolerance,
            warm_start=True,
        )
        taken, settled, stuck, long = 0, False, False, len(target.labels) >= MANY_LABELS
        with one_thread(), context.stage("Fitting weights", None, "steps") if long else nullcontext() as stage:
            while not settled and not stuck and taken < self.max_iter:
                solver.max_iter = min(_STEPS, self.max_iter - taken)
                with settling() as told:
                    solver.fit(features, codes, sample_weight=counts)
                stuck = any("line search" in one.lower() for one in told)  # it would be again: no step is better
                settled = not told
                steps = int(solver.n_iter_.max())
                taken += steps
                if stage:
                    stage.advance(steps)
        if stuck:
            context.progress.say(
                f"{name} stopped after {things(taken, 'step')}, where rounding lets no further step help"
            )
        elif not settled:
            context.progress.say(
                f"{name} did not settle in {things(taken, 'step')}; a larger max_iter or a smaller c may help"
            )
        return layer_of(solver.coef_, solver.intercept_, solver.classes_, target)


def _each_label(
    shares: NDArray[np.float64], weights: NDArray[np.float64] | None, *, balanced: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Places of rows, once for each label of which they have a share, these labels, and how much each counts.

    The loss of rows that count so is the cross-entropy with the shares.
    """
    rows, codes = np.nonzero(shares >= _SLIGHT)
    counts = shares[rows, codes] * (1.0 if weights is None else weights[rows])
    if balanced:
        held = np.bincount(codes, counts, shares.shape[1])
        counts *= held.sum() / (np.count_nonzero(held) * held[codes])
    return rows, codes, counts


@contextmanager
def settling() -> Iterator[list[str]]:
    """Hears, instead of warning, that a solver stopped early; other warnings pass, but one of labels nearly as many as
    rows, of which a run speaks once.
    """
    from sklearn.exceptions import ConvergenceWarning

    told: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield told
    for warning in caught:
        if issubclass(warning.category, ConvergenceWarning) or "line search" in str(warning.message).lower():
            told.append(str(warning.message))
        elif not str(warning.message).startswith("The number of unique classes"):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
