"""Small stores for tests: entries of runs, artefacts and journals, as runs would leave them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from seedbed.store.runs import Entry, Index
from seedbed.store.store import Artefact, Store


def entry(root: Path, id: str, **more: Any) -> Entry:
    """Enter a run whose folder is there, unless `gone`."""
    folder = root.parent / "runs" / id
    if not more.pop("gone", False):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "run.json").write_text(json.dumps({"id": id, "seedbed": "0", "dataset": {}}))
    told = {
        "id": id, "name": "small", "folder": str(folder), "started": f"2026-01-01T00:00:{id[-2:]}", "state": "passed",
        "seedbed": "0", "rows": 3, "dataset": "d" * 64, "splits": {"train": 3}, "files": (), "models": (), "best": None,
        "inputs": (), "used": (),
    }  # fmt: skip
    made = Entry.model_validate({**told, **more})
    Index(root).write(made)
    return made


def artefact(root: Path, kind: str, key: str, *, units: list[str] | None = None, bytes: int = 100) -> str:
    """Make an artefact; its name as entries tell it."""
    made: Artefact = Store(root).artefact(kind, key)
    (made.folder / "rows.parquet").write_bytes(b"x" * bytes)
    made.seal({"units": units} if units is not None else {})
    return f"{kind}/{made.folder.name}"


def key(letter: str) -> str:
    """A key."""
    return letter * 32


def there(root: Path) -> set[str]:
    """Artefacts that are there."""
    kinds = [path for path in root.iterdir() if path.is_dir() and path.name not in ("runs", "going", "objects")]
    return {f"{kind.name}/{path.name}" for kind in kinds for path in kind.iterdir() if path.is_dir()}
