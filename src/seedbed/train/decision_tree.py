"""decision_tree: questions about one column at a time."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.learner import Learner, Model
from seedbed.core.part import Example
from seedbed.core.search import Search
from seedbed.core.task import Task

from .example_rows import FLOWERS, HOUSES
from .logistic import ClassWeight
from .scale import OnScale
from .tabular import KINDS_OF_TREES, Lesson
from .text_features import TextOptions
from .tree_model import TreeModel
from .trees import of_estimators


class DecisionTree(TextOptions, Learner):
    """A single tree of questions about one column at a time (CART; Breiman et al. 1984).

    ## Why
    It is what a person can follow from question to answer, and it shows whether a table holds anything simple to
    learn. It needs no scaling, and takes missing values as they are: they go to the side where they belong best.

    ## Limits
    It is rarely as good as `random_forest` or `gradient_boosting`, and other rows may give quite another tree. Where
    all rows of a leaf agree it is surer than it should be; `evaluate: calibrate` helps. Numbers are cut into steps, so
    that it never answers beyond what it has seen. A column of texts is read as categories where few of them are
    different (at most 200, the most frequent), and left out where most are; categories are ordered by what is right in
    the training rows, and cut in two. Numbers are compared with 32 bits. Answers are scikit-learn's
    (`DecisionTreeClassifier`, `DecisionTreeRegressor`) to the last bit. Of a text alone (`text_classification`,
    `regression`) it asks how much its 1,000 most frequent words weigh (TF-IDF), or, with `components`, numbers that
    nobody can read. Of numbers that are learned as logarithms it tells the geometric mean of a leaf, which is below the
    mean.
    """

    learns: ClassVar[tuple[str, ...]] = KINDS_OF_TREES
    model: ClassVar[type[Model[Any]]] = TreeModel
    heeds_weights: ClassVar[bool] = True

    use: Literal["decision_tree"] = "decision_tree"
    max_depth: Annotated[int | None, Search(2, 20)] = Field(
        6, ge=1, le=1000, description="Most questions on the way to an answer; null for no limit."
    )
    min_samples_leaf: Annotated[int, Search(1, 50, log=True)] = Field(
        5, ge=1, description="Training rows that each answer rests on at least."
    )
    class_weight: ClassWeight = "none"
    scale: OnScale = "auto"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Flowers", options={"min_samples_leaf": 1}, before=FLOWERS, after={"predicted": FLOWERS["label"]}
        ),
        Example(title="Houses", options={"min_samples_leaf": 1}, before=HOUSES, after={"predicted": HOUSES["target"]}),
    )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> TreeModel:
        """Grow the tree. Validation rows are not used.

        Raises:
            DataError: There are too few rows, one label or number only, or no column that tells anything.
        """
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        lesson = Lesson.of(train, task, self.scale, in_order=True, components=self.components)
        options: dict[str, Any] = {
            "max_depth": self.max_depth,
            "min_samples_leaf": self.min_samples_leaf,
            "random_state": context.seed,
        }
        if lesson.labels:
            options["class_weight"] = None if self.class_weight == "none" else self.class_weight
        grower = (DecisionTreeClassifier if lesson.labels else DecisionTreeRegressor)(**options)
        grower.fit(lesson.features, lesson.right, sample_weight=lesson.weights)
        trees = of_estimators([grower])
        return TreeModel.of(lesson, trees, "mean", np.zeros(trees.values.shape[1]))
