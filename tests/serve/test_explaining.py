"""Why an answer: parts of a linear model add up to its score, and others are asked again without each word."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from learned_sample import learned
from predicting_sample import rows, small_run
from seedbed.core.counted import AsCounted, Counted, CountedKind
from seedbed.core.errors import DataError
from seedbed.flow.predicting.opening import open_model
from seedbed.serve.explaining import MOST_ASKED, Explainer, plain, words_of
from seedbed.serve.predictor import Predictor
from seedbed.serve.terms_told import TermsTold

ODD = [
    "a great, GREAT film",
    "",
    " \n ",
    "x",
    "İstanbul'da İyi bir film ΣΑΣ ß STRASSE",
    "\u05e9\u05dc\u05d5\u05dd great \U0001f600\U0001f600 film",
    "映画はとても素晴らしい great",
    "great\x1cfilm\u2028and\u00a0awful",
    "great_film o'clock 12.5 --- a b c",
    "g" * 300,
]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Linear models of several kinds."""
    made = [{"use": "naive_bayes"}, {"use": "tfidf_logistic"}]
    return small_run(tmp_path_factory.mktemp("bundles"), rows(240), train=made).folder / "models"


def odds(predictor: Predictor, text: str, label: str) -> float:
    shares = predictor.predict([text])["probabilities"].struct.field(label).item()
    return float(np.log(shares) - np.log1p(-shares))


@pytest.mark.parametrize("model", ["tfidf_logistic", "naive_bayes"])
def test_parts_add_up_to_the_score(bundles: Path, model: str) -> None:
    predictor = open_model(bundles / model)
    draw = random.Random(1)
    letters = ["great", "awful", "film", "fine", "Ünïcode", "ﬀ", "ŉ", "ǰ", "İ", "12", "_x-", "\t"]
    drawn = [" ".join(draw.choices(letters, k=draw.randrange(1, 40))) for _ in range(30)]
    for text in [*ODD, *drawn]:
        asked = predictor.table([text])
        read = predictor.preparation(asked).rows["said"].item() or ""
        for label in ("good", "bad"):
            found = Explainer(predictor).explain(asked, label)
            assert (found.label, found.method, found.unit, found.text) == (label, "exact", "log-odds", read)
            assert found.base is not None
            told = found.base + sum(word.weight or 0 for word in found.words)
            assert told == pytest.approx(odds(predictor, text, label), abs=2e-4), repr(text)
            places = [place for word in found.words for place in range(word.start, word.end)]
            assert len(set(places)) == len(places) and set(places) >= {
                place for place, one in enumerate(read) if not one.isspace()
            }


def test_the_word_that_tells_tells_most(bundles: Path) -> None:
    for model in ("tfidf_logistic", "naive_bayes"):
        predictor = open_model(bundles / model)
        found = Explainer(predictor).explain(predictor.table(["the film was great and long"]))
        assert found.label == "good" and found.text is not None
        best = max(found.words, key=lambda word: word.weight or 0)
        assert found.text[best.start : best.end] == "great"


class _Hidden:
    """A model whose layer nobody can look at."""

    at_once, told = True, ()

    def __init__(self, model: Any) -> None:
        self._model, self.labels, self.asked = model, model.labels, 0

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        self.asked += rows.height
        return np.asarray(self._model.predict(rows))


def hidden(predictor: Predictor) -> tuple[Predictor, _Hidden]:
    model = _Hidden(predictor.model)
    assert not isinstance(model, AsCounted)
    found = Predictor(
        predictor.name,
        predictor.folder,
        model,
        predictor.bundle,
        predictor.preparation,  # type: ignore[arg-type]
    )
    return found, model


def test_others_are_asked_without_each_word(folder: Path) -> None:
    plain = open_model(folder / "models" / "tfidf_logistic")
    predictor, _ = hidden(plain)
    text = "a great film, awful people"
    found = Explainer(predictor).explain(predictor.table([text]), "good")
    assert found.method == "left_out" and found.base is None
    for word in found.words:
        without = text[: word.start] + text[word.end :]
        gone = odds(plain, text, "good") - odds(plain, without, "good")
        assert word.weight == pytest.approx(gone, abs=1e-6)
    weights = {text[word.start : word.end]: word.weight or 0 for word in found.words}
    assert max(weights, key=weights.__getitem__) == "great" and min(weights, key=weights.__getitem__) == "awful"


def test_what_it_costs_is_bounded(folder: Path) -> None:
    predictor, model = hidden(open_model(folder / "models" / "tfidf_logistic"))
    text = "great awful film " * 600
    found = Explainer(predictor).explain(predictor.table([text]), "good")
    assert 1 < len(found.words) <= MOST_ASKED and model.asked <= MOST_ASKED + 1
    assert found.words[-1].end == len(text.rstrip())
    late = Explainer(predictor).explain(predictor.table([text]), "good", seconds=-1.0)
    assert {word.weight for word in late.words} == {None}
    with pytest.raises(DataError, match="too long to be explained"):
        Explainer(predictor).explain(predictor.table(["x" * 20_001]))
    with pytest.raises(DataError, match="is no label") as told:
        Explainer(predictor).explain(predictor.table(["x"]), "god")
    assert "good" in told.value.hint


@pytest.mark.parametrize("kind", ["tabular_classification", "tabular_regression"])
def test_columns_are_held_against_what_is_usual(kind: str, tmp_path: Path) -> None:
    run = learned(kind, tmp_path).folder
    predictor = open_model(run)
    row = predictor.bundle.preprocess.golden[0].input
    asked = predictor.table([row])
    found = Explainer(predictor).explain(asked)
    read = predictor.preparation(asked).rows
    assert all(one.value == plain(read[one.column]) for one in found.columns), "in the units of the usual value"
    assert {one.column for one in found.columns} == set(read.columns) - {predictor.bundle.task.answer}
    assert not found.words and any(one.usual is not None for one in found.columns)
    labels = predictor.labels

    def measured(changed: pl.DataFrame) -> float:
        share = float(predictor.scores(changed)[0, labels.index(found.label) if found.label else 0])
        share = share if not labels else min(max(share, 1e-9), 1 - 1e-9)
        return share if not labels else float(np.log(share) - np.log1p(-share))

    for one in found.columns:
        changed = read.with_columns(pl.Series(one.column, [one.usual], strict=False).cast(read.schema[one.column]))
        assert one.weight == pytest.approx(measured(read) - measured(changed), abs=1e-9)


def test_numbers_that_are_texts_or_all_different_have_a_usual_value(table: Path) -> None:
    predictor = open_model(table)
    row = predictor.bundle.preprocess.golden[0].input
    usual = {one.column: one.usual for one in Explainer(predictor).explain(predictor.table([row])).columns}
    assert isinstance(usual["hd"], int) and 81 < usual["hd"] < 2089 and 0 < float(usual["rating"]) < 5


def test_scripts_without_blanks_have_a_word_a_character() -> None:
    text = "映画 is fine, \U00020000x"
    assert [text[start:end] for start, end in words_of(text)] == ["映", "画", "is", "fine,", "\U00020000", "x"]


def test_several_labels_are_held_against_the_others(folder: Path) -> None:
    layer = open_model(folder / "models" / "tfidf_logistic").model.counted()  # type: ignore[attr-defined]
    third = np.concatenate([layer.weights, layer.weights[:, :1] * 0], axis=1)
    from dataclasses import replace

    three = replace(layer, weights=third, intercepts=np.array([0.5, -0.5, -np.inf]), temperature=2.0)
    two = replace(layer, intercepts=np.array([0.5, -0.5]), temperature=2.0)
    for output in (0, 1):
        (parts, base), (same, again) = (TermsTold(one).parts("a great film", output) for one in (three, two))
        np.testing.assert_allclose(parts, same)
        assert base == again == pytest.approx(0.5 * (1 - 2 * output))


def test_parts_stand_where_the_terms_stand() -> None:
    characters = CountedKind("characters", (2, 2), ("b ", "ca"), None)
    words = CountedKind("words", (2, 2), ("xx yy",), None)
    layer = Counted((characters, words), np.array([[1.0], [3.0], [8.0]]), np.array([5.0]), "identity")
    parts, base = TermsTold(layer).parts("Ab caB xx, YY", 0)
    assert base == 5.0
    np.testing.assert_allclose(parts, [0, 1, 0, 1.5, 1.5, 1, 0, 2, 2, 0, 0, 2, 2], atol=1e-12)
