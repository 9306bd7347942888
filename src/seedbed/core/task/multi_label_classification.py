"""One text in, any number of labels out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.part import Example

from .reading import Unreadable, listed, read_each, says_something
from .task import WHAT, Says, Task
from .text_classification import faults_of_labels


class MultiLabelClassification(Task):
    """One text in, any number of labels out: genres of a film, topics of an article.

    The labels of a row are a list, a JSON list in a text, or, with `separator`, a text such as `drama|comedy`. They
    become a list without repetitions, in the order of `labels`, or sorted where `labels` is left out.

    ## Why
    One label a row would force a choice that nobody made, and a column a label cannot say that nobody looked at a row.
    Here an empty list says "none of them" and null says "nobody looked".

    ## Limits
    A row whose labels are missing (`unlabelled`), are no list (`not_a_list`) or hold one that `labels` does not list
    (`unknown_label`), and a row without a text (`no_text`), is rejected. A text that is no JSON list counts as one
    label only where `separator` is given.
    """

    says: ClassVar[Says] = "labels"
    told: ClassVar[tuple[str, ...]] = ("label",)

    kind: Literal["multi_label_classification"] = Field("multi_label_classification", description=WHAT)
    text: str = Field(min_length=1, description="Column that holds the text.")
    label: str = Field(min_length=1, description="Column that holds the labels.")
    labels: tuple[str, ...] | None = Field(
        None, min_length=1, description="The labels in order; read off the data, sorted, when left out."
    )
    separator: str | None = Field(
        None, min_length=1, description="What stands between labels where a row's are one text, such as `|`."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Labels in one text",
            options={"text": "plot", "label": "genres", "separator": "|"},
            before={"plot": ["a", "b", "c"], "genres": ["drama|comedy|drama", "", None]},
            after={"genres": [["comedy", "drama"], [], None], "refused": [None, None, "unlabelled"]},
        ),
        Example(
            title="Lists as JSON, and the labels that there are",
            options={"text": "plot", "label": "genres", "labels": ["drama", "comedy"]},
            before={"plot": ["a", "b", "c"], "genres": ['["comedy", "drama"]', '["war"]', "drama"]},
            after={
                "genres": [["drama", "comedy"], None, None],
                "refused": [None, "unknown_label", "not_a_list"],
            },
        ),
    )

    @property
    def roles(self) -> dict[str, str]:
        """Text and labels."""
        return {"text": self.text, "label": self.label}

    @property
    def written(self) -> tuple[str, ...]:
        """The labels, as a list."""
        return (self.label,)

    @property
    def names(self) -> tuple[str, ...]:
        """The labels."""
        return self.labels or ()

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """Labels are told apart."""
        yield from super().faults()
        yield from faults_of_labels(self.labels or ())

    def work(self) -> pl.Expr:
        """Labels as a list."""
        return read_each((self.text, self.label), self._read, {self.label: pl.List(pl.String)}, {"label": pl.String})

    def measures(self) -> Mapping[str, pl.Expr]:
        """Labels a row."""
        return {"labels": pl.col(self.label).list.len()}

    def _read(self, text: Any, value: Any) -> dict[str, Any]:
        if value is None:
            raise Unreadable("unlabelled")
        if isinstance(value, str) and self.separator and not value.lstrip().startswith("["):
            found = [label.strip() for label in value.split(self.separator)]
        else:
            found = [_name(label) for label in listed(value, "not_a_list")]
        labels = {label for label in found if label}
        known = {label: place for place, label in enumerate(self.labels or sorted(labels))}
        for label in sorted(labels - known.keys()):
            raise Unreadable("unknown_label", label=label)
        if not says_something(text):
            raise Unreadable("no_text")
        return {self.label: sorted(labels, key=known.__getitem__)}


def _name(label: Any) -> str:
    if isinstance(label, str):
        return label.strip()
    if label is None or isinstance(label, dict | list):
        raise Unreadable("not_a_list")
    return json.dumps(label)
