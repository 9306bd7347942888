"""Splits of an earlier run inside a part's options: what rows are compared with, or held against."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny, WithJsonSchema

from .any_source import SCHEMA, a_source
from .context import expand
from .documents import read_document
from .errors import DataError, RecipeError, did_you_mean
from .source import Source

#: The folder of a run with its rows as they were split, where `prepare` or made rows changed them later.
UNPREPARED = "unprepared"
_DATASET = "dataset"
_SHARD = re.compile(r"(.+)-\d{5}-of-\d{5}\.parquet")
_TRAIN = "train"


class EarlierRun(BaseModel):
    """Splits of a dataset that a run made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str = Field(min_length=1, description="Folder of a run, or of its dataset.")
    split: str | Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="Splits to compare with; all but `train` when left out."
    )
    name: str | None = Field(None, pattern=r"^[\w.-]+$", description="Name used in row ids.")
    license: str | None = Field(None, description="Licence of the data.")

    def sources(self, base: Path, at: str) -> Iterator[Source]:
        """A source for each split of its dataset that is named; of those that are held out where none is.

        Raises:
            DataError: No dataset is there, or nothing of it is held out.
            RecipeError: It has no such split.
        """
        return self._sources(self._dataset(base, at), base, at, leave_out=_TRAIN)

    def unprepared(self, base: Path, at: str) -> Iterator[Source]:
        """A source for each split that is named, or for all, with the rows as they were before `prepare`.

        Rows that were made are not among them. Where the run changed nothing after the split, its dataset says it all.

        Raises:
            DataError: No dataset is there, or it alone is there of a run that prepared its rows.
            RecipeError: It has no such split.
        """
        return self._sources(self._before(base, at), base, at)

    def _before(self, base: Path, at: str) -> str:
        """Where the rows lie as they were before `prepare`."""
        inside = self._dataset(base, at)
        # The folder of the run: what is named, or what holds the dataset's folder that is named.
        above = "" if inside.startswith(_DATASET) else "../"
        folder = base / Path(expand(self.run, at=at)).expanduser()
        if (folder / above / UNPREPARED).is_dir():
            inside = f"{above}{UNPREPARED}"
        elif _prepares(folder / above / "run.json"):
            raise DataError(
                "went through `prepare`, and its rows as they were before that are not there",
                at=self.run,
                hint="name the run's own folder; if that is it, run its recipe again",
            )
        return inside

    def by_split(self, base: Path, at: str) -> dict[str, list[Path]]:
        """The Parquet files of each split, in order, with the rows as they were before `prepare`.

        Raises:
            DataError: As `unprepared`.
        """
        inside = self._before(base, at)
        folder = base / Path(expand(self.run, at=at)).expanduser() / inside
        return {split: [folder / name for name in names] for split, names in self._files(base, inside, at).items()}

    def _dataset(self, base: Path, at: str) -> str:
        """Where the dataset lies in the folder."""
        folder = base / Path(expand(self.run, at=at)).expanduser()
        inside = next((p for p in (f"{_DATASET}/data", "data") if (folder / p).is_dir()), None)
        if inside is None:
            raise DataError("holds no dataset", at=self.run, hint="name the folder of a run, such as runs/NAME/latest")
        return inside

    def _files(self, base: Path, inside: str, at: str) -> dict[str, list[str]]:
        files: dict[str, list[str]] = {}
        for path in sorted((base / Path(expand(self.run, at=at)).expanduser() / inside).iterdir()):
            if found := _SHARD.fullmatch(path.name):
                files.setdefault(found[1], []).append(path.name)
        return files

    def _sources(self, inside: str, base: Path, at: str, leave_out: str = "") -> Iterator[Source]:
        files = self._files(base, inside, at)
        asked = [self.split] if isinstance(self.split, str) else self.split
        for name in asked or ():
            if name not in files:
                hint = did_you_mean(name, files).replace("known:", "its splits are")
                raise RecipeError(f"`split` names {name!r}, which {self.run} does not have", at=at, hint=hint)
        wanted = [name for name in files if name != leave_out] if asked is None else asked
        if not wanted:
            raise DataError("has no split that is held out", at=self.run, hint=f"split: {_TRAIN}, if that is meant")
        for name in wanted:
            last = files[name][0] if len(files[name]) == 1 else f"{name}-*-of-*.parquet"
            options = {"use": "parquet", "path": f"{self.run.rstrip('/')}/{inside}/{last}", "license": self.license}
            yield a_source(options | {"name": self.name})


def _prepares(record: Path) -> bool:
    """Whether a run's record says that its recipe has a `prepare`; no where there is no record that can be read."""
    try:
        recipe = read_document(json.loads(record.read_bytes())["recipe_text"], at=str(record)).data
        return bool(recipe.get("prepare"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecipeError):
        return False


def _one_of(given: Any) -> Source | EarlierRun:
    if isinstance(given, EarlierRun):
        return given
    if isinstance(given, Mapping) and "run" in given and "use" not in given:
        return EarlierRun.model_validate(dict(given))
    return a_source(given)


#: One entry of `against`.
AnyOther = Annotated[
    SerializeAsAny[Source] | EarlierRun,
    BeforeValidator(_one_of),
    WithJsonSchema({"anyOf": [SCHEMA, {"type": "object", "required": ["run"], "properties": {"run": {}}}]}),
]
