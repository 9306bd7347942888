"""Learners of rows that have any number of labels: each label by itself, as scikit-learn's OneVsRest does."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.special import expit
from sklearn.base import BaseEstimator, clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import make_union
from sklearn.svm import LinearSVC

from seedbed.core.context import Context
from seedbed.core.encoder import open_encoder
from seedbed.core.errors import DataError, MissingExtraError, RecipeError
from seedbed.core.learner import Learner, Model, who_learns
from seedbed.core.packages import located
from seedbed.core.rows import WEIGHT
from seedbed.core.task import MultiLabelClassification, TextClassification
from seedbed.evaluate import LogLoss, MacroF1, MicroF1, RocAuc
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
from seedbed.train.thresholds import moved_sets, thresholds_of
from tiny_encoder import with_encoder

WORDS = {"sad": "awful sad broken angry late", "glad": "lovely happy fine sunny early", "home": "table chair lamp door"}
LABELS = tuple(sorted(WORDS))
TASK = MultiLabelClassification(kind="multi_label_classification", text="body", label="moods", labels=LABELS)


def rows(n: int, seed: int = 1, words: dict[str, str] = WORDS) -> pl.DataFrame:
    chosen = random.Random(seed)
    moods = [sorted(label for label in words if chosen.random() < 0.4) for _ in range(n)]
    said = [[word for label in held for word in chosen.choices(words[label].split(), k=2)] for held in moods]
    bodies = [" ".join(chosen.sample([*own, "the", "a", "is"], k=len(own) + 3)) for own in said]
    return pl.DataFrame({"body": bodies, "moods": moods}, schema={"body": pl.String, "moods": pl.List(pl.String)})


def fit(
    learner: Learner,
    train: pl.DataFrame,
    task: MultiLabelClassification = TASK,
    validation: pl.DataFrame | None = None,
    context: Context | None = None,
) -> Model[Any]:
    return learner.fit(train, train.clear() if validation is None else validation, task, context or Context())


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


# Beside scikit-learn


def both_kinds() -> Any:
    more = {"min_df": 2, "sublinear_tf": True}
    return make_union(
        TfidfVectorizer(ngram_range=(1, 2), **more), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), **more)
    )


def words_alone() -> Any:
    return TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)


def chances(solver: Any, features: Any) -> np.ndarray:
    return solver.predict_proba(features)


def margins(solver: Any, features: Any) -> np.ndarray:
    return expit(solver.decision_function(features))


Case = tuple[Learner, Callable[[], Any], BaseEstimator, Callable[[Any, Any], np.ndarray]]
SCIKIT_LEARNS: dict[str, Case] = {
    "logistic": (TfidfLogistic(), both_kinds, LogisticRegression(C=2, tol=1e-8, max_iter=1000), chances),
    "balanced": (
        TfidfLogistic(class_weight="balanced"),
        both_kinds,
        LogisticRegression(C=2, tol=1e-8, max_iter=1000, class_weight="balanced"),
        chances,
    ),
    "svm": (TfidfSvm(), both_kinds, LinearSVC(C=0.2, tol=1e-8, dual=False), margins),
    "complement": (NaiveBayes(), words_alone, ComplementNB(alpha=0.3), chances),
    "multinomial": (NaiveBayes(kind="multinomial"), words_alone, MultinomialNB(alpha=0.3), chances),
}
every_solver = pytest.mark.parametrize("case", SCIKIT_LEARNS.values(), ids=SCIKIT_LEARNS)


def one_vs_rest(case: Case, train: pl.DataFrame, test: pl.DataFrame, column: str, held: np.ndarray) -> np.ndarray:
    _, features, solver, told = case
    cut = features()
    seen = cut.fit_transform(train[column].to_list())
    return told(OneVsRestClassifier(solver).fit(seen, held), cut.transform(test[column].to_list()))


@every_solver
def test_probabilities_are_scikit_learns(case: Case) -> None:
    train, test = rows(200), rows(50, seed=2)
    found = fit(case[0], train).predict(test)
    expected = one_vs_rest(case, train, test, "body", held_by(train["moods"], LABELS))
    assert found == pytest.approx(expected, abs=2e-3)


@every_solver
def test_weights_are_heeded_as_scikit_learn_does(case: Case) -> None:
    train, test = rows(200), rows(50, seed=2)
    learner, features, solver, told = case
    weights = np.random.default_rng(1).uniform(0.1, 3, 200)
    found = fit(learner, train.with_columns(pl.Series(WEIGHT, weights))).predict(test)
    cut, held = features(), held_by(train["moods"], LABELS)
    seen, others = cut.fit_transform(train["body"].to_list()), cut.transform(test["body"].to_list())
    for place, has in enumerate(held.T):
        theirs = told(clone(solver).fit(seen, has, sample_weight=weights), others)
        assert found[:, place] == pytest.approx(theirs if theirs.ndim == 1 else theirs[:, 1], abs=2e-3)
    assert np.abs(found - fit(learner, train).predict(test)).max() > 0.01
    assert learner.heeds_weights


@pytest.mark.parametrize("with_terms", [False, True], ids=["embeddings", "both"])
def test_probabilities_on_embeddings_are_scikit_learns(with_terms: bool, tiny: Path, tmp_path: Path) -> None:
    train, test = rows(200), rows(50, seed=2)
    learner = TfidfEmbeddingLogistic(embedding_weight=3, c=2) if with_terms else EmbeddingLogistic(c=2)
    found = fit(with_encoder(learner, tiny), train, context=Context(store=tmp_path)).predict(test)
    encoder, terms, blocks = open_encoder(str(tiny)), both_kinds(), []
    for frame, cut in ((train, terms.fit_transform), (test, terms.transform)):
        texts = frame["body"].to_list()
        embedded = encoder.encode(texts, max_tokens=256)
        blocks.append(np.concatenate([cut(texts).toarray(), embedded * 3], axis=1) if with_terms else embedded)
    theirs = OneVsRestClassifier(LogisticRegression(C=2, tol=1e-8, max_iter=2000))
    theirs.fit(blocks[0], held_by(train["moods"], LABELS))
    assert found == pytest.approx(theirs.predict_proba(blocks[1]), abs=2e-3)


def test_the_weight_of_embeddings_is_chosen_on_validation_rows(tiny: Path, tmp_path: Path) -> None:
    context, train, test = Context(store=tmp_path), rows(200), rows(50, seed=2)
    learner = with_encoder(TfidfEmbeddingLogistic(), tiny)

    def chosen(validation: pl.DataFrame) -> list[float]:
        found = fit(learner, train, validation=validation, context=context).predict(test)
        each = (0.5, 1.0, 2.0)
        by_hand = [fit(learner.model_copy(update={"embedding_weight": w}), train, context=context) for w in each]
        return [w for w, model in zip(each, by_hand, strict=True) if np.abs(model.predict(test) - found).max() < 1e-4]

    assert chosen(train.clear()) == [1.0]
    wrong = train.with_columns(moods=train["moods"].shuffle(seed=1))
    assert chosen(wrong) != chosen(train)


def films() -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Films in their order, with their genres, as examples/films has them."""
    try:
        path = located("pkg://bokeh-sampledata/bokeh_sampledata/_data/movies.db")
    except MissingExtraError as error:
        pytest.skip(str(error))
    told = 'SELECT Title || ". Directed by " || Director || ". With " || "Cast", Genre FROM omdb ORDER BY ID'
    with closing(sqlite3.connect(path)) as database:
        found = database.execute(told).fetchall()
    all_films = pl.DataFrame(found, schema={"text": pl.String, "genres": pl.String}, orient="row").drop_nulls()
    lists = all_films.with_columns(genres=pl.col("genres").str.split(",").list.eval(pl.element().str.strip_chars()))
    some = lists.sample(1600, seed=13)
    return some, tuple(sorted(some["genres"].explode().unique().to_list()))


@every_solver
def test_on_films_scores_are_those_of_scikit_learn(case: Case) -> None:
    """1,200 real films and 400 others: 21 genres, the rarest of which have a handful of films."""
    some, labels = films()
    train, test = some[:1200], some[1200:]
    task = MultiLabelClassification(kind="multi_label_classification", text="text", label="genres", labels=labels)
    held, truth = held_by(train["genres"], labels), held_by(test["genres"], labels)
    assert len(labels) >= 20
    found = fit(case[0], train, task).predict(test)
    often = np.flatnonzero(held.sum(axis=0) >= 3)
    expected = np.tile((held.sum(axis=0) + 0.5) / (len(held) + 1), (len(test), 1))
    expected[:, often] = one_vs_rest(case, train, test, "text", held[:, often])
    assert found == pytest.approx(expected, abs=2e-3)
    once, usual = np.ones((1, len(test))), fit(Majority(), train, task).predict(test)
    scores = {metric.use: metric.of_rows(truth, found, once)[0] for metric in (MacroF1(), MicroF1())}
    clear = (np.abs(expected - 0.5) > 2e-3).all(axis=0)
    theirs = f1_score(truth, expected >= 0.5, average="micro", zero_division=0)
    assert scores["micro_f1"] == pytest.approx(theirs, abs=1e-12 if clear.all() else 2e-3)
    assert scores["macro_f1"] > MacroF1().of_rows(truth, usual, once)[0] + 0.01
    if case[3] is chances and isinstance(case[0], TfidfLogistic) and case[0].class_weight == "none":
        assert LogLoss().of_rows(truth, found, once)[0] < LogLoss().of_rows(truth, usual, once)[0]


def test_on_films_thresholds_of_validation_rows_gain_on_test_rows() -> None:
    """800 films teach, 400 choose, 400 judge; the order stays, and log loss pays."""
    some, labels = films()
    train, validation, test = some[:800], some[800:1200], some[1200:]
    task = MultiLabelClassification(kind="multi_label_classification", text="text", label="genres", labels=labels)
    model = fit(TfidfLogistic(characters=None), train, task)
    known = thresholds_of(held_by(validation["genres"], labels), model.predict(validation), labels, split="validation")
    assert {one.chosen for one in known.labels} == {True, False}
    truth, usual, once = held_by(test["genres"], labels), model.predict(test), np.ones((1, len(test)))
    moved = moved_sets(usual, known.at(labels))
    before, after = (
        {metric.use: metric.of_rows(truth, answers, once)[0] for metric in (MacroF1(), MicroF1(), RocAuc(), LogLoss())}
        for answers in (usual, moved)
    )
    assert after["macro_f1"] > before["macro_f1"] + 0.03
    assert after["micro_f1"] > before["micro_f1"]
    assert after["roc_auc"] == pytest.approx(before["roc_auc"], abs=1e-9)
    assert after["log_loss"] > before["log_loss"]
    mean_f1 = np.mean([one.f1 for one in known.labels if one.chosen])
    on_test = [f1_score(truth[:, i], moved[:, i] >= 0.5) for i, one in enumerate(known.labels) if one.chosen]
    assert np.mean(on_test) < mean_f1  # they are fitted


# What is coded, told and kept


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


@dataclass
class Heard:
    said: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def start(self, title: str, total: float | None, unit: str) -> Heard:
        self.shown.append(f"{title}: {total:g} {unit}")
        return self

    def advance(self, amount: float = 1, note: str = "") -> None:
        self.shown.append(note)

    def finish(self, stage: object) -> None: ...

    def say(self, text: str) -> None:
        self.said.append(text)


def test_a_label_that_does_not_settle_is_told() -> None:
    heard = Heard()
    fit(TfidfLogistic(max_iter=1, c=1000), rows(300), context=replace(Context(), progress=heard))
    assert heard.shown == ["Fitting labels: 3 labels", *LABELS]
    assert len(heard.said) == 3
    assert heard.said[0].startswith("tfidf_logistic, 'glad', did not settle in 1 step")


# Rules


def rules(*given: tuple[str, str], heard: Heard | None = None, **options: object) -> Model[Any]:
    learner = Rules.model_validate({"rules": [{"label": label, "pattern": p} for label, p in given], **options})
    train = pl.DataFrame(
        {
            "body": ["sad and glad", "so glad", "sadly glad", "a lamp", "nothing", "no"],
            "moods": [["glad", "sad"], ["glad"], ["glad"], ["home"], [], ["sad"]],
        }
    )
    return fit(learner, train, context=replace(Context(), progress=heard or Heard()))


def given(model: Model[Any], text: str) -> list[str]:
    return [
        label
        for label, p in zip(model.labels, model.predict(pl.DataFrame({"body": [text]}))[0], strict=True)
        if p >= 0.5
    ]


def test_every_rule_gives_its_label() -> None:
    model = rules(("sad", "sad"), ("glad", "glad"), ("sad", "tears"))
    assert given(model, "SAD and glad") == ["glad", "sad"]
    assert given(model, "tears") == ["sad"]
    assert given(model, "a lamp") == []
    assert given(rules(("sad", "sad"), otherwise="home"), "a lamp") == ["home"]
    assert given(rules(("sad", "sad"), otherwise="home"), "sad") == ["sad"]


def test_chances_of_rules_are_shares_of_what_they_found() -> None:
    # "sad" is found in 2 rows, 1 of which is sad, and not in 4, of which 1 is; 2 of all 6 rows are.
    model = rules(("sad", "sad"))
    found, other = model.predict(pl.DataFrame({"body": ["sad", "x"]}))[:, 2]
    assert found == max(0.5, (1 + 2 * 2 / 6) / 4)
    assert other == pytest.approx((1 + 2 * 2 / 6) / 6)


def test_a_rule_that_is_seldom_right_is_told() -> None:
    heard = Heard()
    rules(("home", "glad"), ("sad", "never there"), ("glad", "glad"), heard=heard)
    assert heard.said == [
        "rule 1 of rules says 'home', but of the 3 training rows that it is found in 0 have that label",
        "rule 2 of rules is found in none of the training rows",
    ]
    with pytest.raises(RecipeError, match="'hme' is none of the task's"):
        rules(("hme", "lamp"))
