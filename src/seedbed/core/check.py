"""Checks look at rows, a split or a model and find something, or nothing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from .context import utc_now
from .doubts import Doubts
from .part import Part
from .profile import TableProfile
from .task import Task

#: The column of a `View` that names each row's split.
SPLIT = "_split"


class Finding(BaseModel):
    """What a check found."""

    model_config = ConfigDict(frozen=True)

    check: str = Field(description="The check's name.")
    passed: bool
    value: float | int | str | None = Field(None, description="What was measured.")
    limit: float | int | str | None = Field(None, description="What it was held against.")
    message: str = Field("", description="The finding in a sentence.")
    rows: tuple[str, ...] = Field((), description="Some of the rows that the finding is about.")
    on_fail: Literal["warn", "stop"] = "warn"


@dataclass(frozen=True)
class View:
    """What a check may look at."""

    rows: pl.LazyFrame
    """All rows that are left, with `row` and, once they are split, `SPLIT`."""
    task: Task
    certificate: Mapping[str, Any] = field(default_factory=dict)
    """The split's certificate, once there is one."""
    licences: Mapping[str, str | None] = field(default_factory=dict)
    """The licence that each source states, of those that rows or columns come from."""
    doubts: Callable[[str | None, int], Doubts] | None = None
    """Doubts the labels by a learner of the recipe (a cheap one where none is named) and so many folds, when asked."""
    now: datetime = field(default_factory=utc_now)
    """The run's clock, in UTC."""
    profile: TableProfile | None = None
    """What the dataset looks like in numbers, once there is one."""
    made: pl.Expr | None = None
    """Which rows a model made; none where no source holds such."""

    @property
    def read(self) -> pl.LazyFrame:
        """The rows that were read, without those that a model made."""
        return self.rows if self.made is None else self.rows.filter(~self.made)


class Check(Part):
    """Looks at rows, a split or a model; may stop the run."""

    family: ClassVar[str] = "checks"
    when: ClassVar[Literal["rows", "split", "model"]] = "rows"
    """When it runs: on the cleaned rows, on the split, or on the judged models."""
    needs_no_split: ClassVar[bool] = False
    """Whether it can look at rows that are not split, though it runs later: those of a file held to a recipe."""

    on_fail: Literal["warn", "stop"] = Field("warn", description="Whether a failed check stops the run.")

    def faults(self, task: Task) -> Iterator[tuple[str, str, str]]:
        """What cannot be looked at of a task, before anything runs: the option, the problem, the way out."""
        return iter(())

    @abstractmethod
    def find(self, view: View) -> Finding:
        """Look, and say what was found."""

    def finding(
        self,
        passed: bool,
        *,
        value: float | int | str | None = None,
        limit: float | int | str | None = None,
        message: str = "",
        rows: tuple[str, ...] = (),
    ) -> Finding:
        """A finding of this check."""
        return Finding(
            check=self.use,
            passed=passed,
            value=value,
            limit=limit,
            message=message,
            rows=rows,
            on_fail=self.on_fail,
        )
