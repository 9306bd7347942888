"""Checks look at rows, a split or a model and find something, or nothing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from .part import Part
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


class Check(Part):
    """Looks at rows, a split or a model; may stop the run."""

    family: ClassVar[str] = "checks"
    when: ClassVar[Literal["rows", "split", "model"]] = "rows"
    """When it runs: on the cleaned rows, on the split, or on the judged models."""

    on_fail: Literal["warn", "stop"] = Field("warn", description="Whether a failed check stops the run.")

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
