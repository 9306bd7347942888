from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import make_union
from sklearn.svm import LinearSVC

from seedbed.core.context import Context
from seedbed.core.encoder import open_encoder
from seedbed.core.errors import DataError, ModelError
from seedbed.core.learner import Learner
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
from seedbed.train.target import target_of
from seedbed.train.terms import Terms
from seedbed.train.tfidf_embedding_logistic import WEIGHTS
from tiny_encoder import with_encoder

TASK = TextClassification(kind="text_classification", text="body", label="mood")
ODD = ["", "naïve 🙂 日本語 \x00", "lovely " * 200, "e\u0301"]
WORDS = {
    "bad": "awful sad broken angry late",
    "good": "lovely happy fine sunny early",
    "so": "table chair lamp desk door",
}


def rows(n: int, labels: tuple[str, ...] = ("bad", "good", "so"), seed: int = 1) -> pl.DataFrame:
    chosen = random.Random(seed)
    moods = [chosen.choice(labels) for _ in range(n)]
    bodies = [" ".join(chosen.choices([*WORDS[mood].split(), "the", "a", "is"], k=5)) for mood in moods]
    return pl.DataFrame({"body": bodies, "mood": moods})


def fit(learner: Learner, train: pl.DataFrame, task: TextClassification = TASK, context: Context | None = None):
    return learner.fit(train, train.clear(), task, context or Context())


RULES = [{"label": mood, "pattern": words.replace(" ", "|")} for mood, words in WORDS.items()]
LEARNERS = [
    Majority(),
    Rules(rules=RULES),
    NaiveBayes(),
    NaiveBayes(kind="multinomial", weighting="counts", alpha=1),
    TfidfLogistic(),
    TfidfSvm(),
    EmbeddingLogistic(c=2),
    TfidfEmbeddingLogistic(),
]


@pytest.fixture(params=LEARNERS, ids=lambda learner: learner.use)
def learner(request: pytest.FixtureRequest, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Learner:
    monkeypatch.chdir(tmp_path)  # where the store comes to stand
    return with_encoder(request.param, tiny)


class TestEveryLearner:
    def test_probabilities(self, learner: Learner) -> None:
        model = fit(learner, rows(60))
        found = model.predict(rows(7, seed=2))
        assert model.labels == ("bad", "good", "so")
        assert found.shape == (7, 3)
        assert found.dtype == np.float64
        assert (found >= 0).all()
        assert found.sum(axis=1) == pytest.approx(np.ones(7))
        assert model.predict(rows(0)).shape == (0, 3)

    def test_the_tasks_labels_and_their_order_hold(self, learner: Learner) -> None:
        task = TASK.model_copy(update={"labels": ("so", "never", "bad", "good")})
        model = fit(learner, rows(60), task)
        assert model.labels == ("so", "never", "bad", "good")
        found = model.predict(rows(7, seed=2))
        assert found.shape == (7, 4)
        assert (found[:, 1] == 0).all()
        plain = fit(learner, rows(60)).predict(rows(7, seed=2))
        assert found[:, [2, 3, 0]] == pytest.approx(plain, abs=1e-4)

    def test_labels_that_are_numbers(self, learner: Learner) -> None:
        if isinstance(learner, Rules):
            learner = Rules(rules=[{"label": 10, "pattern": "lamp"}])
        model = fit(learner, rows(60).with_columns(mood=pl.col("mood").replace_strict(list(WORDS), [1, 2, 10])))
        assert model.labels == ("1", "10", "2")

    def test_missing_text_is_empty(self, learner: Learner) -> None:
        model = fit(learner, rows(60))
        found = model.predict(pl.DataFrame({"body": [None, ""]}, schema={"body": pl.String}))
        assert (found[0] == found[1]).all()

    def test_one_row_is_as_all_at_once(self, learner: Learner) -> None:
        model = fit(learner, rows(90))
        test = pl.concat([rows(70, seed=2), pl.DataFrame({"body": ODD, "mood": ["so"] * len(ODD)})])
        alone = np.concatenate([model.predict(test[i : i + 1]) for i in range(test.height)])
        assert alone == pytest.approx(model.predict(test), abs=1e-5)
        assert np.isfinite(alone).all()

    def test_the_fewest_rows(self, learner: Learner) -> None:
        train = pl.DataFrame({"body": ["sad lamp", "happy", "", "happy lamp"], "mood": ["bad", "good", "bad", "good"]})
        if "min_df" in type(learner).model_fields:
            learner = learner.model_copy(update={"min_df": 1})
        if isinstance(learner, Rules):
            learner = Rules(rules=RULES[:2])
        model = learner.fit(train, rows(3), TASK, Context())  # validation rows have a label that these lack
        found = model.predict(train)
        assert model.labels == ("bad", "good")
        assert found.sum(axis=1) == pytest.approx(np.ones(4))

    def test_learns(self, learner: Learner) -> None:
        if isinstance(learner, Majority):
            pytest.skip("it does not look")
        test = rows(200, seed=2)
        model = fit(learner, rows(300))
        guessed = np.array(model.labels)[model.predict(test).argmax(axis=1)]
        assert (guessed == test["mood"].to_numpy()).mean() > 0.9

    def test_same_rows_same_model(self, learner: Learner) -> None:
        one, other = (fit(learner, rows(60), context=Context(seed=5)).predict(rows(9, seed=2)) for _ in "12")
        assert (one == other).all()

    def test_one_label(self, learner: Learner) -> None:
        with pytest.raises(DataError, match="all training rows have the label 'bad'") as caught:
            fit(learner, rows(60, labels=("bad",)))
        assert caught.value.at == "mood"
        assert len(str(caught.value).splitlines()) <= 5

    @pytest.mark.parametrize("n", [0, 2])
    def test_too_few_rows(self, learner: Learner, n: int) -> None:
        with pytest.raises(DataError, match=f"^mood: {n} training rows are too few"):
            fit(learner, rows(60).head(n))

    def test_label_the_task_does_not_know(self, learner: Learner) -> None:
        with pytest.raises(DataError, match="'bad', which the task does not know"):
            fit(learner, rows(60), TASK.model_copy(update={"labels": ("good", "so")}))

    def test_missing_label(self, learner: Learner) -> None:
        with pytest.raises(DataError, match="1 training row has no label"):
            fit(learner, pl.concat([rows(60), pl.DataFrame({"body": ["x"], "mood": [None]}, schema=rows(0).schema)]))


def test_majority_counts() -> None:
    train = pl.DataFrame({"body": list("abcdefgh"), "mood": ["x", "y", "y", "x", "y", "z", "z", "z"]})
    model = fit(Majority(), train)
    assert model.predict(train)[0].tolist() == [0.25, 0.375, 0.375]


def test_codes_are_places_in_labels() -> None:
    target = target_of(rows(20), TASK)
    assert [target.labels[code] for code in target.codes] == rows(20)["mood"].to_list()


@pytest.mark.parametrize("labels", [("bad", "good"), ("bad", "good", "so")], ids=["two", "three"])
@pytest.mark.parametrize("class_weight", ["none", "balanced"])
def test_probabilities_are_scikit_learns(labels: tuple[str, ...], class_weight: str) -> None:
    train, test = rows(200, labels), rows(50, labels, seed=2)
    found = fit(TfidfLogistic(class_weight=class_weight), train).predict(test)
    more = {"min_df": 2, "sublinear_tf": True}
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), **more), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), **more)
    )
    theirs = LogisticRegression(
        C=2, tol=1e-8, max_iter=1000, class_weight=None if class_weight == "none" else "balanced"
    )
    theirs.fit(features.fit_transform(train["body"].to_list()), train["mood"].to_list())
    expected = theirs.predict_proba(features.transform(test["body"].to_list()))
    assert found == pytest.approx(expected, abs=2e-3)
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()


def both_kinds() -> object:
    more = {"min_df": 2, "sublinear_tf": True}
    return make_union(
        TfidfVectorizer(ngram_range=(1, 2), **more), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), **more)
    )


two_and_three = pytest.mark.parametrize("labels", [("bad", "good"), ("bad", "good", "so")], ids=["two", "three"])


@two_and_three
@pytest.mark.parametrize("kind", ["complement", "multinomial"])
@pytest.mark.parametrize("weighting", ["tfidf", "counts"])
def test_naive_bayes_is_scikit_learns(labels: tuple[str, ...], kind: str, weighting: str) -> None:
    train, test = rows(200, labels), rows(50, labels, seed=2)
    found = fit(NaiveBayes(kind=kind, weighting=weighting, alpha=0.7), train).predict(test)
    features = (CountVectorizer if weighting == "counts" else TfidfVectorizer)(ngram_range=(1, 2), min_df=2)
    theirs = (ComplementNB if kind == "complement" else MultinomialNB)(alpha=0.7)
    theirs.fit(features.fit_transform(train["body"].to_list()), train["mood"].to_list())
    expected = theirs.predict_proba(features.transform(test["body"].to_list()))
    if weighting == "counts":
        assert found == pytest.approx(expected, abs=1e-4)
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()


@two_and_three
@pytest.mark.parametrize("class_weight", ["none", "balanced"])
def test_margins_are_scikit_learns(labels: tuple[str, ...], class_weight: str) -> None:
    train, test = rows(200, labels), rows(50, labels, seed=2)
    found = fit(TfidfSvm(class_weight=class_weight), train).predict(test)
    features = both_kinds()
    theirs = LinearSVC(C=0.2, tol=1e-8, dual=False, class_weight=None if class_weight == "none" else "balanced")
    theirs.fit(features.fit_transform(train["body"].to_list()), train["mood"].to_list())
    margins = theirs.decision_function(features.transform(test["body"].to_list()))
    if len(labels) == 2:
        margins = np.stack([-margins, margins], axis=1) / 2
    assert np.log(found[:, 1:] / found[:, :1]) == pytest.approx(margins[:, 1:] - margins[:, :1], abs=2e-3)
    assert (found.argmax(axis=1) == margins.argmax(axis=1)).all()


@two_and_three
@pytest.mark.parametrize("with_terms", [False, True], ids=["embeddings", "both"])
def test_probabilities_on_embeddings_are_scikit_learns(
    labels: tuple[str, ...], with_terms: bool, tiny: Path, tmp_path: Path
) -> None:
    train, test = rows(200, labels), rows(50, labels, seed=2)
    learner = TfidfEmbeddingLogistic(embedding_weight=3, c=2) if with_terms else EmbeddingLogistic(c=2)
    found = fit(with_encoder(learner, tiny), train, context=Context(store=tmp_path)).predict(test)
    encoder, terms = open_encoder(str(tiny)), both_kinds()
    blocks = []
    for frame, cut in ((train, terms.fit_transform), (test, terms.transform)):
        texts = frame["body"].to_list()
        embedded = encoder.encode(texts, max_tokens=256)
        blocks.append(np.concatenate([cut(texts).toarray(), embedded * 3], axis=1) if with_terms else embedded)
    theirs = LogisticRegression(C=2, tol=1e-8, max_iter=2000).fit(blocks[0], train["mood"].to_list())
    expected = theirs.predict_proba(blocks[1])
    assert found == pytest.approx(expected, abs=2e-3)


def test_the_weight_of_embeddings_is_chosen_on_validation_rows(tiny: Path, tmp_path: Path) -> None:
    context = Context(store=tmp_path)
    learner = with_encoder(TfidfEmbeddingLogistic(), tiny)
    train, test = rows(200), rows(50, seed=2)

    def chosen(validation: pl.DataFrame) -> list[float]:
        found = learner.fit(train, validation, TASK, context).predict(test)
        each = (1.0, *WEIGHTS)
        by_hand = [learner.model_copy(update={"embedding_weight": w}).fit(train, train, TASK, context) for w in each]
        return [w for w, model in zip(each, by_hand, strict=True) if np.abs(model.predict(test) - found).max() < 1e-4]

    assert chosen(train.clear()) == [1.0, 1.0]
    wrong = train.with_columns(mood=pl.Series(["so", "bad", "good"] * 67)[:200])
    assert chosen(wrong) != chosen(train)


@pytest.mark.parametrize("c", [2, 100])
def test_order_of_rows_hardly_matters(c: float) -> None:
    # With c = 100 and scikit-learn's own tolerance, probabilities differ by 0.06.
    train, test = rows(300), rows(50, seed=2)
    one, other = fit(TfidfLogistic(c=c), train), fit(TfidfLogistic(c=c), train.reverse())
    assert one.predict(test) == pytest.approx(other.predict(test), abs=0.005)


def test_one_row_at_a_time_is_all_at_once() -> None:
    model, test = fit(TfidfLogistic(), rows(60)), rows(20, seed=2)
    alone = np.concatenate([model.predict(test[i : i + 1]) for i in range(test.height)])
    assert (alone == model.predict(test)).all()


def test_terms_that_training_rows_lack_change_nothing() -> None:
    model = fit(TfidfLogistic(), rows(60))
    test = pl.DataFrame({"body": ["lovely day", "lovely day zzzz qqqq"]})
    found = model.predict(test)
    assert found[0].argmax() == found[1].argmax()
    assert all("zz" not in term for terms in model.terms for term in terms.vocabulary)


def test_no_terms_left() -> None:
    train = pl.DataFrame({"body": ["ab", "cd", "ef", "gh"], "mood": ["x", "y", "x", "y"]})
    with pytest.raises(DataError, match="no term occurs in at least 3 of the 4") as caught:
        fit(TfidfLogistic(min_df=3, characters=None), train)
    assert "min_df" in caught.value.hint
    with pytest.raises(DataError, match="no term occurs in at least 50 of the 4"):
        fit(TfidfLogistic(min_df=50), train)


def test_empty_texts_have_no_terms() -> None:
    train = pl.DataFrame({"body": ["", " ", "\n", ""], "mood": ["x", "y", "x", "y"]})
    with pytest.raises(DataError, match="no term"):
        fit(TfidfLogistic(min_df=1), train)


def test_texts_without_words_are_seen_by_characters() -> None:
    train = pl.DataFrame({"body": ["🙂🙂", "🙁🙁", "🙂🙂", "🙁🙁"] * 3, "mood": ["x", "y", "x", "y"] * 3})
    model = fit(TfidfLogistic(), train)
    assert [terms.kind for terms in model.terms] == ["characters"]
    assert np.array(model.labels)[model.predict(train).argmax(axis=1)].tolist() == train["mood"].to_list()


@pytest.mark.parametrize(
    "options",
    [{"words": None, "characters": None}, {"words": (2, 1)}, {"words": (0, 1)}, {"c": 0}, {"min_df": 0.5}],
    ids=str,
)
def test_options_that_make_no_sense(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TfidfLogistic.model_validate(options)


def test_options_count() -> None:
    train = rows(60)
    few = fit(TfidfLogistic(max_features=10, words=(1, 1), characters=(3, 3)), train)
    assert [len(terms.vocabulary) for terms in few.terms] == [10, 10]
    assert {len(term) for term in few.terms[1].vocabulary} == {3}
    assert all(" " not in term for term in few.terms[0].vocabulary)
    mild, sharp = (fit(TfidfLogistic(c=c), train).predict(train).max(axis=1).mean() for c in (0.01, 100))
    assert mild < sharp


class Heard:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.shown: list[str] = []

    def start(self, title: str, total: float | None, unit: str) -> Heard:
        self.shown.append(title)
        return self

    def advance(self, amount: float = 1, note: str = "") -> None:
        self.shown.append(f"{amount:g}")

    def finish(self, stage: object) -> None: ...

    def say(self, text: str) -> None:
        self.said.append(text)


def test_a_fit_that_does_not_settle_is_said_and_not_warned() -> None:
    heard = Heard()
    fit(TfidfLogistic(max_iter=1, c=1000), rows(300), context=replace(Context(), progress=heard))
    assert len(heard.said) == 1
    assert "did not settle" in heard.said[0]


def test_a_fit_with_many_labels_shows_that_it_moves() -> None:
    labels = [f"label {i}" for i in range(20)]
    train = pl.DataFrame({"body": [f"{label} {i}" for label in labels for i in range(5)], "mood": labels * 5})
    heard = Heard()
    fit(TfidfLogistic(c=100, min_df=1), train, context=replace(Context(), progress=heard))
    assert heard.shown[0] == "Fitting weights"
    assert len(heard.shown) > 2
    assert heard.said == []


def test_rows_without_the_text_column() -> None:
    with pytest.raises(ModelError, match="the column 'body', which the rows do not have"):
        fit(TfidfLogistic(), rows(60)).predict(pl.DataFrame({"text": ["x"]}))


def test_terms_are_scikit_learns() -> None:
    texts = rows(40)["body"].to_list()
    learned = Terms.learn("words", (1, 2), texts, min_df=2, max_features=None)
    theirs = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit(texts)
    assert learned is not None
    terms, features = learned
    assert (terms.transform(texts) != features).nnz == 0
    assert list(terms.vocabulary) == theirs.get_feature_names_out().tolist()
    assert terms.transform(texts).toarray() == pytest.approx(theirs.transform(texts).toarray(), abs=1e-6)
