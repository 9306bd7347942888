"""random_forest: many trees, each of other rows and columns."""

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

from .example_rows import FLOWERS
from .logistic import ClassWeight
from .scale import OnScale
from .tabular import KINDS_OF_TREES, Lesson
from .text_features import TextOptions
from .threads import one_thread
from .tree_model import TreeModel
from .trees import of_estimators


class RandomForest(TextOptions, Learner):
    """The mean of many trees, each grown on rows drawn with replacement and on random columns (Breiman 2001).

    ## Why
    It is good without tuning: more trees never make it worse, no column needs scaling, and missing values are taken as
    they are. Where rows are few it is often as good as `gradient_boosting`, and surer to be sound.

    ## Limits
    It is large: some 30 bytes for each node of each tree, and a tree has up to as many nodes as there are training
    rows; a larger `min_samples_leaf` makes it smaller. Means of what training rows hold never lie beyond them. Columns
    and categories are read as `decision_tree` reads them; so are texts (of 3,000 tweets, macro-F1 on others was 0.678,
    and 0.700 with `tfidf_logistic`). Its probabilities are shares of training rows in leaves, drawn towards the middle;
    `evaluate: calibrate` helps. Answers are scikit-learn's (`RandomForestClassifier`, `RandomForestRegressor`) to the
    last bit.
    """

    learns: ClassVar[tuple[str, ...]] = KINDS_OF_TREES
    model: ClassVar[type[Model[Any]]] = TreeModel
    heeds_weights: ClassVar[bool] = True

    use: Literal["random_forest"] = "random_forest"
    trees: int = Field(100, ge=1, le=10_000, description="Trees that are grown.")
    max_depth: int | None = Field(
        None, ge=1, le=1000, description="Most questions on the way to an answer; null for no limit."
    )
    min_samples_leaf: Annotated[int, Search(1, 20, log=True)] = Field(
        2, ge=1, description="Training rows that each answer of a tree rests on at least."
    )
    max_features: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Share of the columns that each question is chosen from; when left out, the root of their number "
        "for labels and all of them for numbers, as in scikit-learn.",
    )
    class_weight: ClassWeight = "none"
    scale: OnScale = "auto"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Flowers",
            options={"trees": 50, "min_samples_leaf": 1},
            before=FLOWERS,
            after={"predicted": FLOWERS["label"]},
        ),
    )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> TreeModel:
        """Grow the trees. Validation rows are not used.

        Raises:
            DataError: There are too few rows, one label or number only, or no column that tells anything.
        """
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        lesson = Lesson.of(train, task, self.scale, in_order=True, components=self.components)
        options: dict[str, Any] = {
            "n_estimators": self.trees,
            "max_depth": self.max_depth,
            "min_samples_leaf": self.min_samples_leaf,
            "max_features": self.max_features or ("sqrt" if lesson.labels else 1.0),
            "random_state": context.seed,
            "n_jobs": context.workers,
        }
        if lesson.labels:
            options["class_weight"] = None if self.class_weight == "none" else self.class_weight
        grower = (RandomForestClassifier if lesson.labels else RandomForestRegressor)(**options)
        with one_thread():
            grower.fit(lesson.features, lesson.right, sample_weight=lesson.weights)
        trees = of_estimators(grower.estimators_)
        return TreeModel.of(lesson, trees, "mean", np.zeros(trees.values.shape[1]))
