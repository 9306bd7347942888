"""Other datasets that rows are compared with: a source, or the splits of an earlier run, read as a stream of texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny, ValidationError, WithJsonSchema

from seedbed.core.context import context_at, expand
from seedbed.core.errors import DataError, RecipeError, did_you_mean, told_as
from seedbed.core.numbers import count
from seedbed.core.rows import RECORD_BITS
from seedbed.core.similarity.shingles import chunks
from seedbed.core.source import Parsed, Scan, Source
from seedbed.core.step import Second

from .any_source import SCHEMA, a_source

_SHARD = re.compile(r"(.+)-\d{5}-of-\d{5}\.parquet")
_TRAIN = "train"
# Characters of texts that are compared together.
_CHARACTERS = 2_000_000


class EarlierRun(BaseModel):
    """Splits of a dataset that a run made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str = Field(min_length=1, description="Folder of a run, or of its dataset.")
    split: str | Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="Splits to compare with; all but `train` when left out."
    )
    name: str | None = Field(None, pattern=r"^[\w.-]+$", description="Name used in row ids.")
    license: str | None = Field(None, description="Licence of the data.")

    def sources(self, base: Path, at: str) -> Iterator[Source]:
        """A source for each split.

        Raises:
            DataError: No dataset is there, or nothing of it is held out.
            RecipeError: It has no such split.
        """
        said = expand(self.run, at=at)
        inside = next((p for p in ("dataset/data", "data") if (base / Path(said).expanduser() / p).is_dir()), None)
        if inside is None:
            raise DataError("holds no dataset", at=self.run, hint="name the folder of a run, such as runs/NAME/latest")
        files: dict[str, list[str]] = {}
        for path in sorted((base / Path(said).expanduser() / inside).iterdir()):
            if found := _SHARD.fullmatch(path.name):
                files.setdefault(found[1], []).append(path.name)
        asked = [self.split] if isinstance(self.split, str) else self.split
        for name in asked or ():
            if name not in files:
                hint = did_you_mean(name, files).replace("known:", "its splits are")
                raise RecipeError(f"`split` names {name!r}, which {self.run} does not have", at=at, hint=hint)
        wanted = [name for name in files if name != _TRAIN] if asked is None else asked
        if not wanted:
            raise DataError("has no split that is held out", at=self.run, hint=f"split: {_TRAIN}, if that is meant")
        for name in wanted:
            last = files[name][0] if len(files[name]) == 1 else f"{name}-*-of-*.parquet"
            options = {"use": "parquet", "path": f"{self.run.rstrip('/')}/{inside}/{last}", "license": self.license}
            yield a_source(options | {"name": self.name}, "against")


def _one_of(given: Any) -> Source | EarlierRun:
    if isinstance(given, EarlierRun):
        return given
    if isinstance(given, Mapping) and "run" in given and "use" not in given:
        try:
            return EarlierRun.model_validate(dict(given))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            option = ".".join(map(str, first["loc"]))
            hint = did_you_mean(option, EarlierRun.model_fields) if first["type"] == "extra_forbidden" else ""
            raise RecipeError(f"`against.{option}`: {first['msg']}", hint=hint) from None
    return a_source(given, "against")


#: One entry of `against`.
AnyOther = Annotated[
    SerializeAsAny[Source] | EarlierRun,
    BeforeValidator(_one_of),
    WithJsonSchema({"anyOf": [SCHEMA, {"type": "object", "required": ["run"], "properties": {"run": {}}}]}),
]


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
        notes.append(f"{count(malformed)} of its records cannot be read and are compared with nothing")
    if usable < rows - malformed:
        notes.append(f"{count(rows - malformed - usable)} of its rows have no text")
    return Second(one.source, one.scan, rows, malformed, usable, tuple(notes))
