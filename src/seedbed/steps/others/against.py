"""Other datasets that rows are compared with: a source, or the splits of an earlier run, read as a stream of texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from seedbed.core.context import context_at
from seedbed.core.earlier_run import EarlierRun
from seedbed.core.errors import DataError, RecipeError, did_you_mean, told_as
from seedbed.core.numbers import count, word
from seedbed.core.rows import RECORD_BITS
from seedbed.core.similarity.shingles import chunks
from seedbed.core.source import Parsed, Scan, Source
from seedbed.core.step import Second

# Characters of texts that are compared together.
_CHARACTERS = 2_000_000


@dataclass(frozen=True)
class Texts:
    """Some texts of other datasets."""

    numbers: pl.Series
    """Which record a text stands in (UInt64): the file's place among all files, and the record, as in `NUMBER`."""
    texts: pl.Series
    """None is missing or empty."""


@dataclass(frozen=True)
class Other:
    """One of the datasets that rows are compared with. It pickles, without its rows."""

    source: Source
    base: Path
    name: str
    """Of the dataset in row ids."""
    columns: tuple[str, ...]
    """Where texts may stand; those that are not there are passed over."""

    @cached_property
    def scan(self) -> Scan:
        """The files as they were when they were first looked at; what is read later must be the same."""
        with told_as(DataError, self.source.address):
            return self.source.scan(context_at(self.base))

    @cached_property
    def known(self) -> Sequence[str]:
        """Its columns, as the source renames them."""
        return list(self.source.columns or self.scan.schema.names())

    def parsed(self) -> Iterator[tuple[int, Parsed]]:
        """Its blocks, each with the place of its file.

        Raises:
            DataError: It cannot be read, or is not what it was when it was looked at.
        """
        with told_as(DataError, self.source.address):
            for block in self.source.blocks(self.scan, context_at(self.base)):
                yield block.file, self.source.parse(block, self.scan)


@dataclass(frozen=True)
class Others:
    """All datasets that rows are compared with, as one stream of texts."""

    members: tuple[Other, ...]

    @classmethod
    def of(cls, against: Sequence[Source | EarlierRun], base: Path, columns: Sequence[str], at: str) -> Others:
        """The datasets that a step names.

        Raises:
            RecipeError: A split is not there.
            DataError: A run's folder holds no dataset.
        """
        members = [
            Other(source, base, source.name or f"against.{place}", tuple(columns))
            for place, one in enumerate(against)
            for source in (one.sources(base, at) if isinstance(one, EarlierRun) else [one])
        ]
        return cls(tuple(members))

    def check(self, columns: Sequence[str], at: str) -> None:
        """Refuse datasets without a column to compare, and columns that none of them has.

        Raises:
            RecipeError: With the column that may be meant.
            DataError: A dataset cannot be read.
        """
        for one in self.members:
            for old in (one.source.columns or {}).values():
                if old not in one.scan.schema:
                    hint = did_you_mean(old, one.scan.schema.names()).replace("known:", "its columns are")
                    raise RecipeError(f"{one.source.address} has no column {old!r}", at=at, hint=hint)
        known = list(dict.fromkeys(name for one in self.members for name in one.known))
        for name in columns:
            if name not in known:
                hint = did_you_mean(name, known).replace("known:", "the columns are")
                raise RecipeError(f"no dataset in `against` has the column {name!r}", at=at, hint=hint)
        for one in self.members:
            if not set(columns) & set(one.known):
                named = ", ".join(map(repr, columns))
                hint = f"its columns are {', '.join(one.known[:12])}: name one in `against_column`"
                raise RecipeError(f"{one.source.address} has no column {named}", at=at, hint=hint)

    @property
    def made_from(self) -> list[Any]:
        """Their files by name and digest."""
        return [[file.name, file.sha256] for one in self.members for file in one.scan.files]

    def texts(self) -> Iterator[Texts]:
        """Their texts, a few million characters at a time.

        Raises:
            DataError: They cannot be read.
        """
        first = 0
        for one in self.members:
            for file, parsed in one.parsed():
                numbers = parsed.records.cast(pl.UInt64) + (first + file << RECORD_BITS)
                for column in one.columns:
                    if column in one.known:
                        texts = _column(parsed, one.source, column)
                        there = texts.str.len_chars().fill_null(0) > 0
                        texts, records = texts.filter(there), numbers.filter(there)
                        for start, end in pieces(texts):
                            yield Texts(records.slice(start, end - start), texts.slice(start, end - start))
            first += len(one.scan.files)

    def named(self, numbers: pl.Series) -> pl.DataFrame:
        """The names of records, `of` as SOURCE:FILE#RECORD, and of their datasets, `against`."""
        files = [(one, file) for one in self.members for file in one.scan.files]
        places = (numbers // (1 << RECORD_BITS)).to_list()
        records = (numbers % (1 << RECORD_BITS)).to_list()
        found = [(*files[place], record) for place, record in zip(places, records, strict=True)]
        return pl.DataFrame(
            {
                "of": [f"{one.name}:{file.name}#{record}" for one, file, record in found],
                "against": [one.source.name or one.source.address for one, _, _ in found],
            },
            schema={"of": pl.String, "against": pl.String},
        )

    def seconds(self) -> list[Second]:
        """What they are and how they are read; reads them once."""
        return [_second(one) for one in self.members]


def pieces(texts: pl.Series) -> Iterator[tuple[int, int]]:
    """Cut texts into runs [start, end) that are short enough to be taken to pieces in memory."""
    return chunks(texts.str.len_chars().fill_null(0).to_numpy().astype(np.int64), items=_CHARACTERS)


def _column(parsed: Parsed, source: Source, name: str) -> pl.Series:
    old = name if source.columns is None else source.columns[name]
    return parsed.table[old].cast(pl.String, strict=False)


def _second(one: Other) -> Second:
    rows = malformed = usable = 0
    for _, parsed in one.parsed():
        rows += parsed.table.height + parsed.malformed.height
        malformed += parsed.malformed.height
        filled = [
            _column(parsed, one.source, name).str.len_chars().fill_null(0) > 0
            for name in one.columns
            if name in one.known
        ]
        usable += int(pl.select(pl.any_horizontal(*filled).sum()).item())
    notes = list(one.scan.notes)
    if malformed:
        notes.append(
            f"{count(malformed)} of its records cannot be read and {word(malformed, 'is', 'are')} compared with nothing"
        )
    if usable < rows - malformed:
        notes.append(
            f"{count(rows - malformed - usable)} of its rows {word(rows - malformed - usable, 'has', 'have')} no text"
        )
    return Second(one.source, one.scan, rows, malformed, usable, tuple(notes))
