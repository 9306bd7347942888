"""Frozen layers: computed once, and nothing that is learned changes by it; and layers that begin to learn later."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from seedbed.core.context import Context
from seedbed.core.task import TextClassification
from seedbed.train import Transformer, frozen_layers
from seedbed.train.transformer import TransformerModel
from tiny_networks import write_tiny_bert

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

TASK = TextClassification(kind="text_classification", text="text", label="label")
WORDS = "lovely happy fine sunny awful sad broken angry table chair lamp desk".split()  # noqa: SIM905
TEXTS = [" ".join(WORDS[(i * k) % 12] for k in range(1, 3 + i % 6)) for i in range(60)]
ROWS = pl.DataFrame({"text": TEXTS, "label": ["good" if "fine" in text else "bad" for text in TEXTS]})
HOW = {"epochs": 3, "learning_rate": 0.005, "batch": 8, "max_tokens": 32, "patience": None}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With dropout, so that it would show whether that is left out."""
    return write_tiny_bert(tmp_path_factory.mktemp("bert"))


class Said:
    """Progress that remembers what was said."""

    def __init__(self) -> None:
        self.lines = list[str]()
        self.titles = list[str]()

    def start(self, title: str, total: float | None, unit: str) -> Said:
        self.titles.append(title)
        return self

    def finish(self, stage: object) -> None: ...

    def advance(self, *_: object, **__: object) -> None: ...

    def say(self, text: str) -> None:
        self.lines.append(text)


def fit(network: Path, store: Path, progress: Said | None = None, **options: object) -> TransformerModel:
    learner = Transformer.model_validate({"pretrained": str(network), **HOW, "freeze_layers": 1, **options})
    context = Context(store=store, progress=progress or Said())
    return learner.fit(ROWS[12:], ROWS[:12], TASK, context)


def weights(model: TransformerModel) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in model.network.state_dict().items()}


def furthest(one: TransformerModel, other: TransformerModel) -> float:
    a, b = weights(one), weights(other)
    return max(float(np.abs(a[name] - b[name]).max()) for name in a)


def test_what_is_learned_is_the_same(network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory, in a file, and without keeping anything."""
    said = [Said(), Said(), Said()]
    kept = fit(network, tmp_path, said[0])
    monkeypatch.setattr(frozen_layers, "IN_MEMORY", 100)
    in_a_file = fit(network, tmp_path, said[1])
    monkeypatch.setattr(frozen_layers, "OF_DISK", 0)
    unkept = fit(network, tmp_path, said[2])
    assert furthest(kept, in_a_file) == 0
    assert 0 <= furthest(kept, unkept) < 1e-4
    assert furthest(kept, fit(network, tmp_path, epochs=1)) > 1e-3  # so much do other weights differ
    assert [any("kept in memory" in line for line in one.lines) for one in said] == [True, False, False]
    assert [any("kept in a file" in line for line in one.lines) for one in said] == [False, True, False]
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert json.dumps(str(kept.network.bert.encoder.layer[0].forward)).count("lambda") == 0
    assert kept.predict(ROWS) == pytest.approx(unkept.predict(ROWS), abs=1e-4)


def test_frozen_layers_have_no_dropout(network: Path, tmp_path: Path) -> None:
    """Whatever the whole network is told; afterwards they do as they are told again."""
    from transformers import AutoModelForSequenceClassification

    from seedbed.train.frozen_layers import computed_once, freeze
    from seedbed.train.heads import OneOf

    made = AutoModelForSequenceClassification.from_pretrained(network)
    freeze(made, 1, "here")
    first = made.bert.encoder.layer[0]
    context = Context(store=tmp_path)
    with computed_once(made, [], OneOf("x", 0), context, again=False, computing=lambda: torch.enable_grad()):
        made.train()
        assert not first.training and not made.bert.embeddings.training
        assert made.bert.encoder.layer[1].training
    made.train()
    assert first.training and made.bert.embeddings.training


def test_networks_that_hand_on_something_else_compute_them(network: Path, tmp_path: Path) -> None:
    """What is learned below the layers, or beside them, keeps states from being kept; what is learned is right."""
    from transformers import AutoModelForSequenceClassification

    from seedbed.train.frozen_layers import computed_once, freeze
    from seedbed.train.heads import OneOf

    rows = [{"input_ids": [2, 5 + place, 3], "label": place % 2} for place in range(6)]
    for change in ("embeddings learn", "a tuple"):
        made = AutoModelForSequenceClassification.from_pretrained(network)
        freeze(made, 1, "here")
        layer = made.bert.encoder.layer[0]
        plain, said = layer.forward, Said()
        if change == "a tuple":
            layer.forward = lambda states, *given, plain=plain, **named: (plain(states, *given, **named), None)
            with pytest.raises((AttributeError, TypeError)):
                made(input_ids=torch.tensor([[2, 5, 3]]), attention_mask=torch.ones(1, 3, dtype=torch.int64))
        else:
            made.bert.register_forward_pre_hook(lambda *_: None)
            made.bert.embeddings.register_forward_hook(lambda _m, _g, out, made=made: out + made.classifier.bias.sum())
        context = Context(store=tmp_path, progress=said)
        with computed_once(made, rows, OneOf("x", 0), context, again=True, computing=lambda: torch.enable_grad()):
            pass
        assert said.titles == ["Reading the frozen layers"]
        assert said.lines == []


def test_layers_begin_to_learn_from_the_top(network: Path, tmp_path: Path) -> None:
    """Over the first epoch; then all learn."""
    from transformers import AutoModelForSequenceClassification

    from seedbed.train.unfreezing import Unfreezing

    made = AutoModelForSequenceClassification.from_pretrained(network)
    opening = Unfreezing.of(made, dict(made.named_parameters()), 8)
    seen = []
    for step in range(10):
        opening.at(step)
        seen.append([place for place, part in enumerate(opening.parts) if all(one.requires_grad for one in part)])
    assert seen == [[0], [0], [0, 1], [0, 1], [0, 1, 2], [0, 1, 2], *[[0, 1, 2, 3]] * 4]
    assert [len(one) for one in opening.parts] == [4, 16, 16, 5]  # pooler and head, two layers, embeddings
    assert {id(one) for one in opening.parts[1]} == {id(one) for one in made.bert.encoder.layer[1].parameters()}
    assert all(one.requires_grad for one in made.parameters())
