"""`profile`: of whatever a person names."""

from __future__ import annotations

from pathlib import Path

from seedbed.core.errors import RecipeError, SeedbedError
from seedbed.core.profile import DatasetProfile
from seedbed.flow.naming import find_run

from .datasets import profile_dataset
from .files import Asked, profile_file


def profile(named: str, asked: Asked) -> DatasetProfile:
    """The profile of a file of any kind, of a run's dataset, or of a folder with the files of a dataset.

    Args:
        named: A file, folder, glob or URL; or a run by its folder, the start of its id, a tag, or NAME@latest.
        asked: Columns, sample and workers.

    Raises:
        DataError: It cannot be read.
        RecipeError: There is no such column, or a dataset was to be sampled.
    """
    if not _is_run(named):
        return profile_file(named, asked)
    if asked.sample is not None:
        raise RecipeError("a run's dataset is measured whole", at="--sample", hint="leave it out")
    return profile_dataset(named, asked)


def _is_run(named: str) -> bool:
    path = Path(named)
    if path.name == "run.json" or (path / "run.json").is_file():
        return True
    if path.is_dir():  # a dataset's folder as a run or an exporter writes it
        return any(path.glob("data/*.parquet"))
    if path.exists() or "://" in named or path.is_absolute() or any(sign in named for sign in "*?["):
        return False
    try:
        return (find_run(named) / "run.json").is_file()
    except SeedbedError:
        if Path(named).suffix:  # a file that is not there: whoever reads it says so
            return False
        raise
