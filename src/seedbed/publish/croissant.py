"""A dataset described by Croissant."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.exporter import Exporter
from seedbed.core.part import Example

from .files.copying import copy_dataset


class Croissant(Exporter):
    """Copy the dataset with its Croissant description, `croissant.json`, into a folder.

    The folder gets `data/` and `croissant.json` (version 1.0 with the vocabulary of responsible AI), which names every
    file with its digest, every column with its type, and what people answered about the dataset.

    ## Why
    Croissant (https://docs.mlcommons.org/croissant/) is what dataset search engines index and `mlcroissant` loads.

    ## Limits
    It is the description of the whole run: splits and columns are not chosen. Columns of a type that Croissant does not
    know are in the files and not in the description, which says so. `schema.json` says that the folder may be replaced.
    """

    use: Literal["croissant"] = "croissant"
    path: str = Field(min_length=1, description="Folder to write; relative to the recipe's folder.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="The data and its description",
            options={"path": "out/croissant"},
            before={"run": ["run.json", "dataset/croissant.json", "dataset/data/train-00000-of-00001.parquet"]},
            after={"folder": ["croissant.json", "data/train-00000-of-00001.parquet", "schema.json"]},
        ),
    )

    @property
    def place(self) -> str:
        """The folder, as the recipe names it."""
        return self.path

    def export(self, run: Path, context: Context) -> None:
        """Copy the data and the description.

        Raises:
            DataError: There is no whole run, or the folder cannot be written.
            RecipeError: The folder is not one that may be replaced.
        """
        copy_dataset(run, self.path, ("croissant.json",), self.use, context)
