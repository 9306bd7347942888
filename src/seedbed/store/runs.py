"""The index of runs: what each finished run made, from what, and where it stands; and the tags that people give runs.

Under the store's root, `runs/ID.json` is the entry of a run. It names the artefacts that the run used, so that `gc`
knows what may go, and the files of its dataset and models, which `objects` keeps.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.score import Score

from .places import write_whole

RUNS = "runs"
#: What a tag may be: it must not be mistaken for a path, an id or NAME@latest.
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True)


class InputFile(_Fact):
    """A file that a run read."""

    source: str
    file: str = Field(description="Its name relative to the root of the source's glob.")
    sha256: str
    bytes: int


class KeptFile(_Fact):
    """A file of a dataset or model; its content is the object of that digest."""

    name: str = Field(description="Path inside the dataset's or the model's folder, with `/`.")
    sha256: str
    bytes: int


class KeptModel(_Fact):
    """A model's bundle."""

    name: str
    digest: str = Field(description="SHA-256 over the names and digests of the bundle's files.")
    files: tuple[KeptFile, ...]


class Best(_Fact):
    """The best model of a run, by the metric that decides."""

    model: str
    metric: str
    split: str
    score: Score | None


class Entry(_Fact):
    """A run in the index."""

    id: str
    name: str
    folder: str = Field(description="Where the run was put, absolute.")
    started: str = Field(description="ISO 8601, UTC.")
    state: Literal["passed", "failed"]
    seedbed: str = Field(description="Version of Seedbed.")
    rows: int = Field(description="Rows kept.")
    dataset: str = Field(description="Digest of the dataset; empty where the run was stopped before there was one.")
    splits: dict[str, int]
    files: tuple[KeptFile, ...] = Field(description="Files of the dataset's folder.")
    models: tuple[KeptModel, ...]
    best: Best | None
    limit: int | None = Field(None, description="Records read of each source at most, of a quick look.")
    task: str = Field("", description="Its kind; empty in entries of Seedbed before it was noted.")
    test_reads: int = Field(0, description="How often test rows were read while it ran.")
    tags: tuple[str, ...] = ()
    inputs: tuple[InputFile, ...]
    used: tuple[str, ...] = Field(description="Artefacts of the store that the run used, as KIND/KEY.")
    collected: str | None = Field(
        None, description="When `gc` removed what the store kept of it; nothing where it still is."
    )


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock among processes while the body runs; where the system has none, nothing is held."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Index:
    """The runs of a store."""

    root: Path
    """The store's."""

    @property
    def folder(self) -> Path:
        """Where the entries are."""
        return self.root / RUNS

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else changes the index while the body runs."""
        with locked(self.folder / ".lock"):
            yield

    def entries(self) -> list[Entry]:
        """All runs, the newest first, for whoever must know of every one.

        Raises:
            DataError: An entry is damaged.
        """
        found, damaged = self.readable()
        if damaged:
            raise damaged[0]
        return found

    def readable(self) -> tuple[list[Entry], list[DataError]]:
        """The runs whose entries can be read, the newest first, and what is wrong with each of the other entries."""
        found: list[Entry] = []
        damaged: list[DataError] = []
        for path in sorted(self.folder.glob("*.json")) if self.folder.is_dir() else ():
            try:
                found.append(_read(path))
            except DataError as error:
                damaged.append(error)
        return sorted(found, key=lambda one: (one.started, one.id), reverse=True), damaged

    def write(self, entry: Entry) -> None:
        """Write an entry, whole or not at all."""
        write_whole(self.folder / f"{entry.id}.json", (entry.model_dump_json(indent=1) + "\n").encode())

    def tag(self, id: str, name: str, *, force: bool = False) -> Entry:
        """Give a run a name that no other run has.

        Args:
            id: The run's.
            name: Letters, digits, `.`, `_` and `-`, a letter first, at most 64 characters.
            force: Take the name from the run that has it.

        Raises:
            RecipeError: The name cannot be one, or another run has it.
        """
        if not _TAG.fullmatch(name) or name == "latest":
            hint = "letters, digits, '.', '_' and '-', a letter first, at most 64; not 'latest'"
            raise RecipeError("this cannot be a tag", at=name[:80], hint=hint)
        with self.held():
            entries = {one.id: one for one in self.readable()[0]}
            owner = next((one for one in entries.values() if name in one.tags), None)
            if owner and owner.id != id:
                if not force:
                    hint = "--force moves it, or choose another name"
                    raise RecipeError(f"the tag is that of run {owner.id}", at=name, hint=hint)
                self.write(_retagged(owner, set(owner.tags) - {name}))
            tagged = _retagged(entries[id], {*entries[id].tags, name})
            self.write(tagged)
        return tagged

    def untag(self, name: str) -> Entry:
        """Take a tag away; the run that had it.

        Raises:
            RecipeError: No run has it.
        """
        with self.held():
            entries, _ = self.readable()
            owner = next((one for one in entries if name in one.tags), None)
            if owner is None:
                known = [tag for one in entries for tag in one.tags]
                raise RecipeError("no run has this tag", at=name[:80], hint=did_you_mean(name, known))
            self.write(_retagged(owner, set(owner.tags) - {name}))
        return owner


def _retagged(entry: Entry, tags: set[str]) -> Entry:
    return entry.model_copy(update={"tags": tuple(sorted(tags))})


def _read(path: Path) -> Entry:
    try:
        return Entry.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not what a run wrote"
        raise DataError(
            f"this entry of the index of runs cannot be read: {why}",
            at=str(path),
            hint="remove the file: the run's folder stays, but the index forgets it",
        ) from None


@dataclass(frozen=True)
class Standing:
    """Where a run's folder is now."""

    kind: Literal["here", "moved", "replaced", "gone"]
    folder: Path
    """Where it is, or was."""

    @property
    def there(self) -> bool:
        """Whether the folder can be looked into."""
        return self.kind in ("here", "moved")

    def __str__(self) -> str:
        return str(self.folder) if self.kind == "here" else f"{self.folder} ({self.kind})"


def standing_of(entry: Entry) -> Standing:
    """Look where a run's folder is; one that was renamed is found beside its old place."""
    folder = Path(entry.folder)
    found = _id_in(folder)
    if found == entry.id:
        return Standing("here", folder)
    near = [*folder.parent.glob("*/run.json"), *folder.parent.parent.glob("*/*/run.json")]
    for record in sorted(near):
        if not record.parent.is_symlink() and _id_in(record.parent) == entry.id:
            return Standing("moved", record.parent)
    return Standing("replaced" if found else "gone", folder)


def _id_in(folder: Path) -> str | None:
    """The id of the run that stands in a folder."""
    try:
        told = json.loads((folder / "run.json").read_bytes())
    except (OSError, ValueError):
        return None
    return told.get("id") if isinstance(told, dict) else None


def now() -> str:
    """The time, as entries tell it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
