"""A model as a graph of ONNX."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.eight_bits import in_8_bits
from seedbed.core.errors import ModelError
from seedbed.core.graph import OPSET, Graph
from seedbed.core.learner import Precision
from seedbed.core.model_exporter import ModelExporter, Shipped
from seedbed.core.numbers import size
from seedbed.core.part import Example

from .shipping.graphs import graph_of, needed_by, through_runtime, write_beside, write_feeding
from .shipping.parity import Agreement, agreement, in_words, refuse, write_parity
from .shipping.placing import after_steps, arriving_at, place_of

Rows = Annotated[int, Field(ge=1, le=1_000_000)]

#: The file of each precision.
GRAPHS: dict[Precision, str] = {"fp32": "model.onnx", "int8": "model.int8.onnx"}
#: In 32 bits only rounding differs: fewer rows than this share that agree are a fault.
LEAST_IN_32 = 0.999


class Onnx(ModelExporter):
    """Write a model as a graph of ONNX, with what any runtime needs to ask it, and hold it against the model.

    The folder gets `model.onnx` (32 bits), for networks and encoders `model.int8.onnx` (8 bits) and `tokenizer.json`,
    for models that count terms `vocabulary.json`; `labels.json` (label by output), `model.json` (what is fed in and
    what comes out), `golden.json` (examples), `parity.json` (how each graph agrees with the model on held-out rows),
    `runtime.py` (fewer than 50 lines of Python, of tables 80, that need `onnxruntime` and, for tokens, `tokenizers`)
    and a `README.md`. Where the run chose thresholds, `decided_from` in `model.json` says from which probability on a
    label is given, and the graphs are held against the model there.

    ## Why
    ONNX is read by ONNX Runtime on servers, phones and in browsers, without torch and without Seedbed. A graph may
    answer otherwise than its model, for instance where dropout was exported or 8 bits round too much; so each is asked
    about held-out rows, through the very program that is exported, and one that agrees too rarely is not written.
    Probabilities come out calibrated, where the model's are.

    ## Limits
    Models that answer a label, labels or a number have graphs, if they are linear (on terms, embeddings, both or
    columns), trees (`decision_tree`, `random_forest`, `gradient_boosting`), fine-tuned networks, or made of such
    (`ensemble`, `tuned`); "Ship a model" has the table. The recipe's steps stay outside: the graph reads what they
    leave. Cutting a text into terms stays outside, too; `model.json` says the rule and `runtime.py` follows it. Only
    networks get 8 bits; answers of such a graph move with what else is asked in the same call, so `runtime.py` asks
    one text at a time. `agreement` is held against the share that was measured, whose interval stands beside it. At
    0.9, accuracy can differ by a tenth at the very most, if every answer that moved had been right. The default encoder
    beside terms agreed on 98.4 % of 900 tweets; what agrees far less is mostly broken. Ask for more where each answer
    counts.
    """

    extra: ClassVar[str] = "onnx"
    needs: ClassVar[tuple[str, ...]] = ("onnx", "onnxruntime", "tokenizers")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A linear model on terms",
            options={"path": "out/onnx"},
            before={"run": ["run.json", "models/tfidf_logistic/bundle.json"]},
            after={
                "folder": [
                    "golden.json", "labels.json", "model.json", "model.onnx", "parity.json", "runtime.py",
                    "vocabulary.json",
                ]
            },
        ),
    )  # fmt: skip

    use: Literal["onnx"] = "onnx"
    precisions: tuple[Precision, ...] = Field(
        ("fp32", "int8"), min_length=1, description="Which graphs to write; `int8` for networks and encoders alone."
    )
    agreement: float = Field(
        0.9,
        gt=0,
        le=1,
        description="Share of held-out rows that the `int8` graph must answer as the model does, or it is not written "
        "(`fp32`: 0.999).",
    )
    rows: Rows = Field(1_000, description="Held-out rows that graphs are held against the model on, at most.")

    def ship(self, shipped: Shipped, context: Context) -> tuple[str, ...]:
        """Write the folder.

        Raises:
            ModelError: The model cannot be said as a graph, or a graph answers otherwise.
            RecipeError: The folder is not one that may be replaced.
            DataError: It cannot be written.
            MissingExtraError: Packages are not installed.
        """
        self.check_needs()
        graph = graph_of(shipped, place_of(self))
        rows = shipped.rows(self.rows)
        with arriving_at(self, shipped, context) as folder:
            found = self._graphs(graph, shipped, rows, folder, context)
            write_beside(folder, shipped, graph)
            write_parity(folder, shipped, found, {"through": "runtime.py"})
            (folder / "README.md").write_text(_readme(shipped, graph, found), "utf-8")
        return in_words(shipped, found)

    def _graphs(
        self, graph: Graph, shipped: Shipped, rows: pl.DataFrame, folder: Path, context: Context
    ) -> dict[str, Agreement]:
        """Write the graphs, and hold each against the model."""
        write_feeding(folder, shipped, graph)
        wanted = [one for one in self.precisions if one == "fp32" or graph.network]
        if not wanted:
            raise ModelError("only graphs of networks get 8 bits", at=place_of(self), hint="precisions: [fp32]")
        found = {}
        with context.stage("Holding graphs against the model", len(wanted), "graphs") as stage:
            for precision in wanted:
                name = GRAPHS[precision]
                written = graph.onnx if precision == "fp32" else in_8_bits(graph.onnx)
                (folder / name).write_bytes(written)
                least = LEAST_IN_32 if precision == "fp32" else self.agreement
                asked = through_runtime(folder, name, graph.feed, graph.reads)
                found[name] = agreement(shipped, rows, asked, least=least, size=len(written))
                refuse(name, found[name], place_of(self))
                stage.advance(1, name)
        return found


def _readme(shipped: Shipped, graph: Graph, found: Mapping[str, Agreement]) -> str:
    needs = " ".join(needed_by(graph))
    rows = "".join(
        f"| `{name}` | {size(one.bytes)} | {one.rows - one.differ:,} of {one.rows:,} ({one.said()}) | "
        f"{one.largest_difference:.2g} |\n"
        for name, one in found.items()
    )
    answers = "probabilities of the labels in `labels.json`" if graph.labels else "the number"
    return (
        f"# {shipped.name}\n\nA model that Seedbed exported as a graph of ONNX (opset {OPSET}). It answers with "
        f"{answers}.\n\n```sh\npip install {needs}\npython runtime.py {_asked(shipped, graph)}\n```\n\n"
        f"{after_steps(shipped)}\n"
        f"| graph | size | same answer as the model, on {shipped.rows_are} rows | largest difference |\n"
        f"|---|---|---|---|\n{rows}\n"
        "`model.json` says what is fed in; `MODEL_CARD.md`, what the model was learned from and how good it is.\n"
    )


def _asked(shipped: Shipped, graph: Graph) -> str:
    """What to ask the program, as a shell takes it: a text, or an example as the model reads it."""
    if graph.feed != "numbers":
        return '"a text"'
    row = next(shipped.golden_rows.iter_rows(named=True), {})
    told = {name: row.get(name) for name in graph.reads}
    return shlex.quote(json.dumps(told, ensure_ascii=False, default=str))
