"""Doubts about labels: which rows a model that never saw them would have labelled otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from .rows import ROW
from .score import Score

#: Where a run keeps its suspects, below its folder: training and validation rows, and apart from them the test rows.
FILES: Final = {False: "review/suspects.parquet", True: "review/suspects_test.parquet"}

NEIGHBOUR: Final = pl.Struct({"row": pl.String(), "label": pl.String(), "similarity": pl.Float64()})

#: A row whose label is doubted; the most suspect first.
SUSPECTS: Final = pl.Schema(
    {
        ROW: pl.String(),
        "split": pl.String(),
        "rank": pl.UInt32(),  # from 1
        "given": pl.String(),
        "suggested": pl.String(),
        # probability of the given label; of a set, of what fits worst in it; of a number, that one lies so far off
        "self_confidence": pl.Float64(),
        "confidence": pl.Float64(),  # probability of the suggested one; none of a number
        "margin": pl.Float64(),  # the first minus the second
        # wrong, ambiguous or near_copy; of a set also missing and wrong_and_missing; of a number too_high or too_low
        "kind": pl.String(),
        "neighbours": pl.List(NEIGHBOUR),  # the nearest first
    }
)


@dataclass(frozen=True)
class Doubts:
    """What models that saw the other rows make of each row's label."""

    suspects: pl.DataFrame
    """Training and validation rows that are doubted (`SUSPECTS`)."""
    share: Score
    """Estimated share of wrong labels among training and validation rows; of numbers, the share that lies far off."""
    joint: float
    """The same as the confident joint has it, which counts what a weak model does not understand as wrong."""
    accuracy: float
    """Share of those rows whose label the models would have given; of sets the F1 over all labels,
    of numbers Spearman's correlation of what is given and what is foretold."""
    learner: str
    """Who learned the models."""
    folds: int
    """How many models there were."""
    of: Literal["label", "labels", "number"] = "label"
    """What a row's answer is."""
