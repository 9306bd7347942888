"""`tuned`: what it finds, that nested scores are honest, and the model that is left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from planted_offset import Offset
from sklearn.model_selection import StratifiedKFold
from tuning_offsets import BEST, NUMBERS, TEXTS, Heard, fit, numbers, offset, texts

from seedbed import run
from seedbed.core.context import Context
from seedbed.core.errors import ModelError
from seedbed.core.rows import ROW
from seedbed.core.task import TabularClassification
from seedbed.train import DecisionTree, NaiveBayes, TfidfLogistic, Tuned
from seedbed.train.tuned import TunedModel


class TestSearch:
    def test_it_finds_a_planted_optimum(self, tmp_path: Path) -> None:
        model = fit(offset(trials=40), tmp_path)
        assert model.trials[0].options == {"offset": 0.0}, "the learner as it stands is tried first"
        assert abs(model.chosen.options["offset"] - BEST) < 0.3
        assert model.chosen.score < 1.1 < 3 < model.trials[0].score
        assert model.predict(numbers(3))[0, 0] == model.chosen.options["offset"]

    def test_what_was_found_guides_what_is_proposed(self, tmp_path: Path) -> None:
        drawn, proposed = [], []
        for seed in range(3):
            model = fit(offset(trials=30), tmp_path, seed=seed)
            off = [abs(one.options["offset"] - BEST) for one in model.trials]
            drawn += off[1:10]
            proposed += off[10:]
        assert 3.5 < np.median(drawn) < 7, "uniform: 5"
        assert np.median(proposed) < 2.5

    def test_poor_ones_are_given_up(self, tmp_path: Path) -> None:
        model = fit(offset(trials=30, folds=4), tmp_path)
        lengths = {state: {len(one.scores) for one in model.trials if one.state == state} for state in ("pruned",)}
        pruned = [one for one in model.trials if one.state == "pruned"]
        assert len(pruned) > 3
        assert lengths["pruned"] <= {1, 2, 3}
        complete = [one for one in model.trials if one.state == "complete"]
        assert {len(one.scores) for one in complete} == {4}
        assert np.median([one.score for one in pruned]) > np.median([one.score for one in complete])
        assert model.chosen == min(complete, key=lambda one: one.score)
        assert f"{len(pruned)} pruned" in model.told[0]

    def test_progress(self, tmp_path: Path) -> None:
        heard = Heard()
        fit(offset(trials=6), tmp_path, progress=heard)
        assert heard.total == 6
        assert len(heard.shown) == 6
        assert heard.shown[-1][1].startswith("best rmse ")

    def test_a_metric_of_ones_own(self, tmp_path: Path) -> None:
        lower = fit(offset(trials=20, metric="mae"), tmp_path)
        higher = fit(offset(trials=20, metric="r2"), tmp_path)
        for model in (lower, higher):
            assert abs(model.chosen.options["offset"] - BEST) < 1
        assert higher.chosen.score == max(one.score for one in higher.trials if one.state == "complete")

    def test_options_that_fail_do_not_end_it(self, tmp_path: Path) -> None:
        model = fit(offset(learner={"fails_above": 5}, trials=20), tmp_path)
        failed = [one for one in model.trials if one.state == "failed"]
        assert failed
        assert all(one.options["offset"] > 5 for one in failed)
        assert {one.error for one in failed} == {"ZeroDivisionError: as it was told to"}
        assert abs(model.chosen.options["offset"] - BEST) < 1.5
        assert f"{len(failed)} failed" in model.told[0]

    def test_nothing_can_be_learned(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"none of 4 trials of planted_offset .* ZeroDivisionError") as caught:
            fit(offset(learner={"fails_above": -11}, trials=4), tmp_path)
        assert len(str(caught.value).splitlines()) <= 5

    def test_time_is_up(self, tmp_path: Path) -> None:
        model = fit(offset(learner={"seconds": 0.02}, trials=5000, minutes=0.01, at_once=1), tmp_path)
        assert 1 <= len(model.trials) < 20

    def test_few_points_are_all_tried_once(self, tmp_path: Path) -> None:
        model = fit(offset(over={"offset": [3.5, -1, 4, 9]}, trials=30), tmp_path)
        assert [one.options["offset"] for one in model.trials] == [3.5, -1, 4, 9]
        learner = {"use": "decision_tree", "min_samples_leaf": 1}
        tree = Tuned(learner=learner, over={"max_depth": {"low": 2, "high": 5}})
        found = tree.fit(numbers(), numbers().clear(), NUMBERS, Context(store=tmp_path))
        assert sorted(one.options["max_depth"] for one in found.trials) == [2, 3, 4, 5]

    def test_real_learners_gain(self, tmp_path: Path) -> None:
        """On texts of much noise, words must not be cut from the bottom, and weights held near 0."""
        learner = {"use": "tfidf_logistic", "characters": None, "words": [1, 1], "c": 0.001, "min_df": 12}
        over = {"c": {"low": 0.001, "high": 100, "log": True}, "min_df": {"low": 1, "high": 12}}
        model = fit(Tuned(learner=learner, over=over, trials=15), tmp_path, texts(160))
        assert isinstance(model.chosen.options["min_df"], int)
        test = texts(300, seed=2)
        plain = TfidfLogistic(**{**learner, "words": (1, 1)}).fit(texts(160), texts(0), TEXTS, Context(store=tmp_path))

        def right(told: Any) -> float:
            guessed = np.array(told.labels)[told.predict(test).argmax(axis=1)]
            return float((guessed == test["label"].to_numpy()).mean())

        assert right(model) > right(plain) + 0.1


@pytest.mark.slow
def test_nested_scores_are_honest(tmp_path: Path) -> None:
    """Labels are noise: the best of many looks better than chance, and what it says of other rows is chance."""
    drawn = np.random.default_rng(3)
    n = 240
    rows = pl.DataFrame(
        {ROW: [f"0:x#{i}" for i in range(n)], **{f"x{i}": drawn.normal(size=n) for i in range(4)}}
    ).with_columns(label=pl.Series(drawn.permutation(np.arange(n) % 2).astype(str)))
    task = TabularClassification(label="label", features=("x0", "x1", "x2", "x3"))
    tuned = Tuned(learner=DecisionTree(), trials=25, metric="accuracy")
    inner, right = [], 0
    for train, test in StratifiedKFold(4, shuffle=True, random_state=0).split(np.zeros(n), rows["label"]):
        model = tuned.fit(rows[train], rows.clear(), task, Context(store=tmp_path))
        inner.append(model.chosen.score)
        guessed = np.array(model.labels)[model.predict(rows[test].drop("label")).argmax(axis=1)]
        right += int((guessed == rows[test]["label"].to_numpy()).sum())
    standard_error = 0.5 / np.sqrt(n)
    assert np.mean(inner) > 0.5 + 1.5 * standard_error
    assert max(inner) < 0.7, "trees that are measured on what they learned from are right about nearly all of it"
    assert abs(right / n - 0.5) < 2 * standard_error
    assert np.mean(inner) > right / n


@pytest.mark.slow
def test_nested_scores_of_a_run_are_honest(tmp_path: Path) -> None:
    """`evaluate: {folds: 3}` searches anew in each outer fold; the same noise, by the real judge."""
    drawn = np.random.default_rng(3)
    rows = pl.DataFrame({f"x{i}": drawn.normal(size=300) for i in range(4)})
    rows.with_columns(label=pl.Series(drawn.permutation(np.arange(300) % 2).astype(str))).write_csv(tmp_path / "x.csv")
    recipe = {
        "seedbed": 1,
        "name": "noise",
        "task": {"kind": "tabular_classification", "label": "label", "features": list(rows.columns)},
        "sources": [{"use": "csv", "path": str(tmp_path / "x.csv")}],
        "split": {"use": "stratified", "train": 0.7, "validation": 0.1, "test": 0.2},
        "train": [{"use": "tuned", "learner": {"use": "decision_tree"}, "trials": 15, "metric": "accuracy"}],
        "evaluate": {"folds": 3, "metrics": ["accuracy"], "leakage": False},
    }
    finished = run(recipe, out=tmp_path / "run", workers=1)
    (model,) = finished.run.models
    told = orjson.loads((tmp_path / "run" / "models" / "decision_tree_tuned" / "tuned.json").read_bytes())
    nested = model.folds["accuracy"].mean
    assert abs(nested - 0.5) < 2 * 0.5 / np.sqrt(240)
    assert told["chosen"]["score"] > max(nested, 0.5) + 0.03
    assert model.told[0].startswith("decision_tree with max_depth = ")
    assert "best of 15 trials" in model.told[0]


class TestValidationRows:
    def test_they_choose_where_there_are_no_folds(self, tmp_path: Path) -> None:
        validation = numbers().with_columns(y=pl.col("y") - BEST - 5)
        tuned = offset(folds=None, trials=30)
        model = tuned.fit(numbers(), validation, NUMBERS, Context(store=tmp_path))
        assert abs(model.chosen.options["offset"] + 5) < 1
        assert {len(one.scores) for one in model.trials} == {1}

    def test_there_are_none(self, tmp_path: Path) -> None:
        heard = Heard()
        model = fit(offset(folds=None, trials=4), tmp_path, progress=heard)
        assert heard.said == ["tuned: there are no validation rows; options are chosen in 3 inner folds"]
        assert max(len(one.scores) for one in model.trials) == 3


class TestModel:
    def test_saved_and_loaded_it_is_the_same(self, tmp_path: Path) -> None:
        model = fit(Tuned(learner=NaiveBayes(), trials=5), tmp_path, texts(60))
        folder = tmp_path / "model"
        folder.mkdir()
        model.save(folder)
        again = TunedModel.load(folder)
        asked = texts(9, seed=2).drop("label")
        assert (again.predict(asked) == model.predict(asked)).all()
        assert (again.labels, again.told, again.chosen) == (model.labels, model.told, model.chosen)
        assert again.trials == tuple(model.trials)
        assert "naive_bayes with words = " in again.told[0]
        assert not list(folder.rglob("*.pkl"))

    def test_it_is_the_learners_model_with_those_options(self, tmp_path: Path) -> None:
        model = fit(Tuned(learner=NaiveBayes(), trials=5), tmp_path, texts(60))
        options = {**model.chosen.options, "words": tuple(model.chosen.options["words"])}
        plain = NaiveBayes(**options).fit(texts(60), texts(0), TEXTS, Context(store=tmp_path))
        asked = texts(9, seed=2).drop("label")
        assert (plain.predict(asked) == model.predict(asked)).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # Ray warns of itself
def test_on_ray_it_finds_the_same(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    from seedbed.engine.cluster import connected

    tuned = Tuned(learner=NaiveBayes(), trials=5)
    here = Context(store=tmp_path / "here")
    there = replace(here, store=tmp_path / "there", engine="ray", workers=2)
    alone = tuned.fit(texts(60), texts(0), TEXTS, here)
    with connected(there):
        on_ray = tuned.fit(texts(60), texts(0), TEXTS, there)
    assert [(one.options, one.scores) for one in alone.trials] == [(one.options, one.scores) for one in on_ray.trials]


def test_offset_is_a_learner() -> None:
    assert Offset(offset=1).fit(numbers(), numbers(), NUMBERS, Context()).predict(numbers(2)).tolist() == [[1], [1]]
