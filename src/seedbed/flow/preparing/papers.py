"""What parts of `prepare` learned, in the run's folder: `prepare/PART.json`, and what they want to show besides."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seedbed.core.errors import BooksError

from .prepare import Learning

#: The folder in a run's.
FOLDER = "prepare"


def write_learned(folder: Path, learned: Sequence[Learning]) -> None:
    """Write what parts learned; nothing where none did.

    Args:
        folder: The run's.
        learned: In order.

    Raises:
        BooksError: A part names a file that is none.
    """
    for one in learned:
        here = folder / FOLDER
        here.mkdir(exist_ok=True)
        told = {"part": one.name, "options": one.step.model_dump(mode="json"), "state": one.state}
        (here / f"{one.name}.json").write_text(json.dumps(told, ensure_ascii=False) + "\n", "utf-8")
        for name, text in one.step.papers(one.state).items():
            if not name or Path(name).name != name:
                raise BooksError(f"{name!r} is no name for a file", at=one.name)
            (here / one.name).mkdir(exist_ok=True)
            (here / one.name / name).write_text(text, "utf-8")


def state_of(folder: Path, name: str) -> dict[str, Any] | None:
    """What a part learned, by a run's folder; none where that does not say."""
    try:
        found: dict[str, Any] = json.loads((folder / FOLDER / f"{name}.json").read_bytes())["state"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found
