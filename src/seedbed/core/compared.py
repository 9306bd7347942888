"""Runs side by side: how their models did, and which are better on the rows that judge both."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .record import Record
from .run import Comparison
from .score import Score
from .side_by_side import SideBySide


class ComparedRun(Record):
    """A run among those that are compared."""

    letter: str = Field(description="What it is called here.")
    named: str = Field(description="As it was asked for.")
    folder: str
    id: str
    name: str
    started: str
    state: str
    task: str = Field(description="Its kind.")
    metric: str = Field(description="The metric that decides there.")
    dataset: str = Field(description="The dataset's digest.")
    level: float = Field(description="Coverage of its intervals.")


class ComparedModel(Record):
    """A model of one of the runs."""

    run: str = Field(description="The run's letter.")
    model: str
    use: str
    best: bool = Field(description="Whether it is the best of its run on validation rows.")
    split: str = Field(description="Rows that the scores are of.")
    scores: dict[str, Score] = Field(description="By metric.")
    seconds: float = Field(description="What it took to train.")
    bytes: int


class ComparedPair(Record):
    """Two of the runs, and whether their models can be compared row by row."""

    a: str
    b: str
    rows: int = Field(0, description="Rows that are test rows of both, of which both say the same.")
    of_a: int = 0
    of_b: int = 0
    why_not: str | None = None
    unlike: str | None = Field(None, description="What one of the splits keeps together and the other does not.")


class ComparedPreference(Record):
    """Which of two models of one run is preferred, as that run tells it."""

    run: str = Field(description="The run's letter.")
    by: Literal["people", "judge"]
    who: str = Field("", description="Name of the model that judged.")
    a: str
    b: str
    rows: int = Field(description="Test rows with answers of both.")
    wins: int = Field(description="Rows on which `b` is preferred.")
    losses: int
    ties: int
    win_rate: Score = Field(description="Of `b`: wins and half of the ties, over rows; 0.5 is no difference.")
    p_holm: float = Field(description="Holm-corrected over the pairs of its run.")
    verdict: Literal["better", "worse", "not distinguishable", "too few rows"] = Field(description="Of `b`.")
    goes_by_place: bool = Field(False, description="Whether the place of an answer matters more than chance explains.")


class Compared(Record):
    """Runs side by side."""

    runs: tuple[ComparedRun, ...]
    models: tuple[ComparedModel, ...]
    metric: str = Field(description="What models are compared by.")
    pairs: tuple[ComparedPair, ...]
    comparisons: tuple[Comparison, ...] = Field(
        description="Models of one name and the best of two runs, as `MODEL of LETTER`; Holm-corrected over all."
    )
    preferred: tuple[ComparedPreference, ...] = Field(
        (), description="What people and models that judge prefer within each run, each on rows of its own run."
    )
    side_by_side: SideBySide | None = Field(
        None, description="Rows that the runs drew alike, with the answers of the best model of each."
    )
