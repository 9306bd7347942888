"""Datasets of a hub."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.part import Example
from seedbed.core.source import Block, FileSource, Origin, Parsed, Scan, Source
from seedbed.store.places import arriving
from seedbed.store.snapshots import Kept, Snapshot, now

from .fetching.fetched import FetchingSource
from .hubs.huggingface import SCHEME as HF
from .hubs.huggingface import OnHuggingFace
from .hubs.kaggle import SCHEME as KAGGLE
from .hubs.kaggle import OnKaggle
from .hubs.labels import label_notes
from .hubs.layout import CARD, LONGEST_CARD, Asked, Chosen, card_of, choose, license_of
from .hubs.listing import Listing, Repository, checked
from .reading.files import failures, local_path

_HF = re.compile(r"(?P<name>[\w.-]+(?:/[\w.-]+)?)(?:@(?P<revision>[^@?#]+))?")
_KAGGLE = re.compile(r"(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)(?:@(?P<version>\d+))?")
#: Notes of a snapshot.
_CHOSEN = "chosen"


class Hub(FetchingSource):
    """Reads a dataset of the Hugging Face Hub or of Kaggle, or a local folder that is laid out like one.

    `path` is `hf://datasets/OWNER/NAME`, with `@REVISION` for a branch, a tag or a commit; `kaggle://OWNER/NAME`, with
    `@VERSION`; or a folder. Which files a configuration and a split are is told by the card, or by the files' names, as
    the `datasets` library reads both. The files that are meant are fetched whole, kept, and read a block at a time by
    the source of their kind: `parquet`, `csv`, `jsonl`, `json` or `arrow`, with its `options`. So a malformed line
    stands in the ledger, and a row's id names its file.

    ## Why
    A dataset on a hub changes without a word. Here the commit is looked up once and kept with the digest of every file:
    the next run reads the same rows, without a network, until it is told to `refresh`. The licence is read from the
    card where the recipe states none, and told. What a card says and what a hub answers is data: no script is run, no
    name leads out of the dataset, and nothing is fetched that is larger than `most_bytes`.

    ## Limits
    A split is one source: read several as several. Labels that a dataset keeps as numbers (`ClassLabel`) come as
    those: a note tells their names, and the step `map_values` gives them (`{"0": bad, "1": good}`). Datasets that only
    a script can load, or whose files are pictures or sound, are refused. A token is taken from where the hub's own
    client finds it (`HF_TOKEN`; `KAGGLE_USERNAME` and `KAGGLE_KEY`) and kept nowhere. Kaggle says no digests before a
    file is there.
    With `limit`, Parquet files are fetched until they hold so many rows, others all the same.
    """

    extra: ClassVar[str] = "hub"
    needs: ClassVar[tuple[str, ...]] = ("datasets", "huggingface_hub", "kagglehub")
    not_parsed: ClassVar[frozenset[str]] = FetchingSource.not_parsed | {"config", "split", "files", "most_bytes"}
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A folder in the layout of a hub",
            options={"split": "train"},
            before={
                "train.csv": ["text,label", "good,1", "bad,0"],
                "test.csv": ["text,label", "fine,1"],
            },
            after={"text": ["good", "bad"], "label": ["1", "0"]},
        ),
    )

    use: Literal["hub"] = "hub"
    path: str = Field(
        description="`hf://datasets/OWNER/NAME[@REVISION]`, `kaggle://OWNER/NAME[@VERSION]`, or a folder."
    )
    split: str | None = Field(None, description="Split to read; may be left out where there is one.")
    config: str | None = Field(None, description="Configuration (subset) to read; the default one when left out.")
    files: str | list[str] | None = Field(
        None, description="Files to read in place of a split, as names or globs in the dataset."
    )
    options: dict[str, Any] = Field(
        default_factory=dict, description="Options of the source that reads the files, such as {delimiter: ';'}."
    )
    most_bytes: int = Field(20_000_000_000, ge=1, description="Refuse to fetch files that are larger together.")

    @field_validator("path")
    @classmethod
    def _an_address(cls, path: str) -> str:
        place, told = path, ""
        if path.startswith(HF):
            told = "" if _HF.fullmatch(path.removeprefix(HF)) else f"{HF}OWNER/NAME[@REVISION]"
        elif path.startswith(KAGGLE):
            told = "" if _KAGGLE.fullmatch(path.removeprefix(KAGGLE)) else f"{KAGGLE}OWNER/NAME[@VERSION]"
        elif "://" in path and not path.startswith(("file://", "pkg://")):
            told = f"{HF}OWNER/NAME, {KAGGLE}OWNER/NAME or a folder"
        if told:
            raise ValueError(f"{place[:80]!r} is no dataset of a hub: {told}")
        return path

    @property
    def address(self) -> str:
        """The path."""
        return self.path

    # -- fetching

    def asks(self) -> Any:
        """Which files, and how many of them."""
        return self.model_dump(mode="json", include={"path", "split", "config", "files", "limit"})

    def scan(self, context: Context) -> Scan:
        """Fetch, where it is elsewhere, and look at the files."""
        return super().scan(context) if self._repository else self._look_at_folder(context)

    @property
    def _repository(self) -> Repository | None:
        if self.path.startswith(HF) and (found := _HF.fullmatch(self.path.removeprefix(HF))):
            return OnHuggingFace(found["name"], found["revision"], self.path)
        if self.path.startswith(KAGGLE) and (found := _KAGGLE.fullmatch(self.path.removeprefix(KAGGLE))):
            return OnKaggle(found["owner"], found["name"], found["version"], self.path)
        return None

    @property
    def _asked(self) -> Asked:
        files = [self.files] if isinstance(self.files, str) else self.files or []
        return Asked(self.config, self.split, tuple(files))

    def fetch(self, snapshot: Snapshot, context: Context) -> None:
        """Fetch the card and the files of the split, one after the other.

        Raises:
            DataError: The dataset is not there, may not be seen, or is too large.
            RecipeError: It has no such configuration or split.
        """
        repository = self._repository
        assert repository is not None
        if snapshot.mending:  # the branch may be at another commit by now
            repository = repository.at_revision(snapshot.notes(_CHOSEN)[-1]["revision"])
        self._check_size(listing := checked(repository.listing(), self.path), [])
        folder = snapshot.folder / "arriving"
        held = {kept.name: kept for kept in snapshot.kept}
        fetching = _Fetching(repository, listing, snapshot, folder, held, self.path)
        card = card_of(fetching.body(CARD)) if CARD in listing.files else {}
        chosen = choose(listing.files, card, self._asked, self.path)
        self._check_size(listing, chosen.names)
        taken = list[str]()
        sizes = sum(listing.files[name].size for name in chosen.names)
        with context.stage(f"Fetching {self.path}", sizes, "B") as stage:
            rows = 0
            for name in chosen.names:
                kept, found = fetching.file(name)
                taken.append(name)
                stage.advance(listing.files[name].size, name, found=found)
                if self.limit is not None and chosen.reads == "parquet":
                    rows += _rows_of(snapshot.path(kept))
                    if rows >= self.limit:
                        break
        snapshot.note(
            _CHOSEN, names=taken, reads=chosen.reads, config=chosen.config, split=chosen.split,
            revision=listing.revision, license=license_of(card) or listing.license,
        )  # fmt: skip
        snapshot.end(revision=listing.revision, requests=fetching.asked, **listing.facts)

    def _check_size(self, listing: Listing, names: Any) -> None:
        size = sum(listing.files[name].size for name in names)
        if size > self.most_bytes:
            raise DataError(
                f"its files have {size:,} bytes, and `most_bytes` allows {self.most_bytes:,}",
                at=self.path,
                hint="raise it, or read another split or fewer `files`",
            )
        if CARD in listing.files and listing.files[CARD].size > LONGEST_CARD:
            raise DataError(f"its card has {listing.files[CARD].size:,} bytes", at=self.path)

    # -- reading

    def look(self, snapshot: Snapshot, context: Context) -> Scan:
        """Look at the files that were kept, as the source of their kind does."""
        told = snapshot.notes(_CHOSEN)[-1]
        held = {kept.name: kept for kept in snapshot.kept}
        chosen = Chosen(tuple(told["names"]), told["reads"], told["config"], told["split"])
        tree = _tree({name: snapshot.path(held[name]) for name in chosen.names}, snapshot)
        scan = self._looked_at(tree, chosen, told["license"], {"revision": told["revision"]}, context)
        return replace(scan, files=tuple(replace(one, origin=held[one.name].origin) for one in scan.files))

    def _look_at_folder(self, context: Context) -> Scan:
        root = local_path(self.path, context.base)
        with failures(self.path):
            if not root.is_dir():
                raise DataError("no such folder", at=self.path, hint="a dataset of a hub begins with hf://datasets/")
            names = sorted(
                (Path(folder) / name).relative_to(root).as_posix()
                for folder, _, files in os.walk(root, followlinks=False)
                for name in files
            )
            card = card_of((root / CARD).read_bytes()) if CARD in names else {}
        chosen = choose(names, card, self._asked, self.path)
        places = {name: (root / name).absolute() for name in chosen.names}
        tree = _tree(places, Snapshot.of({"use": self.use, "folder": str(root.absolute())}, context))
        return self._looked_at(tree, chosen, license_of(card), {}, context)

    def _looked_at(self, tree: Path, chosen: Chosen, license_: str, more: Mapping[str, str], context: Context) -> Scan:
        scan = self._inner(chosen.reads, str(tree)).scan(context)
        told = {"config": chosen.config, "split": chosen.split, **more, "license": license_}
        notes = [*scan.notes, *label_notes(Path(file.url) for file in scan.files)]
        if license_ and not self.license:
            notes.append(f"its card states the licence {license_}; the recipe states none")
        return replace(
            scan,
            settings={"reads": chosen.reads, "read": scan.settings},
            found={**scan.found, "read by": chosen.reads, **{name: value for name, value in told.items() if value}},
            notes=tuple(notes),
            license=license_,
        )

    def _inner(self, reads: str, path: str) -> FileSource:
        """The source that reads the files.

        Raises:
            DataError: This version has none.
            RecipeError: It does not have those options.
        """
        part = Source.named(reads)
        if part is None:
            raise DataError(f"its files are {reads}, which this version does not read", at=self.path)
        own = {"path", "limit", "columns", *self.not_parsed, *Source.model_fields}
        for name in self.options:
            if name in own or name not in part.model_fields:
                known = set(part.model_fields) - own - {"use"}
                hint = did_you_mean(name, known) or f"{reads} has none"
                raise RecipeError(f"{reads} has no option {name!r} to be given here", at="options", hint=hint)
        made = part.model_validate({"use": reads, "path": path, "limit": self.limit, **self.options})
        assert isinstance(made, FileSource)
        return made

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """As the source of their kind cuts them."""
        inner, looked_at = self._as_read(scan)
        return inner.blocks(looked_at, context)

    def stretches(self, scan: Scan, file: int) -> list[Block] | None:
        """As the source of their kind has them."""
        inner, looked_at = self._as_read(scan)
        return inner.stretches(looked_at, file)

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """As the source of their kind does."""
        inner, looked_at = self._as_read(scan)
        return inner.parse(block, looked_at)

    def heeds(self, block: Block, scan: Scan) -> Any:
        """As the source of their kind does."""
        inner, looked_at = self._as_read(scan)
        return [inner.use, inner.heeds(block, looked_at)]

    def _as_read(self, scan: Scan) -> tuple[FileSource, Scan]:
        return self._inner(scan.settings["reads"], self.path), replace(scan, settings=scan.settings["read"])

    @classmethod
    def write_example(cls, before: Mapping[str, list[Any]], path: Path) -> None:
        """Write the files of a folder."""
        path.mkdir()
        for name, lines in before.items():
            (path / name).write_text("\n".join(lines), encoding="utf-8")


class _Fetching:
    """Files on their way into a snapshot."""

    def __init__(
        self, repository: Repository, listing: Listing, snapshot: Snapshot, folder: Path, held: dict[str, Kept], at: str
    ) -> None:
        self._repository, self._listing, self._snapshot = repository, listing, snapshot
        self._folder, self._held, self._at = folder, held, at
        self.asked = 1
        """Requests: the listing, and each file."""

    def body(self, name: str) -> bytes:
        """A small file."""
        return self._snapshot.body(self.file(name)[0], at=self._at)

    def file(self, name: str) -> tuple[Kept, bool]:
        """A file, and whether it was there."""
        listed, revision = self._listing.files[name], self._listing.revision
        kept = self._held.get(name)
        if kept and listed.mark and kept.state.get("mark") == listed.mark:
            return kept, True
        self.asked += 1
        place = self._repository.download(name, revision, self._folder)
        hashed = digest.of_file(place)
        if listed.sha256 and hashed != listed.sha256:
            place.unlink()
            raise DataError(f"{name} is not what the hub says it is (another digest)", at=self._at, hint="run again")
        facts = {"revision": revision, **({"mark": listed.mark} if listed.mark else {})}
        origin = Origin(self._repository.address(name, revision), now(), facts=facts)
        return self._snapshot.keep_file(name, place, origin, mark=listed.mark), False


def _tree(places: Mapping[str, Path], snapshot: Snapshot) -> Path:
    """A folder in which files have their names: bodies in the store have none."""
    root = snapshot.folder / "trees" / digest.of_json({name: str(place) for name, place in places.items()})[:32]
    if not root.is_dir():
        root.parent.mkdir(parents=True, exist_ok=True)
        with arriving(root, replacing=False) as folder:
            for name, place in places.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).symlink_to(place.absolute())
    return root


def _rows_of(file: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(file).num_rows)
