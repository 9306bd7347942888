"""gradient_boosting: trees, each of which puts right what those before left."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.errors import ModelError
from seedbed.core.learner import Learner, Model
from seedbed.core.part import Example
from seedbed.core.search import Search
from seedbed.core.task import Task

from .example_rows import FLOWERS
from .logistic import ClassWeight
from .scale import OnScale
from .tabular import KINDS_OF_TREES, Floats, Lesson
from .text_features import TextOptions
from .threads import one_thread
from .tree_model import Link, TreeModel, linked
from .trees import of_boosting

#: Fewer validation rows than this say too little about how many trees to keep.
FEWEST_VALIDATION_ROWS = 20
#: Rows on which the trees that were read are held against scikit-learn's own answers.
_COMPARED = 200
_SMALLEST = 1e-15


class GradientBoosting(TextOptions, Learner):
    """Small trees, each of which puts right what those before left (gradient boosting; Friedman 2001).

    ## Why
    On tables with some hundreds of rows and more it is hard to beat. It needs no scaling, reads missing values and
    categories as they are, and learns in seconds: columns are cut into 255 bins first, as LightGBM does (Ke et al.
    2017). How many of the trees stay is chosen on the validation rows, by log loss or squared error, so that more of
    them do no harm.

    ## Limits
    Below some hundreds of rows `tabular_linear` and `random_forest` may be better. It never answers much beyond what it
    has seen. With fewer than 20 validation rows all trees stay. Columns of texts are read as categories where few of
    them are different (at most 200), and left out where most are; a category that training rows lack counts as missing.
    Texts are read as `decision_tree` reads them, and `tfidf_logistic` may know more of them (of 3,000 tweets, macro-F1
    on others was 0.676 with 100 trees, and 0.700). One thread does the work. Answers are scikit-learn's
    (`HistGradientBoostingClassifier`, `HistGradientBoostingRegressor`) to the last bit. Of numbers that are learned as
    logarithms it tells what lies in the middle, by factors, which is below the mean.
    """

    learns: ClassVar[tuple[str, ...]] = KINDS_OF_TREES
    model: ClassVar[type[Model[Any]]] = TreeModel
    heeds_weights: ClassVar[bool] = True

    use: Literal["gradient_boosting"] = "gradient_boosting"
    max_iter: int = Field(
        300, ge=1, le=100_000, description="Most trees (for each label, where there are more than two)."
    )
    learning_rate: Annotated[float, Search(0.01, 0.3, log=True)] = Field(
        0.05, gt=0, le=1, description="Share of what is wrong that each tree puts right."
    )
    max_leaf_nodes: Annotated[int, Search(4, 64, log=True)] = Field(
        15, ge=2, le=10_000, description="Most leaves of a tree."
    )
    min_samples_leaf: int | None = Field(
        None,
        ge=1,
        description="Training rows that each leaf rests on at least; when left out, a fifteenth of the rows, at least "
        "2 and at most 20.",
    )
    l2: Annotated[float, Search(0, 10)] = Field(
        0.0, ge=0, allow_inf_nan=False, description="Pull of the leaves towards 0."
    )
    class_weight: ClassWeight = "none"
    scale: OnScale = "auto"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Flowers", options={"min_samples_leaf": 1}, before=FLOWERS, after={"predicted": FLOWERS["label"]}
        ),
    )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> TreeModel:
        """Grow trees, and keep as many as are best on the validation rows.

        Raises:
            DataError: There are too few rows, one label or number only, or no column that tells anything.
            ModelError: This version of scikit-learn keeps its trees in a form that is not known.
        """
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        lesson = Lesson.of(train, task, self.scale, components=self.components)
        categories = lesson.columns.categories
        options: dict[str, Any] = {
            "max_iter": self.max_iter,
            "learning_rate": self.learning_rate,
            "max_leaf_nodes": self.max_leaf_nodes,
            "min_samples_leaf": self.min_samples_leaf or max(2, min(20, train.height // 15)),
            "l2_regularization": self.l2,
            "categorical_features": categories if categories.any() else None,
            "early_stopping": False,
            "random_state": context.seed,
        }
        if lesson.labels:
            options["class_weight"] = None if self.class_weight == "none" else self.class_weight
        booster = (HistGradientBoostingClassifier if lesson.labels else HistGradientBoostingRegressor)(**options)
        with one_thread():
            booster.fit(lesson.features, lesson.right, sample_weight=lesson.weights)
            model = _model_of(booster, lesson)
        features, right = lesson.others(validation, task)
        if len(right) >= FEWEST_VALIDATION_ROWS:
            model.trees = model.trees.first(self._best(model, features, right))
        return model

    def _best(self, model: TreeModel, features: Floats, right: NDArray[Any]) -> int:
        """How many trees have the least loss on validation rows: the fewest of equals."""
        total, losses = np.tile(model.start, (len(features), 1)), []
        outputs = len(model.start)
        for place, (where, added) in enumerate(model.trees.each(features), 1):
            total[:, where] += added
            if place % outputs == 0:
                losses.append(_loss(linked(total, model.link, place), right, model.seen))
        return (int(np.argmin(losses)) + 1) * outputs


def _model_of(booster: Any, lesson: Lesson) -> TreeModel:
    """What was learned, held against what scikit-learn itself answers to some of the rows."""
    codes = max([0, *(len(known) for known in lesson.columns.named.values())]) + 1
    start = np.asarray(booster._baseline_prediction, dtype=np.float64).reshape(-1)
    link: Link = ("logistic" if len(start) == 1 else "softmax") if lesson.labels else "sum"
    model = TreeModel.of(lesson, of_boosting(booster, lesson.columns.categories, codes), link, start)
    some = lesson.features[:_COMPARED]
    theirs = booster.predict_proba(some) if lesson.labels else lesson.scale.back(booster.predict(some))
    ours = model.answer(some)[:, list(model.seen)] if lesson.labels else model.answer(some)
    if not np.array_equal(ours, theirs):
        import sklearn

        raise ModelError(
            f"scikit-learn {sklearn.__version__} keeps its trees in a form that is not known",
            at="gradient_boosting",
            hint="use random_forest, or another version of scikit-learn",
        )
    return model


def _loss(told: Floats, right: NDArray[Any], seen: tuple[int, ...]) -> float:
    """Log loss of probabilities, or squared error of numbers on their scale."""
    if not seen:
        return float(((told[:, 0] - right) ** 2).mean())
    known = np.zeros((len(right), max(max(seen), int(right.max())) + 1))
    known[:, list(seen)] = told
    return float(-np.log(known[np.arange(len(right)), right].clip(_SMALLEST)).mean())
