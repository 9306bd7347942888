"""`tuned`: where options are searched, and for which tasks."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import pytest
from pydantic import BaseModel, Field, ValidationError
from tuning_offsets import fit, offset, texts

from seedbed.core.context import Context
from seedbed.core.errors import RecipeError
from seedbed.core.learner import who_learns
from seedbed.core.rows import ROW
from seedbed.core.search import Range, Search, spaces_of
from seedbed.core.task import (
    CausalLm,
    Chat,
    MultiLabelClassification,
    QuestionAnswering,
    Regression,
    Task,
    TextClassification,
    TextToText,
)
from seedbed.evaluate.forms import form_of
from seedbed.recipe.loading import load
from seedbed.train import GradientBoosting, NaiveBayes, TfidfLogistic, Tuned
from seedbed.train.composing.truth import truth_of, with_labels
from seedbed.train.tuned import USUAL


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
