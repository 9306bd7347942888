"""class_weights: training rows of rare labels count more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.errors import DataError, did_you_mean
from seedbed.core.part import Example, LabelColumn
from seedbed.core.rows import WEIGHT
from seedbed.core.step import Fitted

from .comparing.copies import column_of

_Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ClassWeights(Fitted):
    """Writes how much each training row counts into the column `sample_weight`, by its label.

    `balanced` weighs a label inversely to its rows, as scikit-learn does. `effective` weighs it inversely to its
    effective number of rows, (1 - beta^rows) / (1 - beta): of many rows of one label, each adds less that is new (Cui
    et al., "Class-balanced loss based on effective number of samples", 2019). Both are scaled so that training rows
    count 1 on average: a learner's other options mean what they did. Validation and test rows count 1.

    ## Why
    A learner that counts every row alike learns little of a label that has few. Weights make it count them more, and
    cost neither rows, as `undersample` does, nor time, as `oversample` does.

    ## Limits
    Only learners that heed weights do; the report names those that do not. A model that learned with weights finds
    rare labels likelier than they are; calibration on validation rows mends the confidence, not the decisions. Where a
    learner has an option `class_weight`, both count.
    """

    weighs: ClassVar[bool] = True
    by_name: ClassVar[bool] = True

    use: Literal["class_weights"] = "class_weights"
    column: LabelColumn = Field(None, description="Column to weigh by; the task's label when left out.")
    weights: Literal["balanced", "effective"] | dict[str, _Weight] = Field(
        "balanced",
        description="`balanced`, `effective`, or how much a row of a label counts, as LABEL: WEIGHT (1 where a label "
        "is left out; not scaled).",
    )
    beta: float = Field(0.999, gt=0, lt=1, description="For `effective`: the nearer to 1, the nearer to `balanced`.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Inversely to their label's rows",
            before={"text": ["hi", "see you", "win now", "on my way"], "label": ["ham", "ham", "spam", "ham"]},
            after={WEIGHT: [0.66666666667, 0.66666666667, 2.0, 0.66666666667]},
        ),
        Example(
            title="As given",
            options={"weights": {"spam": 5}},
            before={"text": ["hi", "win now"], "label": ["ham", "spam"]},
            after={WEIGHT: [1.0, 5.0]},
        ),
    )

    def brings(self) -> Sequence[str]:
        """The weights."""
        return [WEIGHT]

    def fit(self, train: pl.LazyFrame, seed: int) -> dict[str, Any]:
        """The weight of each label.

        Raises:
            DataError: `weights` names a label that no training row has.
        """
        label = pl.col(column_of(self, "column")).cast(pl.String).alias("label")
        counts = dict(train.select(label).collect().drop_nulls().group_by("label").len().sort("label").iter_rows())
        if isinstance(self.weights, dict):
            for name in self.weights:
                if name not in counts:
                    hint = did_you_mean(name, counts)
                    raise DataError(f"no training row has the label {name[:40]!r}", at=self.use, hint=hint)
            return {"weights": dict(self.weights)}
        raw = {name: 1 / (n if self.weights == "balanced" else self._effective(n)) for name, n in counts.items()}
        mean = sum(raw[name] * n for name, n in counts.items()) / max(sum(counts.values()), 1)
        # Ten digits: what sums of another order change is far below.
        return {"weights": {name: float(f"{weight / mean:.11g}") for name, weight in raw.items()}}

    def _effective(self, rows: int) -> float:
        return (1 - self.beta**rows) / (1 - self.beta)

    def columns(self, state: dict[str, Any]) -> Sequence[pl.Expr]:
        """Rows that do not train count 1."""
        return [pl.lit(1.0, dtype=pl.Float64).alias(WEIGHT)]

    def train_columns(self, state: dict[str, Any]) -> Sequence[pl.Expr]:
        """Training rows count what their label does."""
        names, weights = list(state["weights"]), list(state["weights"].values())
        label = pl.col(column_of(self, "column")).cast(pl.String)
        return [label.replace_strict(names, weights, default=1.0, return_dtype=pl.Float64).alias(WEIGHT)]
