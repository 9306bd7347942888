"""Terms on disk, for models that keep them beside arrays of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from numpy.typing import NDArray

from .terms import Terms

_VOCABULARY = "vocabulary.json"


def save_terms(terms: Sequence[Terms], folder: Path) -> dict[str, NDArray[Any]]:
    """Write `vocabulary.json`; what the terms weigh is returned, to be saved with other arrays."""
    told = [{"kind": one.kind, "lengths": one.lengths, "terms": one.vocabulary} for one in terms]
    (folder / _VOCABULARY).write_bytes(orjson.dumps(told))
    return {f"idf.{one.kind}": one.idf for one in terms}


def load_terms(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> tuple[Terms, ...]:
    """Read what `save_terms` wrote; `arrays` holds what it returned."""
    return tuple(
        Terms(one["kind"], tuple(one["lengths"]), tuple(one["terms"]), arrays[f"idf.{one['kind']}"])
        for one in orjson.loads((folder / _VOCABULARY).read_bytes())
    )
