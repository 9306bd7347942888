"""Exporters that bring a model of a run, not its rows, to where it is used."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from .context import Context
from .errors import ModelError
from .exporter import Exporter
from .learner import Model


@dataclass(frozen=True)
class Shipped:
    """A model that stands ready: opened, with its bundle, and rows that it was not trained on."""

    name: str
    use: str
    """The learner that made it."""
    says: str
    """What its task answers (`Task.says`)."""
    model: Model[Any]
    bundle: Path
    """Its folder."""
    run: Path | None
    """The run that made it, where that stands around it."""
    labels: tuple[str, ...]
    """The model's, in the order of its probabilities; none where it answers something else."""
    reads: tuple[str, ...]
    """The columns that it reads, after the steps."""
    inputs: tuple[str, ...]
    """The columns that a raw row brings."""
    steps: tuple[str, ...]
    """Names of the steps that a raw row passes before the model reads it, in order."""
    golden: Sequence[Mapping[str, Any]]
    """Examples: `input` (a raw row), `text` (what is read of it, as text), `predicted`."""
    golden_rows: pl.DataFrame
    """The same examples as the model reads them."""
    rows: Callable[[int], pl.DataFrame]
    """At most so many rows as the model reads them, which it was not trained on; the same ones each time."""
    rows_are: str
    """What these rows are: `test`, another split, or `golden`, the bundle's examples, where there is no run."""
    of: int
    """How many such rows there are."""
    extras: tuple[str, ...] = ()
    """Extras of Seedbed that it and its steps need."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What people are told of it: labels, inputs, scores, limits, examples, card."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """From which probability on labels are given, where the run chose that."""
    owed: tuple[str, ...] = ()
    """What stands in the way of showing it to others."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """The run's other models, by name: the learner of each."""


class ModelExporter(Exporter):
    """Brings a model of a finished run somewhere, in some form. `ship` does it; whoever opens the model calls it."""

    path: str = Field(min_length=1, description="Folder to write; relative to the recipe's folder.")
    model: str | None = Field(
        None,
        min_length=1,
        description="The model, as the run calls it; the one that is best on validation rows when left out.",
    )

    @property
    def place(self) -> str:
        """The folder, as the recipe names it."""
        return self.path

    @abstractmethod
    def ship(self, shipped: Shipped, context: Context) -> tuple[str, ...]:
        """Export the model.

        Returns:
            What a person should know of it, a sentence each.

        Raises:
            ModelError: It cannot be said in this form, or what it became does not answer as it does.
            RecipeError: The folder is not one that may be replaced.
            DataError: It cannot be written.
        """

    def export(self, run: Path, context: Context) -> None:
        """Not without the model.

        Raises:
            ModelError: Always.
        """
        raise ModelError("a model must be opened before it is exported: `ship` takes it", at=str(run))
