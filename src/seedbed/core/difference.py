"""What differs between two runs, or two datasets: `a` is what was before, `b` what is now."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .run import Comparison
from .score import Score


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True)


class Side(_Fact):
    """One of the two."""

    named: str = Field(description="As it was asked for.")
    folder: str
    id: str | None = Field(None, description="Of the run; nothing where only a dataset is there.")
    name: str | None = None
    state: str | None = None
    started: str | None = None
    digest: str | None = Field(None, description="The dataset's, as the run recorded it.")
    splits: dict[str, int] = Field(default_factory=dict, description="Rows by split.")

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(self.splits.values())


class Shown(_Fact):
    """A row, fit to be shown."""

    row: str
    split: str
    excerpt: str = Field(description="Start of its text, personal data masked.")


class Was(_Fact):
    """A value before and after, fit to be shown."""

    row: str = Field(description="The row in `b`.")
    a: str | None
    b: str | None


class ChangedColumn(_Fact):
    """A column in which rows changed."""

    column: str
    rows: int
    examples: tuple[Was, ...]


class Moved(_Fact):
    """Rows that went from one split or label to another."""

    a: str | None
    b: str | None
    rows: int


class Rows(_Fact):
    """What became of the rows."""

    identity: str = Field(description="What makes a row of `a` and one of `b` the same row, in words.")
    by: Literal["row", "content", "key"]
    same: int = Field(description="Rows that both have, with the same values in the same split.")
    added: int
    removed: int
    changed: int = Field(description="Rows that both have, with another value in a column that both have.")
    moved: int = Field(description="Rows that both have, in another split.")
    added_examples: tuple[Shown, ...]
    removed_examples: tuple[Shown, ...]
    added_because: dict[str, int] = Field(
        default_factory=dict, description="Of the added rows, those that `a` had read and rejected, by part and reason."
    )
    removed_because: dict[str, int] = Field(
        default_factory=dict, description="Of the removed rows, those that `b` read and rejected, by part and reason."
    )
    columns: tuple[ChangedColumn, ...] = ()
    splits: tuple[Moved, ...] = ()
    labels: tuple[Moved, ...] = Field((), description="Rows whose label changed.")
    both_labelled: int = Field(0, description="Rows that both have, with a label on both sides.")


class Column(_Fact):
    """A column that only one has, or that is of another type; nothing stands for one that is not there."""

    column: str
    a: str | None
    b: str | None


class Distribution(_Fact):
    """Whether values are spread as before, or whether the difference could be chance."""

    about: str
    kind: Literal["labels", "lengths", "numbers", "categories"]
    test: Literal["chi-square", "Kolmogorov-Smirnov"]
    statistic: float
    p: float
    p_holm: float = Field(description="Holm-corrected over all distributions.")
    effect: float = Field(description="Cramér's V, or the largest distance of the two distribution functions: 0 to 1.")
    a: dict[str, float] = Field(description="Shares by value, or quartiles.")
    b: dict[str, float]
    n_a: int
    n_b: int
    verdict: Literal["differs", "not distinguishable"]


class CheckPair(_Fact):
    """A check on both sides; nothing where it did not run."""

    check: str
    a: Literal["passed", "failed"] | None
    b: Literal["passed", "failed"] | None
    value_a: Any = None
    value_b: Any = None
    limit_a: Any = None
    limit_b: Any = None

    @property
    def differs(self) -> bool:
        """Whether it says something else."""
        return (self.a, self.value_a, self.limit_a) != (self.b, self.value_b, self.limit_b)


class ScorePair(_Fact):
    """A score on both sides; nothing where it was not measured."""

    model: str
    split: str
    metric: str
    a: Score | None
    b: Score | None

    @property
    def differs(self) -> bool:
        """Whether it is another number."""
        return (self.a and self.a.value) != (self.b and self.b.value)


class Paired(_Fact):
    """Models of both sides on the test rows that both have, or why they cannot be compared."""

    rows: int = Field(0, description="Rows that are test rows of both, of which both say the same.")
    of_a: int = 0
    of_b: int = 0
    comparisons: tuple[Comparison, ...] = ()
    why_not: str | None = None


class Option(_Fact):
    """An option of the recipe; nothing stands for one that is not there."""

    path: str
    a: Any
    b: Any


class Rejected(_Fact):
    """Rows that a part rejected for a reason."""

    part: str
    reason: str
    a: int
    b: int


class BooksPair(_Fact):
    """The books of both: where the rows went."""

    read_a: int
    read_b: int
    kept_a: int
    kept_b: int
    rejected: tuple[Rejected, ...]


class Difference(_Fact):
    """What differs between two runs, or two datasets."""

    a: Side
    b: Side
    differs: tuple[str, ...] = Field(description="What differs: rows, splits, labels, schema, checks, scores, …")
    rows: Rows
    schema_changes: tuple[Column, ...]
    distributions: tuple[Distribution, ...]
    checks: tuple[CheckPair, ...] = ()
    scores: tuple[ScorePair, ...] = ()
    paired: Paired = Paired()
    recipe: tuple[Option, ...] = Field((), description="Options that differ.")
    books: BooksPair | None = None
    notes: tuple[str, ...] = Field((), description="What a person should know, in sentences.")
