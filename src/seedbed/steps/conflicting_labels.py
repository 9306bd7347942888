"""conflicting_labels: reject equal texts that carry different labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.ledger import excerpt_of
from seedbed.core.part import Example, LabelColumn, TextColumn
from seedbed.core.rows import NUMBER
from seedbed.core.similarity import normalise
from seedbed.core.step import Groups, Reduce

from .comparing.copies import column_of, equal_keys, with_names


class ConflictingLabels(Reduce):
    """Rejects all rows whose texts are equal and whose labels are not (reason `conflicting_labels`).

    The ledger names the first row with another label (`of`) and all labels that the text carries (`labels`).

    ## Why
    When one text is called positive and negative, at least one label is wrong and nothing says which. Keeping the
    first would be a coin toss that looks like data. It stands before duplicates are removed, because afterwards
    the contradiction is gone and the error is not.

    ## Limits
    Only equal texts are seen (past case, white space and Unicode forms unless `normalise: false`); for near ones see
    `near_duplicates` with `on_conflict: reject_all`. A majority among the labels is not followed. A missing label
    conflicts with nothing, an empty text with nothing.
    """

    use: Literal["conflicting_labels"] = "conflicting_labels"
    column: TextColumn = Field(None, description="Column to compare; the task's text when left out.")
    label: LabelColumn = Field(None, description="Column that must agree; the task's label when left out.")
    normalise: bool = Field(
        True, description="Whether texts that differ only in case, white space or Unicode form are equal."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="One text, two labels",
            before={
                "text": ["so good", "so bad", "So  good", "fine", "fine", "so good"],
                "label": ["positive", "negative", "negative", "neutral", "neutral", None],
            },
            after={
                "text": ["so bad", "fine", "fine", "so good"],
                "label": ["negative", "neutral", "neutral", None],
            },
        ),
    )

    def reads(self) -> Sequence[str]:
        """The text and the label."""
        return [column_of(self, "column"), column_of(self, "label")]

    def keys(self, batch: pl.DataFrame, survey: Mapping[str, int]) -> pl.DataFrame:
        """A 128-bit hash of each text, and its label."""
        column, label = self.reads()
        texts = batch[column].cast(pl.String)
        hashed = equal_keys(normalise(texts) if self.normalise else texts)
        keys = batch.select(NUMBER, label=pl.col(label).cast(pl.String), bare=texts.str.strip_chars() == "")
        return keys.hstack(hashed).filter(~pl.col("bare")).drop("bare").drop_nulls()

    def judge(self, groups: Groups) -> Iterator[pl.DataFrame]:
        """All rows of each text that carries more than one label."""
        text = ["key", "rest"]
        for part in groups.partitions():
            torn = part.filter(pl.col("label").n_unique().over(text) > 1).sort(NUMBER)
            if torn.is_empty():
                continue
            other = pl.col("label") != pl.col("label").first()
            facts = torn.group_by(text, maintain_order=True).agg(
                labels=excerpt_of(pl.col("label").unique().sort()),
                first=pl.col(NUMBER).first(),
                first_label=pl.col("label").first(),
                second=pl.col(NUMBER).filter(other).first(),
            )
            is_first = pl.col("label") == pl.col("first_label")
            yield with_names(
                groups,
                torn.join(facts, on=text, how="left", maintain_order="left").select(
                    NUMBER,
                    reason=pl.lit("conflicting_labels"),
                    of=pl.when(is_first).then("second").otherwise("first"),
                    labels="labels",
                ),
            )
