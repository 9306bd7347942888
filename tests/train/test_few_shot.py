"""A sentence encoder that learns from pairs of texts, against torch and scikit-learn."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from seedbed.core.context import Context
from seedbed.core.encoder import Encoder
from seedbed.core.errors import DataError, ModelError
from seedbed.core.learner import Model
from seedbed.core.task import MultiLabelClassification, Task, TextClassification
from seedbed.train.few_shot import FewShot, FewShotModel
from seedbed.train.pairs import ALIKE, OTHER, Pairs, drawn_pairs, embedded

TASK = TextClassification(text="body", label="mood", labels=("good", "never", "bad"))
SETS = MultiLabelClassification(text="body", label="moods", labels=("bad", "good"))
WORDS = {"bad": "awful sad broken angry late", "good": "lovely happy fine sunny early"}


def rows(n: int, seed: int = 1) -> pl.DataFrame:
    chosen = random.Random(seed)
    moods = [chosen.choice(list(WORDS)) for _ in range(n)]
    bodies = [" ".join([*chosen.choices(WORDS[mood].split(), k=2), "the", chosen.choice("ab")]) for mood in moods]
    return pl.DataFrame({"body": bodies, "mood": moods, "moods": [[mood] for mood in moods]})


def fit(folder: Path, store: Path, train: pl.DataFrame | None = None, task: Task = TASK, **options: Any) -> Model[Any]:
    train = rows(24) if train is None else train
    told = {"encoder": str(folder), "learning_rate": 1e-3, "pairs": 5, **options}
    return FewShot.model_validate({"use": "few_shot", **told}).fit(train, train.clear(), task, Context(store=store))


@pytest.fixture(scope="module")
def model(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return fit(tiny, tmp_path_factory.mktemp("store"), pairs=20, learning_rate=3e-3)


def apart(encoder: Encoder, test: pl.DataFrame) -> float:
    """How much more alike texts with the same label are than others, in cosines."""
    vectors = encoder.encode(test["body"].to_list(), max_tokens=30)
    cosines, same = vectors @ vectors.T, test["mood"].to_numpy()[:, None] == test["mood"].to_numpy()
    return float(cosines[same].mean() - cosines[~same].mean())


def test_texts_with_the_same_label_come_together(model: FewShotModel, tiny: Path) -> None:
    test = rows(60, seed=2)
    assert apart(model.encoder, test) > apart(Encoder(tiny), test) + 0.3
    found = model.predict(test)
    assert model.labels == ("good", "never", "bad")
    assert (found[:, 1] == 0).all()
    assert found.sum(axis=1) == pytest.approx(np.ones(60))
    assert (np.array(model.labels)[found.argmax(axis=1)] == test["mood"].to_numpy()).mean() > 0.95


def test_the_head_is_scikit_learns_on_the_tuned_embeddings(model: FewShotModel) -> None:
    train, test = rows(24), rows(9, seed=2)
    before, after = (model.encoder.encode(one["body"].to_list(), max_tokens=128) for one in (train, test))
    right = LogisticRegression(C=10, tol=1e-8, max_iter=1000).fit(before, train["mood"])
    assert right.classes_.tolist() == ["bad", "good"]
    assert model.predict(test)[:, [2, 0]] == pytest.approx(right.predict_proba(after), abs=1e-4)


def test_it_is_the_same_when_it_was_saved_and_rows_alone_answer_as_among_others(model: Any, tmp_path: Path) -> None:
    test = pl.concat(
        [rows(9, seed=2), pl.DataFrame({"body": ["", "sad " * 90, None], "mood": ["bad"] * 3, "moods": [["bad"]] * 3})]
    )
    first = model.predict(test)
    model.save(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "config.json", "head.safetensors", "model.json", "model.safetensors", "tokenizer.json", "training.json",
    ]  # fmt: skip
    again = FewShotModel.load(tmp_path)
    assert (again.predict(test) == first).all()
    alone = np.concatenate([again.predict(test[place : place + 1]) for place in range(test.height)])
    assert alone == pytest.approx(first, abs=1e-5)
    assert again.predict(rows(0)).shape == (0, 3)
    with pytest.raises(ModelError, match="reads the column 'body'"):
        again.predict(pl.DataFrame({"x": ["y"]}))


def test_the_same_seed_gives_the_same_weights_and_another_others(tiny: Path, tmp_path: Path) -> None:
    one, other = (fit(tiny, tmp_path / name, pairs=1).predict(rows(5, seed=2)) for name in "ab")
    assert (one == other).all()
    train = rows(24)
    learner = FewShot(encoder=str(tiny), learning_rate=1e-3, pairs=1)
    third = learner.fit(train, train, TASK, Context(store=tmp_path / "a", seed=7)).predict(rows(5, seed=2))
    assert (third != one).any()


def test_the_loss_is_torchs(tiny: Path) -> None:
    from transformers import AutoModel

    network = AutoModel.from_pretrained(str(tiny), add_pooling_layer=False).eval()
    texts = {"sad": [2, 5, 7, 3], "happy day": [2, 9, 10, 11, 3], "x": [2, 3]}
    pairs = [("sad", "x", 1.0), ("sad", "happy day", 0.0), ("x", "sad", 0.5)]
    objective = Pairs("few_shot", 0)
    batch = objective.collate([{"input_ids": texts[a], OTHER: texts[b], ALIKE: alike} for a, b, alike in pairs])
    assert batch["input_ids"].shape == (3, 5)  # each text once
    with torch.inference_mode():
        means = {name: network(torch.tensor([ids])).last_hidden_state[0].mean(dim=0) for name, ids in texts.items()}
        right = torch.nn.functional.mse_loss(
            torch.nn.functional.cosine_similarity(
                torch.stack([means[a] for a, _, _ in pairs]), torch.stack([means[b] for _, b, _ in pairs])
            ),
            torch.tensor([alike for _, _, alike in pairs]),
            reduction="sum",
        )
        assert float(objective.loss(network, batch)) == pytest.approx(float(right), rel=1e-5)
        found = embedded(network, batch["input_ids"], batch["attention_mask"])
    ours = Encoder(tiny)._forward([texts["sad"]])[0]
    assert (found[0] / found[0].norm()).numpy() == pytest.approx(ours, abs=1e-5)


def test_pairs_are_as_many_of_either_sort_for_each_row() -> None:
    held = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 1]], dtype=bool)
    found = drawn_pairs(held, 10, 10_000, seed=1)
    assert len(found) == 6 * 10 * 2
    assert sum(alike for _, _, alike in found) == 60
    assert all(one != other for one, other, _ in found)
    assert all(alike == float((held[one] == held[other]).all()) for one, other, alike in found)
    assert np.bincount([one for one, _, _ in found]).tolist() == [20] * 6
    assert len(drawn_pairs(held, 10, 50, seed=1)) == 50
    # the only row of its label has no partner with it
    assert {alike for one, _, alike in drawn_pairs(held[2:], 5, 99, seed=1) if one == 0} == {0.0}


def test_sets_of_labels_are_as_alike_as_what_they_share(tiny: Path, tmp_path: Path) -> None:
    held = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1]], dtype=bool)
    alike = {(one, other): share for one, other, share in drawn_pairs(held, 40, 10_000, seed=1)}
    assert alike[0, 1] == 0.5
    assert alike[2, 3] == 1
    assert alike[0, 4] == 0
    both = pl.DataFrame(
        {"body": ["sad happy a", "the a", "late fine a", "is a"], "moods": [["bad", "good"], [], ["bad", "good"], []]}
    )
    train = pl.concat([rows(30).select("body", "moods"), both.cast({"moods": pl.List(pl.String)})])
    found = fit(tiny, tmp_path, train, SETS, pairs=8)
    test = rows(40, seed=2)
    assert (
        (found.predict(test) >= 0.5) == np.array([[mood == name for name in ("bad", "good")] for mood in test["mood"]])
    ).mean() > 0.9


def test_refusals(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="all training rows have the label 'bad'"):
        fit(tiny, tmp_path, rows(24).filter(mood="bad"))
    with pytest.raises(DataError, match="too few"):
        fit(tiny, tmp_path, rows(2))
    with pytest.raises(ModelError, match="no encoder here"):
        fit(tmp_path / "nothing", tmp_path)
