"""Brings back what a source fetched, as it came, by the SHA-256 that the lineage gives."""

from __future__ import annotations

import re
from pathlib import Path

from seedbed.core import digest
from seedbed.core.errors import DataError, RecipeError
from seedbed.store.snapshots import SNAPSHOTS, Kept, Snapshot


def response_like(start: str, store: Path) -> tuple[Path, Kept] | None:
    """The response whose SHA-256 starts so, and what is known of it; none where there is none.

    Raises:
        RecipeError: Several do.
    """
    found = {path.name: path for path in (store / SNAPSHOTS).glob(f"*/bodies/??/{start}*")}
    if len(found) > 1:
        shown = ", ".join(name[:16] for name in sorted(found)[:3])
        raise RecipeError("several responses have a SHA-256 that starts like this", at=start, hint=shown)
    for hashed, path in found.items():
        snapshot = Snapshot(path.parents[2], path.parents[2].name)
        kept = next((one for one in snapshot.ever_kept if one.sha256 == hashed), None)
        if kept:
            return path, kept
    return None


def bring(path: Path, kept: Kept, folder: Path) -> None:
    """Copy a response into a folder, under the end of its name.

    Raises:
        DataError: It is damaged.
    """
    name = re.sub(r"[^\w.+-]", "_", kept.name.rstrip("/").rsplit("/", 1)[-1])[-100:].lstrip(".") or "response"
    target = folder / name
    target.write_bytes(path.read_bytes())
    if digest.of_file(target) != kept.sha256:
        hint = "a run without --offline fetches it again"
        raise DataError(f"what was kept of {kept.name} is damaged", at=kept.sha256[:16], hint=hint)
