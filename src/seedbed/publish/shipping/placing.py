"""A folder for an exported model: there whole or not at all, and replaced only by another export."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from seedbed.core.context import Context
from seedbed.core.graph import Graph
from seedbed.core.model_exporter import ModelExporter, Shipped
from seedbed.core.version import __version__
from seedbed.publish.files.described import KEY, below, write_description
from seedbed.publish.files.splits import replaced

#: What a bundle's card says of the bundle, which is elsewhere.
_USED = re.compile(r"^## How it is used\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_HERE = "## How it is used\n\nThis folder holds another form of the model: `README.md` says how that is asked.\n\n"
_STEPS = "the steps in `preprocess.json`"
#: What an export of a model says of itself.
EXPORTED = "export.json"


@contextmanager
def arriving_at(exporter: ModelExporter, shipped: Shipped, context: Context) -> Iterator[Path]:
    """A folder to fill; it is at its place when the body has ended well.

    Raises:
        DataError: It cannot be written.
        RecipeError: What is there may not be replaced.
    """
    with replaced(exporter.path, shipped.run or shipped.bundle, context, place_of(exporter)) as fresh:
        yield fresh
        told = {
            "version": __version__,
            "format": exporter.use,
            "model": shipped.name,
            "files": [],
            "holds": list(below(fresh)),
        }
        write_description(fresh / EXPORTED, {KEY: told})


def place_of(exporter: ModelExporter) -> str:
    """The exporter's place, for messages."""
    return f"publish: {exporter.use}: {exporter.path}"


def as_json(path: Path, told: Any) -> None:
    """Write JSON for people and programs."""
    path.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def facts_of(shipped: Shipped, graph: Graph | None = None) -> dict[str, Any]:
    """What programs must know of a model."""
    told: dict[str, Any] = {
        "seedbed": __version__,
        "model": shipped.name,
        "use": shipped.use,
        "says": shipped.says,
        "labels": list(graph.labels if graph else shipped.labels),
        "reads": list(graph.reads if graph else shipped.reads),
        "after_steps": list(shipped.steps),
    }
    if shipped.thresholds:
        told["decided_from"] = dict(shipped.thresholds)
    if graph and graph.feed == "numbers":
        there = shipped.golden_rows.schema
        told["types"] = {name: _kind(there[name]) for name in graph.reads if name in there}
    return told | ({"feed": graph.feed, **graph.told} if graph else {})


def _kind(dtype: pl.DataType) -> str:
    """What a column was in training, in a word."""
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_numeric():
        return "integer" if dtype.is_integer() else "number"
    return "moment" if dtype in (pl.Date, pl.Datetime) else "text"


def write_golden(folder: Path, shipped: Shipped) -> None:
    """Write `golden.json`: raw rows, what the model reads of them, and what it answers."""
    read = shipped.golden_rows.to_dicts()
    told = [
        {"input": one["input"], "reads": reads, "predicted": one["predicted"]}
        for one, reads in zip(shipped.golden, read, strict=True)
    ]
    (folder / "golden.json").write_bytes(
        orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE, default=str)
    )


def after_steps(shipped: Shipped) -> str:
    """What must be done with a raw row before the exported model reads it, in a paragraph."""
    if not shipped.steps:
        return "The model reads rows as they come: no step of the recipe changes what it reads.\n"
    steps = ", ".join(f"`{step}`" for step in shipped.steps)
    return (
        "In training, and in `seedbed serve` and `seedbed predict`, a raw row passes the recipe's steps first: "
        f"{steps}. This export does not hold them: give it what those steps make of a row, or export `docker` or "
        "`space`, which do. `golden.json` has raw rows (`input`), what the model reads of them (`reads`) and what it "
        "answers (`predicted`): hold your program against it.\n"
    )


def more_in(shipped: Shipped) -> Mapping[str, bytes]:
    """The model's card, where its bundle has one; of how it is used, this form's own page tells."""
    card = shipped.bundle / "README.md"
    if not card.is_file():
        return {}
    told = _USED.sub(_HERE, card.read_text("utf-8"))
    return {"MODEL_CARD.md": told.replace(_STEPS, "the steps that `README.md` names").encode()}
