"""Where rows come from. A source cuts its input into blocks, in order; workers parse the blocks."""

from __future__ import annotations

import pickle
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import xxhash
from pydantic import Field

from .context import Context
from .part import Part

#: What a source could not parse: record number in the file, line in the file, why, evidence (JSON) and the raw text.
MALFORMED_SCHEMA: dict[str, pl.DataType] = {
    "record": pl.UInt64(),
    "line": pl.UInt64(),
    "reason": pl.String(),
    "evidence": pl.String(),
    "raw": pl.String(),
}


@dataclass(frozen=True)
class Origin:
    """Where something that was fetched came from, and how: evidence for the lineage. Holds no secret."""

    url: str
    """Address, query or name; placeholders in place of what they stand for."""
    fetched: str
    """When, in UTC (ISO 8601)."""
    status: int | None = None
    """Of the HTTP response."""
    media_type: str = ""
    robots: str = ""
    """What robots.txt decided, and by which rule; empty where none was asked."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else a person may want to know, as JSON: validators, redirects, model, cost, …"""


@dataclass(frozen=True)
class InputFile:
    """One file (or page, or query) of a source."""

    name: str
    """Path relative to the root of the source's glob; part of each row id."""
    url: str
    size: int
    """Bytes, for progress."""
    sha256: str = ""
    stamp: str = field(default="", compare=False)
    """What told at the time of the scan whether the file is still the same, for sources that do not hash it again."""
    origin: Origin | None = field(default=None, compare=False)
    """Where it was fetched; none for files that were there."""


@dataclass(frozen=True)
class Block:
    """A stretch of one file that can be parsed alone, in any process. It pickles."""

    file: int
    """Place of the file among the source's files, from 0."""
    first_record: int
    """Number of the block's first record in its file, from 1."""
    first_line: int
    """Line of the block's first record in its file, from 1."""
    size: int
    """Bytes of input that this block stands for, for progress."""
    payload: Any = None
    """Bytes, or whatever tells the source's `parse` where to find them."""
    start: int = 0
    """Where bytes begin in the text of their file, for sources that say so."""


@dataclass(frozen=True)
class Stretch:
    """Payload of a block whose bytes are read where they are parsed."""

    start: int
    """Where they begin in the stored file."""
    size: int
    digest: str
    """Of the bytes, as `Source.heeds` has it."""

    @classmethod
    def of(cls, block: Block, before: int = 0) -> Stretch:
        """In place of a block's bytes, whose text begins after so many bytes of its file."""
        return cls(before + block.start, len(block.payload), xxhash.xxh3_128_hexdigest(block.payload))


@dataclass(frozen=True)
class Parsed:
    """What one block holds."""

    table: pl.DataFrame
    """Rows with the source's columns."""
    records: pl.Series
    """Record number of each row of `table` in its file (UInt64)."""
    malformed: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MALFORMED_SCHEMA))
    """Records that are no rows (`MALFORMED_SCHEMA`)."""
    remarks: Mapping[str, int] = field(default_factory=dict)
    """What happened to rows that are kept, in words, and how often; summed over blocks and shown to people."""


@dataclass(frozen=True)
class Scan:
    """What a source holds, found before any row is read."""

    files: tuple[InputFile, ...]
    schema: pl.Schema
    """Columns as `parse` returns them, before `columns` renames any."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What `parse` and `blocks` need to know about the files."""
    found: dict[str, str] = field(default_factory=dict)
    """What was found out about the format (encoding, delimiter, …), for people."""
    notes: tuple[str, ...] = ()
    """What a person should know, in sentences."""
    license: str = ""
    """The licence that comes with the data; it counts where the recipe states none."""
    fetching: Mapping[str, Any] = field(default_factory=dict)
    """Of a source that fetches: requests, bytes, when it began and ended, what was refused, … as JSON."""


class Source(Part):
    """Where rows come from."""

    family: ClassVar[str] = "sources"
    not_parsed: ClassVar[frozenset[str]] = frozenset({"path", "limit", "license", "terms", "collected_by", "consent"})
    """Options that decide which records there are, or what stands in the papers, but not what becomes of a record."""

    name: str | None = Field(
        None, pattern=r"^[\w.-]+$", description="Name used in row ids; the source's place in the recipe by default."
    )
    license: str | None = Field(None, description="Licence of the data: an SPDX id or the name of a data licence.")
    terms: str | None = Field(
        None, description="Address of the terms under which it may be used, or the words that matter."
    )
    collected_by: str | None = Field(None, description="Who collected the data, and how.")
    consent: str | None = Field(
        None, description="What the people whom it is about agreed to, or why no consent is needed."
    )
    limit: int | None = Field(None, ge=1, description="Read at most this many records.")
    columns: dict[str, str] | None = Field(
        None, description="Columns to keep, as NEW: OLD; all, under their own names, when left out."
    )

    @property
    def trains_only(self) -> bool:
        """Whether its rows may be trained on, and must judge nothing: rows that were made, as a rule."""
        return False

    def parents(self, scan: Scan) -> Iterator[tuple[int, str, int]]:
        """What rows of a file were made from: the file's place, and the SHA-256 and record of a parent's file."""
        return iter(())

    @property
    @abstractmethod
    def address(self) -> str:
        """Where the rows are, as the recipe writes it (with its placeholders): for people and papers."""

    @abstractmethod
    def scan(self, context: Context) -> Scan:
        """Find the files, their format and their columns.

        Raises:
            DataError: Nothing is there, or it is not what this source reads.
        """

    @abstractmethod
    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """Cut the files into blocks, in order, as cheaply as possible; honours `limit`."""

    @abstractmethod
    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a block. Every record of the block is in `table` or in `malformed`, never in both or neither."""

    def lines(self, block: Block, scan: Scan, records: Sequence[int]) -> Sequence[int]:
        """The line of its file on which each of some records of a block begins; none where a file has no such lines."""
        return ()

    def stretches(self, scan: Scan, file: int) -> list[Block] | None:
        """The blocks of one file as `blocks` cuts them, each with a `Stretch` for its bytes.

        So the workers of a cluster cut and read for themselves. None where bytes must come with a block: in a packed
        file nobody can begin in the middle, and not every source says where its blocks lie.
        """
        return None

    def heeds(self, block: Block, scan: Scan) -> Any:
        """Everything that `parse` takes into account of a block, as JSON: where it is the same, so are the rows.

        Part of the key under which the outcome is kept, with the options, the file's name and the block's place. What
        does not change when another part of the file, or another file, does keeps the outcome usable.
        """
        held = block.payload
        if isinstance(held, Stretch):
            return [held.digest, None, scan.settings]
        what = xxhash.xxh3_128_hexdigest(held if isinstance(held, bytes) else pickle.dumps(held))
        # What does not carry its records points into the file.
        return [what, None if isinstance(held, bytes) else scan.files[block.file].sha256, scan.settings]

    @classmethod
    def write_example(cls, before: Mapping[str, list[Any]], path: Path) -> None:
        """Write what an example's `before` shows as a file that this source can read: its `lines`, as a rule."""
        path.write_text("\n".join(before["lines"]), encoding="utf-8")


class FileSource(Source):
    """A source that reads files."""

    path: str = Field(
        description="File, folder, glob or URL (`pkg://DISTRIBUTION/inside` for a file in an installed package)."
    )

    @property
    def address(self) -> str:
        """The path."""
        return self.path
