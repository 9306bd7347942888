"""Publish into a folder."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from seedbed.core.context import Context, expand
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.exporter import Exporter
from seedbed.core.part import Example
from seedbed.store.store import move_into_place

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

    An existing folder is replaced only if it holds the `run.json` of a Seedbed run. While it is replaced there is an
    instant in which neither stands there; if the machine stops in it, the old one is beside, under `.NAME.….old`.
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

    def export(self, run: Path, context: Context) -> str:
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
        _refuse(target, run=run.resolve(), base=context.base.resolve(), at=at)
        try:
            with _appearing(target) as fresh:
                for name in PUBLISHED:
                    if (run / name).is_dir():
                        shutil.copytree(run / name, fresh / name)
                    elif (run / name).exists():
                        shutil.copy2(run / name, fresh / name)
        except OSError as error:  # shutil.Error, with its list of files, is one too
            why = error.strerror or (error.args[0][0][2] if error.args and isinstance(error.args[0], list) else error)
            raise DataError(
                f"cannot be written: {why}", at=at, hint="is there room, and may you write there?"
            ) from None
        return self.path


def _refuse(target: Path, *, run: Path, base: Path, at: str) -> None:
    if target == base or target in base.parents:
        raise RecipeError(
            "this would replace the recipe's own folder", at=at, hint="name a new folder, such as out/data"
        )
    if target == run or target in run.parents or run in target.parents:
        raise RecipeError("this lies over or inside the run itself", at=at, hint="name a folder outside runs/")
    if target.is_dir() and not _is_a_run(target):
        raise RecipeError(
            "this folder exists and holds no run of Seedbed, so it is not replaced",
            at=at,
            hint="name a new folder, or remove this one yourself",
        )
    if target.exists() and not target.is_dir():
        raise RecipeError("there is a file of that name", at=at, hint="name a folder")


def _is_a_run(folder: Path) -> bool:
    try:
        held = json.loads((folder / "run.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(held, dict) and "seedbed" in held


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """A folder beside `target` to fill, which takes its place at the end, or vanishes if the body fails."""
    fresh = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.new")
    made = [folder for folder in target.parents if not folder.exists()]
    try:
        fresh.mkdir(parents=True)
        yield fresh
        move_into_place(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        for folder in made:  # innermost first; one that is in use stays
            with suppress(OSError):
                folder.rmdir()
