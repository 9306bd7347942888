"""Trees on what TF-IDF and SVD make of a text, as scikit-learn's pipelines answer."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from seedbed.core.context import Context
from seedbed.core.errors import DataError, ModelError
from seedbed.core.learner import Learner
from seedbed.core.task import Regression, Task, TextClassification
from seedbed.train import DecisionTree, GradientBoosting, RandomForest
from seedbed.train.tree_model import TreeModel

LABEL = TextClassification(text="body", label="mood")
NUMBER = Regression(text="body", target="stars")
WORDS = {"bad": "awful sad broken angry late", "good": "lovely happy fine sunny early", "so": "table chair lamp desk"}
STARS = {"bad": 1.0, "good": 5.0, "so": 3.0}


def rows(n: int, seed: int = 1) -> pl.DataFrame:
    chosen = random.Random(seed)
    moods = [chosen.choice(list(WORDS)) for _ in range(n)]
    bodies = [" ".join(chosen.choices([*WORDS[mood].split(), "the", "a1", "is"], k=6)) for mood in moods]
    stars = [STARS[mood] + chosen.random() / 10 for mood in moods]
    return pl.DataFrame({"body": bodies, "mood": moods, "stars": stars})


def fit(learner: Learner, task: Task, train: pl.DataFrame | None = None) -> TreeModel:
    train = rows(120) if train is None else train
    model = learner.fit(train, train.clear(), task, Context(seed=3))
    assert isinstance(model, TreeModel)
    return model


CASES: list[tuple[Any, Any, Any]] = [
    (
        DecisionTree(min_samples_leaf=3, scale="linear"),
        DecisionTreeClassifier(max_depth=6, min_samples_leaf=3, random_state=3),
        DecisionTreeRegressor(max_depth=6, min_samples_leaf=3, random_state=3),
    ),
    (
        RandomForest(trees=12, scale="linear"),
        RandomForestClassifier(12, min_samples_leaf=2, max_features="sqrt", random_state=3),
        RandomForestRegressor(12, min_samples_leaf=2, max_features=1.0, random_state=3),
    ),
    (
        GradientBoosting(max_iter=8, min_samples_leaf=5, scale="linear"),
        HistGradientBoostingClassifier(
            max_iter=8, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=5, early_stopping=False, random_state=3
        ),
        HistGradientBoostingRegressor(
            max_iter=8, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=5, early_stopping=False, random_state=3
        ),
    ),
]


@pytest.mark.parametrize("components", [5, None])
@pytest.mark.parametrize(("learner", "classifier", "regressor"), CASES, ids=lambda one: getattr(one, "use", ""))
def test_answers_are_those_of_a_pipeline(
    learner: Learner, classifier: Any, regressor: Any, components: int | None
) -> None:
    counted = TfidfVectorizer(min_df=2, sublinear_tf=True, dtype=np.float32)
    dense = FunctionTransformer(lambda found: found.toarray().astype(np.float64), accept_sparse=True)
    # Directions are kept with 32 bits, as TF-IDF is.
    short = TruncatedSVD(components, random_state=0) if components else dense
    as_ours = learner.model_copy(update={"components": components})
    train, test = rows(120), rows(40, seed=2)
    pipeline = make_pipeline(counted, short, clone(classifier)).fit(train["body"].to_list(), train["mood"].to_list())
    found = fit(as_ours, LABEL).predict(test)
    assert found == pytest.approx(pipeline.predict_proba(test["body"].to_list()), abs=1e-9)
    numbers = make_pipeline(counted, short, clone(regressor)).fit(train["body"].to_list(), train["stars"].to_numpy())
    assert fit(as_ours, NUMBER).predict(test)[:, 0] == pytest.approx(numbers.predict(test["body"].to_list()), abs=1e-9)


@pytest.mark.parametrize("learner", [one for one, *_ in CASES], ids=lambda one: one.use)
@pytest.mark.parametrize("components", [5, 100, None])
def test_it_is_the_same_when_it_was_saved_and_rows_alone_answer_as_among_others(
    learner: Learner, components: int | None, tmp_path: Path
) -> None:
    test = pl.concat([rows(9, seed=2).select("body"), pl.DataFrame({"body": ["", None, "zzz", "sad " * 99]})])
    for task in (LABEL, NUMBER):
        model = fit(learner.model_copy(update={"components": components}), task)
        first = model.predict(test)
        folder = tmp_path / task.kind
        folder.mkdir()
        model.save(folder)
        again = TreeModel.load(folder)
        assert (again.predict(test) == first).all()
        assert (np.concatenate([again.predict(test[at : at + 1]) for at in range(test.height)]) == first).all()
        assert again.predict(test.clear()).shape == (0, 3 if task is LABEL else 1)
        with pytest.raises(ModelError, match="reads the column 'body'"):
            again.predict(pl.DataFrame({"x": ["y"]}))


@pytest.mark.parametrize("learner", [DecisionTree(), RandomForest(), GradientBoosting()], ids=lambda one: one.use)
def test_as_they_stand_they_learn(learner: Learner) -> None:
    train, test = rows(300), rows(200, seed=2)
    model = fit(learner, LABEL, train)
    guessed = np.array(model.labels)[model.predict(test).argmax(axis=1)]
    assert (guessed == test["mood"].to_numpy()).mean() > 0.85
    off = fit(learner, NUMBER, train).predict(test)[:, 0] - test["stars"].to_numpy()
    assert np.abs(off).mean() < 0.4


def test_texts_without_common_words() -> None:
    train = pl.DataFrame({"body": ["a1", "b1", "c1", "d1"], "mood": ["x", "y", "x", "y"]})
    with pytest.raises(DataError, match="no word occurs in at least 2 of the training texts"):
        fit(RandomForest(), LABEL, train)
