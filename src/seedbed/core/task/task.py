"""What every task says: the columns it needs, how it reads rows and which it cannot use, which rows are alike."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.part import Example
from seedbed.core.values import HAS_TEXT, is_missing, text_of

from .following import Following

#: What the task's `kind` is: told in every recipe.
WHAT = "What the model is to do."
Says = Literal["label", "labels", "number", "text", "spans", "turns", "itself"]


def _kind_is_required(schema: dict[str, Any]) -> None:
    # `kind` has a default so that Python callers may leave it out; a recipe may not.
    schema["required"] = ["kind", *(name for name in schema.get("required", []) if name != "kind")]


class Task(BaseModel, ABC):
    """What the model is to do: what it reads, what it is to say, and which rows it can use.

    A task sees the rows last, when all steps are done. It reads its columns into one form, whatever form they came in
    (`work`), and rejects the rows that it cannot use, each for a reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_kind_is_required)

    kind: str = Field(description=WHAT)

    says: ClassVar[Says]
    """What a model answers: one of some labels, several of them, a number, a text, places in a text, turns of a chat,
    or how the text itself goes on."""
    examples: ClassVar[tuple[Example, ...]] = ()
    """Rows, and why the task refuses some: shown on its page, run by tests."""
    told: ClassVar[tuple[str, ...]] = ()
    """Names of the evidence on rows that are rejected."""
    alike_if_equal: ClassVar[bool] = False
    """Whether only equal rows are alike: tables have no text that could be nearly the same."""

    @property
    @abstractmethod
    def roles(self) -> dict[str, str]:
        """Columns by what they are to the task."""

    @property
    def shown(self) -> str | None:
        """The column that excerpts show; none where rows have no text."""
        return self.roles.get("text")

    def compared(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Columns that say whether two rows are alike, so that they belong in one split.

        Args:
            columns: All there are.
        """
        return (self.shown,) if self.shown else ()

    def reads(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Columns that a model reads.

        Args:
            columns: All that the rows' own are; the answer may be among them.
        """
        return (self.shown,) if self.shown else ()

    def seen(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Columns that a learner sees: what a model reads, and what it is to answer."""
        return tuple(dict.fromkeys([*self.reads(columns), *([self.answer] if self.answer else [])]))

    def as_asked(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows as a model gets them that is to answer: without the answer, where they hold it."""
        return rows.drop(self.answer, strict=False) if self.answer else rows

    @property
    def answer(self) -> str | None:
        """The column that is to be told; none where the text itself is."""
        return self.roles.get("label") or self.roles.get("target")

    @property
    def names(self) -> tuple[str, ...]:
        """The labels that there are, as far as they are known."""
        return ()

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """What does not fit together: the option, the problem, the way out."""
        seen: dict[str, str] = {}
        for role, column in self.roles.items():
            if column in seen:
                hint = f"name the column that holds the {role}"
                yield role, f"{column!r} is the {seen[column]} already", hint
            seen.setdefault(column, role)

    @abstractmethod
    def work(self) -> pl.Expr:
        """A struct for each row, as `seedbed.core.step.Rework.work` describes it.

        `reason` says why the row cannot be used, `evidence` holds the fields `told` (if there are any), `columns` the
        columns `written` in the task's own form (if there are any).
        """

    @property
    def written(self) -> tuple[str, ...]:
        """Columns that are brought into the task's own form."""
        return ()

    def refusal(self) -> pl.Expr:
        """Why a row cannot be used for this task; null for a row that can."""
        return self.work().struct.field("reason")

    def measures(self) -> Mapping[str, pl.Expr]:
        """Numbers of a row in the task's own form that a profile should show, by name."""
        return {}

    def following(self) -> Following | None:
        """What takes along columns that point into a text, where there are such."""
        return None

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(cls) or "").partition("\n")[0]


def no_text(column: str) -> pl.Expr:
    """Whether a column holds no text: nothing, or nothing but white space."""
    return is_missing(column) | ~text_of(column).str.contains(HAS_TEXT).fill_null(False)


def first_of(*reasons: tuple[str, pl.Expr]) -> pl.Expr:
    """The name of the first question whose answer is yes; null where none is."""
    told: Any = pl
    for name, asked in reasons:
        told = told.when(asked).then(pl.lit(name))
    found: pl.Expr = told.otherwise(pl.lit(None, pl.String))
    return found
