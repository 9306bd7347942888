"""A graph answers as its model does, whatever the learner, the task and the text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import TypeAdapter

from seedbed.core.context import Context
from seedbed.core.graph import AsGraph, Graph
from seedbed.core.learner import Learner
from seedbed.core.model_exporter import Shipped
from seedbed.core.part import Example
from seedbed.core.run import Calibration
from seedbed.core.task import AnyTask
from seedbed.publish.shipping.graphs import through_runtime, write_feeding
from seedbed.publish.shipping.runtimes.terms import cut
from seedbed.train.calibrated import Calibrated
from seedbed.train.terms import Terms
from tiny_encoder import with_encoder
from tiny_networks import write_tiny_bert

COUNTING = ("tfidf_logistic", "tfidf_svm", "naive_bayes", "tfidf_ridge")
NASTY = [
    "", "a", "a b c", "LOVE It\n great\tcast", "İstanbul ÄRGER Straße", "love\u2003gre\xa0at", "日本語 great 👩‍👩‍👧",
    "x" * 3000, "e\u0301 naïve _b __ a1", "ΟΔΟΣ ﬀ ǅ", "\x00\x1c\x85 ok ok ok",
]  # fmt: skip


def _learned(use: str, example: Example, folder: Path, **more: Any) -> tuple[Any, pl.DataFrame, str]:
    """The model of a learner's example, its rows, and what its task answers."""
    rows = pl.DataFrame(example.before).with_columns(pl.int_range(pl.len()).cast(pl.String).alias("row"))
    part = Learner.catalogue[use]
    learner = part.model_validate({"use": use, **example.options, **more})
    assert isinstance(learner, Learner)
    answer = "target" if "target" in rows.columns else "label"
    text = "text" in rows.columns
    kinds = {"label": "text_classification" if text else "tabular_classification"}
    kinds["target"] = "regression" if text else "tabular_regression"
    kind = "multi_label_classification" if rows[answer].dtype.is_nested() else kinds[answer]
    told = {"kind": kind, answer: answer, **({"text": "text"} if text else {})}
    if answer == "label":
        told["labels"] = sorted(set(rows["label"].explode() if rows["label"].dtype.is_nested() else rows["label"]))
    task: Any = TypeAdapter(AnyTask).validate_python(told)
    found = with_encoder(learner, folder).fit(rows, rows[:0], task, Context(store=folder / "store", base=folder))
    return found, rows, task.says


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
    for use in (*COUNTING, "embedding_logistic", "embedding_ridge", "tabular_linear")
    for place, example in enumerate(Learner.catalogue[use].examples)
]


@pytest.mark.parametrize(("use", "example"), CASES)
def test_a_graph_answers_as_its_model(use: str, example: Example, tmp_path: Path, tiny: Path) -> None:
    model, rows, says = _learned(use, example, tiny)
    assert isinstance(model, AsGraph)
    asked = _through(model.graph(), says, tmp_path)
    if "text" in rows.columns:
        rows = pl.concat([rows.select("text"), pl.DataFrame({"text": NASTY})])
    own = model.predict(rows)
    assert np.abs(own - asked(rows)).max() <= 2e-5 * max(1.0, np.abs(own).max())


def test_a_graph_of_a_table_knows_missing_and_unknown_values(tmp_path: Path) -> None:
    model, rows, says = _learned("tabular_linear", Learner.catalogue["tabular_linear"].examples[0], tmp_path)
    asked = _through(model.graph(), says, tmp_path)
    names = [name for name in rows.columns if name not in ("row", "label")]
    odd = pl.DataFrame({name: [None, "1e300", "no number", " 2 ", "inf"] for name in names})
    assert np.allclose(model.predict(odd), asked(odd), atol=1e-9)


def test_a_calibrated_model_has_calibrated_graphs(tmp_path: Path, tiny: Path) -> None:
    for use in ("tfidf_logistic", "embedding_logistic", "tabular_linear"):
        model, rows, says = _learned(use, Learner.catalogue[use].examples[0], tiny)
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
    model, rows, says = _learned("transformer", example, tmp_path, pretrained=str(network), epochs=1, max_tokens=24)
    asked = _through(model.graph(), says, tmp_path)
    rows = pl.concat([rows.select("text"), pl.DataFrame({"text": NASTY})])
    own = model.predict(rows)
    assert np.abs(own - asked(rows)).max() <= 1e-5 * max(1.0, np.abs(own).max())
    assert model.network.config._attn_implementation != "eager", "the network is as it was"


@pytest.mark.parametrize("kind", ["words", "characters"])
@pytest.mark.parametrize("lengths", [(1, 2), (2, 4), (3, 3), (5, 6)])
def test_programs_cut_texts_as_training_does(kind: Any, lengths: tuple[int, int]) -> None:
    vectorizer = Terms(kind, lengths, ("any",), np.ones(1, dtype=np.float32))._fitted
    analyze = vectorizer.build_analyzer()
    for text in NASTY:
        assert sorted(cut(text, kind, *lengths)) == sorted(analyze(text)), text
