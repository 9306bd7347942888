"""Which model stands for a recipe's name, and what a challenger had to show to take its place."""

from __future__ import annotations

from pydantic import Field

from .record import Record
from .run import Comparison

#: Beside the record of a run that `seedbed retrain` made.
RETRAINED = "retrain.json"


class Promotion(Record):
    """A run that was made champion."""

    run: str = Field(description="The run's id.")
    when: str = Field(description="ISO 8601, UTC.")
    why: str = Field(description="What spoke for it.")
    undone: str | None = Field(None, description="When it was rolled back; nothing while it was not.")
    undone_why: str | None = None


class OnSlice(Record):
    """Champion and challenger on some of the frozen test rows."""

    by: str = Field(description="What rows are told apart by.")
    value: str
    comparison: Comparison = Field(description="Holm-corrected over all slices.")


class Contender(Record):
    """One of the two."""

    run: str = Field(description="The run's id.")
    folder: str
    model: str | None = Field(description="The best on validation rows; nothing where the run has none.")
    splits: dict[str, int] = Field(description="Rows by split.")
    started: str


class Retrained(Record):
    """A challenger against the champion."""

    name: str = Field(description="The recipe's.")
    champion: Contender
    challenger: Contender
    frozen: int = Field(description="Test rows of the champion.")
    rows: int = Field(description="Those that are test rows of the challenger, too: what both are judged on.")
    relabelled: int = Field(0, description="Of these, rows whose answer was corrected since; the new one counts.")
    comparison: Comparison | None = Field(
        None, description="Challenger minus champion, by the metric that decides, paired on the frozen rows."
    )
    slices: tuple[OnSlice, ...] = ()
    read_before: int = Field(0, description="How often the champion's test rows were read before.")
    against: tuple[str, ...] = Field((), description="What spoke against promotion; nothing where it was promoted.")
    promoted: bool
    seconds: float = Field(description="What it took.")

    @property
    def worse_on(self) -> tuple[OnSlice, ...]:
        """Slices on which the challenger is worse, and chance does not explain it."""
        return tuple(one for one in self.slices if one.comparison.verdict == "worse")
