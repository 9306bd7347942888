"""Splitters decide which rows train, which choose and which judge."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from .part import Column, LabelColumn, Part, TextColumn

SPLITS = ("train", "validation", "test")


class NearDuplicatesTogether(BaseModel):
    """Rows whose texts are this similar stay in one split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: TextColumn = Field(None, description="Column to compare; the task's text when left out.")
    at_least: float = Field(0.7, gt=0, le=1, description="Jaccard similarity from which rows stay together.")
    shingles: Literal["auto", "characters", "words"] = Field(
        "auto",
        description="Character 5-grams or word 3-grams; found from the lengths of the texts when `auto`.",
    )


class Splitter(Part):
    """Deals clusters of rows that belong together to splits."""

    family: ClassVar[str] = "splitters"

    train: float = Field(0.8, gt=0, lt=1, description="Share of rows to train on.")
    validation: float = Field(0.1, ge=0, lt=1, description="Share of rows to choose with.")
    test: float = Field(0.1, gt=0, lt=1, description="Share of rows to judge with.")
    seed: int = Field(13, ge=0, description="Seed of everything random in the split.")
    keep_together: NearDuplicatesTogether | Literal[False] = Field(
        NearDuplicatesTogether(),
        description="Which similar rows stay in one split; `false` for exact copies only.",
    )
    group: Column | None = Field(
        None, description="Column whose equal values stay in one split (a patient, an author)."
    )
    label: LabelColumn = Field(None, description="Column whose shares are kept alike; the task's label when left out.")

    @model_validator(mode="after")
    def _shares_add_up(self) -> Self:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the shares of train, validation and test add up to {total:g}, not 1")
        return self

    @property
    def shares(self) -> dict[str, float]:
        """Asked-for shares of the splits that get rows."""
        asked = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: share for name, share in asked.items() if share > 0}

    @abstractmethod
    def assign(self, clusters: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int8]:
        """The split of each row, as an index into `shares`.

        Args:
            clusters: Cluster of each row, shape (rows,); rows of one cluster must get one split.
            labels: Label of each row, coded from 0, shape (rows,).

        Raises:
            DataError: The clusters do not fit the shares.
        """


class InTurn(Splitter):
    """Gives rows their splits one after the other, the oldest first, so that rows that are added move none.

    What a row gets depends on the row and on older ones alone. A row that belongs to older rows of different splits is
    left out.
    """

    age: Column | None = Field(
        None,
        description="Column that says which of two rows is older (a date, a running number); the order in which rows "
        "are read when left out.",
    )

    @abstractmethod
    def own(self, identities: NDArray[np.uint64]) -> NDArray[np.int8]:
        """The split of rows that belong to no older row, as an index into `shares`.

        Args:
            identities: A hash of what each row says, shape (rows,).
        """


class Certificate(BaseModel):
    """States that no rows that belong together straddle splits, and how that was verified."""

    model_config = ConfigDict(frozen=True)

    threshold: float | None = Field(description="Jaccard similarity from which rows were kept together.")
    shingles: str = Field(description="What similarity compares: `characters` (5-grams) or `words` (3-grams).")
    method: str = Field(description="How similar rows were found.")
    clusters: int = Field(description="Clusters of rows that belong together, single rows included.")
    largest_cluster: int = Field(description="Rows in the largest.")
    splits: dict[str, int] = Field(description="Rows of each split.")
    asked: dict[str, float] = Field(description="Shares asked for.")
    got: dict[str, float] = Field(description="Shares got.")
    verified: Mapping[str, Any] = Field(
        description="The independent check: `rows` compared `of` held-out rows, `pairs_found`, and the 95 % "
        "`upper_bound` of the share of held-out rows with a near copy in another split."
    )
    train_only: Mapping[str, int] | None = Field(
        None,
        description="Where rows were made: `rows` that only train, and `moved`, other rows that went to train because "
        "they belong to those.",
    )
    rounds: int = Field(1, description="Times the split was made; again whenever the check found pairs.")
    passed: bool
