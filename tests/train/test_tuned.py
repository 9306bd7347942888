"""`tuned`: what it finds, that it goes on where it was killed, and that nested scores are honest."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import orjson
import polars as pl
import pytest
from planted_offset import Offset
from pydantic import BaseModel, Field, ValidationError
from sklearn.model_selection import StratifiedKFold

from seedbed import run
from seedbed.core.context import Context
from seedbed.core.errors import DataError, ModelError, RecipeError
from seedbed.core.learner import who_learns
from seedbed.core.rows import ROW
from seedbed.core.search import Range, Search, spaces_of
from seedbed.core.task import (
    CausalLm,
    Chat,
    MultiLabelClassification,
    QuestionAnswering,
    Regression,
    TabularClassification,
    TabularRegression,
    Task,
    TextClassification,
    TextToText,
)
from seedbed.evaluate.forms import form_of
from seedbed.recipe.loading import load
from seedbed.train import DecisionTree, GradientBoosting, NaiveBayes, TfidfLogistic, Tuned
from seedbed.train.composing.any_learner import code_here
from seedbed.train.composing.folds import deal
from seedbed.train.composing.truth import truth_of, with_labels
from seedbed.train.tuned import USUAL, TunedModel

NUMBERS = TabularRegression(target="y", features=("x",))
TEXTS = TextClassification(text="text", label="label")
BEST = 3.7


def numbers(n: int = 60, seed: int = 1) -> pl.DataFrame:
    drawn = np.random.default_rng(seed)
    y = drawn.normal(0, 1, n)
    return pl.DataFrame({ROW: [f"0:x#{i}" for i in range(n)], "x": np.arange(float(n)), "y": y - y.mean() + BEST})


def texts(n: int = 120, seed: int = 1) -> pl.DataFrame:
    drawn = random.Random(seed)
    words = {"bad": "awful sad broken late", "good": "lovely happy fine early"}
    labels = [drawn.choice(list(words)) for _ in range(n)]
    noise = [f"w{i}" for i in range(200)]
    said = [" ".join([drawn.choice(words[one].split()), *drawn.choices(noise, k=8)]) for one in labels]
    return pl.DataFrame({ROW: [f"0:x#{i}" for i in range(n)], "text": said, "label": labels})


def offset(**options: Any) -> Tuned:
    inner = {"use": "planted_offset", **options.pop("learner", {})}
    return Tuned.model_validate({"learner": inner, **options})


def fit(tuned: Tuned, store: Path, train: pl.DataFrame | None = None, **context: Any) -> TunedModel:
    train = numbers() if train is None else train
    task = NUMBERS if "y" in train.columns else TEXTS
    return tuned.fit(train, train.clear(), task, Context(store=store, **context))


class Heard:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.shown: list[tuple[float, str]] = []
        self.total: float | None = None

    def start(self, title: str, total: float | None, unit: str) -> Heard:
        self.total = total
        return self

    def advance(self, amount: float = 1, note: str = "", **more: Any) -> None:
        self.shown.append((amount, note))

    def finish(self, stage: object) -> None: ...

    def say(self, text: str) -> None:
        self.said.append(text)


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


class TestGoingOn:
    def test_same_seed_same_trials_and_another_is_another(self, tmp_path: Path) -> None:
        one, other = (fit(offset(trials=16), tmp_path / name, seed=5) for name in "ab")
        assert [trial.options for trial in one.trials] == [trial.options for trial in other.trials]
        assert one.chosen.options == other.chosen.options
        assert fit(offset(trials=16), tmp_path / "c", seed=6).trials[1].options != one.trials[1].options

    @pytest.mark.slow
    def test_workers_change_nothing(self, tmp_path: Path) -> None:
        tuned = Tuned(learner=NaiveBayes(), trials=8)
        alone, together = (fit(tuned, tmp_path / str(n), texts(60), workers=n) for n in (1, 2))
        assert [(one.options, one.scores) for one in alone.trials] == [(t.options, t.scores) for t in together.trials]

    @pytest.mark.slow
    def test_a_process_that_dies_is_a_failed_trial(self, tmp_path: Path) -> None:
        over = {"offset": [0.0, 3.5, 9.0, 4.0]}
        model = fit(offset(learner={"dies_above": 5}, over=over), tmp_path, workers=2)
        assert [one.state for one in model.trials] == ["complete", "complete", "failed", "complete"]
        assert "died" in model.trials[2].error
        assert model.chosen.options == {"offset": 3.5}

    def test_more_trials_go_on_from_fewer(self, tmp_path: Path) -> None:
        few = fit(offset(learner={"seconds": 0.01}, trials=8), tmp_path)
        more = fit(offset(learner={"seconds": 0.01}, trials=12), tmp_path)
        assert more.trials[:8] == few.trials, "the same, and the seconds are those of the first time"

    def test_other_rows_are_another_search(self, tmp_path: Path) -> None:
        one = fit(offset(trials=4), tmp_path)
        other = fit(offset(trials=4), tmp_path, numbers(seed=2))
        assert one.trials[0].scores != other.trials[0].scores

    def test_what_failed_is_tried_again(self, tmp_path: Path) -> None:
        fit(offset(learner={"fails_above": 5}, over={"offset": [1, 9]}), tmp_path)
        (place,) = tmp_path.glob("searches/*/tried.sqlite")
        with closing(sqlite3.connect(place)) as database:
            assert database.execute("select distinct options from tried").fetchall() == [('{"offset":1}',)]

    @pytest.mark.parametrize("content", [b"junk", b"SQLite format 3\0" + b"\xff" * 4080], ids=["junk", "header"])
    def test_what_was_found_and_is_damaged_is_found_again(self, tmp_path: Path, content: bytes) -> None:
        before = fit(offset(trials=4), tmp_path)
        (place,) = tmp_path.glob("searches/*/tried.sqlite")
        place.write_bytes(content)
        after = fit(offset(trials=4), tmp_path)
        assert [(one.options, one.scores) for one in after.trials] == [(t.options, t.scores) for t in before.trials]
        assert _tried(place) == sum(len(one.scores) for one in after.trials), "and kept again"

    @pytest.mark.slow
    def test_killed_in_the_middle_it_finds_the_same(self, tmp_path: Path) -> None:
        learner = {"seconds": 0.15}
        program = f"""
        import sys
        sys.path[:0] = [{str(Path(__file__).parent)!r}]
        from pathlib import Path
        from test_tuned import fit, offset
        if __name__ == "__main__":
            fit(offset(learner={learner!r}, trials=12), Path({str(tmp_path / "killed")!r}))
        """
        script = tmp_path / "search.py"
        script.write_text(textwrap.dedent(program))
        running = subprocess.Popen([sys.executable, str(script)], env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        before = 0
        deadline = time.monotonic() + 120
        while before < 10 and time.monotonic() < deadline:
            assert running.poll() is None, "it ended before it was killed"
            before = sum(map(_tried, (tmp_path / "killed").glob("searches/*/tried.sqlite")))
            time.sleep(0.05)
        running.send_signal(signal.SIGKILL)
        running.wait()
        (place,) = (tmp_path / "killed").glob("searches/*/tried.sqlite")
        before = _tried(place)
        known = _outcomes(place)
        code_here.cache_clear()  # somebody may have edited the code since this process looked at it
        whole = fit(offset(learner=learner, trials=12), tmp_path / "whole")
        fits = sum(len(one.scores) for one in whole.trials)
        assert 10 <= before < fits
        gone_on = fit(offset(learner=learner, trials=12), tmp_path / "killed")
        assert [(one.options, one.scores) for one in gone_on.trials] == [(t.options, t.scores) for t in whole.trials]
        assert gone_on.chosen.options == whole.chosen.options
        assert _tried(place) == fits
        assert known < _outcomes(place), "what was known was not computed again: the seconds would be others"


def _outcomes(place: Path) -> set[tuple[Any, ...]]:
    with closing(sqlite3.connect(place)) as database:
        return set(database.execute("select options, fold, score, seconds from tried").fetchall())


def _tried(place: Path) -> int:
    with closing(sqlite3.connect(place, timeout=10)) as database:
        try:
            return int(database.execute("select count(*) from tried").fetchone()[0])
        except sqlite3.OperationalError:  # just made
            return 0


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
    told = orjson.loads((tmp_path / "run" / "models" / "tuned" / "tuned.json").read_bytes())
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


class TestSpaces:
    def test_an_option_says_where_it_is_searched(self) -> None:
        assert spaces_of(TfidfLogistic)["c"] == Range(low=0.01, high=100, log=True)
        assert spaces_of(NaiveBayes)["weighting"] == ["tfidf", "counts"]
        schema = TfidfLogistic.model_json_schema()["properties"]
        assert schema["c"]["search"] == {"low": 0.01, "high": 100, "log": True}
        assert schema["c"]["exclusiveMinimum"] == 0
        assert "search" not in schema["max_iter"]

    def test_every_space_holds_values_that_the_option_can_have(self) -> None:
        from seedbed.core.learner import Learner
        from seedbed.train.tuning.spaces import searched

        found = 0
        for use, part in Learner.catalogue.items():
            if part.__module__.startswith("seedbed.") and spaces_of(part):
                needed = {"pretrained": "x"} if "pretrained" in part.model_fields else {}
                assert searched(part(use=use, **needed), {}) != {}
                found += 1
        assert found > 8

    def test_what_the_recipe_says_is_fixed_and_over_goes_first(self) -> None:
        from seedbed.train.tuning.spaces import searched

        assert list(searched(NaiveBayes(), {})) == ["words", "min_df", "alpha", "weighting"]
        assert list(searched(NaiveBayes(alpha=1, min_df=1), {})) == ["words", "weighting"]
        over = {"min_df": [1, 2], "words": None, "kind": ["complement", "multinomial"]}
        found = searched(NaiveBayes(alpha=1, min_df=1), over)
        assert found == {"weighting": ["tfidf", "counts"], "min_df": [1, 2], "kind": ["complement", "multinomial"]}

    def test_a_value_that_is_named_twice_is_tried_once(self) -> None:
        from seedbed.train.tuning.spaces import every_point, searched

        learner = NaiveBayes(words=(1, 1), min_df=1, weighting="counts")
        found = searched(learner, {"alpha": [1, 0.5, 1, 1], "kind": ["multinomial", "multinomial"]})
        assert found == {"alpha": [1, 0.5], "kind": ["multinomial"]}
        assert every_point(learner, found, 10) == [{"alpha": 0, "kind": 0}, {"alpha": 1, "kind": 0}]

    def test_what_was_said_is_known_after_a_round_trip(self) -> None:
        tuned = Tuned.model_validate({"learner": {"use": "naive_bayes", "alpha": 0.3}})
        assert Tuned.model_validate(tuned.model_dump()) == tuned
        assert tuned.model_dump(mode="json")["learner"] == {"use": "naive_bayes", "alpha": 0.3}
        assert Tuned(learner=NaiveBayes()).model_dump(mode="json") != tuned.model_dump(mode="json")

    @pytest.mark.parametrize(
        ("options", "at", "said", "hint"),
        [
            ({"learner": {"use": "naive_bays"}}, ("learner", "use"), "no learner 'naive_bays'", "'naive_bayes'"),
            ({"learner": {}}, ("learner",), "needs a learner", "use: NAME"),
            ({"over": {"alpa": [1]}}, ("over", "alpa"), "no such option of naive_bayes", "'alpha'"),
            ({"over": {"alpha": []}}, ("over", "alpha"), "has no values", "null"),
            ({"over": {"alpha": [1, -1]}}, ("over", "alpha"), "-1 cannot be tried", ""),
            ({"over": {"kind": {"low": 1, "high": 2}}}, ("over", "kind"), "is no number", "list the values"),
            ({"metric": "macro_f2"}, ("metric",), "no metric 'macro_f2'", "'macro_f1'"),
            ({"learner": {"use": "majority"}}, ("over",), "no option of majority is left", "as it is"),
            (
                {"learner": {"use": "tuned", "learner": {"use": "naive_bayes"}}},
                ("learner", "use"),
                "inside a",
                "itself",
            ),
        ],
    )
    def test_refusals(self, options: dict[str, Any], at: tuple[str, ...], said: str, hint: str) -> None:
        with pytest.raises(ValidationError) as caught:
            Tuned.model_validate({"learner": {"use": "naive_bayes"}, **options})
        (error,) = caught.value.errors()
        assert error["loc"] == at
        assert said in error["msg"]
        assert hint in error["ctx"]["hint"]

    @pytest.mark.parametrize("low_high", [(2, 1), (1, 1)])
    def test_a_range_ascends(self, low_high: tuple[int, int]) -> None:
        with pytest.raises(ValidationError, match="must be below high"):
            Range(low=low_high[0], high=low_high[1])
        with pytest.raises(ValidationError, match="above 0"):
            Range(low=0, high=1, log=True)

    def test_in_a_recipe_the_line_and_what_may_be_meant_are_told(self, tmp_path: Path) -> None:
        (tmp_path / "rows.csv").write_text("text,label\na,b\n")
        recipe = textwrap.dedent(
            """
            seedbed: 1
            name: notes
            task: {kind: text_classification, text: text, label: label}
            sources:
              - {use: csv, path: rows.csv}
            train:
              - use: tuned
                learner: {use: naive_bayes}
                over:
                  alpa: [1, 2]
            """
        ).lstrip()
        place = tmp_path / "recipe.yaml"
        place.write_text(recipe)
        with pytest.raises(
            RecipeError, match=r"recipe.yaml:10: train.0.over.alpa: .*no such option of naive_b"
        ) as told:
            load(place)
        assert "did you mean 'alpha'?" in str(told.value)
        place.write_text(recipe.replace("naive_bayes", "naive_bays"))
        with pytest.raises(RecipeError, match=r"recipe.yaml:8: train.0.learner.use: there is no learner") as told:
            load(place)
        assert "did you mean 'naive_bayes'?" in str(told.value)
        place.write_text(recipe.replace("alpa", "alpha"))
        assert load(place).recipe.train[0].learner == NaiveBayes()

    def test_limits_of_a_field_hold_beside_where_it_is_searched(self) -> None:
        class Options(BaseModel):
            c: Annotated[float, Field(gt=0, description="c"), Search(0.1, 10, log=True)] = 1.0

        with pytest.raises(ValidationError):
            Options(c=0)
        assert Options(c=1000).c == 1000
        assert spaces_of(Options) == {"c": Range(low=0.1, high=10, log=True)}


class TestTasks:
    def test_whoever_has_a_model_needs_what_the_learner_inside_needs(self) -> None:
        assert Tuned.extra == "tune"
        assert Tuned(learner=NaiveBayes()).extra == ""
        assert Tuned(learner={"use": "embedding_logistic"}).extra == "embed"

    def test_it_learns_what_the_learner_learns(self) -> None:
        assert Tuned(learner=NaiveBayes()).learns == NaiveBayes.learns
        assert Tuned(learner=GradientBoosting()).learns == GradientBoosting.learns
        assert Tuned(learner=NaiveBayes()).heeds_weights
        assert not offset().heeds_weights
        for kind in ("text_classification", "regression", "causal_lm", "chat", "question_answering"):
            assert "tuned" in who_learns(kind)

    def test_a_metric_of_another_task(self, tmp_path: Path) -> None:
        with pytest.raises(RecipeError, match="'accuracy' does not measure tabular_regression"):
            fit(offset(metric="accuracy"), tmp_path)

    def test_what_is_right_is_what_the_judge_says(self) -> None:
        chat = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
        spans = [{"text": "b", "start": 2}]
        rows = pl.DataFrame(
            {
                ROW: ["0:x#1", "0:x#2"],
                "text": ["a b", "c"],
                "label": ["y", "x"],
                "labels": [["y", "z"], []],
                "number": [1, 2],
                "spans": [spans, []],
                "chat": [chat, chat],
            },
            schema_overrides={"labels": pl.List(pl.String)},
        )
        tasks = [
            TextClassification(text="text", label="label"),
            MultiLabelClassification(text="text", label="labels"),
            Regression(text="text", target="number"),
            QuestionAnswering(question="text", context="text", answers="spans"),
            TextToText(text="text", target="label"),
            Chat(messages="chat"),
            CausalLm(text="text"),
        ]
        assert {task.says for task in tasks} == set(USUAL)
        for task in tasks:
            known = with_labels(task, rows)
            mine, theirs = truth_of(known, rows), form_of(known).truth(rows)
            same = mine.equals(theirs) if isinstance(mine, pl.Series) else np.array_equal(mine, theirs)
            assert same, task.kind

    def test_the_usual_metrics_are_those_that_decide(self) -> None:
        from seedbed.evaluate import USUAL_METRICS

        assert {says: names[0] for says, names in USUAL_METRICS.items()} == USUAL

    @pytest.mark.parametrize(
        ("task", "learner", "over"),
        [
            (TextToText(text="text", target="answer"), "nearest", {"min_df": [1, 2]}),
            (Chat(messages="chat"), "nearest", {"min_df": [1, 2]}),
            (QuestionAnswering(question="label", context="text", answers="spans"), "best_sentence", {"min_df": [1, 2]}),
            (CausalLm(text="text"), "ngram", {"order": [1, 4]}),
            (MultiLabelClassification(text="text", label="labels"), "naive_bayes", {"alpha": [0.1, 1.0]}),
            (Regression(text="text", target="number"), "tfidf_ridge", {"alpha": [0.1, 10.0]}),
        ],
        ids=lambda value: getattr(value, "kind", ""),
    )
    def test_every_kind_of_answer(self, task: Task, learner: str, over: dict[str, Any], tmp_path: Path) -> None:
        rows = texts(40).with_columns(
            answer=pl.col("label"),
            labels=pl.concat_list("label"),
            number=pl.col("label").str.len_chars().cast(pl.Float64),
            spans=pl.concat_list(pl.struct(text=pl.col("text").str.slice(0, 5), start=pl.lit(0, pl.Int64))),
            chat=pl.concat_list(
                pl.struct(role=pl.lit("user"), content=pl.col("text")),
                pl.struct(role=pl.lit("assistant"), content=pl.col("label")),
            ),
        )
        rows = rows.select(ROW, *task.seen(rows.columns))
        tuned = Tuned.model_validate({"learner": {"use": learner}, "over": over, "folds": 2, "trials": 2})
        assert task.kind in tuned.learns
        model = tuned.fit(rows, rows.clear(), task, Context(store=tmp_path))
        assert model.metric == USUAL[task.says]
        assert [one.state for one in model.trials] == ["complete", "complete"]
        assert len(model.predict(task.as_asked(rows))) == 40


class TestFolds:
    def test_labels_are_spread_evenly(self) -> None:
        rows = numbers(90).with_columns(label=pl.Series(["a"] * 60 + ["b"] * 27 + ["c"] * 3))
        task = TabularClassification(label="label", features=("x",), labels=("a", "b", "c"))
        dealt = deal(rows, task, 3, 13)
        counts = Counter(zip(dealt.tolist(), rows["label"], strict=True))
        assert {counts[fold, "a"] for fold in range(3)} == {20}
        assert {counts[fold, "b"] for fold in range(3)} == {9}
        assert {counts[fold, "c"] for fold in range(3)} == {1}
        assert (dealt != deal(rows, task, 3, 14)).any()

    def test_numbers_are_spread_evenly(self) -> None:
        rows = numbers(100)
        dealt = deal(rows, NUMBERS, 5, 13)
        means = [rows.filter(pl.Series(dealt == fold))["y"].mean() for fold in range(5)]
        assert np.bincount(dealt).tolist() == [20] * 5
        assert np.ptp(means) < 0.3

    def test_rows_that_belong_together_stay_together(self) -> None:
        plain = texts(40)
        copies = plain.with_columns(text=pl.col("text") + "!", row=pl.col(ROW) + "b")
        rows = pl.concat([plain, copies]).with_columns(patient=pl.Series([i % 40 // 4 for i in range(80)]))
        task = with_labels(TEXTS, rows)
        dealt = deal(rows, task, 4, 13)
        assert (dealt[:40] == dealt[40:]).all(), "near copies"
        assert Counter(deal(rows, task, 4, 13, "patient").tolist()).keys() == set(range(4))
        by_patient = rows.with_columns(fold=pl.Series(deal(rows, task, 4, 13, "patient")))
        assert by_patient.group_by("patient").agg(pl.col("fold").n_unique())["fold"].max() == 1
        assert (
            rows.with_columns(fold=pl.Series(dealt)).group_by("patient").agg(pl.col("fold").n_unique())["fold"].max()
            > 1
        )

    def test_equal_rows_of_a_table(self) -> None:
        rows = pl.concat([numbers(20), numbers(20)])
        dealt = deal(rows, NUMBERS, 4, 13)
        assert (dealt[:20] == dealt[20:]).all()

    def test_too_few(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"6 training rows in 1 group of rows .* cannot be dealt to 3 folds"):
            fit(Tuned(learner=NaiveBayes()), tmp_path, texts(1)[[0] * 6])
        with pytest.raises(DataError, match="no column 'patient'"):
            fit(offset(group="patient"), tmp_path)


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
