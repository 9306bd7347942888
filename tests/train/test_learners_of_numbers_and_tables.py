from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from seedbed.core.context import Context
from seedbed.core.encoder import open_encoder
from seedbed.core.errors import DataError, ModelError
from seedbed.core.learner import Learner, Model, who_learns
from seedbed.core.rows import WEIGHT
from seedbed.core.task import Regression, TabularClassification, TabularRegression, Task
from seedbed.train import (
    DecisionTree,
    EmbeddingRidge,
    GradientBoosting,
    Majority,
    Mean,
    RandomForest,
    TabularLinear,
    TfidfRidge,
)
from seedbed.train.columns import ColumnFeatures
from seedbed.train.scale import Scale
from seedbed.train.tabular import Lesson
from seedbed.train.tree_model import TreeModel
from seedbed.train.trees import Trees
from tiny_encoder import with_encoder

TEXTS = Regression(kind="regression", text="text", target="target")
NUMBERS = TabularRegression(kind="tabular_regression", target="target")
LABELS = TabularClassification(kind="tabular_classification", label="label")
THINGS = {"lamp": 20.0, "chair": 40.0, "table": 90.0, "sofa": 300.0, "shelf": 60.0}
MADE_OF = {"wood": 1.0, "oak": 1.6, "steel": 1.3, "gold": 4.0}


def table(n: int, seed: int = 1, *, missing: float = 0.15) -> pl.DataFrame:
    """Things with a price that depends on what they are, what they are made of, their width and their age."""
    random = np.random.default_rng(seed)
    thing, made_of = random.choice(list(THINGS), n), random.choice(list(MADE_OF), n)
    width, age = random.uniform(0.5, 3, n), random.integers(0, 40, n).astype(float)
    price = [THINGS[a] * MADE_OF[b] for a, b in zip(thing, made_of, strict=True)] * width * 0.98**age
    price = np.round(price * random.lognormal(0, 0.05, n), 2) if n else np.zeros(0)
    gone = random.random((3, n)) < missing
    label = np.where(price > 150, "dear", np.where(price > 60, "fair", "cheap"))
    return pl.DataFrame(
        {
            "row": [f"r{i}" for i in range(n)],
            "thing": [None if lost else str(a) for a, lost in zip(thing, gone[0], strict=True)],
            "made_of": made_of.tolist(),
            "width": [None if lost else w for w, lost in zip(width.tolist(), gone[1], strict=True)],
            "age": [None if lost else a for a, lost in zip(age.tolist(), gone[2], strict=True)],
            "name": [f"no. {seed}-{i}" for i in range(n)],
            "text": [f"a {b} {a}" for a, b in zip(thing, made_of, strict=True)],
            "target": price.tolist(),
            "label": label.tolist(),
        },
        schema_overrides={name: pl.String for name in ("row", "thing", "made_of", "name", "text", "label")}
        | {name: pl.Float64 for name in ("width", "age", "target")},
    )


def seen(rows: pl.DataFrame, task: Task) -> pl.DataFrame:
    """The columns that a learner gets: what the task reads, the answer and the row's name."""
    if isinstance(task, Regression):
        return rows.select("row", "text", "target")
    return rows.drop("text", "label" if task.answer == "target" else "target")


def fit(learner: Learner, train: pl.DataFrame, task: Task, validation: pl.DataFrame | None = None) -> Model[Any]:
    return learner.fit(
        seen(train, task), seen(train.clear() if validation is None else validation, task), task, Context()
    )


def asked(rows: pl.DataFrame, task: Task) -> pl.DataFrame:
    return task.as_asked(seen(rows, task))


FEW = {"trees": 15}
CASES = [
    (Mean(), TEXTS),
    (Mean(statistic="median"), NUMBERS),
    (TfidfRidge(), TEXTS),
    (EmbeddingRidge(alpha=0.01), TEXTS),
    (Majority(), LABELS),
    *((learner, task) for learner in (TabularLinear(), DecisionTree()) for task in (LABELS, NUMBERS)),
    (RandomForest(**FEW), LABELS),
    (RandomForest(**FEW), NUMBERS),
    (GradientBoosting(max_iter=40), LABELS),
    (GradientBoosting(max_iter=40), NUMBERS),
]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0].use}-{case[1].kind}")
def case(
    request: pytest.FixtureRequest, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Learner, Task]:
    monkeypatch.chdir(tmp_path)  # where the store comes to stand
    learner, task = request.param
    return with_encoder(learner, tiny), task


Case = tuple[Learner, Task]


class TestEveryLearner:
    def test_says_what_it_learns(self, case: Case) -> None:
        assert case[1].kind in case[0].learns
        assert case[0].use in who_learns(case[1].kind)

    def test_answers(self, case: Case) -> None:
        learner, task = case
        model = fit(learner, table(80), task)
        found = model.predict(asked(table(7, 2), task))
        assert found.dtype == np.float64
        assert np.isfinite(found).all()
        if task.says == "label":
            assert model.labels == ("cheap", "dear", "fair")
            assert found.shape == (7, 3)
            assert (found >= 0).all()
            assert found.sum(axis=1) == pytest.approx(np.ones(7))
            assert model.predict(asked(table(0), task)).shape == (0, 3)
        else:
            assert model.labels == ()
            assert found.shape == (7, 1)
            assert model.predict(asked(table(0), task)).shape == (0, 1)

    def test_saved_and_loaded_answers_the_same(self, case: Case, tmp_path: Path) -> None:
        learner, task = case
        model, folder = fit(learner, table(80), task), tmp_path / "model"
        folder.mkdir()
        model.save(folder)
        assert {path.suffix for path in folder.iterdir()} <= {".json", ".safetensors"}
        found = type(model).load(folder).predict(asked(table(40, 2), task))
        assert (found == model.predict(asked(table(40, 2), task))).all()
        assert learner.model is type(model)

    def test_one_row_is_as_all_at_once(self, case: Case) -> None:
        learner, task = case
        model, test = fit(learner, table(80), task), asked(table(40, 2), task)
        alone = np.concatenate([model.predict(test[i : i + 1]) for i in range(test.height)])
        assert alone == pytest.approx(model.predict(test), rel=1e-5)

    def test_learns(self, case: Case) -> None:
        learner, task = case
        if isinstance(learner, Mean | Majority):
            pytest.skip("it does not look")
        test = table(150, 2)
        found = fit(learner, table(400), task, table(60, 3)).predict(asked(test, task))
        if task.says == "label":
            told = np.array(["cheap", "dear", "fair"])[found.argmax(axis=1)]
            assert (told == test["label"].to_numpy()).mean() > 0.75
        else:
            off = np.abs(np.log(found[:, 0].clip(1)) - test["target"].log().to_numpy())
            plain = np.abs(test["target"].log() - test["target"].log().median()).to_numpy()
            assert off.mean() < 0.75 * plain.mean()

    def test_same_rows_same_model(self, case: Case) -> None:
        learner, task = case
        one, other = (fit(learner, table(60), task).predict(asked(table(30, 2), task)) for _ in "12")
        assert (one == other).all()

    def test_too_few_rows(self, case: Case) -> None:
        for n in (0, 2):
            with pytest.raises(DataError, match=f"{n} training rows are too few") as caught:
                fit(case[0], table(60).head(n), case[1])
            assert caught.value.at == case[1].answer

    def test_the_fewest_rows(self, case: Case) -> None:
        learner, task = case
        if "min_df" in type(learner).model_fields:
            learner = learner.model_copy(update={"min_df": 1})
        train = table(4).with_columns(label=pl.Series(["cheap", "dear"] * 2))
        model = fit(learner, train, task, table(30, 3))  # validation rows have a label that these lack
        assert np.isfinite(model.predict(asked(table(30, 2), task))).all()

    def test_one_answer_only(self, case: Case) -> None:
        with pytest.raises(DataError, match=r"all training rows have the (label 'dear'|number 7)") as caught:
            fit(case[0], table(60).with_columns(label=pl.lit("dear"), target=pl.lit(7.0)), case[1])
        assert len(str(caught.value).splitlines()) <= 5

    def test_an_answer_is_missing(self, case: Case) -> None:
        train = table(60)
        train = train.with_columns(
            pl.when(pl.int_range(60) == 5).then(None).otherwise(pl.col("label", "target")).name.keep()
        )
        with pytest.raises(DataError, match=r"1 training row has no (label|number)"):
            fit(case[0], train, case[1])

    def test_rows_without_a_column(self, case: Case) -> None:
        learner, task = case
        if isinstance(learner, Mean | Majority):
            pytest.skip("it does not look")
        with pytest.raises(ModelError, match=r"reads the column '(text|width)', which the rows do not have"):
            fit(learner, table(60), task).predict(asked(table(5), task).drop("text", "width", strict=False))

    def test_weights_are_heeded_and_are_no_column(self, case: Case) -> None:
        learner, task = case
        rows = table(60)
        alike = seen(rows, task).with_columns(pl.lit(1.0).alias(WEIGHT))
        one = learner.fit(alike, alike.clear(), task, Context()).predict(asked(table(30, 2), task))
        if not isinstance(learner, RandomForest):  # which draws rows by weight, in another way
            assert one == pytest.approx(fit(learner, rows, task).predict(asked(table(30, 2), task)))
        heavy = seen(rows, task).with_columns(pl.when(rows["target"] > 100).then(50.0).otherwise(1.0).alias(WEIGHT))
        plain = fit(learner, rows, task).predict(asked(table(30, 2), task))
        weighed = learner.fit(heavy, heavy.clear(), task, Context()).predict(asked(table(30, 2), task))
        assert learner.heeds_weights == (not np.allclose(plain, weighed))


def test_a_label_that_no_training_row_has() -> None:
    task = TabularClassification(kind="tabular_classification", label="label", labels=("fair", "free", "cheap", "dear"))
    for learner in (Majority(), TabularLinear(), DecisionTree(), RandomForest(**FEW), GradientBoosting(max_iter=30)):
        model = fit(learner, table(200), task, table(40, 3))
        found = model.predict(asked(table(20, 2), task))
        assert model.labels == task.names
        assert (found[:, 1] == 0).all()
        other = fit(learner, table(200), LABELS, table(40, 3)).predict(asked(table(20, 2), LABELS))
        assert found[:, [2, 3, 0]] == pytest.approx(other, abs=1e-4)


def test_two_labels() -> None:
    train = table(200).with_columns(label=pl.when(pl.col("target") > 100).then(pl.lit("yes")).otherwise(pl.lit("no")))
    for learner in (TabularLinear(), DecisionTree(), RandomForest(**FEW), GradientBoosting(max_iter=30)):
        found = fit(learner, train, LABELS).predict(asked(train, LABELS))
        assert found.sum(axis=1) == pytest.approx(np.ones(200))
        assert (np.array(["no", "yes"])[found.argmax(axis=1)] == train["label"].to_numpy()).mean() > 0.85


# Trees, to the last bit


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


# Weighted sums


def pipeline(train: pl.DataFrame, last: Any) -> Any:
    numbers, named = ["width", "age"], ["thing", "made_of"]
    scaled = make_pipeline(StandardScaler(), SimpleImputer(strategy="constant", fill_value=0.0, add_indicator=True))
    one_hot = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(make_column_transformer((scaled, numbers), (one_hot, named)), last)


def as_pandas(rows: pl.DataFrame) -> Any:
    named = ["thing", "made_of"]
    table = rows.select("width", "age", pl.col(named).fill_null("(missing)"))
    return table.to_pandas().astype(dict.fromkeys(named, object))


def test_weighted_sums_of_columns_are_scikit_learns() -> None:
    pytest.importorskip("pandas")
    train, test = table(300), table(100, 2)
    frames = [as_pandas(rows) for rows in (train, test)]
    theirs = pipeline(train, LogisticRegression(C=1.0, tol=1e-8, max_iter=2000)).fit(
        frames[0], train["label"].to_list()
    )
    found = fit(TabularLinear(), train, LABELS).predict(asked(test, LABELS))
    assert found == pytest.approx(theirs.predict_proba(frames[1]), abs=1e-4)
    numbers = pipeline(train, Ridge(alpha=0.5)).fit(frames[0], train["target"].log().to_numpy())
    found = fit(TabularLinear(c=2, scale="log"), train, NUMBERS).predict(asked(test, NUMBERS))
    assert found[:, 0] == pytest.approx(np.exp(numbers.predict(frames[1])), rel=1e-4)


def test_ridge_on_terms_is_scikit_learns() -> None:
    train, test = table(200), table(60, 2)
    weights = np.random.default_rng(5).uniform(0.2, 3, 200)
    more: dict[str, Any] = {"min_df": 2, "sublinear_tf": True}
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), **more), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), **more)
    )
    for scale, to, back in (("linear", np.asarray, np.asarray), ("log", np.log, np.exp)):
        theirs = make_pipeline(features, Ridge(alpha=0.7, tol=1e-10)).fit(
            train["text"].to_list(), to(train["target"].to_numpy()), ridge__sample_weight=weights
        )
        heavy = seen(train, TEXTS).with_columns(pl.Series(WEIGHT, weights))
        model = TfidfRidge(alpha=0.7, scale=scale).fit(heavy, heavy.clear(), TEXTS, Context())
        found = model.predict(asked(test, TEXTS))[:, 0]
        assert found == pytest.approx(back(theirs.predict(test["text"].to_list())), rel=1e-4)


def test_ridge_on_embeddings_is_scikit_learns(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    train, test = table(150), table(40, 2)
    encoder = open_encoder(str(tiny))
    embedded = [encoder.encode(rows["text"].to_list(), max_tokens=256) for rows in (train, test)]
    theirs = Ridge(alpha=0.1).fit(embedded[0].astype(np.float64), train["target"].to_numpy())
    learner = with_encoder(EmbeddingRidge(alpha=0.1, scale="linear"), tiny)
    found = fit(learner, train, TEXTS).predict(asked(test, TEXTS))[:, 0]
    assert found == pytest.approx(theirs.predict(embedded[1]), rel=1e-3, abs=1e-2)


def test_a_column_that_is_constant_but_for_rounding_is_none() -> None:
    for odd, others in ((1e9 + 1e-7, 1e9), (float("inf"), 2.0), (float("inf"), -float("inf"))):
        width = pl.when(pl.int_range(60) % 2 == 0).then(odd).otherwise(others)
        train = table(60).with_columns(width=width)
        found = fit(TabularLinear(), train, NUMBERS).predict(asked(train, NUMBERS))
        without = TabularLinear().fit(seen(train, NUMBERS).drop("width"), train.clear(), NUMBERS, Context())
        assert np.isfinite(found).all()
        assert odd > 1e10 or found == pytest.approx(without.predict(asked(train, NUMBERS)), rel=0.05)


def test_wild_numbers_are_survived() -> None:
    """Numbers as large as can be are neither infinite nor a warning."""
    train, test = table(60), table(10, 2).with_columns(width=pl.lit(1e308), age=pl.lit(-np.inf))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for learner, task in CASES[5:]:
            assert np.isfinite(fit(learner, train, task).predict(asked(test, task))).all()


# Options, scales, columns


def test_mean_and_median() -> None:
    train = pl.DataFrame({"text": list("abcd"), "target": [1.0, 2.0, 3.0, 94.0]})
    assert Mean().fit(train, train, TEXTS, Context()).predict(train).tolist() == [[25.0]] * 4
    assert Mean(statistic="median").fit(train, train, TEXTS, Context()).predict(train).tolist() == [[2.5]] * 4


def test_scale() -> None:
    prices, ratings = pl.Series([1.0, 10.0, 100.0, 1000.0, 10000.0]), pl.Series([1.0, 2.0, 3.0, 4.0, 5.0])
    assert Scale.of(prices).log
    assert not Scale.of(ratings).log
    assert not Scale.of(pl.Series([0.0, 1.0, 10.0, 100.0])).log
    for scale in (Scale(log=True), Scale(log=False)):
        assert scale.back(scale.to(prices))[:, 0] == pytest.approx(prices.to_numpy())
    assert np.isfinite(Scale(log=True).back([1e9, -1e9])).all()
    assert Scale.asked("log", ratings).log
    assert not Scale.asked("linear", prices).log


def test_logarithms_of_what_has_none() -> None:
    train = table(60).with_columns(target=pl.col("target") - 100)
    for learner, task in ((TfidfRidge(scale="log"), TEXTS), (GradientBoosting(scale="log"), NUMBERS)):
        with pytest.raises(DataError, match="number of 0 or below, which has no logarithm") as caught:
            fit(learner, train, task)
        assert caught.value.at == "target"
        assert "scale: linear" in caught.value.hint
    assert np.isfinite(fit(TfidfRidge(), train, TEXTS).predict(asked(train, TEXTS))).all()


def test_no_column_tells_anything() -> None:
    train = pl.DataFrame({"name": [f"n{i}" for i in range(20)], "one": ["x"] * 20, "label": ["a", "b"] * 10})
    for learner in (TabularLinear(), DecisionTree(), RandomForest(), GradientBoosting()):
        with pytest.raises(DataError, match=r"no column tells anything that could be learned \(name, one\)"):
            learner.fit(train, train.clear(), LABELS, Context())


def test_categories_alone_and_numbers_alone() -> None:
    train = table(120)
    for names in (["made_of"], ["thing", "made_of"], ["width"]):
        task = LABELS.model_copy(update={"features": tuple(names)})
        rows = train.select(*names, "label")
        for learner in (TabularLinear(), DecisionTree(), RandomForest(**FEW), GradientBoosting(max_iter=9)):
            found = learner.fit(rows, rows.clear(), task, Context()).predict(task.as_asked(rows))
            assert found.sum(axis=1) == pytest.approx(np.ones(120))


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


def test_columns_of_every_type() -> None:
    from datetime import date, datetime

    rows = pl.DataFrame(
        {
            "day": [date(2024, 1, i + 1) for i in range(20)],
            "moment": [datetime(2024, 1, i + 1, 12) for i in range(20)],
            "flag": [True, False] * 10,
            "kind": pl.Series(["a", "b", "c", "d"] * 5, dtype=pl.Categorical),
            "told": [" 1.5", "2", "", "4"] * 5,
            "whole": list(range(20)),
            "list": [[1]] * 20,
            "bytes": [b"x", b"y"] * 10,
            "nothing": [None] * 20,
            "label": ["a", "b"] * 10,
        }
    )
    found = ColumnFeatures.learn(rows.drop("label"))
    assert found.numbers == ("day", "moment", "flag", "told", "whole")
    assert list(found.named) == ["kind"]
    features = found.of(rows)
    assert features[:, 1] - features[:, 0] == pytest.approx(np.full(20, 12 * 3600e6))
    finer = rows.with_columns(pl.col("moment").cast(pl.Datetime("ns")), kind=pl.lit(None))
    assert np.array_equal(found.of(finer)[:, :5], features[:, :5], equal_nan=True)
    assert np.isnan(found.of(finer)[:, 5]).all()
    assert ColumnFeatures.read(found.saved()) == found


@pytest.mark.parametrize(
    ("learner", "options"),
    [
        (Mean, {"statistic": "mode"}),
        (TfidfRidge, {"alpha": 0}),
        (TfidfRidge, {"words": None, "characters": None}),
        (EmbeddingRidge, {"scale": "root"}),
        (TabularLinear, {"c": -1}),
        (DecisionTree, {"max_depth": 0}),
        (RandomForest, {"max_features": 2}),
        (GradientBoosting, {"learning_rate": 0}),
        (GradientBoosting, {"min_samples_leaf": 0}),
    ],
)
def test_options_that_make_no_sense(learner: type[Learner], options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        learner.model_validate(options)


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


@pytest.mark.parametrize(
    ("learner", "example"),
    [
        (kind, example)
        for kind in (Mean, TfidfRidge, EmbeddingRidge, TabularLinear, DecisionTree, RandomForest, GradientBoosting)
        for example in kind.examples
    ],
    ids=lambda one: one.__name__ if isinstance(one, type) else one.title,
)
def test_examples(learner: type[Learner], example: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is the column `target` or `label`; where there is a `text`, it is read, else all other columns are."""
    monkeypatch.chdir(tmp_path)
    rows = pl.DataFrame(example.before)
    task: Task = LABELS if "label" in rows.columns else TEXTS if "text" in rows.columns else NUMBERS
    made = learner.model_validate(example.options)
    made.check_needs()
    model = made.fit(rows, rows, task, Context())
    found = model.predict(task.as_asked(rows))
    if task is LABELS:
        assert [model.labels[i] for i in found.argmax(axis=1)] == example.after["predicted"]
    else:
        assert found[:, 0].tolist() == pytest.approx(example.after["predicted"], rel=1e-3)
