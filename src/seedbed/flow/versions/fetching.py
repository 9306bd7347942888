"""Brings a dataset, a model or a response back from the store, by digest, tag or run; also when the run is gone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.core.digest import RowsDigest, of_splits
from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.flow.naming import find_entry
from seedbed.store.objects import Objects, digest_of
from seedbed.store.places import arriving
from seedbed.store.runs import Entry, Index, KeptFile

from .responses import bring, response_like

_DIGEST = re.compile(r"[0-9a-f]{8,64}")
#: A folder of a dataset's files: `data/SPLIT-NNNNN-of-NNNNN.parquet`.
_FILE = re.compile(r"data/(?P<split>.+)-\d{5}-of-\d{5}\.parquet")


@dataclass(frozen=True)
class Fetched:
    """What was brought back."""

    kind: Literal["dataset", "model", "response"]
    digest: str
    run: str
    model: str | None
    folder: Path
    files: int
    bytes: int
    url: str = ""
    """Where a response came from."""


@dataclass(frozen=True)
class _Wanted:
    entry: Entry
    digest: str
    files: tuple[KeptFile, ...]
    model: str | None = None

    @property
    def what(self) -> str:
        return f"model {self.model}" if self.model else "dataset"


def fetch(named: str, out: Path, store: Path, *, model: str | None = None) -> Fetched:
    """Bring a dataset or model back, whole or not at all, its digest computed anew.

    Args:
        named: Digest of a dataset or model, or the SHA-256 of a response as `lineage.json` gives it, or its first
            characters (8 at least); or a run, however it is named.
        out: Folder to make.
        store: The store.
        model: Of a run, the model to bring instead of the dataset.

    Raises:
        RecipeError: There is nothing of that name, or `out` is there already, or in the store.
        DataError: The store no longer holds all of it, or something is damaged.
    """
    if out.resolve().is_relative_to(store.resolve()):
        hint = "name a folder elsewhere: what stands in the store goes when nothing there needs it"
        raise RecipeError("this is inside the store itself", at=f"--out {out}", hint=hint)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RecipeError("there is something already", at=f"--out {out}", hint="name a new folder, or an empty one")
    response = _response(named, out, store) if model is None else None
    if response:
        return response
    wanted = _wanted(named, store, model)
    if not wanted.files:
        raise RecipeError(
            f"run {wanted.entry.id} made no {wanted.what}", at=named, hint="it was stopped before, or trained none"
        )
    if wanted.entry.collected:
        raise DataError(
            f"the {wanted.what} of run {wanted.entry.id} went with `seedbed store gc` on {wanted.entry.collected[:10]}",
            at=named,
            hint="run the recipe again; a tag keeps a run from going",
        )
    try:
        with arriving(out.resolve()) as folder:
            folder.mkdir()
            Objects(store).bring(wanted.files, folder, what=f"{wanted.what} {wanted.digest[:12]}")
            _verify(wanted, folder)
    except OSError as error:
        raise RecipeError(f"cannot be written ({error.strerror})", at=f"--out {out}", hint="name another") from None
    return Fetched(
        kind="model" if wanted.model else "dataset",
        digest=wanted.digest,
        run=wanted.entry.id,
        model=wanted.model,
        folder=out,
        files=len(wanted.files),
        bytes=sum(file.bytes for file in wanted.files),
    )


def _response(named: str, out: Path, store: Path) -> Fetched | None:
    """What a source fetched, brought back; none where the name is not that of a response."""
    found = response_like(named, store) if _DIGEST.fullmatch(named) else None
    if found is None or _by_digest(named, Index(store).readable()[0]):
        return None
    path, kept = found
    try:
        with arriving(out.resolve()) as folder:
            folder.mkdir()
            bring(path, kept, folder)
    except OSError as error:
        raise RecipeError(f"cannot be written ({error.strerror})", at=f"--out {out}", hint="name another") from None
    return Fetched("response", kept.sha256, "", None, out, 1, kept.size, url=kept.origin.url)


def _wanted(named: str, store: Path, model: str | None) -> _Wanted:
    entries, _ = Index(store).readable()
    found = _by_digest(named, entries) if _DIGEST.fullmatch(named) else []
    # Runs may share a dataset: one that was not collected brings it back, the newest first.
    found.sort(key=lambda one: one.entry.collected is not None)
    if len({(one.digest, one.what) for one in found}) > 1:
        shown = ", ".join(sorted({f"{one.digest[:16]} ({one.what})" for one in found})[:3])
        raise RecipeError("several datasets or models have a digest that starts like this", at=named, hint=shown)
    if found and model is None:
        return found[0]
    entry = found[0].entry if found else find_entry(named, store)
    if model is None:
        return _Wanted(entry, entry.dataset, entry.files)
    kept = next((one for one in entry.models if one.name == model), None)
    if kept is None:
        names = [one.name for one in entry.models]
        raise RecipeError(f"run {entry.id} has no such model", at=f"--model {model}", hint=did_you_mean(model, names))
    return _Wanted(entry, kept.digest, kept.files, kept.name)


def _by_digest(named: str, entries: list[Entry]) -> list[_Wanted]:
    found = [_Wanted(one, one.dataset, one.files) for one in entries if one.dataset.startswith(named)]
    for one in entries:
        found += [
            _Wanted(one, kept.digest, kept.files, kept.name) for kept in one.models if kept.digest.startswith(named)
        ]
    return found


def _verify(wanted: _Wanted, folder: Path) -> None:
    """Compute the digest anew, from what was written.

    Raises:
        DataError: It is another one.
    """
    # A model's is of its files, each of which was checked on its way.
    found = digest_of(wanted.files) if wanted.model else dataset_digest(folder, tuple(wanted.entry.splits))
    if found != wanted.digest:
        raise DataError(
            f"what came back has the digest {found[:12]}… and not {wanted.digest[:12]}…",
            at=f"{wanted.what} of run {wanted.entry.id}",
            hint="the store is damaged: run the recipe again",
        )


def dataset_digest(folder: Path, names: Sequence[str] = ()) -> str:
    """The digest of a dataset's folder: of the rows of each split in order.

    Args:
        folder: The dataset's.
        names: Splits that it has; one without rows has no file.

    Raises:
        DataError: A file cannot be read.
    """
    splits: dict[str, list[Path]] = {name: [] for name in names}
    for path in sorted((folder / "data").glob("*.parquet")):
        found = _FILE.fullmatch(path.relative_to(folder).as_posix())
        splits.setdefault(found["split"] if found else path.stem, []).append(path)
    told = []
    try:
        for split, files in splits.items():
            rows = RowsDigest()
            for file in files:
                for batch in pq.ParquetFile(file).iter_batches():
                    rows.update(pl.DataFrame(batch))
            told.append((split, rows.hexdigest()))
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as error:
        raise DataError(f"cannot be read: {str(error).splitlines()[0][:200]}", at=str(folder)) from None
    return of_splits(told)
