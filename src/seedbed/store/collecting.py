"""How large the store is, and the removal of what no run needs any more."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from .champions import Champions
from .going import GOING, Going, journals, untouched
from .objects import OBJECTS
from .places import owner
from .runs import RUNS, Entry, Index, now, standing_of
from .store import UNITS

#: Artefacts that runs share without naming them: they stay while any run is kept.
SHARED = ("embeddings",)
#: What sources fetched: it may not be had again, so that it goes only where a person says so.
FETCHED = "snapshots"
#: Seconds for which an artefact that no run names is let be: something else may just be making it.
FRESH = 3600.0
_DAY = 86_400.0
_ARTEFACT = re.compile(r"[0-9a-f]{16,64}")
_WHAT = {
    "passes": "lists of units, one a pass",
    UNITS: "rows and ledger of each piece of a pass",
    "keys": "what rows are compared by",
    "verdicts": "what whole-table steps decided",
    "pairs": "similar rows that a split keeps together",
    "splits": "which row is in which split",
    "searches": "what options scored, fold by fold",
    "trainings": "networks whose training was interrupted",
    "fitted": "what parts of `prepare` learned",
    "made": "rows that parts of `prepare` made",
    "models": "trained models",
    "embeddings": "embeddings of texts",
    "graphs": "networks as they are served",
    "near": "training rows as they are looked up by who asks a model",
    "answers": "answers of models behind endpoints",
    "datasets": "datasets of runs",
    "bundles": "models of runs, as they are served",
    "snapshots": "what sources fetched",
    "work": "unfinished work",
    RUNS: "the index of runs",
    GOING: "what running and interrupted runs use",
}


class Part(BaseModel):
    """What one kind of thing takes."""

    model_config = ConfigDict(frozen=True)

    kind: str
    what: str = ""
    items: int = Field(description="Artefacts, or files of datasets and models.")
    bytes: int = Field(description="On disk; a file that has several names counts once, for the first kind.")


class Size(BaseModel):
    """What a store takes."""

    model_config = ConfigDict(frozen=True)

    root: str
    bytes: int
    linked: int = Field(description="Bytes of it that are also files of runs' folders, so that they cost no room here.")
    parts: tuple[Part, ...]
    runs: int
    interrupted: int = Field(description="Runs that were stopped before their end and can go on.")
    damaged: tuple[str, ...] = Field(
        (),
        description="Entries of the index that cannot be read, and why; files that only they name count as unnamed.",
    )


class Collection(BaseModel):
    """What a collection removed, or would remove."""

    model_config = ConfigDict(frozen=True)

    root: str
    dry_run: bool
    freed: int = Field(description="Bytes; without those of files that still have another name, as in a run's folder.")
    removed: tuple[Part, ...]
    kept_runs: tuple[str, ...]
    let_go: tuple[str, ...] = Field(description="Runs whose artefacts nothing else needs.")
    fresh: int = Field(description="Artefacts that no run names and that are too new to be removed.")
    interrupted: int = Field(description="Interrupted runs whose artefacts were kept.")
    fetched: Part | None = Field(
        None, description="What sources fetched and no run names: it stays unless it was asked for."
    )


@dataclass
class _Seen:
    """Files that were counted, by what they are on disk."""

    inodes: set[tuple[int, int]] = field(default_factory=set)
    linked: int = 0

    def of(self, paths: Iterable[Path], names: Counter[tuple[int, int]] | None = None) -> int:
        """Bytes of files and of all in folders; with `names`, only of what has no other names than these."""
        total = 0
        for path in paths:
            for file in _files(path):
                with suppress(OSError):
                    told = file.lstat()
                    node = (told.st_dev, told.st_ino)
                    if node not in self.inodes and (names is None or names[node] >= told.st_nlink):
                        self.inodes.add(node)
                        total += told.st_size
                        self.linked += told.st_size if told.st_nlink > 1 else 0
        return total


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir() or path.is_symlink():
        yield path
        return
    for where, _, names in os.walk(path):
        yield from (Path(where, name) for name in names)


def size_of(root: Path) -> Size:
    """Measure a store, by kind."""
    entries, damaged = Index(root).readable()
    seen, parts = _Seen(), []
    datasets, bundles = _of_entries(entries)
    for kind, digests in (("datasets", datasets), ("bundles", bundles)):
        files = [path for path in _objects(root) if path.name in digests]
        parts.append(Part(kind=kind, what=_WHAT[kind], items=len(files), bytes=seen.of(files)))
    for folder in sorted(path for path in root.glob("*") if path.is_dir()):
        inside = [path for path in folder.iterdir() if not path.name.startswith(".")]
        if folder.name == OBJECTS:
            inside = [path for path in _objects(root) if path.name not in datasets | bundles]
        name = "unnamed files" if folder.name == OBJECTS else folder.name
        parts.append(Part(kind=name, what=_WHAT.get(name, ""), items=len(inside), bytes=seen.of(inside)))
    shown = tuple(sorted((part for part in parts if part.items), key=lambda part: -part.bytes))
    interrupted = sum(not one.alive for one in journals(root))
    return Size(
        root=str(root),
        bytes=sum(part.bytes for part in shown),
        linked=seen.linked,
        parts=shown,
        runs=len(entries),
        interrupted=interrupted,
        damaged=tuple(one.in_a_line() for one in damaged),
    )


def _of_entries(entries: Iterable[Entry]) -> tuple[set[str], set[str]]:
    """Digests of the files of datasets, and of models."""
    datasets, bundles = set(), set()
    for one in entries:
        datasets |= {file.sha256 for file in one.files}
        bundles |= {file.sha256 for model in one.models for file in model.files}
    return datasets, bundles - datasets


def _objects(root: Path) -> list[Path]:
    return sorted((root / OBJECTS).glob("??/" + "[0-9a-f]" * 64))


@dataclass(frozen=True)
class Rule:
    """Which runs keep what they used."""

    older_than: float | None = None
    """Days; what was written since stays. None: whatever its age."""
    keep_last: int | None = None
    """Of the runs whose folders are there, only so many of each name; tagged runs are kept besides."""
    all: bool = False
    """Interrupted runs keep nothing, nor does what no run names."""
    fetched: bool = False
    """What sources fetched goes, too, where no run names it."""

    def keeps(self, entries: Sequence[Entry], champions: Container[str] = ()) -> list[Entry]:
        """The runs that keep what they used; takes the newest first, and the ids of those that stand for a name."""
        kept, count = [], Counter[str]()
        for one in entries:
            if one.collected:
                continue
            there = standing_of(one).there
            count[one.name] += there
            last = self.keep_last is None or count[one.name] <= self.keep_last
            if one.tags or one.id in champions or (there and last):
                kept.append(one)
        return kept


def collect(root: Path, rule: Rule, *, dry_run: bool = False) -> Collection:
    """Remove what no run in the index whose folder still exists, no tagged run and no run that is not over uses.

    What such a run uses is never touched, also while other runs go on: a run writes down each artefact before it uses
    it, and each removal looks there first.

    Raises:
        DataError: An entry of the index is damaged, so that nobody knows what its run uses.
    """
    index = Index(root)
    if not root.is_dir():
        return _nothing(root, dry_run)
    with index.held():
        entries = index.entries()
        kept = rule.keeps(entries, Champions(root).all().values())
        going = journals(root)
        plan = _Plan.of(root, rule, entries, kept, [one for one in going if one.alive or not rule.all])
        removed, freed = plan.measure()
        left = plan.left()
        if not dry_run:
            plan.remove()
            for one in going:
                if rule.all and not one.alive:
                    one.path.unlink(missing_ok=True)
            let_go = [one for one in entries if one not in kept and not one.collected]
            for entry in let_go:
                # What it was stays, for the lineage of others; what it used is gone.
                index.write(entry.model_copy(update={"used": (), "collected": now()}))
    return Collection(
        root=str(root),
        dry_run=dry_run,
        freed=freed,
        removed=removed,
        kept_runs=tuple(one.id for one in kept),
        let_go=tuple(one.id for one in entries if one not in kept and not one.collected),
        fresh=plan.fresh,
        interrupted=0 if rule.all else sum(not one.alive for one in going),
        fetched=left,
    )


def _nothing(root: Path, dry_run: bool) -> Collection:
    return Collection(
        root=str(root), dry_run=dry_run, freed=0, removed=(), kept_runs=(), let_go=(), fresh=0, interrupted=0
    )


@dataclass
class _Plan:
    """What is to go."""

    root: Path
    artefacts: list[Path]
    objects: list[Path]
    fresh: int
    fetched: list[Path]
    """What could go and stays, since nobody said that it should."""

    @classmethod
    def of(cls, root: Path, rule: Rule, entries: Sequence[Entry], kept: Sequence[Entry], going: list[Going]) -> _Plan:
        """Mark what is used, and list the rest."""
        used = set().union(*(one.used for one in kept), *(one.used for one in going))
        used |= {name for one in used for name in _units_of(root, one)}
        known = set().union(*(one.used for one in entries))
        listed = {name for path in _artefacts(root) for name in _units_of(root, f"{path.parent.name}/{path.name}")}
        known |= {name for one in known for name in _units_of(root, one)}
        running = any(one.alive for one in going)
        gone, fetched, fresh = list[Path](), list[Path](), 0
        for path in _artefacts(root):
            kind = path.parent.name
            name = f"{kind}/{path.name}"
            orphan = kind == UNITS and name not in listed  # of a pass that was interrupted
            shared = kind in SHARED and bool(kept)
            if name in used or (not rule.all and (orphan or shared)) or _newer(path, rule.older_than):
                continue
            if running and kind == UNITS:  # a pass that is not sealed yet may be made of any of them
                continue
            if name not in known and not rule.all and time.time() - _touched(path) < FRESH:
                fresh += 1
                continue
            (fetched if kind == FETCHED and not rule.fetched else gone).append(path)
        datasets, bundles = _of_entries(kept)
        objects = [path for path in _objects(root) if path.name not in datasets | bundles]
        return cls(root, gone, [path for path in objects if not _newer(path, rule.older_than)], fresh, fetched)

    def left(self) -> Part | None:
        """What sources fetched that no run names, measured; none where there is none."""
        if not self.fetched:
            return None
        return Part(kind=FETCHED, what=_WHAT[FETCHED], items=len(self.fetched), bytes=_Seen().of(self.fetched))

    def measure(self) -> tuple[tuple[Part, ...], int]:
        """What goes, by kind, and the bytes that this frees."""
        names: Counter[tuple[int, int]] = Counter()
        for path in (*self.artefacts, *self.objects):
            for file in _files(path):
                with suppress(OSError):
                    told = file.lstat()
                    names[(told.st_dev, told.st_ino)] += 1
        kinds: dict[str, list[Path]] = {}
        for path in self.artefacts:
            kinds.setdefault(path.parent.name, []).append(path)
        if self.objects:
            kinds["datasets and bundles"] = self.objects
        every, freed = _Seen(), _Seen()
        parts = [
            Part(kind=kind, what=_WHAT.get(kind, ""), items=len(paths), bytes=every.of(paths))
            for kind, paths in kinds.items()
        ]
        return tuple(sorted(parts, key=lambda part: -part.bytes)), freed.of([*self.artefacts, *self.objects], names)

    def remove(self) -> None:
        """Take it away; what a run has asked for meanwhile stays."""
        for path in self.artefacts:
            away = path.with_name(f".{path.name}.{owner()}.partial")  # `sweep` would finish what is killed here
            with untouched(self.root), suppress(OSError):
                running = [one for one in journals(self.root) if one.alive]
                used = set().union(*(one.used for one in running))
                if f"{path.parent.name}/{path.name}" in used or (running and path.parent.name == UNITS):
                    continue
                path.rename(away)
            shutil.rmtree(away, ignore_errors=True)
        for path in self.objects:
            path.unlink(missing_ok=True)
            with suppress(OSError):
                path.parent.rmdir()


def _artefacts(root: Path) -> Iterator[Path]:
    for folder in sorted(path for path in root.glob("*") if path.is_dir() and path.name != OBJECTS):
        yield from sorted(path for path in folder.iterdir() if path.is_dir() and _ARTEFACT.fullmatch(path.name))


def _units_of(root: Path, name: str) -> Iterator[str]:
    """The units that an artefact is made of."""
    try:
        units = json.loads((root / name / "done.json").read_bytes()).get("units")
    except (OSError, ValueError, AttributeError):
        return
    if isinstance(units, list):
        yield from (f"{UNITS}/{unit}" for unit in units)


def _newer(path: Path, days: float | None) -> bool:
    return days is not None and time.time() - _touched(path) < days * _DAY


def _touched(path: Path) -> float:
    """When something of an artefact was last written."""
    found = 0.0
    for one in (path, *_files(path)):
        with suppress(OSError):
            found = max(found, one.lstat().st_mtime)
    return found
