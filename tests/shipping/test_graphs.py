"""A graph answers as its model does, whatever the learner, the task and the text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from example_models import COUNTING, READING, TREES, example_of, learned

from seedbed.core.errors import ModelError
from seedbed.core.graph import AsGraph, Graph
from seedbed.core.learner import Learner
from seedbed.core.model_exporter import Shipped
from seedbed.core.part import Example
from seedbed.core.run import Calibration
from seedbed.publish.shipping.graphs import through_runtime, write_feeding
from seedbed.publish.shipping.runtimes import terms as terms_program
from seedbed.publish.shipping.runtimes import texts as texts_program
from seedbed.train.calibrated import Calibrated
from seedbed.train.example_rows import MESSAGES, REMARKS
from seedbed.train.terms import Terms
from tiny_networks import write_tiny_bert

NASTY = [
    "", "a", "a b c", "LOVE It\n great\tcast", "İstanbul ÄRGER Straße", "love\u2003gre\xa0at", "日本語 great 👩‍👩‍👧",
    "x" * 3000, "e\u0301 naïve _b __ a1", "ΟΔΟΣ ﬀ ǅ", "\x00\x1c\x85 ok ok ok",
]  # fmt: skip


def _through(graph: Graph, says: str, folder: Path) -> Any:
    """The answers of a graph by the program that is exported."""
    (folder / "model.onnx").write_bytes(graph.onnx)
    shipped = Shipped(
        name="m", use="u", says=says, model=None, bundle=folder, run=None, labels=graph.labels, reads=graph.reads,
        inputs=(), steps=(), golden=[], golden_rows=pl.DataFrame(), rows=lambda _: pl.DataFrame(), rows_are="", of=0,
    )  # fmt: skip
    write_feeding(folder, shipped, graph)
    return through_runtime(folder, "model.onnx", graph.feed, graph.reads)


CASES = [
    pytest.param(use, example, id=f"{use}-{place}")
    for use in (*COUNTING, *READING, "tabular_linear", *TREES, "ensemble", "tuned")
    for place, example in enumerate(Learner.catalogue[use].examples)
]


@pytest.mark.parametrize(("use", "example"), CASES)
def test_a_graph_answers_as_its_model(use: str, example: Example, tmp_path: Path, tiny: Path) -> None:
    model, rows, says = learned(use, example, tiny)
    assert isinstance(model, AsGraph)
    asked = _through(model.graph(), says, tmp_path)
    if "text" in rows.columns:
        rows = pl.concat([rows.select("text"), pl.DataFrame({"text": NASTY})])
    own = model.predict(rows)
    assert np.abs(own - asked(rows)).max() <= 2e-5 * max(1.0, np.abs(own).max())


def _table(rows: int, answer: str) -> dict[str, list[Any]]:
    """A table whose numbers, categories and gaps all tell something of the answer."""
    draw = np.random.default_rng(7)
    size, town = draw.normal(size=rows) * 1e5, draw.integers(0, 9, rows)
    told: dict[str, list[Any]] = {
        "size": [None if gap else float(one) for one, gap in zip(size, draw.random(rows) < 0.2, strict=True)],
        "age": draw.integers(0, 40, rows).tolist(),
        "town": [None if gap else f"t{one}" for one, gap in zip(town, draw.random(rows) < 0.2, strict=True)],
        "kind": [f"k{one % 3}" for one in town],
    }
    score = size / 1e5 + np.sin(town) + draw.normal(size=rows) / 4
    labels = np.array(["low", "middle", "high"])[np.digitize(score, [-0.7, 0.7])].tolist()
    return {**told, answer: labels if answer == "label" else (1e6 + 3 * score).tolist()}


@pytest.mark.parametrize("answer", ["label", "target"])
@pytest.mark.parametrize("use", ["tabular_linear", *TREES, "ensemble"])
def test_a_graph_of_a_table_knows_missing_and_unknown_values(use: str, answer: str, tmp_path: Path) -> None:
    inner = [{"use": "tabular_linear"}, {"use": "random_forest", "trees": 5}, {"use": "gradient_boosting"}]
    options: dict[str, Any] = {"learners": inner} if use == "ensemble" else {}
    model, rows, says = learned(use, example_of(_table(300, answer), **options), tmp_path)
    asked = _through(model.graph(), says, tmp_path)
    named = {"town": ["t1", None, "T1", "t8", "elsewhere"], "kind": [None, "k1", "k2", "", "1"]}
    odd = pl.DataFrame({name: [None, "1e300", "no number", " 2 ", "inf"] for name in ("size", "age")} | named)
    given = pl.concat([rows.select(odd.columns).cast(pl.String), odd])
    own = model.predict(given)
    assert np.allclose(own, asked(given), rtol=1e-9, atol=1e-5)
    assert own.std() > 0.1, "the model learned something"


@pytest.mark.parametrize("use", TREES)
@pytest.mark.parametrize("components", [None, 3])
def test_a_graph_of_trees_reads_texts(use: str, components: int | None, tmp_path: Path) -> None:
    texts = [" ".join([first, *["more"] * count, last]) for first in NASTY[2:7] for last in "uv" for count in range(6)]
    before = {"text": texts, "label": ["some" if "love" in text.lower() else text[-1] for text in texts]}
    example = example_of(before, components=components)
    model, rows, says = learned(use, example, tmp_path)
    asked = _through(model.graph(), says, tmp_path)
    rows = pl.concat([rows.select("text"), pl.DataFrame({"text": NASTY})])
    assert np.abs(model.predict(rows) - asked(rows)).max() <= 1e-5


def test_an_ensemble_of_all_that_reads_texts_is_one_graph(tmp_path: Path, tiny: Path) -> None:
    encoder = {"encoder": str(tiny)}
    reading = {"use": "embedding_logistic", **encoder}
    inner = [
        {"use": "tfidf_logistic", "min_df": 1},
        {"use": "ensemble", "learners": [{"use": "naive_bayes", "min_df": 1}, reading]},
        {"use": "tuned", "learner": {"use": "random_forest", "trees": 3}, "trials": 1, "folds": 2},
        {"use": "tfidf_embedding_logistic", "min_df": 1, **encoder},
    ]
    before = {"text": REMARKS["text"] * 2, "label": REMARKS["label"] * 2}
    model, rows, says = learned("ensemble", example_of(before, learners=inner), tmp_path)
    graph = model.graph()
    assert graph.feed == "texts" and graph.network
    assert [name for name in graph.files if "tokenizer" in name] == ["1_tokenizer.json"], "the same one is kept once"
    asked = _through(graph, says, tmp_path)
    rows = pl.concat([rows.select("text"), pl.DataFrame({"text": NASTY})])
    assert np.abs(model.predict(rows) - asked(rows)).max() <= 2e-5


def test_what_has_no_graph_is_named(tmp_path: Path) -> None:
    inner = [{"use": "majority"}, {"use": "naive_bayes", "min_df": 1}]
    model, _, _ = learned("ensemble", example_of(MESSAGES, learners=inner), tmp_path)
    with pytest.raises(ModelError, match="majority, inside it, cannot be said as a graph"):
        model.graph()


def test_a_calibrated_model_has_calibrated_graphs(tmp_path: Path, tiny: Path) -> None:
    for use in ("tfidf_logistic", *READING[::2], "tabular_linear", "random_forest", "ensemble"):
        model, rows, says = learned(use, Learner.catalogue[use].examples[0], tiny)
        told = Calibration(temperature=2.5, split="v", rows=50, log_loss_before=1, log_loss_after=0.5)
        hot = Calibrated(model, told)
        found = _through(hot.graph(), says, tmp_path)(rows)
        assert np.abs(found - hot.predict(rows)).max() < 1e-5
        assert np.abs(found - model.predict(rows)).max() > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("place", range(3), ids=["label", "labels", "number"])
def test_a_graph_of_a_network_answers_as_it_does(place: int, tmp_path: Path) -> None:
    examples = [
        Learner.catalogue["transformer"].examples[0],
        Learner.catalogue["tfidf_logistic"].examples[-1],
        Learner.catalogue["tfidf_ridge"].examples[0],
    ]
    example = examples[place].model_copy(update={"options": {}})
    network = write_tiny_bert(tmp_path / "network")
    model, rows, says = learned("transformer", example, tmp_path, pretrained=str(network), epochs=1, max_tokens=24)
    asked = _through(model.graph(), says, tmp_path)
    rows = pl.concat([rows.select("text"), pl.DataFrame({"text": NASTY})])
    own = model.predict(rows)
    assert np.abs(own - asked(rows)).max() <= 1e-5 * max(1.0, np.abs(own).max())
    assert model.network.config._attn_implementation != "eager", "the network is as it was"


@pytest.mark.parametrize("kind", ["words", "characters"])
@pytest.mark.parametrize("lengths", [(1, 2), (2, 4), (3, 3), (5, 6)])
@pytest.mark.parametrize("cut", [terms_program.cut, texts_program.cut])
def test_programs_cut_texts_as_training_does(kind: Any, lengths: tuple[int, int], cut: Any) -> None:
    vectorizer = Terms(kind, lengths, ("any",), np.ones(1, dtype=np.float32))._fitted
    analyze = vectorizer.build_analyzer()
    for text in NASTY:
        assert sorted(cut(text, kind, *lengths)) == sorted(analyze(text)), text
