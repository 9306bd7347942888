"""`ensemble`: means, weights that were fitted on rows that the models did not learn from, and folders in folders."""

from __future__ import annotations

import random
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError
from sklearn.linear_model import LinearRegression
from sklearn.metrics import log_loss

from seedbed.core.context import Context
from seedbed.core.errors import DataError, ModelError, RecipeError
from seedbed.core.learner import who_learns
from seedbed.core.rows import ROW, WEIGHT
from seedbed.core.task import MultiLabelClassification, Regression, TabularRegression, Task, TextClassification
from seedbed.recipe.loading import parse
from seedbed.train import Ensemble, Majority, Mean, NaiveBayes, TfidfLogistic, TfidfRidge, Tuned
from seedbed.train.bundle import Preprocess, load_bundle, save_bundle
from seedbed.train.composing.weighing import weigh
from seedbed.train.ensemble import EnsembleModel

TASK = TextClassification(text="text", label="label")
SETS = MultiLabelClassification(text="text", label="label", labels=("bad", "good", "so"))
WORDS = {"bad": "awful sad broken late", "good": "lovely happy fine early", "so": "table chair lamp desk"}
TWO = (NaiveBayes(), TfidfLogistic())


def rows(n: int = 90, seed: int = 1) -> pl.DataFrame:
    drawn = random.Random(seed)
    labels = [drawn.choice(list(WORDS)) for _ in range(n)]
    noise = [f"w{i}" for i in range(100)]
    said = [" ".join([*drawn.choices(WORDS[one].split(), k=2), *drawn.choices(noise, k=6)]) for one in labels]
    return pl.DataFrame({ROW: [f"0:x#{i}" for i in range(n)], "text": said, "label": labels})


def fit(learner: Ensemble, store: Path, train: pl.DataFrame | None = None, task: Task = TASK) -> EnsembleModel:
    train = rows() if train is None else train
    return learner.fit(train, train.clear(), task, Context(store=store))


def asked(n: int = 20) -> pl.DataFrame:
    return rows(n, seed=2).drop("label")


class TestMean:
    def test_of_probabilities(self, tmp_path: Path) -> None:
        found = fit(Ensemble(learners=TWO), tmp_path).predict(asked())
        each = [one.fit(rows(), rows(0), TASK, Context(store=tmp_path)).predict(asked()) for one in TWO]
        assert found == pytest.approx((each[0] + each[1]) / 2, abs=1e-12)
        assert found.sum(axis=1) == pytest.approx(np.ones(20))

    def test_of_sets_of_labels(self, tmp_path: Path) -> None:
        train = rows().with_columns(label=pl.concat_list("label"))
        model = fit(Ensemble(learners=TWO, weights="stacked"), tmp_path, train, SETS)
        assert model.labels == ("bad", "good", "so")
        assert model.predict(asked()).shape == (20, 3)
        right = rows(20, seed=2)["label"].to_numpy()
        assert (np.array(model.labels)[model.predict(asked()).argmax(axis=1)] == right).mean() > 0.8

    def test_of_numbers(self, tmp_path: Path) -> None:
        train = rows().with_columns(label=pl.col("text").str.len_chars().cast(pl.Float64))
        two = (Mean(), TfidfRidge(scale="linear"))
        task = Regression(text="text", target="label")
        found = fit(Ensemble(learners=two), tmp_path, train, task).predict(asked())
        each = [one.fit(train, train.clear(), task, Context(store=tmp_path)).predict(asked()) for one in two]
        assert found.shape == (20, 1)
        assert found == pytest.approx((each[0] + each[1]) / 2)

    def test_one_row_is_as_all_at_once(self, tmp_path: Path) -> None:
        model = fit(Ensemble(learners=TWO, weights="stacked"), tmp_path)
        alone = np.concatenate([model.predict(asked()[i : i + 1]) for i in range(20)])
        assert alone == pytest.approx(model.predict(asked()), abs=1e-5)
        assert model.predict(asked(0)).shape == (0, 3)

    def test_the_tasks_labels_and_their_order_hold(self, tmp_path: Path) -> None:
        task = TASK.model_copy(update={"labels": ("so", "never", "bad", "good")})
        model = fit(Ensemble(learners=TWO, weights="stacked"), tmp_path, task=task)
        assert model.labels == ("so", "never", "bad", "good")
        assert (model.predict(asked())[:, 1] < 1e-9).all()

    def test_a_fold_may_lack_a_label(self, tmp_path: Path) -> None:
        train = rows().with_columns(label=pl.when(pl.col(ROW) == "0:x#7").then(pl.lit("rare")).otherwise("label"))
        model = fit(Ensemble(learners=TWO, weights="stacked"), tmp_path, train)
        assert model.labels == ("bad", "good", "rare", "so")
        assert sum(model.weights) == pytest.approx(1)


def _simplex(models: int, steps: int) -> list[np.ndarray]:
    whole = [one for one in product(range(steps + 1), repeat=models) if sum(one) == steps]
    return [np.array(one) / steps for one in whole]


class TestWeights:
    """`weigh` against a fine grid, and against least squares where that has no negative weight."""

    @pytest.mark.parametrize("models", [2, 3])
    def test_of_a_label(self, models: int) -> None:
        drawn = np.random.default_rng(models)
        truth = drawn.integers(0, 3, 200)
        answers = np.stack([_sure(drawn, truth, 1 + place) for place in range(models)])
        found = weigh("label", truth, answers, None)
        best = min(log_loss(truth, np.tensordot(w, answers, 1)) for w in _simplex(models, 60))
        assert log_loss(truth, np.tensordot(found, answers, 1)) <= best + 1e-6
        assert min(found) >= 0
        assert sum(found) == pytest.approx(1)
        assert 0.02 < max(found) < 0.98, "both are of use"

    def test_of_sets_of_labels(self) -> None:
        drawn = np.random.default_rng(5)
        truth = drawn.random((200, 4)) < 0.3
        answers = np.stack([np.where(truth, 0.6, 0.4) + drawn.normal(0, s, (200, 4)) for s in (0.15, 0.1, 0.2)])
        answers = answers.clip(0.01, 0.99)

        def loss(w: Any) -> float:
            mixed = np.tensordot(w, answers, 1)
            return float(-np.log(np.where(truth, mixed, 1 - mixed)).mean())

        found = weigh("labels", truth, answers, None)
        assert loss(found) <= min(map(loss, _simplex(3, 60))) + 1e-6
        assert sum(found) == pytest.approx(1)

    def test_of_numbers_against_least_squares(self) -> None:
        """On the simplex of two, the best is the slope of truth - b on a - b, where that lies between 0 and 1."""
        drawn = np.random.default_rng(6)
        truth = drawn.normal(1000, 300, 150)
        answers = np.stack([truth + drawn.normal(0, s, 150) for s in (80, 120)])[:, :, None]
        each = drawn.random(150)
        a, b = answers[0, :, 0], answers[1, :, 0]
        slope = LinearRegression(fit_intercept=False).fit((a - b)[:, None], truth - b, each).coef_[0]
        assert 0 < slope < 1
        assert weigh("number", truth, answers, each) == pytest.approx((slope, 1 - slope), abs=1e-5)

    def test_a_model_that_helps_nobody_counts_nothing(self) -> None:
        truth = np.arange(300) % 2
        good = np.where(truth[:, None] == np.arange(2), 0.9, 0.1)
        assert weigh("label", truth, np.stack([good, np.full((300, 2), 0.5), 1 - good]), None) == (1.0, 0.0, 0.0)

    def test_a_row_that_a_model_was_sure_of_and_wrong_does_not_break_it(self) -> None:
        truth = np.arange(100) % 2
        sure = np.where(truth[:, None] == np.arange(2), 1.0, 0.0)
        sure[0] = sure[0, ::-1]
        found = weigh("label", truth, np.stack([sure, np.full((100, 2), 0.5)]), None)
        assert 0 < found[1] < 0.1
        assert np.isfinite(found).all()

    def test_they_come_from_rows_that_the_models_did_not_see(self, tmp_path: Path) -> None:
        """A tree of single rows knows its training rows by heart: weighed on those, it would count for all."""
        train, task = noisy(), TabularRegression(target="y", features=("x",))
        tree = {"use": "decision_tree", "max_depth": None, "min_samples_leaf": 1, "scale": "linear"}
        learner = Ensemble(learners=[tree, {"use": "tabular_linear", "scale": "linear"}], weights="stacked")
        model = fit(learner, tmp_path, train, task)
        assert model.weights[1] > 0.6
        by_heart = model.models[0].predict(train.drop("y"))[:, 0]
        assert by_heart == pytest.approx(train["y"].to_numpy())

    def test_they_are_told(self, tmp_path: Path) -> None:
        model = fit(Ensemble(learners=(Majority(), NaiveBayes()), weights="stacked"), tmp_path)
        assert model.told == ("weights, fitted on folds of the training rows: majority 0.00, naive_bayes 1.00",)
        assert fit(Ensemble(learners=TWO), tmp_path).told == ()

    def test_rows_may_count_differently(self, tmp_path: Path) -> None:
        tree = {"use": "decision_tree", "max_depth": 3, "min_samples_leaf": 15, "scale": "linear"}
        learner = Ensemble(learners=[tree, {"use": "tabular_linear", "scale": "linear"}], weights="stacked")
        assert learner.heeds_weights
        task = TabularRegression(target="y", features=("x",))
        plain = fit(learner, tmp_path, noisy(), task).weights
        assert 0 < plain[0] < 1
        train = noisy().with_columns(pl.Series(WEIGHT, np.random.default_rng(0).exponential(size=150)))
        assert fit(learner, tmp_path, train, task).weights != plain


def noisy() -> pl.DataFrame:
    drawn = np.random.default_rng(1)
    frame = pl.DataFrame({ROW: [f"0:x#{i}" for i in range(150)], "x": drawn.normal(size=150)})
    return frame.with_columns(y=0.8 * pl.col("x").abs() + 0.2 * pl.col("x") + pl.Series(drawn.normal(size=150)))


def _sure(drawn: np.random.Generator, truth: np.ndarray, scale: float) -> np.ndarray:
    powers = np.exp(drawn.normal(0, 1, (len(truth), 3)) + scale * 0.5 * (truth[:, None] == np.arange(3)))
    return powers / powers.sum(axis=1, keepdims=True)


class TestKept:
    LEARNER = Ensemble(learners=(NaiveBayes(), Tuned(learner=TfidfLogistic(), trials=2, folds=2)), weights="stacked")

    @pytest.fixture
    def model(self, tmp_path: Path) -> EnsembleModel:
        return fit(self.LEARNER, tmp_path / "store")

    def test_saved_and_loaded_it_is_the_same(self, model: EnsembleModel, tmp_path: Path) -> None:
        folder = tmp_path / "model"
        folder.mkdir()
        model.save(folder)
        again = EnsembleModel.load(folder)
        assert (again.predict(asked()) == model.predict(asked())).all()
        assert (again.labels, again.weights, again.told) == (model.labels, model.weights, model.told)
        assert (folder / "1" / "tuned.json").is_file()

    def test_in_a_bundle_every_file_is_looked_at(self, model: EnsembleModel, tmp_path: Path) -> None:
        folder, before = tmp_path / "bundle", Preprocess(inputs=(), steps=(), golden=())
        bundle = save_bundle(model, folder, learner=self.LEARNER, task=TASK, preprocess=before)
        assert {"ensemble.json", "0/model.json", "1/tuned.json", "1/weights.safetensors"} <= set(bundle.files)
        assert bundle.options["learners"][0] == {"use": "naive_bayes"}
        again, _ = load_bundle(folder)
        assert (again.predict(asked()) == model.predict(asked())).all()
        place = folder / "1" / "model.json"
        place.write_bytes(place.read_bytes() + b" ")
        with pytest.raises(ModelError, match="damaged"):
            load_bundle(folder)
        place.unlink()
        with pytest.raises(ModelError, match="missing"):
            load_bundle(folder)

    def test_a_learner_that_is_not_installed(self, model: EnsembleModel, tmp_path: Path) -> None:
        folder = tmp_path / "model"
        folder.mkdir()
        model.save(folder)
        place = folder / "ensemble.json"
        place.write_text(place.read_text().replace("naive_bayes", "naive_bays"))
        with pytest.raises(ModelError, match="the learner 'naive_bays' inside the model is not known") as caught:
            EnsembleModel.load(folder)
        assert "did you mean 'naive_bayes'?" in str(caught.value)


class TestOptions:
    def test_it_learns_what_all_learn_and_what_has_a_mean(self) -> None:
        assert Ensemble(learners=TWO).learns == ("text_classification", "multi_label_classification")
        assert Ensemble(learners=(Majority(), Mean())).learns == ()
        assert Ensemble(learners=(Mean(), TfidfRidge())).learns == ("regression",)
        assert "ensemble" in who_learns("tabular_regression")
        assert "ensemble" not in who_learns("text_to_text")

    def test_it_needs_what_all_need(self) -> None:
        assert Ensemble(learners=TWO).extra == ""
        assert Ensemble(learners=[{"use": "embedding_logistic"}, {"use": "naive_bayes"}]).extra == "embed"

    def test_round_trip(self) -> None:
        made = TestKept.LEARNER
        assert Ensemble.model_validate(made.model_dump()) == made
        assert Ensemble.model_validate_json(made.model_dump_json()) == made

    def test_refusals(self) -> None:
        with pytest.raises(ValidationError) as caught:
            Ensemble.model_validate({"learners": [{"use": "naive_bayes"}, {"use": "tfidf_logistik"}]})
        error = caught.value.errors()[0]
        assert error["loc"] == ("learners", 1, "use")
        assert error["ctx"]["hint"] == "did you mean 'tfidf_logistic'?"
        with pytest.raises(ValidationError, match="at least 2"):
            Ensemble(learners=(NaiveBayes(),))

    def test_a_recipe_whose_task_it_cannot_learn(self) -> None:
        recipe = {
            "seedbed": 1,
            "name": "pairs",
            "task": {"kind": "text_to_text", "text": "a", "target": "b"},
            "sources": [{"use": "csv", "path": "rows.csv"}],
            "train": [{"use": "ensemble", "learners": [{"use": "nearest"}, {"use": "copy_input"}]}],
        }
        with pytest.raises(RecipeError, match=r"train.0.use: 'ensemble' learns nobody"):
            parse(recipe)

    def test_too_few_rows_for_the_folds(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="cannot be dealt to 5 folds"):
            fit(Ensemble(learners=TWO, weights="stacked"), tmp_path, rows(4))
