"""Quick models of tasks that no learner of a recipe knows yet: sets of labels, numbers, rows of a table.

They judge rows that they did not see, for whoever asks which answers are doubtful; nobody keeps them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.numbers import things
from seedbed.core.rows import data_columns
from seedbed.core.task import MultiLabelClassification, Regression, TabularClassification, TabularRegression, Task

from .columns import ColumnFeatures
from .target import FEWEST_ROWS, texts_of
from .terms import TermOptions

#: The one column of what a model says of numbers.
NUMBER = "number"
#: A label on fewer rows than this is as likely as it is frequent, whatever the text.
_FEWEST_OF_A_LABEL = 3
_SEED = 13


@dataclass(frozen=True)
class QuickModel:
    """What was learned."""

    labels: tuple[str, ...]
    """What the columns of a prediction are about."""
    told: Callable[[pl.DataFrame], NDArray[np.float64]]
    """What `predict` says."""

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Probabilities of labels, or a number, of each row, shape (rows, labels)."""
        with _one_thread():
            return self.told(rows)

    def use_store(self, store: Path) -> None:
        """Nothing is kept."""


class QuickModels(ABC):
    """Learns quick models, without any option."""

    use: ClassVar[str]
    """What it is, in words."""

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> QuickModel:
        """Learn from training rows.

        Raises:
            DataError: There are too few of them.
        """
        if train.height < FEWEST_ROWS:
            found = things(train.height, "training row is", "training rows are")
            hint = f"at least {FEWEST_ROWS} are needed"
            raise DataError(f"{found} too few to learn from", at=task.answer or "", hint=hint)
        with _one_thread():
            return self._fit(train, task)

    @abstractmethod
    def _fit(self, train: pl.DataFrame, task: Any) -> QuickModel: ...


class LabelSets(QuickModels):
    """Each label by itself: logistic regression on TF-IDF of words."""

    use = "logistic regression on words for each label"

    def _fit(self, train: pl.DataFrame, task: MultiLabelClassification) -> QuickModel:
        from sklearn.linear_model import LogisticRegression

        terms, features = _terms(train, task.text)
        held = train[task.label].list
        layers: list[Callable[[Any], NDArray[np.float64]]] = []
        for label in task.names:
            has = held.contains(label).fill_null(False).to_numpy()
            if min(int(has.sum()), int((~has).sum())) < _FEWEST_OF_A_LABEL:
                layers.append(_always((has.sum() + 0.5) / (len(has) + 1)))
                continue
            solver = LogisticRegression(C=2.0, solver="newton-cg", tol=1e-3)
            layers.append(_second(solver.fit(features, has)))

        def predict(rows: pl.DataFrame) -> NDArray[np.float64]:
            seen = terms.transform(texts_of(rows, task.text))
            return np.column_stack([layer(seen) for layer in layers]).astype(np.float64)

        return QuickModel(task.names, predict)


class NumbersOfTexts(QuickModels):
    """Ridge regression on TF-IDF of words."""

    use = "ridge regression on words"

    def _fit(self, train: pl.DataFrame, task: Regression) -> QuickModel:
        from sklearn.linear_model import Ridge

        terms, features = _terms(train, task.text)
        scale = Scale.of(train[task.target])
        solved = Ridge(alpha=1.0, solver="sparse_cg", tol=1e-4).fit(features, scale.to(train[task.target]))

        def predict(rows: pl.DataFrame) -> NDArray[np.float64]:
            return scale.back(solved.predict(terms.transform(texts_of(rows, task.text))))

        return QuickModel((NUMBER,), predict)


class LabelsOfTables(QuickModels):
    """Gradient boosting on the columns of a table."""

    use = "gradient boosting on the columns"

    def _fit(self, train: pl.DataFrame, task: TabularClassification) -> QuickModel:
        from sklearn.ensemble import HistGradientBoostingClassifier

        columns, kinds, features = _columns(train, task)
        given = train[task.label].cast(pl.String).to_numpy()
        solver = HistGradientBoostingClassifier(**_boosting(train.height), categorical_features=kinds)
        solver.fit(features, given)
        known = tuple(str(one) for one in solver.classes_)

        def predict(rows: pl.DataFrame) -> NDArray[np.float64]:
            return np.asarray(solver.predict_proba(columns.of(rows)), dtype=np.float64)

        return QuickModel(known, predict)


class NumbersOfTables(QuickModels):
    """Gradient boosting on the columns of a table."""

    use = "gradient boosting on the columns"

    def _fit(self, train: pl.DataFrame, task: TabularRegression) -> QuickModel:
        from sklearn.ensemble import HistGradientBoostingRegressor

        columns, kinds, features = _columns(train, task)
        scale = Scale.of(train[task.target])
        solver = HistGradientBoostingRegressor(**_boosting(train.height), categorical_features=kinds)
        solver.fit(features, scale.to(train[task.target]))

        def predict(rows: pl.DataFrame) -> NDArray[np.float64]:
            return scale.back(solver.predict(columns.of(rows)))

        return QuickModel((NUMBER,), predict)


@dataclass(frozen=True)
class Scale:
    """What is learned of numbers: themselves, or logarithms where those are less lopsided, as of most prices."""

    log: bool

    @classmethod
    def of(cls, numbers: pl.Series) -> Scale:
        """The scale on which some numbers lie."""
        values = numbers.cast(pl.Float64)
        least = values.min()
        if not isinstance(least, float) or least <= 0:
            return cls(log=False)
        plain, log = values.skew(), values.log().skew()
        return cls(log=plain is not None and log is not None and abs(log) < abs(plain))

    def to(self, numbers: pl.Series) -> NDArray[np.float64]:
        """Numbers on that scale; a logarithm of what has none is far below all others."""
        values = numbers.cast(pl.Float64)
        return (values.clip(1e-300).log() if self.log else values).to_numpy()

    def back(self, told: Any) -> NDArray[np.float64]:
        """Numbers again, shape (rows, 1)."""
        found = np.asarray(told, dtype=np.float64).reshape(-1, 1)
        return np.exp(found.clip(-700, 700)) if self.log else found


def quick_models(task: Task) -> QuickModels | None:
    """Who learns a task quickly; none where there is nobody."""
    known: dict[type[Task], type[QuickModels]] = {
        MultiLabelClassification: LabelSets,
        Regression: NumbersOfTexts,
        TabularClassification: LabelsOfTables,
        TabularRegression: NumbersOfTables,
    }
    found = known.get(type(task))
    return found() if found else None


def _terms(train: pl.DataFrame, column: str) -> tuple[Any, Any]:
    """Terms of texts and the texts' features."""
    options = TermOptions(words=(1, 2), characters=None, min_df=1 if train.height < 500 else 2, max_features=100_000)
    (terms,), features = options.learn_terms(texts_of(train, column), column=column)
    return terms, features


def _columns(train: pl.DataFrame, task: TabularClassification | TabularRegression) -> tuple[ColumnFeatures, Any, Any]:
    """What is read of a table's columns, which of those are categories, and the training rows' features."""
    columns = ColumnFeatures.learn(train.select(task.compared(data_columns(train))))
    if not columns.width:
        names = ", ".join(task.compared(data_columns(train))[:6])
        raise DataError(f"no column tells anything that could be learned ({names})", at=task.answer or "")
    return columns, columns.categories, columns.of(train)


def _boosting(rows: int) -> dict[str, Any]:
    """Options of gradient boosting: small trees of few steps, which is quick and seldom too sure of itself."""
    fewest = max(2, min(20, rows // 40))
    return {
        "max_iter": 100,
        "learning_rate": 0.1,
        "max_leaf_nodes": 15,
        "min_samples_leaf": fewest,
        "early_stopping": False,
        "random_state": _SEED,
    }


def _one_thread() -> AbstractContextManager[Any]:
    """Threads that wait for one another took 200 times as long on 300 rows of a machine that others use, too."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return cast(AbstractContextManager[Any], threadpool_limits(1))


def _always(share: float) -> Callable[[Any], NDArray[np.float64]]:
    return lambda features: np.full(features.shape[0], share)


def _second(solver: Any) -> Callable[[Any], NDArray[np.float64]]:
    return lambda features: solver.predict_proba(features)[:, 1]
