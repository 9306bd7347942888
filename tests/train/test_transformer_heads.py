"""transformer with several labels a row, and with numbers, on a tiny network of random weights."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.rows import WEIGHT
from seedbed.core.task import MultiLabelClassification, Regression, Task, TextClassification
from seedbed.train import Transformer
from seedbed.train.heads import AnyOf, Head
from seedbed.train.transformer import TransformerModel
from tiny_networks import write_tiny_bert

pytest.importorskip("torch")
pytest.importorskip("transformers")

SETS = MultiLabelClassification(kind="multi_label_classification", text="body", label="moods")
AMOUNT = Regression(kind="regression", text="body", target="price")
WORDS = {"bad": ["awful", "sad", "broken"], "good": ["lovely", "happy", "fine"], "so": ["table", "chair", "lamp"]}
PRICES = {"table": 300.0, "chair": 80.0, "lamp": 30.0, "sofa": 900.0}


def sets(n: int, seed: int = 1) -> pl.DataFrame:
    chosen = random.Random(seed)
    moods = [[mood for mood in WORDS if chosen.random() < 0.4] for _ in range(n)]
    words = [[chosen.choice(WORDS[mood]) for mood in some] + chosen.choices(["the", "a", "is"], k=3) for some in moods]
    for one in words:
        chosen.shuffle(one)
    return pl.DataFrame(
        {"body": [" ".join(one) for one in words], "moods": moods}, schema_overrides={"moods": pl.List(pl.String)}
    )


def prices(n: int, seed: int = 1) -> pl.DataFrame:
    chosen = random.Random(seed)
    things = [chosen.choice(list(PRICES)) for _ in range(n)]
    told = [f"{chosen.choice(['an old', 'a new'])} {thing}" for thing in things]
    return pl.DataFrame({"body": told, "price": [PRICES[thing] * chosen.uniform(0.9, 1.1) for thing in things]})


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bert(tmp_path_factory.mktemp("bert"))


def fit(
    tiny: Path, store: Path, task: Task, train: pl.DataFrame, known: pl.DataFrame | None = None, **how: object
) -> TransformerModel:
    options = {"epochs": 24, "learning_rate": 0.005, "batch": 16, "max_tokens": 32, "patience": None, **how}
    learner = Transformer.model_validate({"pretrained": str(tiny), **options})
    return learner.fit(train, train.clear() if known is None else known, task, Context(store=store))


@pytest.fixture(scope="module")
def labelled(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> TransformerModel:
    return fit(tiny, tmp_path_factory.mktemp("store"), SETS, sets(160), sets(60, seed=2))


@pytest.fixture(scope="module")
def measured(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> TransformerModel:
    return fit(tiny, tmp_path_factory.mktemp("store"), AMOUNT, prices(160), prices(60, seed=2))


def test_it_learns_sets_of_labels(labelled: TransformerModel) -> None:
    test = sets(100, seed=3)
    found = labelled.predict(test.drop("moods"))
    assert labelled.labels == ("bad", "good", "so")
    held = np.array([[mood in some for mood in WORDS] for some in test["moods"].to_list()])
    assert found.shape == (100, 3) and (found > 0).all() and (found < 1).all()
    always = max(held.mean(), 1 - held.mean())
    assert ((found >= 0.5) == held).mean() > 0.8 > always + 0.1
    assert labelled.predict(test.clear()).shape == (0, 3)


def test_it_learns_numbers(measured: TransformerModel) -> None:
    test = prices(100, seed=3)
    found = measured.predict(test.drop("price"))
    assert measured.labels == () and found.shape == (100, 1)
    off = np.abs(np.log(found[:, 0] / test["price"].to_numpy()))
    assert np.median(off) < 0.15  # among prices from 30 to 900
    assert measured.head.log and measured.predict(test.clear()).shape == (0, 1)


@pytest.mark.parametrize("which", ["labelled", "measured"])
def test_what_is_saved_answers_the_same(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    model = request.getfixturevalue(which)
    test = sets(20, seed=4)
    model.save(tmp_path)
    loaded = TransformerModel.load(tmp_path)
    assert loaded.head == model.head
    assert (loaded.predict(test) == model.predict(test)).all()
    alone = np.concatenate([model.predict(test[i : i + 1]) for i in range(test.height)])
    assert alone == pytest.approx(model.predict(test), rel=1e-5, abs=1e-6)
    config = AutoModelForSequenceClassification.from_pretrained(tmp_path).config
    assert config.problem_type == {"labelled": "multi_label_classification", "measured": "regression"}[which]


def test_bundles_of_earlier_versions_are_read(tiny: Path, tmp_path: Path) -> None:
    task = TextClassification(kind="text_classification", text="body", label="mood", labels=("so", "never", "bad"))
    train = pl.DataFrame({"body": ["sad", "table", "awful", "chair"] * 4, "mood": ["bad", "so"] * 8})
    model = fit(tiny, tmp_path / "store", task, train, epochs=1)
    folder = tmp_path / "model"
    folder.mkdir()
    model.save(folder)
    told = {"labels": ["so", "never", "bad"], "text": "body", "seen": [0, 2], "max_tokens": 32}
    (folder / "model.json").write_text(json.dumps(told))
    loaded = TransformerModel.load(folder)
    assert loaded.labels == ("so", "never", "bad")
    assert (loaded.predict(train) == model.predict(train)).all()


def test_losses_are_pytorchs() -> None:
    import torch

    outputs, truth = torch.randn(5, 3), torch.randint(0, 2, (5, 3)).float()
    expected = torch.nn.BCEWithLogitsLoss(reduction="none")(outputs, truth).mean(1)
    assert torch.allclose(AnyOf("x", 0).each(outputs, truth), expected)


@pytest.mark.parametrize("task", [SETS, AMOUNT])
def test_rows_that_count_for_nothing_teach_nothing(task: Task, tiny: Path, tmp_path: Path) -> None:
    if task is SETS:
        right = sets(60)
        wrong = right.with_columns(moods=pl.lit(["bad", "good", "so"]))
        hold = (0.0, 1.0)
    else:
        right = prices(60)
        wrong = right.with_columns(price=pl.col("price") * 100)
        hold = (1.0, 0.0)
    train = pl.concat(
        [some.with_columns(pl.lit(count).alias(WEIGHT)) for some, count in zip((right, wrong), hold, strict=True)]
    )
    found = fit(tiny, tmp_path, task, train, epochs=6).predict(right)
    if task is SETS:
        assert (found > 0.5).all()
    else:
        assert np.median(found) < 1000


def test_numbers_are_learned_on_a_scale(tiny: Path) -> None:
    head = Head.of(prices(50), AMOUNT)
    told, known = head.coded(prices(50), AMOUNT)
    assert np.mean(told) == pytest.approx(0, abs=1e-6) and np.std(told) == pytest.approx(1, abs=1e-6)
    assert known == list(range(50))
    assert head.answers(np.array(told)[:, None])[:, 0] == pytest.approx(prices(50)["price"].to_numpy(), rel=1e-5)


def test_errors(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too few"):
        fit(tiny, tmp_path, SETS, sets(3))
    with pytest.raises(DataError, match="nothing to learn"):
        fit(tiny, tmp_path, AMOUNT, prices(9).with_columns(price=pl.lit(1.0)))
