"""Learners of numbers and tables: what all of them keep to, their options and their examples."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from learning_tables import CASES, FEW, LABELS, NUMBERS, TEXTS, asked, fit, seen, table
from pydantic import ValidationError

from seedbed.core.context import Context
from seedbed.core.errors import DataError, ModelError
from seedbed.core.learner import Learner, who_learns
from seedbed.core.rows import WEIGHT
from seedbed.core.task import TabularClassification, Task
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
from seedbed.train.scale import Scale
from tiny_encoder import with_encoder


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


def test_wild_numbers_are_survived() -> None:
    """Numbers as large as can be are neither infinite nor a warning."""
    train, test = table(60), table(10, 2).with_columns(width=pl.lit(1e308), age=pl.lit(-np.inf))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for learner, task in CASES[5:]:
            assert np.isfinite(fit(learner, train, task).predict(asked(test, task))).all()


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
    train = table(120).with_columns(n=pl.col("made_of"), count=pl.col("width"))  # what Polars calls counts, too
    for names in (["made_of"], ["thing", "made_of"], ["width"], ["n", "count"]):
        task = LABELS.model_copy(update={"features": tuple(names)})
        rows = train.select(*names, "label")
        for learner in (TabularLinear(), DecisionTree(), RandomForest(**FEW), GradientBoosting(max_iter=9)):
            found = learner.fit(rows, rows.clear(), task, Context()).predict(task.as_asked(rows))
            assert found.sum(axis=1) == pytest.approx(np.ones(120))


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
