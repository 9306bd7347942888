"""A second source, read once into memory and looked up by key: what `join` brings to rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import polars as pl

from seedbed.core import digest
from seedbed.core.context import context_at
from seedbed.core.errors import DataError, RecipeError, did_you_mean, told_as
from seedbed.core.ledger import mask
from seedbed.core.numbers import count, size, things, typed
from seedbed.core.part import placed
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.source import Parsed, Scan, Source
from seedbed.core.step import Second
from seedbed.core.values import key_text

#: Names of columns that no source can have.
_KEY, PLACE = "\x00key", "\x00place"
_FILE, _RECORD = "\x00file", "\x00record"
#: Tables that this process has read, by `SecondSource.key`: a worker gets the step anew with every unit.
_TABLES: dict[str, tuple[pl.DataFrame, Second]] = {}
_MOST_TABLES = 4
_SHOWN = 3


@dataclass(frozen=True)
class SecondSource:
    """Where rows of another source are looked up by key. It pickles, without its rows.

    Attributes:
        source: The source.
        base: Folder that its path starts from.
        keys: Its columns that make the key, in order.
        take: Columns to bring; all but the keys where none are named.
        duplicates: What becomes of rows whose key a row before has: they are refused, or only the first counts.
        most_bytes: What its rows may take in memory.
    """

    source: Source
    base: Path
    keys: tuple[str, ...]
    take: tuple[str, ...] | None
    duplicates: Literal["refuse", "first"]
    most_bytes: int

    @cached_property
    def scan(self) -> Scan:
        """The files as they were when they were first looked at; what is read later must be the same."""
        with told_as(DataError, self.source.address), placed("source", self.source):
            return self.source.scan(context_at(self.base))

    @property
    def made_from(self) -> list[Any]:
        """Its files by name and digest."""
        return [[file.name, file.sha256] for file in self.scan.files]

    @cached_property
    def columns(self) -> dict[str, pl.DataType]:
        """The columns to bring, with their types.

        Raises:
            RecipeError: A column is not there, cannot be a key, or would hide a row's identity.
        """
        schema = self.scan.schema
        for old in (self.source.columns or {}).values():
            _known(old, schema.names(), "source.columns")
        schema = pl.Schema({new: schema[old] for new, old in self._renames.items()})
        for name in self.keys:
            _known(name, schema.names(), "on")
            if schema[name].is_nested() or schema[name] == pl.Binary:
                raise RecipeError(f"the column {name!r} holds {schema[name]}, which is no key", hint="name another")
        taken = [name for name in schema if name not in self.keys] if self.take is None else list(self.take)
        for name in taken:
            _known(name, schema.names(), "take")
            if name in (ROW, NUMBER):
                raise RecipeError(
                    f"the second source has a column {name!r}, which is the name of the rows' own ids",
                    hint=f"rename it, source: {{columns: {{NEW: {name}, …}}}}, or leave it out of `take`",
                )
        if not taken:
            raise RecipeError("the second source has no column to bring besides its key", hint="name some in `take`")
        return {name: schema[name] for name in taken}

    def table(self) -> pl.DataFrame:
        """A row for each key: key columns (`key_name`), `PLACE` (from 0), `columns`, and where it was read.

        Raises:
            DataError: It cannot be read, takes too much memory, or has rows of equal keys that are refused.
        """
        return self._read()[0]

    @property
    def second(self) -> Second:
        """What it is and how it was read."""
        return self._read()[1]

    def read_at(self, place: int) -> tuple[str, int]:
        """File and record of the row at a `PLACE`."""
        file, record = self.table().select(_FILE, _RECORD).row(place)
        return self.scan.files[file].name, record

    @property
    def key(self) -> str:
        """Digest of all that `table` is made from."""
        options = [self.source.model_dump(mode="json"), str(self.base), self.keys, self.take, self.duplicates]
        return digest.of_json([*options, self.made_from])

    @property
    def _renames(self) -> Mapping[str, str]:
        return self.source.columns or {name: name for name in self.scan.schema.names()}

    def _read(self) -> tuple[pl.DataFrame, Second]:
        key = self.key
        if key not in _TABLES:
            while len(_TABLES) >= _MOST_TABLES:
                del _TABLES[next(iter(_TABLES))]
            _TABLES[key] = self._made()
        return _TABLES[key]

    def _made(self) -> tuple[pl.DataFrame, Second]:
        names = [key_name(place) for place in range(len(self.keys))]
        schema = {**dict.fromkeys(names, pl.String()), **self.columns, _FILE: pl.UInt32(), _RECORD: pl.UInt64()}
        pieces, held, malformed = [pl.DataFrame(schema=schema)], 0, list[str]()
        with told_as(DataError, self.source.address):
            for file, parsed in self._parsed():
                pieces.append(self._piece(file, parsed))
                held += int(pieces[-1].estimated_size())
                told = parsed.malformed.select("line", "reason").iter_rows()
                malformed += (f"{self.scan.files[file].name}, line {line}: {reason}" for line, reason in told)
                if held > self.most_bytes:
                    raise DataError(
                        f"takes more than {typed(size(self.most_bytes))} of memory, and a second source is held whole",
                        at=self.source.address,
                        hint="name fewer columns in `take`, or make the larger one a source and join the smaller",
                    )
        rows = pl.concat(pieces)
        keyed = rows.drop_nulls(names)
        first = keyed.unique(names, keep="first", maintain_order=True)
        if self.duplicates == "refuse" and first.height < keyed.height:
            raise self._twice(keyed, names)
        notes = [
            *_told(malformed, "cannot be read"),
            *([f"{count(rows.height - keyed.height)} of its rows have no key"] if keyed.height < rows.height else []),
            *(
                [f"{count(keyed.height - first.height)} of its rows have the key of a row before and are not used"]
                if first.height < keyed.height
                else []
            ),
        ]
        second = Second(
            self.source,
            self.scan,
            rows.height + len(malformed),
            len(malformed),
            first.height,
            (*self.scan.notes, *notes),
        )
        return first.with_row_index(PLACE), second

    def _parsed(self) -> Iterator[tuple[int, Parsed]]:
        for block in self.source.blocks(self.scan, context_at(self.base)):
            yield block.file, self.source.parse(block, self.scan)

    def _piece(self, file: int, parsed: Parsed) -> pl.DataFrame:
        table = parsed.table.select(pl.col(old).alias(new) for new, old in self._renames.items())
        return table.select(
            *(key_text(table.schema[name], name).alias(key_name(place)) for place, name in enumerate(self.keys)),
            *self.columns,
            pl.lit(file, pl.UInt32).alias(_FILE),
            parsed.records.cast(pl.UInt64).alias(_RECORD),
        )

    def _twice(self, keyed: pl.DataFrame, names: list[str]) -> DataError:
        groups = keyed.group_by(names, maintain_order=True).agg(_FILE, _RECORD).filter(pl.col(_FILE).list.len() > 1)
        values, files, records = groups.row(0)[: len(names)], groups[_FILE][0], groups[_RECORD][0]
        source = self.source.name or "join"
        rows = [f"{source}:{self.scan.files[f].name}#{r}" for f, r in zip(files, records, strict=True)]
        others = things(groups.height - 1, "more key stands", "more keys stand")
        more = f", and {others} in several" if groups.height > 1 else ""
        return DataError(
            f"the key {', '.join(mask(value) for value in values)!r} stands in {things(len(rows), 'row')}: "
            f"{', '.join(rows[:_SHOWN])}{' …' if len(rows) > _SHOWN else ''}{more}",
            at=self.source.address,
            hint="say on_duplicates: first to take the first row of each key, or name more columns in `on`",
        )


def key_name(place: int) -> str:
    """Where a key column stands in a table."""
    return f"{_KEY}{place}"


def _known(name: str, names: Sequence[str], option: str) -> None:
    if name not in names:
        raise RecipeError(
            f"`{option}` names the column {name!r}, which the second source does not have",
            at=option,
            hint=did_you_mean(name, names).replace("known:", "its columns are"),
        )


def _told(what: list[str], does: str) -> list[str]:
    if not what:
        return []
    more = f"; and {count(len(what) - _SHOWN)} more" if len(what) > _SHOWN else ""
    return [f"{count(len(what))} of its records {does}: {'; '.join(what[:_SHOWN])}{more}"]
