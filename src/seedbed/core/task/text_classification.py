"""One text in, one of several labels out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.part import Example
from seedbed.core.values import is_missing, text_of

from .task import WHAT, Says, Task, first_of, no_text


class Labelled(Task):
    """A task whose answer is one of several labels."""

    says: ClassVar[Says] = "label"

    label: str = Field(min_length=1, description="Column that holds the label.")
    labels: tuple[str, ...] | None = Field(
        None, min_length=2, description="The labels in order; read off the data, sorted, when left out."
    )

    @property
    def names(self) -> tuple[str, ...]:
        """The labels."""
        return self.labels or ()

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """Labels are told apart."""
        yield from super().faults()
        yield from faults_of_labels(self.labels or ())

    def without_label(self) -> tuple[tuple[str, pl.Expr], ...]:
        """Why a row's label is none, in order."""
        known = (("unknown_label", ~text_of(self.label).is_in(list(self.labels))),) if self.labels else ()
        return ("unlabelled", is_missing(self.label)), *known


def faults_of_labels(labels: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """No label stands there twice, none is empty."""
    for i, label in enumerate(labels):
        if label in labels[:i]:
            yield f"labels.{i}", f"the label {label[:40]!r} is given twice", "keep one of them"
        elif not label.strip():
            yield f"labels.{i}", "a label cannot be empty", "rows without a label are left out anyway"


class TextClassification(Labelled):
    """One text in, one of several labels out.

    ## Why
    Sentiment, topic, intent, spam: the task that most custom models are made for. With two labels it is binary.

    ## Limits
    A row without a label (`unlabelled`), with one that `labels` does not list (`unknown_label`), or without a text
    (`no_text`) is rejected. Labels are compared as text: 1 and "1" are the same one.
    """

    kind: Literal["text_classification"] = Field("text_classification", description=WHAT)
    text: str = Field(min_length=1, description="Column that holds the text.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            options={"text": "text", "label": "label", "labels": ["ham", "spam"]},
            before={"text": ["win now", "  ", "see you", "hello"], "label": ["spam", "ham", None, "eggs"]},
            after={"refused": [None, "no_text", "unlabelled", "unknown_label"]},
        ),
    )

    @property
    def roles(self) -> dict[str, str]:
        """Text and label."""
        return {"text": self.text, "label": self.label}

    def work(self) -> pl.Expr:
        """Only a reason; the columns stay as they are."""
        unlabelled, *unknown = self.without_label()
        return pl.struct(reason=first_of(unlabelled, ("no_text", no_text(self.text)), *unknown))


class Unlabelled(TextClassification):
    """The same task, of rows that nobody labelled: there is no column with the label."""

    @property
    def roles(self) -> dict[str, str]:
        """The text."""
        return {"text": self.text}

    def work(self) -> pl.Expr:
        """Rows need a text alone."""
        return pl.struct(reason=first_of(("no_text", no_text(self.text))))
