"""Where rows went, and the dataset that came out."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from seedbed.core.profile import Kind
from seedbed.core.record import Record


class StepRecord(Record):
    """One part that saw every row, in order; what went in is what came out and what was rejected."""

    part: str = Field(description="Name in the ledger.")
    use: str
    rows_in: int
    rows_out: int
    changed: int
    rejected: dict[str, int]
    told: tuple[str, ...] = Field((), description="What it learned from training rows, in sentences.")


class ColumnRecord(Record):
    """A column of the dataset, in numbers."""

    name: str
    type: str
    missing: int
    unique: int | None = Field(None, description="Different values (approximate above 100,000).")
    kind: Kind | Literal[""] = Field("", description="What its values are; empty where nobody looked.")
    told: str = Field("", description="What its values are like, in a line; `profile.json` has the numbers.")


class LengthsRecord(Record):
    """Lengths of the task's text in characters."""

    column: str = Field("", description="The column that is measured.")
    edges: tuple[int, ...] = Field(description="Bin edges; the last bin is open.")
    before: tuple[int, ...] = Field(description="Rows as read, by bin; all 0 where what was read is no text yet.")
    after: tuple[int, ...] = Field(description="Rows of the dataset, by bin.")
    made: tuple[int, ...] = Field((), description="Rows among them that were made, by bin; empty where none was.")


class NumbersRecord(Record):
    """Rows by the size of the number that is to be told of them."""

    column: str
    edges: tuple[float, ...] = Field(description="Where bars begin, and where the last ends.")
    rows: dict[str, list[int]] = Field(description="Rows by split and bar.")
    medians: dict[str, float] = Field(description="The median of each split that has rows.")


class DatasetRecord(Record):
    """The dataset that came out."""

    digest: str
    splits: dict[str, int]
    columns: tuple[ColumnRecord, ...]
    labels: dict[str, dict[str, int]] = Field(description="Rows by split and label.")
    labels_made: dict[str, int] = Field(
        default_factory=dict,
        description="Rows of `train` by label that were made, by a part or a model; of those above.",
    )
    labels_before: dict[str, int] = Field(
        description="Rows by label as read, before any step; at most 50. Without a label: under an empty name."
    )
    labels_together: dict[str, int] = Field(
        default_factory=dict, description="Rows that carry both labels of a pair, by `A + B`; at most 10 pairs."
    )
    numbers: NumbersRecord | None = Field(None, description="Of tasks whose rows are to be told a number.")
    other_labels_before: int = Field(0, description="Rows as read whose labels are not counted there.")
    lengths: LengthsRecord | None
    near_duplicates: dict[str, Any] = Field(
        default_factory=dict, description="Pairs and clusters of near copies that the split kept together."
    )
    remarks: tuple[str, ...] = Field((), description="What the profile found, a sentence each; some may be meant.")
    measures: dict[str, str] = Field(
        default_factory=dict, description="What the task asks of each row (turns, answers, lengths), in a line each."
    )
