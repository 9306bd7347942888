"""Publish into a folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from seedbed.core.context import Context, expand
from seedbed.core.errors import DataError
from seedbed.core.exporter import Exporter
from seedbed.core.part import Example
from seedbed.store.places import arriving, left_beside, refuse_replacing, sweep

from .files.splits import failing

#: What of a run is published; those after the first two only if the run has them.
PUBLISHED = ("dataset", "run.json", "report.html", "certificate.json", "models")


class Folder(Exporter):
    """Copy the dataset with its papers, the report and the models into a folder.

    The folder gets `dataset/` (card, data, datasheet, Croissant), `report.html`, `run.json`, `certificate.json` and
    `models/`, laid out as in the run.

    ## Why

    A run's folder also holds the ledger, with excerpts of rejected rows, and predictions. This is what can be
    handed on. It appears whole or not at all: everything is copied beside the target first, and then renamed.

    ## Limits

    An existing folder is replaced only if it holds a run of Seedbed and nothing besides. While it is replaced there is
    an instant in which neither stands there; if the machine stops in it, the next run brings the old one back.
    """

    use: Literal["folder"] = "folder"
    path: str = Field(min_length=1, description="Folder to write; relative to the recipe's folder.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="The dataset with its papers is copied, the ledger stays",
            options={"path": "out/tweets"},
            before={"run": ["run.json", "report.html", "dataset/README.md", "ledger/part-0.parquet"]},
            after={"folder": ["run.json", "report.html", "dataset/README.md"]},
        ),
    )

    @property
    def place(self) -> str:
        """The folder, as the recipe names it."""
        return self.path

    def export(self, run: Path, context: Context) -> None:
        """Copy what is published of a run.

        Raises:
            DataError: There is no whole run, or the folder cannot be written.
            RecipeError: The folder is not one that may be replaced.
        """
        at = f"publish: folder: {self.path}"
        for name in PUBLISHED[:2]:
            if not (run / name).exists():
                raise DataError(f"the run has no {name}", at=str(run), hint="publish a run that came to its end")
        target = (context.base / expand(self.path, at=at)).resolve()
        sweep(left_beside(target))
        refuse_replacing(target, base=context.base, store=context.store, run=run, at=at)
        with failing(at), arriving(target) as fresh:
            fresh.mkdir()
            for name in PUBLISHED:
                if (run / name).is_dir():
                    shutil.copytree(run / name, fresh / name)
                elif (run / name).exists():
                    shutil.copy2(run / name, fresh / name)
