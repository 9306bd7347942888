"""The schema beside a file: what its columns were, which files it is of, and so what may be replaced."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from seedbed.core.errors import DataError, RecipeError
from seedbed.core.version import __version__
from seedbed.store.places import refuse_replacing

from .types import schema_meant, schema_told

#: Names of such files: beside the only file of an export, before these, stands the name of that file.
NAMES = ("schema.json", "datapackage.json", "tokens.json", "export.json")
#: The key under which everything of ours stands, also in files of another format.
KEY = "seedbed"


@dataclass(frozen=True)
class Described:
    """What is said of some files."""

    use: str
    """Name of their format."""
    schema: pl.Schema
    files: tuple[str, ...]
    """The files, or folders, with rows."""
    holds: tuple[str, ...] = ()
    """Everything that was written, besides this."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """What the format wants to know when it reads them."""

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "version": __version__,
            "format": self.use,
            "files": list(self.files),
            "holds": list(self.holds),
            **self.more,
            "columns": schema_told(self.schema),
        }


def beside(path: Path) -> Iterable[Path]:
    """Where what is said of a file or folder may stand."""
    for name in NAMES:
        yield from (path / name, path.with_name(f"{path.name}.{name}"), path.parent / name)


def description_of(path: Path, use: str) -> Described | None:
    """What is said of a file of a format; none where nothing is, or nothing of Seedbed's."""
    for place in beside(path):
        found = _read(place)
        if found and found["format"] == use and (path.name in found["files"] or place.parent == path):
            more = {key: value for key, value in found.items() if key not in Described.__dataclass_fields__}
            try:
                schema = schema_meant(found.get("columns"))
            except DataError as error:
                raise DataError(
                    error.problem, at=str(place), hint="write the file anew, or take this one away"
                ) from None
            return Described(use, schema, tuple(found["files"]), tuple(found.get("holds", ())), more)
    return None


def described(path: Path, use: str) -> Described:
    """What is said of a file.

    Raises:
        DataError: Nothing is.
    """
    found = description_of(path, use)
    if found is None:
        raise DataError(f"there is no schema of {use} files beside it", at=str(path), hint="keep both together")
    return found


def _read(place: Path) -> dict[str, Any] | None:
    try:
        told = json.loads(place.read_bytes())
    except (OSError, ValueError):
        return None
    found = told.get(KEY) if isinstance(told, dict) else None
    known = isinstance(found, dict) and isinstance(found.get("format"), str) and isinstance(found.get("files"), list)
    return found if known else None


def write_description(place: Path, told: Mapping[str, Any]) -> None:
    """Write it."""
    place.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")


def below(folder: Path) -> tuple[str, ...]:
    """Every file in a folder, by its path there."""
    return tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))


def refuse_folder(target: Path, *, base: Path, store: Path, run: Path | None, at: str) -> None:
    """Refuse a folder to write to that holds anything but an export of a file format.

    Raises:
        RecipeError: Something would be lost.
    """
    if target.is_dir() and any(target.iterdir()):
        found = next((told for name in NAMES if (told := _read(target / name))), None)
        ours = {*NAMES, *(found or {}).get("holds", ())}
        foreign = [name for name in below(target) if name not in ours]
        if found is None or foreign:
            what = f"this folder holds {foreign[0][:80]!r}" if foreign else "this folder holds other things"
            raise RecipeError(
                f"{what}, which no export wrote, so it is not replaced",
                at=at,
                hint="name a new folder, or empty this one yourself",
            )
        return
    refuse_replacing(target, base=base, store=store, run=run, at=at)
