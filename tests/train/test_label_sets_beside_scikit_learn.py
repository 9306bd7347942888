"""Each label is learned by itself, as scikit-learn's OneVsRest does."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from label_sets_sample import LABELS, fit, rows
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
from seedbed.core.errors import MissingExtraError
from seedbed.core.learner import Learner
from seedbed.core.packages import located
from seedbed.core.rows import WEIGHT
from seedbed.core.task import MultiLabelClassification
from seedbed.evaluate import LogLoss, MacroF1, MicroF1, RocAuc
from seedbed.train import (
    EmbeddingLogistic,
    Majority,
    NaiveBayes,
    TfidfEmbeddingLogistic,
    TfidfLogistic,
    TfidfSvm,
)
from seedbed.train.target_sets import held_by
from seedbed.train.thresholds import moved_sets, thresholds_of
from tiny_encoder import with_encoder


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
