"""Graphs on their way into a folder, with the program that asks them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl

from seedbed.core import graph as core
from seedbed.core.errors import ModelError
from seedbed.core.graph import Feed, Graph
from seedbed.core.model_exporter import Shipped

from .parity import Answering, Answers, texts
from .placing import as_json, facts_of, more_in, write_golden

#: The program beside a graph.
RUNTIME = "runtime.py"


def graph_of(shipped: Shipped, at: str) -> Graph:
    """The model's graph.

    Raises:
        ModelError: It has none.
        MissingExtraError: What makes graphs is not installed.
    """
    try:
        return core.graph_of(shipped.model, shipped.use)
    except ModelError as error:
        hint = "linear models, trees, encoders, fine-tuned networks and ensembles can; or export docker or space"
        raise ModelError(error.problem, at=at, hint=error.hint or hint) from None


def write_feeding(folder: Path, shipped: Shipped, graph: Graph) -> None:
    """Write what one must have to feed a graph: `model.json`, and a tokenizer or a vocabulary."""
    as_json(folder / "model.json", facts_of(shipped, graph))
    for name, held in graph.files.items():
        (folder / name).write_bytes(held)


def write_beside(folder: Path, shipped: Shipped, graph: Graph) -> None:
    """Write what else stands beside a graph: the program, labels, examples, the model's card."""
    program = files(f"{__package__}.runtimes").joinpath(f"{graph.feed}.py").read_bytes()
    (folder / RUNTIME).write_bytes(program)
    as_json(folder / "labels.json", {str(place): label for place, label in enumerate(graph.labels)})
    write_golden(folder, shipped)
    for name, held in more_in(shipped).items():
        (folder / name).write_bytes(held)


def needed_by(graph: Graph) -> tuple[str, ...]:
    """Packages that the program needs."""
    return ("onnxruntime", "tokenizers") if graph.feed in ("tokens", "texts") else ("onnxruntime",)


def through_runtime(folder: Path, name: str, feed: Feed, reads: Sequence[str]) -> Answering:
    """What asks a graph as the program does that is exported with it.

    Args:
        folder: Holds `model.json` and what else feeding needs.
        name: The graph's file.
        feed: What it is fed with.
        reads: The columns that it reads.
    """
    model = import_module(f"{__package__}.runtimes.{feed}").Model(folder, name)

    def answers(rows: pl.DataFrame) -> Answers:
        return np.asarray(model(rows.select(reads).to_dicts() if feed == "numbers" else texts(rows, reads)))

    return answers
