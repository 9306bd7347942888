"""Ridge regression: a number as a weighted sum of features."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field

from seedbed.core.context import Context
from seedbed.core.search import Search

from .linear import Layer, Link
from .logistic import settling
from .scale import OnScale
from .target_numbers import Numbers
from .threads import one_thread

#: How near to the optimum the weights are solved.
TOLERANCE = 1e-6
_MOST_STEPS = 2_000

Alpha = Annotated[
    float,
    Field(gt=0, allow_inf_nan=False, description="Pull of the weights towards 0; larger where rows are few."),
    Search(0.01, 100, log=True),
]


class RidgeOptions(BaseModel):
    """Options of learners that end in a ridge regression."""

    alpha: Alpha = 1.0
    scale: OnScale = "auto"

    def solve(self, features: Any, numbers: Numbers, context: Context, *, name: str) -> tuple[Layer, Link]:
        """Weights, shape (features, 1), and the intercept, shape (1,), which is not held near 0; and their link.

        Args:
            features: Of the training rows, sparse or dense, shape (rows, features).
            numbers: What is right there.
            context: Where word goes of a fit that did not settle.
            name: The learner, for that.
        """
        from scipy.sparse import issparse
        from sklearn.linear_model import Ridge

        solver = Ridge(
            alpha=self.alpha,
            solver="sparse_cg" if issparse(features) else "cholesky",
            tol=TOLERANCE,
            max_iter=_MOST_STEPS,
        )
        with one_thread(), settling() as told:
            solver.fit(features, numbers.values, sample_weight=numbers.weights)
        if told:
            context.progress.say(f"{name} did not settle in {_MOST_STEPS:,} steps; a larger alpha helps")
        layer = solver.coef_.reshape(-1, 1).astype(np.float32), np.array([solver.intercept_], dtype=np.float64)
        return layer, "exponential" if numbers.scale.log else "identity"
