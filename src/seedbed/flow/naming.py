"""How a person names a run: by its folder, the start of its id, a tag, NAME@latest or NAME@champion."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path

from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.store.champions import Champions
from seedbed.store.runs import RUNS, Entry, Index, standing_of

STORE = ".seedbed"
#: Fewer characters of an id are taken for a word.
_SHORTEST_ID = 4
_LATEST, _CHAMPION = "@latest", "@champion"


def store_near(folder: Path | None = None) -> Path:
    """The store that belongs to a folder: SEEDBED_STORE, else the `.seedbed` in it or nearest above it.

    Args:
        folder: A recipe's folder, a folder inside it, or a store itself; the current folder when left out.
    """
    given = os.environ.get("SEEDBED_STORE")
    if folder is None and given:
        return Path(given).absolute()
    start = (folder or Path()).absolute()
    if (start / RUNS).is_dir() and list((start / RUNS).glob("*.json")):
        return start
    if folder is not None and given and not (start / STORE).is_dir():
        return Path(given).absolute()
    found = next((place / STORE for place in (start, *start.parents) if (place / STORE).is_dir()), None)
    return found or start / STORE


def store_of_run(folder: Path | None) -> Path:
    """The store that knows a run which stands in a folder; where no folder is given, the nearest."""
    if folder is None:
        return store_near()
    given = os.environ.get("SEEDBED_STORE")
    return Path(given).absolute() if given else store_near(folder.resolve())


def find_run(named: str | Path, *, store: Path | None = None) -> Path:
    """The folder of a run or of a model, however it was named.

    A folder that is there is taken as it is. Otherwise the name is looked up in the index of runs; `TAG/models/NAME`
    goes on from there. A name that nothing knows comes back as a path, for whoever opens it to tell.

    Args:
        named: Folder, id or its start, tag, or NAME@latest.
        store: The store whose index is asked; the nearest when left out.

    Raises:
        DataError: The run's folder is gone, several runs are meant, the name is nearly a run's, or an entry of the
            index that is damaged may be the run's.
    """
    path = Path(named)
    if path.exists() or path.is_absolute() or str(named).startswith("."):
        return path
    head, *rest = path.parts
    root = store or store_near()
    entries, damaged = Index(root).readable()
    entry = look_up(_champion(head, root), entries, damaged)
    if entry is None and head.endswith(_CHAMPION) and not damaged:
        who, hint = _champion(head, root), _another_champion(head, root, entries)
        raise DataError(f"run {who} is champion, and has no entry in the index", at=str(named), hint=hint)
    if entry is None:
        meant = _meant(head, entries) or _unread(damaged)
        if meant and (not rest or rest[0] == "models"):
            raise DataError("there is no such folder, and no run goes by this name", at=str(named), hint=meant)
        return path
    at = standing_of(entry)
    if not at.there:
        raise DataError(
            f"the folder of run {entry.id} is {at.kind}: it was {at.folder}",
            at=str(named),
            hint=_another_champion(head, root, entries) or _way_back(entry, entries),
        )
    return at.folder.joinpath(*rest)


def _champion(named: str, store: Path) -> str:
    """The id of the run that NAME@champion means; any other name as it is.

    Raises:
        DataError: Nobody is champion, or the file that says who is damaged.
    """
    if not named.endswith(_CHAMPION):
        return named
    champions = Champions(store)
    name = named.removesuffix(_CHAMPION)
    standing = champions.champion(name)
    if standing is None:
        known = [f"{one}{_CHAMPION}" for one in champions.all()]
        hint = did_you_mean(named, known) if known else f"seedbed runs promote {name}@latest names one"
        raise DataError("nobody is champion of that name", at=named[:200], hint=hint)
    return standing.run


def _another_champion(named: str, store: Path, entries: Sequence[Entry]) -> str:
    """A hint of who may stand where a champion's folder is gone; empty where NAME@champion was not what was asked."""
    if not named.endswith(_CHAMPION):
        return ""
    name = named.removesuffix(_CHAMPION)
    before = [one.run for one in Champions(store).history(name) if one.undone is None][:-1]
    there = {one.id for one in entries if standing_of(one).there}
    back = f"seedbed runs rollback {name} gives the place back to run {before[-1]}; " if there & {*before[-1:]} else ""
    return f"{back}seedbed runs promote RUN names another champion"


def _meant(named: str, entries: Sequence[Entry]) -> str:
    """A hint with the tag or NAME@latest that a word nearly is; empty where it is near to none."""
    known = {tag: tag for one in entries for tag in one.tags}
    for one in entries:
        if one.limit is None:
            known |= {name: f"{one.name}{_LATEST}" for name in (one.name, f"{one.name}{_LATEST}") if name not in known}
    near = difflib.get_close_matches(named, known, n=1, cutoff=0.6)
    return f"did you mean {known[near[0]]!r}?" if near else ""


def _unread(damaged: Sequence[DataError]) -> str:
    """A hint that a run may be one whose entry cannot be read; empty where all can be."""
    return f"it may be one whose entry cannot be read: {damaged[0].at}; remove the file" if damaged else ""


def _way_back(entry: Entry, entries: Sequence[Entry]) -> str:
    """A hint of how to get back what a run made whose folder is gone: from the store, where that still has it."""
    again = "run the recipe again"
    if not entry.dataset:
        return f"it made no dataset; {again}"
    if not entry.collected:
        model = ", with --model NAME a model" if entry.models else ""
        return f"seedbed store get {entry.id} --out DIR brings its dataset back{model}"
    if any(one.dataset == entry.dataset and not one.collected for one in entries):
        return f"another run made the same dataset: seedbed store get {entry.dataset[:12]} --out DIR brings it back"
    return f"its dataset went with `seedbed store gc` on {entry.collected[:10]}: {again}; a tag keeps a run from going"


def find_entry(named: str | Path, store: Path) -> Entry:
    """The entry of a run in the index of a store.

    Raises:
        RecipeError: There is none.
        DataError: Several runs are meant, or an entry that is damaged may be the one.
    """
    entries, damaged = Index(store).readable()
    entry = look_up(_champion(str(named), store), entries, damaged)
    if entry is None:
        folder = Path(named).resolve()
        entry = next((one for one in entries if standing_of(one).folder.resolve() == folder), None)
    if entry is None:
        known = [*(tag for one in entries for tag in one.tags), *(f"{one.name}{_LATEST}" for one in entries)]
        hint = _unread(damaged) or did_you_mean(str(named), set(known)) or "`seedbed runs` lists runs that ended"
        raise RecipeError("the index of runs knows no such run", at=str(named)[:200], hint=hint)
    return entry


def look_up(named: str, entries: Sequence[Entry], damaged: Sequence[DataError] = ()) -> Entry | None:
    """The run that a tag, NAME@latest, or an id or its start means; none where it means nothing.

    Args:
        named: What a person typed.
        entries: The index, the newest first.
        damaged: What is wrong with entries that cannot be read.

    Raises:
        DataError: Several ids start like this, or an entry that cannot be read has this id or may be the latest.
    """
    unread = {Path(one.at).stem: one for one in damaged}
    if named.endswith(_LATEST):
        name = named.removesuffix(_LATEST)
        latest = next((one for one in entries if one.name == name and one.limit is None), None)  # no quick look
        if later := [why for id, why in unread.items() if latest is None or id > latest.id]:  # ids begin with the time
            raise later[0]
        return latest
    found = [one for one in entries if named in one.tags] or [one for one in entries if one.id == named]
    if not found and len(named) >= _SHORTEST_ID:
        found = [one for one in entries if one.id.startswith(named)]
        if meant := [why for id, why in unread.items() if not found and id.startswith(named)]:
            raise meant[0]
    if len(found) > 1:
        ids = ", ".join(one.id for one in found[:4])
        raise DataError(f"{len(found)} runs have an id that starts like this", at=named, hint=f"such as {ids}")
    return found[0] if found else None
