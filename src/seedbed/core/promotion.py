"""What a challenger had to show to take the place of the model that stands for a recipe's name."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .champion import Promotion
from .record import Record
from .run import Comparison

#: Beside the record of a run that `seedbed retrain` made: what it found, and the same as a page.
RETRAINED, RETRAINED_PAGE = "retrain.json", "retrain.html"


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


class Grown(Record):
    """How the challenger's rows differ from the champion's."""

    added: dict[str, int] = Field(description="Rows that the champion's dataset did not have, by split.")
    gone: int = Field(0, description="Rows of the champion that are no longer there.")
    corrected: int = Field(0, description="Rows of both whose answer is another one now.")
    copies: dict[str, int] = Field(
        default_factory=dict,
        description="Of the rows added, those that say what a test row of the champion says, by split: none may train.",
    )


class Later(Record):
    """A window of time after everything that the champion learned from, or was chosen by."""

    column: str = Field(description="Of the time.")
    after: str = Field(description="The last time that the champion saw, in its training and validation rows.")
    until: str = Field(description="The last time of the window.")
    seen: int = Field(0, description="Rows of the window that the champion had seen word for word; they do not judge.")


class Retrained(Record):
    """A challenger against the champion."""

    name: str = Field(description="The recipe's.")
    champion: Contender
    challenger: Contender
    frozen: int = Field(description="Test rows of the champion.")
    rows: int = Field(
        description="What both are judged on: those that are test rows of the challenger, too, or the rows of `later`."
    )
    judges: Literal["frozen", "later"] = Field(
        "frozen", description="Frozen test rows of the champion; of a split by time a later window."
    )
    later: Later | None = Field(None, description="Of a split by time, the window.")
    grown: Grown | None = Field(None, description="What the challenger learned from that the champion did not have.")
    relabelled: int = Field(0, description="Of these, rows whose answer was corrected since; the new one counts.")
    comparison: Comparison | None = Field(
        None, description="Challenger minus champion, by the metric that decides, paired on the frozen rows."
    )
    slices: tuple[OnSlice, ...] = ()
    read_before: int = Field(0, description="How often the champion's test rows were read before.")
    read_why: str = Field("", description="The same in words, with what for.")
    against: tuple[str, ...] = Field((), description="What spoke against promotion; nothing where it was promoted.")
    promoted: bool
    seconds: float = Field(description="What it took.")
    history: tuple[Promotion, ...] = Field((), description="Who stood for the name, the first one first, as of then.")

    @property
    def standing(self) -> str:
        """The run that stands for the name now: somebody else may have taken the champion's place meanwhile."""
        return next((one.run for one in reversed(self.history) if one.undone is None), self.champion.run)

    @property
    def worse_on(self) -> tuple[OnSlice, ...]:
        """Slices on which the challenger is worse, and chance does not explain it."""
        return tuple(one for one in self.slices if one.comparison.verdict == "worse")
