"""Splitters decide which rows train, which choose and which judge."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from .earlier_run import EarlierRun
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
    """Says which split each row goes to, so that rows that belong together are not parted."""

    family: ClassVar[str] = "splitters"
    leaves_out: ClassVar[bool] = False
    """Whether some rows may get no split: they are rejected, with a reason."""

    seed: int = Field(13, ge=0, description="Seed of everything random in the split.")
    keep_together: NearDuplicatesTogether | Literal[False] = Field(
        NearDuplicatesTogether(),
        description="Which similar rows stay in one split; `false` for exact copies only.",
    )
    group: Column | None = Field(
        None,
        description="Column whose equal values stay in one split (a patient, an author, a document). Intervals and "
        "comparisons draw its groups whole.",
    )
    whole_files: bool = Field(
        False, description="Whether rows of one file stay in one split: files are documents, or sessions."
    )
    label: LabelColumn = Field(None, description="Column whose shares are kept alike; the task's label when left out.")

    @property
    @abstractmethod
    def shares(self) -> dict[str, float]:
        """Asked-for shares of the splits that get rows; empty where something else says how many they get."""

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that get rows."""
        return tuple(self.shares)


class Dealing(Splitter):
    """Deals clusters of rows that belong together to splits."""

    @abstractmethod
    def assign(self, clusters: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int8]:
        """The split of each row, as an index into `splits`.

        Args:
            clusters: Cluster of each row, shape (rows,); rows of one cluster must get one split.
            labels: Label of each row, coded from 0, shape (rows,); or whether it has each of several, shape (rows,
                labels).

        Raises:
            DataError: The clusters do not fit the shares.
        """


class ByShares(Splitter):
    """Splits that get the shares of the rows that the recipe asks for."""

    train: float = Field(0.8, gt=0, lt=1, description="Share of rows to train on.")
    validation: float = Field(0.1, ge=0, lt=1, description="Share of rows to choose with.")
    test: float = Field(0.1, gt=0, lt=1, description="Share of rows to judge with.")

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


class InTurn(ByShares, Dealing):
    """Gives rows their splits one after the other, the oldest first, so that rows that are added move none.

    What a row gets depends on the row and on older ones alone. A row that belongs to older rows of different splits is
    left out.
    """

    leaves_out: ClassVar[bool] = True

    age: Column | None = Field(
        None,
        description="Column that says which of two rows is older (a date, a running number); the order in which rows "
        "are read when left out.",
    )

    @property
    def stays(self) -> EarlierRun | None:
        """An earlier run whose rows are older than all others, and stay in the splits that they have there."""
        return None

    @abstractmethod
    def own(self, identities: NDArray[np.uint64]) -> NDArray[np.int8]:
        """The split of rows that belong to no older row, as an index into `shares`.

        Args:
            identities: A hash of what each row says, shape (rows,).
        """


#: The place of a row that is in no split.
LEFT_OUT = -1


@dataclass(frozen=True)
class Placement:
    """Where rows go that say themselves where they belong."""

    places: NDArray[np.int8]
    """Index into the splitter's `splits` of each row, shape (rows,); `LEFT_OUT` for rows that are in no split."""
    reasons: NDArray[np.object_]
    """Why each row is left out, shape (rows,); None for the others."""
    because: NDArray[np.int64]
    """The row that each is left out for, by its position, shape (rows,); -1 where there is none."""
    moved: int = 0
    """Rows that are not where they said, because of rows that they belong to."""
    splits: tuple[str, ...] = ()
    """The splits that there are; the splitter's `splits` where this is empty."""


class ByValue(Splitter):
    """Takes the split of a row from what the row says: a date, or the name of a split."""

    leaves_out: ClassVar[bool] = True

    @property
    def says(self) -> str | None:
        """The column that says it; the row's source where there is none."""
        return None

    @abstractmethod
    def place(
        self, said: pl.Series, clusters: NDArray[np.int64], labels: NDArray[np.int64], only_train: NDArray[np.bool_]
    ) -> Placement:
        """Where each row goes.

        Args:
            said: What each row says, shape (rows,).
            clusters: Cluster of each row, shape (rows,). Rows of one cluster that are left in splits are in one.
            labels: Label of each row, as `Dealing.assign` takes them.
            only_train: Rows that may not be held out, shape (rows,).

        Raises:
            DataError: What rows say cannot be used, or leaves a split empty.
        """


class Folding(Dealing):
    """Deals the training rows to folds, each of which is held out once."""

    @property
    @abstractmethod
    def count(self) -> int:
        """Folds."""

    @property
    @abstractmethod
    def within(self) -> bool:
        """Whether each fold is also a test, with the others as folds to choose in."""

    @abstractmethod
    def deal_folds(self, clusters: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """The fold of each training row, from 0, shape (rows,).

        Args:
            clusters: Cluster of each, shape (rows,); rows of one cluster must get one fold.
            labels: As for `assign`.

        Raises:
            DataError: There are fewer clusters than folds.
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
    made: Mapping[str, Any] | None = Field(
        None,
        description="Where `prepare` made rows: `rows` of train that were made, and `rejected`, those that were left "
        "out because they were near to a held-out row; the independent check of the others `compared` so many `of` the "
        "held-out rows with all of them, and `pairs_found`. The splits' rows are those before that.",
    )
    left_out: Mapping[str, int] | None = Field(
        None,
        description="Rows that are in no split, by reason, where the splitter may leave rows out for what they say.",
    )
    moved: int | None = Field(None, description="Rows that are not in the split that was given to them.")
    group: Mapping[str, Any] | None = Field(
        None,
        description="Where equal values of a column stay together: the `column`, its `values`, and how many of them "
        "`straddle` splits, counted in the rows when all were dealt.",
    )
    times: Mapping[str, Any] | None = Field(
        None,
        description="Where splits follow each other in time: the `column`, the `gap` asked for, `from` and `to` of "
        "each of the `splits`, and whether the independent check found them `in_order`.",
    )
    folds: Mapping[str, Any] | None = Field(
        None,
        description="Where training rows are dealt to folds: `rows` of each, in the order of the files; `always`, rows "
        "that train in every fold; whether they are `nested`; and the independent check of folds against each other, "
        "as in `verified`.",
    )
    rounds: int = Field(1, description="Times the split was made; again whenever the check found pairs.")
    passed: bool
