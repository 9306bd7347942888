"""What people said of a model's answers: rows that it got wrong, as lines of a file beside the recipe.

A line holds the row as it was asked about, its columns by their names, and beside them `FACTS`, an object with what the
model answered and what somebody says is right. Nothing here is a label: `seedbed review` shows the rows, and only those
that a reviewer gives a label are learned from (`seedbed retrain`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .appending import appending, write_all
from .errors import DataError

#: The key of what was said; a model that reads a column of that name takes no reports.
FACTS = "seedbed_report"
#: The name of the source that reads reports, and the folder beside the recipe where they are.
SOURCE, FOLDER = "feedback", "feedback"
#: Most bytes of a file, and of a line of it.
MOST_BYTES, MOST_LINE = 64 << 20, 1 << 20
#: Most characters of a reason.
MOST_WHY = 2_000


class Said(BaseModel):
    """What somebody said of an answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")  # a newer version may know more

    id: str
    when: str = Field(description="ISO 8601, UTC.")
    who: str = Field(description="The name of a key, or `page` where anybody may ask.")
    model: str = Field(description="SHA-256 of the bundle that answered.")
    run: str = Field("", description="Id of the run that made it.")
    predicted: str = Field(description="What the model answered, as text.")
    confidence: float | None = None
    label: str = Field(description="What somebody says is right, as text.")
    why: str = ""


@dataclass(frozen=True)
class Report:
    """A row, and what was said of the answer to it."""

    number: int
    """The line, from 1."""
    row: Mapping[str, Any]
    """Its columns, as they were asked about."""
    said: Said


class FullError(DataError):
    """No more can be kept: the file holds as much as it may, or the disk does."""


@dataclass(frozen=True)
class Reports:
    """The file of one recipe's reports. Several processes may append."""

    path: Path

    @classmethod
    def of(cls, folder: Path, name: str) -> Reports:
        """The file of a recipe in a folder."""
        return cls(folder / f"{name}.jsonl")

    @property
    def file(self) -> str:
        """What rows are called after: they are `SOURCE:FILE#LINE`."""
        return self.path.name

    def row_name(self, number: int) -> str:
        """The id of a row."""
        return f"{SOURCE}:{self.file}#{number}"

    def add(self, row: Mapping[str, Any], said: Said) -> str:
        """Write a report at the end, at once; the id of its row.

        Raises:
            FullError: The file, or the line, would be too long; or the file cannot be written.
        """
        line = orjson.dumps({**row, FACTS: said.model_dump(exclude_none=True)}) + b"\n"
        if len(line) > MOST_LINE:
            raise FullError("this is too long to be kept", hint="report a shorter text")
        try:
            with appending(self.path, 0o600) as file:
                number = self._ready(file, len(line))
                write_all(file, line)
        except OSError as error:
            raise FullError(f"the report cannot be kept ({error.strerror})", hint="tell whoever runs this") from None
        return self.row_name(number)

    @staticmethod
    def _ready(file: int, more: int) -> int:
        """The number of the line that comes next; a line that a killed process left torn is ended first."""
        size = os.lseek(file, 0, os.SEEK_END)
        if size + more > MOST_BYTES:
            raise FullError(
                "there are as many reports as may be kept", hint="whoever runs this looks them through first"
            )
        os.lseek(file, 0, os.SEEK_SET)
        lines, last = 0, b"\n"
        while piece := os.read(file, 1 << 20):
            lines, last = lines + piece.count(b"\n"), piece[-1:]
        if last != b"\n":
            os.write(file, b"\n")
            lines += 1
        return lines + 1

    def read(self) -> list[Report]:
        """All reports that can be read; none where there is no file."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DataError(f"the reports cannot be read ({error.strerror})", at=str(self.path)) from None
        return [one for number, line in enumerate(lines, 1) if (one := _parsed(line, number)) is not None]


def _parsed(line: bytes, number: int) -> Report | None:
    try:
        told = orjson.loads(line)
        return Report(number, {key: told[key] for key in told if key != FACTS}, Said.model_validate(told[FACTS]))
    except (orjson.JSONDecodeError, ValidationError, TypeError, KeyError):
        return None
