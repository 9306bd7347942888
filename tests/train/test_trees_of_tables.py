"""Trees answer as scikit-learn's do, to the last bit."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learning_tables import FEW, LABELS, NUMBERS, asked, fit, seen, table
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.learner import Learner
from seedbed.core.rows import WEIGHT
from seedbed.core.task import Task
from seedbed.train import DecisionTree, GradientBoosting, RandomForest, TabularLinear
from seedbed.train.columns import ColumnFeatures
from seedbed.train.tabular import Lesson
from seedbed.train.tree_model import TreeModel
from seedbed.train.trees import Trees


def grown(learner: Learner, lesson: Lesson, seed: int) -> Any:
    """What scikit-learn itself grows with a learner's options."""
    named = bool(lesson.labels)
    if isinstance(learner, DecisionTree):
        kind: Any = DecisionTreeClassifier if named else DecisionTreeRegressor
        made = kind(max_depth=6, min_samples_leaf=5, random_state=seed)
    elif isinstance(learner, RandomForest):
        kind = RandomForestClassifier if named else RandomForestRegressor
        made = kind(n_estimators=15, min_samples_leaf=2, random_state=seed)
    else:
        kind = HistGradientBoostingClassifier if named else HistGradientBoostingRegressor
        made = kind(
            max_iter=40, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=16, early_stopping=False,
            categorical_features=lesson.columns.categories, random_state=seed,
        )  # fmt: skip
    return made.fit(lesson.features, lesson.right)


TREES = [DecisionTree(), RandomForest(**FEW), GradientBoosting(max_iter=40)]


@pytest.mark.parametrize("learner", TREES, ids=lambda one: one.use)
@pytest.mark.parametrize("kind", ["two labels", "three labels", "number"])
def test_answers_are_scikit_learns_to_the_last_bit(learner: Learner, kind: str, tmp_path: Path) -> None:
    train, test = table(250), table(400, 2, missing=0.3)
    task: Task = NUMBERS if kind == "number" else LABELS
    if kind == "two labels":
        train, test = (rows.with_columns(label=(pl.col("target") > 90).cast(pl.String)) for rows in (train, test))
    # Categories that no training row has, numbers beyond all others, and what is no number.
    test = test.with_columns(
        thing=pl.when(pl.int_range(400) % 7 == 0).then(pl.lit("piano")).otherwise("thing"),
        width=pl.when(pl.int_range(400) % 11 == 0).then(1e300).when(pl.int_range(400) % 13 == 0).then(-np.inf)
        .when(pl.int_range(400) % 17 == 0).then(np.nan).otherwise("width"),
    )  # fmt: skip
    model = fit(learner, train, task)
    model.save(tmp_path)
    lesson = Lesson.of(seen(train, task), task, in_order=not isinstance(learner, GradientBoosting))
    theirs = grown(learner, lesson, Context().seed)
    features = lesson.columns.of(asked(test, task))
    assert np.isnan(features).any()
    if task is NUMBERS:
        assert lesson.scale.log
        expected = lesson.scale.back(theirs.predict(features))
    else:
        expected = theirs.predict_proba(features)
    assert len(np.unique(expected)) > 10
    assert np.array_equal(model.predict(asked(test, task)), expected)
    assert np.array_equal(TreeModel.load(tmp_path).predict(asked(test, task)), expected)


@pytest.mark.parametrize("labels", [8, 9, 20])
def test_many_labels_are_answered_to_the_last_bit(labels: int) -> None:
    rows = table(400).with_columns(label=(pl.int_range(400) % labels).cast(pl.String))
    model = fit(GradientBoosting(max_iter=10), rows, LABELS)
    lesson = Lesson.of(seen(rows, LABELS), LABELS)
    theirs = HistGradientBoostingClassifier(
        max_iter=10, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=20, early_stopping=False,
        categorical_features=lesson.columns.categories, random_state=Context().seed,
    ).fit(lesson.features, lesson.right)  # fmt: skip
    answers = model.predict(asked(rows, LABELS))
    assert np.array_equal(answers, theirs.predict_proba(lesson.features))
    assert np.array_equal(model.predict(asked(rows.head(1), LABELS)), answers[:1])


@pytest.mark.parametrize("learner", TREES, ids=lambda one: one.use)
def test_numbers_at_a_threshold_and_beside_it_go_where_scikit_learns_go(learner: Learner) -> None:
    train = seen(table(250), NUMBERS).select("width", "age", "target")
    model = learner.fit(train, train.clear(), NUMBERS, Context())
    lesson = Lesson.of(train, NUMBERS)
    at = model.trees.threshold[(model.trees.left >= 0) & np.isfinite(model.trees.threshold)][:400]
    near = np.concatenate([at, np.nextafter(at, np.inf), np.nextafter(at, -np.inf)])
    features = np.column_stack([near, np.roll(near, 1)])
    theirs = grown(learner, lesson, Context().seed)
    assert np.array_equal(model.answer(features), lesson.scale.back(theirs.predict(features)))


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_any_table_is_answered_as_scikit_learn_does(data: st.DataObject) -> None:
    rows = data.draw(st.integers(8, 40))
    number = st.none() | st.integers(-3, 3).map(float) | st.floats(-1e6, 1e6, width=32)
    word = st.none() | st.sampled_from(["a", "b", "c", "d"])
    columns = {
        "n": data.draw(st.lists(number, min_size=rows, max_size=rows)),
        "m": data.draw(st.lists(number, min_size=rows, max_size=rows)),
        "w": data.draw(st.lists(word, min_size=rows, max_size=rows)),
        "label": data.draw(
            st.lists(st.sampled_from("xyz"), min_size=rows, max_size=rows).filter(lambda x: len(set(x)) > 1)
        ),
    }
    kinds = {"n": pl.Float64, "m": pl.Float64, "w": pl.String, "label": pl.String}
    train = pl.DataFrame(columns, schema=kinds)
    try:
        lesson = Lesson.of(train, LABELS)
    except DataError:
        return
    booster = GradientBoosting(max_iter=5, min_samples_leaf=1).fit(train, train.clear(), LABELS, Context())
    theirs = HistGradientBoostingClassifier(
        max_iter=5, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=1, early_stopping=False,
        categorical_features=lesson.columns.categories, random_state=13,
    ).fit(lesson.features, lesson.right)  # fmt: skip
    assert np.array_equal(booster.predict(train), theirs.predict_proba(lesson.features))
    tree = DecisionTree(min_samples_leaf=1, max_depth=None).fit(train, train.clear(), LABELS, Context())
    ordered = Lesson.of(train, LABELS, in_order=True)
    plain = DecisionTreeClassifier(random_state=13).fit(ordered.features, ordered.right)
    assert np.array_equal(tree.predict(train), plain.predict_proba(ordered.features))


def test_weights_and_balance_are_scikit_learns() -> None:
    train, test = table(250), table(100, 2)
    weights = np.random.default_rng(5).uniform(0.2, 3, 250)
    heavy = seen(train, LABELS).with_columns(pl.Series(WEIGHT, weights))
    lesson = Lesson.of(heavy, LABELS, in_order=True)
    features = lesson.columns.of(asked(test, LABELS))
    for learner, theirs in (
        (
            DecisionTree(class_weight="balanced"),
            DecisionTreeClassifier(max_depth=6, min_samples_leaf=5, class_weight="balanced", random_state=13),
        ),
        (
            RandomForest(trees=9, class_weight="balanced"),
            RandomForestClassifier(9, min_samples_leaf=2, class_weight="balanced", random_state=13),
        ),
    ):
        found = learner.fit(heavy, heavy.clear(), LABELS, Context()).predict(asked(test, LABELS))
        expected = theirs.fit(lesson.features, lesson.right, sample_weight=weights).predict_proba(features)
        assert np.array_equal(found, expected)


def test_the_trees_that_are_left_out_are_not_kept() -> None:
    lesson = Lesson.of(seen(table(200), LABELS), LABELS)
    model = fit(GradientBoosting(max_iter=20), table(200), LABELS)
    few = model.trees.first(12)
    total = np.tile(model.start, (200, 1))
    for place, (where, added) in enumerate(model.trees.each(lesson.features)):
        if place < 12:
            total[:, where] += added
    assert np.array_equal(few.add(lesson.features, model.start), total)
    assert len(few.left) < len(model.trees.left) / 4
    assert len(few.values) == (few.left < 0).sum()
    assert len(few.goes_left) == (few.categories >= 0).sum()
    again = Trees.read(few.arrays())
    assert np.array_equal(again.add(lesson.features, model.start), total)
    assert model.trees.first(60).arrays().keys() == model.trees.arrays().keys()


def test_validation_rows_choose_how_many_trees_stay() -> None:
    train, validation = table(120), table(200, 3)
    noisy = train.with_columns(label=pl.Series(np.random.default_rng(1).permutation(train["label"].to_numpy())))
    learner = GradientBoosting(max_iter=60, learning_rate=0.3)
    assert len(fit(learner, train, LABELS).trees) == 60 * 3
    few = fit(learner, noisy, LABELS, validation)
    assert len(few.trees) < 30 * 3
    assert len(fit(learner, noisy, LABELS, validation.head(19)).trees) == 60 * 3
    # The number is that at which scikit-learn's own staged probabilities have the least log loss.
    lesson = Lesson.of(seen(noisy, LABELS), LABELS)
    theirs = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.3, max_leaf_nodes=15, min_samples_leaf=8, early_stopping=False,
        categorical_features=lesson.columns.categories, random_state=13,
    ).fit(lesson.features, lesson.right)  # fmt: skip
    features, right = lesson.others(seen(validation, LABELS), LABELS)
    losses = [-np.log(p[np.arange(200), right]).mean() for p in theirs.staged_predict_proba(features)]
    assert len(few.trees) == 3 * (int(np.argmin(losses)) + 1)
    number = fit(learner, train, NUMBERS, validation)
    assert 0 < len(number.trees) <= 60


def test_categories_in_the_order_of_what_is_right_make_better_trees() -> None:
    """One cut tells the letters of two groups apart, whatever their places in the alphabet."""
    letters = list("abcdefgh") * 20
    train = pl.DataFrame({"letter": letters, "target": [10.0 if one in "adeg" else 20.0 for one in letters]})
    model = DecisionTree(max_depth=1).fit(train, train.clear(), NUMBERS, Context())
    assert model.predict(train)[:, 0].tolist() == pytest.approx(train["target"].to_list())
    named = train.with_columns(
        label=pl.Series([{"a": "x", "d": "x", "b": "y", "c": "y"}.get(one, "z") for one in letters])
    ).drop("target")
    features = ColumnFeatures.learn(named.select("letter"))
    codes = Lesson.of(named, LABELS, in_order=True).columns.named["letter"]
    groups = [sorted(codes[one] for one in group) for group in ("ad", "bc", "efgh")]
    assert sorted(codes.values()) == list(range(8))
    assert all(group == list(range(group[0], group[0] + len(group))) for group in groups)
    assert features.named["letter"] == {letter: place for place, letter in enumerate("abcdefgh")}


def test_many_categories() -> None:
    """Of 300 categories the 200 most frequent are told apart; others are one."""
    random = np.random.default_rng(1)
    drawn = np.concatenate([np.arange(300), random.integers(0, 250, 2700)])
    train = pl.DataFrame({"code": [f"c{i:03}" for i in drawn], "target": (drawn % 7).astype(float)})
    lesson = Lesson.of(train, NUMBERS)
    theirs = HistGradientBoostingRegressor(
        max_iter=20, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=20, early_stopping=False,
        categorical_features=[True], random_state=13,
    ).fit(lesson.features, lesson.right)  # fmt: skip
    model = GradientBoosting(max_iter=20, scale="linear").fit(train, train.clear(), NUMBERS, Context())
    assert len(lesson.columns.named["code"]) == 200
    assert np.array_equal(model.predict(train)[:, 0], theirs.predict(lesson.features))
    assert np.isfinite(TabularLinear().fit(train, train.clear(), NUMBERS, Context()).predict(train)).all()


def test_what_a_forest_takes_on_disk(tmp_path: Path) -> None:
    """As its page says: some 30 bytes a node, and at most as many nodes a tree as there are training rows."""
    model = fit(RandomForest(**FEW), table(2_000), NUMBERS)
    model.save(tmp_path)
    nodes = len(model.trees.left)
    assert 25 < sum(path.stat().st_size for path in tmp_path.iterdir()) / nodes < 35
    assert 1_000 < nodes / 15 <= 2_000


def test_workers_change_nothing() -> None:
    train = seen(table(150), LABELS)
    one, two = (
        RandomForest(**FEW).fit(train, train.clear(), LABELS, replace(Context(), workers=workers)).predict(train)
        for workers in (1, 2)
    )
    assert np.array_equal(one, two)
