"""What rows are made by, besides options and inputs: code and library versions. They are in the store's keys."""

from __future__ import annotations

import importlib.metadata
import inspect
from functools import cache
from pathlib import Path

import seedbed.core
from seedbed.core import digest
from seedbed.core.part import Part
from seedbed.core.version import __version__

#: Libraries whose versions may change rows.
LIBRARIES = ("polars", "pyarrow", "numpy", "duckdb", "ftfy", "xxhash", "orjson", "charset-normalizer")
_ROOMS = ("core", "engine")


def versions(*more: str) -> dict[str, str]:
    """Versions of Seedbed, of the libraries that make rows, and of those of `more` that are installed."""
    found = {"seedbed": __version__}
    for name in (*LIBRARIES, *more):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@cache
def code_of(*parts: type[Part]) -> str:
    """Digest of the code that makes rows: the parts' packages, and the rooms that every pass goes through."""
    here = Path(seedbed.core.__file__).parents[1]
    files = {file for room in _ROOMS for file in (here / room).rglob("*.py")}
    for part in parts:
        module = Path(inspect.getfile(part))
        files |= set(module.parent.rglob("*.py")) if (module.parent / "__init__.py").exists() else {module}
    return digest.of_json(sorted((file.parent.name, file.name, digest.of_file(file)) for file in files))
