"""A run that is over: its record, its folder, and how a person looks at it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from seedbed.core.errors import DataError
from seedbed.core.held_out import noted
from seedbed.core.run import Run
from seedbed.core.task import AnyTask, Task
from seedbed.core.version import __version__
from seedbed.report.figure import Figure
from seedbed.report.figures import draw
from seedbed.report.notebook import Shown

from .naming import find_run

_RECORD = "run.json"
#: What a metric that has no value on some rows leaves behind: NaN, which JSON writes as null.
_MEASURED = ("value", "difference", "low", "high", "p")


@dataclass(frozen=True)
class Finished:
    """A run that is over, and where it stands."""

    run: Run
    folder: Path

    def __repr__(self) -> str:
        return f"Finished({self.run.name!r}, {self.run.state}, folder={str(self.folder)!r})"

    @cached_property
    def task(self) -> Task | None:
        """What its rows are for; none where the record does not say it."""
        try:
            return TypeAdapter[Task](AnyTask).validate_python(self.run.task)
        except ValidationError:
            return None

    @property
    def report(self) -> Path:
        """The page that people read."""
        return self.folder / "report.html"

    @property
    def figures(self) -> Mapping[str, Figure]:
        """The report's figures by name, those that this run has something for; a notebook draws them."""
        return draw(self.run)

    def show(self) -> Shown:
        """What the run came to: the verdict and the figures in a notebook, a page of text elsewhere."""
        return Shown(self.run, self.folder)


def open_run(folder: str | Path) -> Finished:
    """Read the folder of a run.

    Args:
        folder: A run's folder, as `seedbed run` names it at the end; `runs/NAME/latest` is the last one of a recipe.
            Or the start of the run's id, its tag, or NAME@latest, as the index of runs knows it.

    Raises:
        DataError: It is not the folder of a run, or of one by a newer version that this one cannot read, or its
            record is damaged.
    """
    folder = find_run(folder)
    if folder.name == _RECORD:
        folder = folder.parent
    record = folder / _RECORD
    try:
        told = json.loads(record.read_text("utf-8"), object_hook=_with_gaps)
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(
            "this is not the folder of a run" if folder.is_dir() else "there is no such folder",
            at=str(folder),
            hint=_where_runs_are(folder) or f"a run's folder holds {_RECORD}; `seedbed run` names it at the end",
        ) from None
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", at=str(record)) from None
    except (ValueError, RecursionError):
        raise DataError(
            "is not JSON", at=str(record), hint="run the recipe again; what is done is not done twice"
        ) from None
    run = _record(told, record)
    reads = dict.fromkeys((*run.test_reads, *noted(folder)))  # those of a copy may stand in its record already
    return Finished(run.model_copy(update={"test_reads": tuple(reads)}), folder)


def _with_gaps(found: dict[str, Any]) -> dict[str, Any]:
    if "n" in found and "low" in found:
        found.update({key: float("nan") for key in _MEASURED if key in found and found[key] is None})
    return found


def _record(told: Any, at: Path) -> Run:
    version = told.get("seedbed") if isinstance(told, dict) else None
    try:
        return Run.model_validate(told)
    except ValidationError as error:
        if isinstance(version, str) and _numbers(version) > _numbers(__version__):
            raise DataError(
                f"was written by Seedbed {version[:40]}, and this is {__version__}",
                at=str(at),
                hint="pip install --upgrade seedbed",
            ) from None
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise DataError(
            f"is not the record of a run: {place}: {first['msg']}",
            at=str(at),
            hint="was it changed by hand? Run the recipe again",
        ) from None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("+")[0].split(".") if part.isdecimal())


def _where_runs_are(folder: Path, show: int = 3) -> str:
    """A hint that names runs which stand inside a folder or, where that is not there, beside it."""
    near = folder if folder.is_dir() else folder.parent
    patterns = [_RECORD, f"*/{_RECORD}", f"latest/{_RECORD}", f"*/latest/{_RECORD}", f"runs/*/latest/{_RECORD}"]
    found = list(dict.fromkeys(path.parent for pattern in patterns for path in sorted(near.glob(pattern))))
    named = sorted(found, key=lambda path: path.name != "latest")[:show]
    return f"there are runs in {', '.join(map(str, named))}" if named else ""
