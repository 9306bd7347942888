"""Files that say which values become which: a mapping in YAML, or a CSV table that a person has looked through."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic import BaseModel, ValidationInfo, model_validator

from seedbed.core.part import base_of

#: What people write where they mean yes.
_YES = ("yes", "y", "true", "1", "x", "ok")
#: Largest file that is read: it is written by a person.
_MOST_BYTES = 10_000_000


class FromFile(BaseModel):
    """Options of which `file` becomes what it holds, so that a resolved recipe and a model need the file no more."""

    into: ClassVar[str]
    """The option with OLD: NEW, which wins over the file where both have a value."""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, options: Any, info: ValidationInfo) -> Any:
        if not isinstance(options, Mapping) or not isinstance(options.get("file"), str):
            return options
        path, given = base_of(info.context) / options["file"], options.get(cls.into)
        found = _accepted_in(path, str(options["file"]))
        return {**options, "file": None, cls.into: {**found, **(given if isinstance(given, Mapping) else {})}}


def _accepted_in(path: Path, name: str) -> dict[str, str | None]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"the file {name!r} is too large for a list that a person wrote")
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ValueError(f"the file {name!r} cannot be read ({said}); its path starts at the recipe") from None
    return _of_yaml(text, name) if path.suffix in (".yaml", ".yml") else _of_csv(text, name)


def _of_yaml(text: str, name: str) -> dict[str, str | None]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise ValueError(f"{name}:{line} is no YAML") from None
    if not isinstance(found, dict) or any(isinstance(new, dict | list) for new in found.values()):
        raise ValueError(f"the file {name!r} is no list of OLD: NEW")
    return found


def _of_csv(text: str, name: str) -> dict[str, str | None]:
    rows = csv.DictReader(text.splitlines(keepends=True), strict=True)
    found: dict[str, str] = {}
    try:
        if not {"old", "new"} <= set(rows.fieldnames or ()):
            raise ValueError(f"the file {name!r} needs the columns old and new, and accept if only some rows count")
        for row in rows:
            if row["old"] is None or row["new"] is None:
                raise ValueError(f"{name}:{rows.line_num} has fewer columns than the first line")
            if "accept" in row and (row["accept"] or "").strip().lower() not in _YES:
                continue
            if found.get(row["old"], row["new"]) != row["new"]:
                raise ValueError(f"{name}:{rows.line_num} gives {row['old'][:40]!r} a second new value")
            found[row["old"]] = row["new"]
    except csv.Error as error:
        raise ValueError(f"{name}:{rows.line_num} is no CSV ({error})") from None
    return {old: new or None for old, new in found.items()}
