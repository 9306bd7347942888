"""Parts of a run's dataset folder, as they are."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from seedbed.core.context import Context
from seedbed.core.errors import DataError

from .described import Described, below, write_description
from .splits import replaced, splits_of

DATASET, DATA = "dataset", "data"


def copy_dataset(run: Path, path: str, papers: Sequence[str], use: str, context: Context) -> None:
    """Copy the data and some papers of a run into a folder, which is there whole or not at all.

    Raises:
        DataError: The run has no dataset or lacks a paper, or nothing can be written.
        RecipeError: The folder is not one that may be replaced.
    """
    at = f"publish: {use}: {path}"
    schema = next(iter(splits_of(run).values())).schema
    with replaced(path, run, context, at) as fresh:
        shutil.copytree(run / DATASET / DATA, fresh / DATA)
        for name in papers:
            if not (run / DATASET / name).is_file():
                raise DataError(f"the run has no dataset/{name}", at=str(run), hint="export a run that came to its end")
            shutil.copy2(run / DATASET / name, fresh / name)
        held = Described(use, schema, (DATA,), below(fresh)).told()
        write_description(fresh / "schema.json", {"seedbed": held})
