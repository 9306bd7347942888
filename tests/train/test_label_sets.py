"""Learners of rows that have any number of labels: what all of them keep to, what is coded, told and kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from label_sets_sample import LABELS, TASK, WORDS, Heard, fit, rows
from scipy.special import expit
from sklearn.metrics import f1_score

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.learner import Learner, who_learns
from seedbed.core.task import TextClassification
from seedbed.train import (
    EmbeddingLogistic,
    Majority,
    NaiveBayes,
    Rules,
    TfidfEmbeddingLogistic,
    TfidfLogistic,
    TfidfSvm,
)
from seedbed.train.linear import LinearModel, logistic
from seedbed.train.target_sets import held_by, known_of, target_sets_of
from tiny_encoder import with_encoder

RULES = [{"label": label, "pattern": words.replace(" ", "|")} for label, words in WORDS.items()]
LEARNERS: list[Learner] = [
    Majority(),
    Rules.model_validate({"rules": RULES}),
    NaiveBayes(),
    NaiveBayes(kind="multinomial", weighting="counts", alpha=1),
    TfidfLogistic(),
    TfidfSvm(),
    EmbeddingLogistic(c=20),
    TfidfEmbeddingLogistic(),
]


@pytest.fixture(params=LEARNERS, ids=lambda learner: learner.use)
def learner(request: pytest.FixtureRequest, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Learner:
    monkeypatch.chdir(tmp_path)  # where the store comes to stand
    return with_encoder(request.param, tiny)


class TestEveryLearner:
    def test_probabilities(self, learner: Learner) -> None:
        assert "multi_label_classification" in type(learner).learns
        model = fit(learner, rows(60))
        found = model.predict(rows(7, seed=2).drop("moods"))
        assert model.labels == LABELS
        assert found.shape == (7, 3)
        assert found.dtype == np.float64
        assert ((found >= 0) & (found <= 1)).all()
        assert model.predict(rows(0)).shape == (0, 3)

    def test_learns(self, learner: Learner) -> None:
        train, test = rows(300), rows(200, seed=2)
        truth = held_by(test["moods"], LABELS)
        found = fit(learner, train).predict(test)
        if isinstance(learner, Majority):
            assert found[0] == pytest.approx(held_by(train["moods"], LABELS).mean(axis=0))
            return
        assert f1_score(truth, found >= 0.5, average="macro") > 0.9

    def test_a_saved_model_answers_the_same(self, learner: Learner, tmp_path: Path) -> None:
        model = fit(learner, rows(60))
        folder = tmp_path / "model"
        folder.mkdir()
        model.save(folder)
        read = type(model).load(folder)
        test = rows(20, seed=2)
        assert read.labels == model.labels
        assert (read.predict(test) == model.predict(test)).all()
        assert {one.suffix for one in folder.iterdir()} <= {".json", ".safetensors"}

    def test_one_row_is_as_all_at_once(self, learner: Learner) -> None:
        model, test = fit(learner, rows(60)), rows(20, seed=2)
        alone = np.concatenate([model.predict(test[i : i + 1]) for i in range(test.height)])
        assert alone == pytest.approx(model.predict(test), abs=1e-5)

    def test_the_tasks_labels_and_their_order_hold(self, learner: Learner) -> None:
        task = TASK.model_copy(update={"labels": ("sad", "never", "glad", "home")})
        train, test = rows(60), rows(7, seed=2)
        model = fit(learner, train, task)
        found, plain = model.predict(test), fit(learner, train).predict(test)
        assert model.labels == task.labels
        assert found[:, [2, 3, 0]] == pytest.approx(plain, abs=1e-4)
        assert (found[:, 1] < 0.01).all()

    def test_a_label_of_too_few_rows_gets_its_share(self, learner: Learner) -> None:
        task = TASK.model_copy(update={"labels": (*LABELS, "rare", "always")})
        train = rows(60).with_columns(
            moods=pl.when(pl.int_range(pl.len()) < 2)
            .then(pl.concat_list("moods", pl.lit("rare"), pl.lit("always")))
            .otherwise(pl.concat_list("moods", pl.lit("always")))
        )
        found = fit(learner, train, task).predict(rows(9, seed=2))
        exact = isinstance(learner, Majority | Rules)
        assert found[:, 3] == pytest.approx(np.full(9, 2 / 60 if exact else 2.5 / 61))
        if not isinstance(learner, Rules):  # which never give a label that has no rule
            assert found[:, 4] == pytest.approx(np.full(9, 1 if exact else 60.5 / 61))

    def test_same_rows_same_model(self, learner: Learner) -> None:
        one, other = (fit(learner, rows(60), context=Context(seed=5)).predict(rows(9, seed=2)) for _ in "12")
        assert (one == other).all()

    @pytest.mark.parametrize("n", [0, 2])
    def test_too_few_rows(self, learner: Learner, n: int) -> None:
        with pytest.raises(DataError, match=f"^moods: {n} training rows are too few"):
            fit(learner, rows(60).head(n))

    def test_all_alike(self, learner: Learner) -> None:
        for labels, told in ((["glad", "sad"], "'glad', 'sad'"), ([], "none")):
            train = rows(30).with_columns(moods=pl.Series([labels] * 30, dtype=pl.List(pl.String)))
            with pytest.raises(DataError, match=rf"the same labels \({told}\)") as caught:
                fit(learner, train)
            assert len(str(caught.value).splitlines()) <= 5

    def test_what_is_not_known(self, learner: Learner) -> None:
        with pytest.raises(DataError, match="'sad', which the task does not know"):
            fit(learner, rows(60), TASK.model_copy(update={"labels": ("glad", "home")}))
        train = rows(60).with_columns(moods=pl.when(pl.int_range(pl.len()) > 0).then("moods"))
        with pytest.raises(DataError, match="of 1 training row nobody said which labels"):
            fit(learner, train)


def test_these_learn_both() -> None:
    assert {learner.use for learner in LEARNERS} <= set(who_learns("multi_label_classification"))
    assert {learner.use for learner in LEARNERS} <= set(who_learns("text_classification"))


def test_words_that_no_training_text_has_say_no_more_than_how_frequent_labels_are() -> None:
    train = rows(60).with_columns(moods=pl.col("moods").list.set_union(pl.lit(["home"])))
    train = train.with_columns(moods=pl.when(pl.int_range(60) < 10).then([]).otherwise("moods"))
    for learner in (NaiveBayes(), NaiveBayes(kind="multinomial"), TfidfLogistic(), TfidfSvm()):
        found = fit(learner, train).predict(pl.DataFrame({"body": ["xyz", "", None]}))
        assert ((found >= 0.5) == (train["moods"].list.contains("home").mean() > 0.5) * np.array([[0, 1, 0]])).all()


def test_which_labels_rows_have() -> None:
    lists = pl.Series([["b", "a"], [], None, ["c", "a"]], dtype=pl.List(pl.String))
    assert held_by(lists, ("a", "b")).tolist() == [[1, 1], [0, 0], [0, 0], [1, 0]]
    assert held_by(pl.Series(["b", None, "x"]), ("a", "b")).tolist() == [[0, 1], [0, 0], [0, 0]]
    assert held_by(pl.Series([2, 1]), ("1", "2")).tolist() == [[0, 1], [1, 0]]
    assert held_by(lists.clear(), ("a",)).shape == (0, 1)


def test_labels_are_read_off_the_rows_where_the_task_has_none() -> None:
    target = target_sets_of(rows(30), TASK.model_copy(update={"labels": None}))
    assert target.labels == LABELS
    assert [[target.labels[i] for i in np.flatnonzero(row)] for row in target.held] == rows(30)["moods"].to_list()


def test_validation_rows_of_unknown_labels_choose_nothing() -> None:
    frame = pl.DataFrame({"body": list("abc"), "moods": [["glad"], None, ["odd"]]})
    known, held = known_of(frame, TASK, LABELS)
    assert (known["body"].to_list(), held.tolist()) == (["a", "c"], [[True, False, False], [False] * 3])
    task = TextClassification(kind="text_classification", text="body", label="mood")
    known, held = known_of(pl.DataFrame({"body": list("abc"), "mood": ["glad", None, "odd"]}), task, LABELS)
    assert (known["body"].to_list(), held.tolist()) == (["a"], [[True, False, False]])


def test_logistic_is_stable() -> None:
    scores = np.array([[-800.0, -1.0, 0.0, 1.0, 800.0]])
    assert logistic(scores) == pytest.approx(expit(scores), abs=1e-15)


def test_a_model_of_before_there_were_sets_is_read(tmp_path: Path) -> None:
    """`model.json` had no link then: labels excluded one another."""
    task = TextClassification(kind="text_classification", text="body", label="mood")
    train = rows(60).with_columns(mood=pl.col("moods").list.first().fill_null("home")).drop("moods")
    model = TfidfLogistic().fit(train, train.clear(), task, Context())
    model.save(tmp_path)
    told = (tmp_path / "model.json").read_text()
    assert '"link": "softmax"' in told
    (tmp_path / "model.json").write_text(told.replace(',\n  "link": "softmax"', ""))
    assert "link" not in (tmp_path / "model.json").read_text()
    assert (LinearModel.load(tmp_path).predict(train) == model.predict(train)).all()


def test_a_label_that_does_not_settle_is_told() -> None:
    heard = Heard()
    fit(TfidfLogistic(max_iter=1, c=1000), rows(300), context=replace(Context(), progress=heard))
    assert heard.shown == ["Fitting labels: 3 labels", *LABELS]
    assert len(heard.said) == 3
    assert heard.said[0].startswith("tfidf_logistic, 'glad', did not settle in 1 step")
