"""A network of Keras, and NumPy that computes the same."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.special import softmax

from seedbed.core.context import Context
from seedbed.core.errors import DataError, MissingExtraError, ModelError
from seedbed.core.rows import WEIGHT
from seedbed.core.task import MultiLabelClassification, Task, TextClassification
from seedbed.train.keras_text import KerasText, KerasTextModel
from seedbed.train.words import PAD, UNKNOWN, Words

pytest.importorskip("keras")

TASK = TextClassification(text="body", label="mood", labels=("good", "never", "bad"))
SETS = MultiLabelClassification(text="body", label="moods", labels=("bad", "good"))
WORDS = {"bad": "awful sad broken angry late", "good": "lovely happy fine sunny early"}


def rows(n: int, seed: int = 1) -> pl.DataFrame:
    chosen = random.Random(seed)
    moods = [chosen.choice(list(WORDS)) for _ in range(n)]
    bodies = [" ".join([*chosen.choices(WORDS[mood].split(), k=2), "the", chosen.choice("ab")]) for mood in moods]
    return pl.DataFrame({"body": bodies, "mood": moods, "moods": [[mood] for mood in moods]})


def fit(
    train: pl.DataFrame | None = None, task: Task = TASK, validation: pl.DataFrame | None = None, **options: Any
) -> Any:
    train = rows(80) if train is None else train
    told = {"epochs": 12, "learning_rate": 0.02, "width": 8, "filters": 5, "max_words": 16, "runs": [1, 3], **options}
    learner = KerasText.model_validate({"use": "keras_text", **told})
    return learner.fit(train, train.clear() if validation is None else validation, task, Context())


KINDS = pytest.mark.parametrize("kind", ["pooling", "convolution"])


@pytest.fixture(scope="module", params=["pooling", "convolution"])
def model(request: pytest.FixtureRequest) -> KerasTextModel:
    return fit(kind=request.param)


ODD = pl.DataFrame({"body": ["", "sad " * 90, None, "zzz", "Sad, HAPPY!"]})


def test_it_learns_and_a_label_without_rows_is_none(model: KerasTextModel) -> None:
    test = rows(60, seed=2)
    found = model.predict(test)
    assert model.labels == ("good", "never", "bad")
    assert (found[:, 1] == 0).all()
    assert found.sum(axis=1) == pytest.approx(np.ones(60))
    assert (np.array(model.labels)[found.argmax(axis=1)] == test["mood"].to_numpy()).mean() > 0.95


def test_numpy_computes_what_keras_does(model: KerasTextModel) -> None:
    test = pl.concat([rows(20, seed=2).select("body"), ODD])
    network = model.network()
    outputs = np.asarray(network.predict_on_batch(model.words(test["body"].fill_null("").to_list())))
    assert np.ptp(outputs) > 1
    right = softmax(outputs[:, [0, 2]], axis=1)
    assert model.predict(test)[:, [0, 2]] == pytest.approx(right, abs=1e-5)


def test_it_is_the_same_when_it_was_saved_and_rows_alone_answer_as_among_others(
    model: KerasTextModel, tmp_path: Path
) -> None:
    test = pl.concat([rows(9, seed=2).select("body"), ODD])
    first = model.predict(test)
    model.save(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.json", "training.json", "weights.safetensors"]
    again = KerasTextModel.load(tmp_path)
    assert (again.predict(test) == first).all()
    alone = np.concatenate([again.predict(test[place : place + 1]) for place in range(test.height)])
    assert alone == pytest.approx(first, abs=1e-5)
    assert again.predict(rows(0)).shape == (0, 3)
    told = json.loads((tmp_path / "training.json").read_bytes())
    assert [step for step, _ in told["loss"]] == [3 * epoch for epoch in range(1, 13)]  # 80 rows by 32
    assert told["loss"][-1][1] < told["loss"][0][1]
    with pytest.raises(ModelError, match="reads the column 'body'"):
        again.predict(pl.DataFrame({"x": ["y"]}))


def test_the_same_seed_gives_the_same_weights_and_others_numbers_are_let_be() -> None:
    random.seed(5)
    np.random.seed(5)
    drawn = random.random(), np.random.random()
    random.seed(5)
    np.random.seed(5)
    one, other = (fit(epochs=2).predict(rows(5, seed=2)) for _ in "12")
    assert (random.random(), np.random.random()) == drawn
    assert (one == other).all()
    learner = KerasText(epochs=2, learning_rate=0.02, width=8, max_words=16)
    third = learner.fit(rows(80), rows(0), TASK, Context(seed=7)).predict(rows(5, seed=2))
    assert (third != one).any()


def test_the_epoch_that_is_best_on_validation_rows_stays() -> None:
    # Noise in validation labels makes the loss rise once the network is sure.
    chosen = random.Random(4)
    noisy = rows(60, seed=3).with_columns(pl.Series("mood", [chosen.choice(["bad", "good"]) for _ in range(60)]))
    task = TextClassification(text="body", label="mood")
    found = fit(task=task, validation=noisy, epochs=40, patience=4)
    losses = [loss for _, loss in found.training["validation"]]
    assert len(losses) < 40
    best = int(np.argmin(losses))
    assert best == len(losses) - 1 - 4
    probabilities = found.predict(noisy)[np.arange(60), [found.labels.index(mood) for mood in noisy["mood"]]]
    assert -np.log(probabilities).mean() == pytest.approx(losses[best], rel=1e-4)


def test_a_weight_counts_as_so_many_rows() -> None:
    # Two texts alike with other labels: what counts more is what is answered.
    train = pl.DataFrame({"body": ["lamp"] * 8, "mood": ["bad", "good"] * 4})
    for heavy in ("bad", "good"):
        weighed = train.with_columns(pl.when(mood=heavy).then(4.0).otherwise(1.0).alias(WEIGHT))
        found = fit(weighed, epochs=80, at_least=1, dropout=0)
        share = found.predict(pl.DataFrame({"body": ["lamp"]}))[0][found.labels.index(heavy)]
        assert share == pytest.approx(0.8, abs=0.03)
    rare = pl.DataFrame({"body": ["lamp"] * 8, "mood": ["bad"] * 6 + ["good"] * 2})
    found = fit(rare, epochs=80, at_least=1, dropout=0, class_weight="balanced").predict(
        pl.DataFrame({"body": ["lamp"]})
    )
    assert found[0, 0] == pytest.approx(0.5, abs=0.03)


@KINDS
def test_sets_of_labels(kind: str) -> None:
    both = pl.DataFrame(
        {"body": ["sad happy a", "the a", "late fine a", "is a"], "moods": [["bad", "good"], [], ["bad", "good"], []]}
    )
    train = pl.concat([rows(80).select("body", "moods"), both.cast({"moods": pl.List(pl.String)})])
    found = fit(train, SETS, train, kind=kind).predict(rows(40, seed=2))
    truth = np.array([[mood == name for name in ("bad", "good")] for mood in rows(40, seed=2)["mood"]])
    assert ((found >= 0.5) == truth).mean() > 0.95
    assert fit(train, SETS, kind=kind, epochs=1).predict(both).sum(axis=1).tolist() != [1, 1, 1, 1]


def test_words() -> None:
    words = Words.learn(["The cat, the dog!", "the Cat", "naïve ümlaut", ""], at_least=2, known=2, most=4)
    assert words.known == ("the", "cat")
    assert words(["Cat dog the", "", "the the the the the", "!"]).tolist() == [
        [3, UNKNOWN, 2, PAD], [UNKNOWN, PAD, PAD, PAD], [2, 2, 2, 2], [UNKNOWN, PAD, PAD, PAD],
    ]  # fmt: skip
    assert words.size == 4


def test_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="all training rows have the label 'bad'"):
        fit(rows(24).filter(mood="bad"))
    with pytest.raises(DataError, match="too few"):
        fit(rows(2))
    with pytest.raises(ModelError, match="no number any more"):
        fit(
            pl.concat([rows(8), rows(8).with_columns(mood=pl.lit("bad"))]).with_columns(
                pl.lit(float("inf")).alias(WEIGHT)
            )
        )
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr("seedbed.train.keras_text.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="compute with jax, which is not installed"):
        KerasText().made_from()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_either_backend_computes(backend: str) -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests/train'); import keras, numpy as np, test_keras_text as t\n"
        f"assert keras.backend.backend() == {backend!r}\n"
        "model = t.fit(kind='convolution'); t.test_numpy_computes_what_keras_does(model)\n"
        "t.test_it_learns_and_a_label_without_rows_is_none(model)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KERAS_BACKEND": backend},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
