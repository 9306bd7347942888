"""Which rows go to services on other machines, and why they may."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import Field

from .record import Record


@dataclass(frozen=True)
class Service:
    """Whom a part, or the model that it makes, asks about rows."""

    address: str
    """As the recipe writes it: placeholders of secrets stay."""
    why: str = ""
    """Why the rows may go there; empty where nobody said."""


@dataclass
class Sending:
    """What goes to a service while a run goes on."""

    why: str
    rows: set[str] = field(default_factory=set)
    """Ids of the rows that are asked about."""
    shown: set[str] = field(default_factory=set)
    """Texts, or ids, of rows that are shown as examples."""

    def note(self, rows: Iterable[str], shown: Iterable[str]) -> None:
        """That these go there, too."""
        self.rows.update(rows)
        self.shown.update(shown)


class Sent(Record):
    """Rows whose texts went to a service on another machine, in this run or in one whose answers were kept."""

    to: str = Field(description="Its address, as the recipe writes it.")
    why: str = Field(description="Why they may, as the recipe says it.")
    rows: dict[str, int] = Field(
        description="Rows that it was asked about, by their split; `none` counts those that are in no split, such as "
        "duplicates that a naive split keeps."
    )
    shown: int = Field(0, description="Rows that it was shown as examples.")

    @property
    def told(self) -> str:
        """What went there, in words."""
        each = [f"{rows:,} {'of no split' if split == 'none' else split}" for split, rows in self.rows.items()]
        rows = f"the texts of {sum(self.rows.values()):,} rows ({', '.join(each)})" if each else "no row to answer"
        return rows + (f", and {self.shown:,} rows as examples" if self.shown else "")
