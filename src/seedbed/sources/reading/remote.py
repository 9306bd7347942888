"""Files elsewhere: fetched once, kept in the store as they came, and read from there, so later runs need no network."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from seedbed.core.context import Context, Stage, conceal, expand
from seedbed.core.errors import DataError
from seedbed.core.numbers import size as sized
from seedbed.core.numbers import typed
from seedbed.core.source import InputFile, Origin
from seedbed.store.places import write_whole
from seedbed.store.snapshots import Kept, Snapshot, now, writing

from .download import download

_WEB = ("http://", "https://")
#: What a place tells of a file that changes when the file does.
_VALIDATORS = ("ETag", "etag", "md5Hash", "LastModified", "last_modified", "mtime", "created")
_PIECE = 1 << 20


def kept_files(
    path: str, asked: Any, listing: Callable[[list[str]], list[InputFile]], passed: list[str], context: Context
) -> list[InputFile]:
    """The files that a path elsewhere means, in the store; fetched now where they are not there yet.

    Args:
        path: As the recipe says, with its placeholders.
        asked: What tells this path from others, as JSON without secrets.
        listing: Finds the files, with names and URLs that may be written down; adds to what it passes over.
        passed: Gets what was passed over.
        context: Whether anything may be fetched, or must be fetched again.

    Raises:
        DataError: They cannot be fetched, or are not kept (as they came) and the run is offline. What came stays kept.
    """
    snapshot = Snapshot.of(asked, context)
    snapshot.bring("never", context, lambda: _fetch(path, listing, snapshot, context), at=path)
    passed += [name for noted in snapshot.notes("passed") for name in noted["names"]]
    return [
        InputFile(kept.name, str(_at_hand(snapshot, kept)), kept.size, kept.sha256, origin=kept.origin)
        for kept in snapshot.kept
    ]


def _fetch(path: str, listing: Callable[[list[str]], list[InputFile]], snapshot: Snapshot, context: Context) -> None:
    passed: list[str] = []
    found, there = listing(passed), {kept.name for kept in snapshot.kept}
    if snapshot.mending:
        lost = {kept.name for kept in snapshot.lost}
        found = [file for file in found if file.name in lost]
        if missing := sorted(lost - {file.name for file in found}):
            said = f"what was kept of {missing[0]} is damaged or gone from the store, and the file is there no more"
            raise DataError(said, at=path, hint="fetch what there is now: --refresh")
    if passed and not snapshot.notes("passed"):
        snapshot.note("passed", names=[conceal(what, path) for what in passed])
    with context.stage(f"Fetching {path}", sum(file.size for file in found) or None, "B") as stage:
        for file in found:
            if file.name in there:
                stage.advance(file.size, found=True)
            else:
                _download(file, path, snapshot, stage)
    snapshot.end()


def _download(file: InputFile, path: str, snapshot: Snapshot, stage: Stage) -> None:
    """Fetch a file into the snapshot; what a run before had of it is gone on with, where it is still the same."""
    name = sha256(file.name.encode()).hexdigest()[:16]
    part, seal = (snapshot.folder / "partial" / f"{name}{ending}" for ending in (".part", ".json"))
    part.parent.mkdir(exist_ok=True)
    web = file.url.startswith(_WEB)
    origin = download(file.url, path, part, seal, stage) if web else _copied(file, part, seal, stage)
    snapshot.keep_file(file.name, part, origin)
    seal.unlink(missing_ok=True)


# -- other places than the web, by fsspec


def _copied(file: InputFile, part: Path, seal: Path, stage: Stage) -> Origin:
    system, inner = opened(expand(file.url))
    before = _told(system, inner)
    start = _resumed(part, seal, before)
    write_whole(seal, json.dumps(_identity(before)).encode())
    stage.advance(start, file.name, found=True)
    with part.open("ab") as out, system.open(inner, "rb") as stored:
        if start:
            stored.seek(start)
        while piece := stored.read(_PIECE):
            with writing("what came", at=file.url):
                out.write(piece)
                out.flush()
            stage.advance(len(piece))
    if _identity(_told(system, inner)) != _identity(before):
        part.unlink()
        raise DataError("changed while it was fetched", at=file.url, hint="run again once nothing writes to it")
    have, size = part.stat().st_size, before.get("size")
    if size is not None and have != size:
        said = f"ended after {typed(sized(have))} of {typed(sized(int(size)))}"
        raise DataError(said, at=file.url, hint="run again: it goes on where this ended")
    facts: dict[str, Any] = {key: before[key] for key in _VALIDATORS if isinstance(before.get(key), str)}
    return Origin(file.url, now(), facts=facts | ({"resumed_from": start} if start else {}))


def opened(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path inside it."""
    import fsspec

    system, inner = fsspec.core.url_to_fs(address)
    return system, str(inner)


def _told(system: Any, inner: str) -> Mapping[str, Any]:
    """What the place tells of a file now."""
    system.invalidate_cache()
    found: Mapping[str, Any] = system.info(inner)
    return found


def _identity(told: Mapping[str, Any]) -> list[str]:
    """What changes when the file does; nothing where the place tells nothing but its size."""
    found = [str(told[key]) for key in _VALIDATORS if told.get(key)]
    return [*found, str(told.get("size"))] if found else []


def _resumed(part: Path, seal: Path, told: Mapping[str, Any]) -> int:
    """Bytes that are there of the same file; what is there of another is taken away."""
    with suppress(OSError, ValueError):
        same = _identity(told) and json.loads(seal.read_bytes()) == _identity(told)
        if same and part.stat().st_size <= int(told.get("size") or 0):
            return part.stat().st_size
    part.unlink(missing_ok=True)
    return 0


def _at_hand(snapshot: Snapshot, kept: Kept) -> Path:
    """A path to a response that ends in its file's name, for messages; the response itself where links cannot be."""
    body = snapshot.path(kept)
    name = re.sub(r"[^\w.+-]", "_", kept.name.rsplit("/", 1)[-1])[-100:] or "file"
    link = snapshot.folder / "files" / kept.sha256[:16] / name
    if not link.is_symlink():
        with suppress(OSError):
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.relpath(body, link.parent))
    return link if link.is_symlink() else body
