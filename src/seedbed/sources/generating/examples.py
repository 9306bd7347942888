"""Rows that a model is shown: read from another source, or given in the recipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.source import Scan, Source

#: Rows of a source that are read at most: their texts are held in memory.
MOST = 100_000


@dataclass(frozen=True)
class ExampleRow:
    """A row that may be shown.

    Attributes:
        row: Its id.
        values: By column.
        file: SHA-256 of its file; empty for a row of the recipe.
        record: In its file.
    """

    row: str
    values: Mapping[str, Any]
    file: str = ""
    record: int = 0


@dataclass(frozen=True)
class Examples:
    """All of them, and what they were read from."""

    rows: tuple[ExampleRow, ...] = ()
    read: tuple[tuple[str, str], ...] = ()
    """Names and digests of files."""
    more: bool = False
    """Whether the source has more rows than are read."""


def scanned(source: Source, context: Context) -> Scan:
    """Look at the source of example rows.

    Raises:
        RecipeError: `columns` names a column that is not there.
    """
    scan = source.scan(context)
    for new, old in (source.columns or {}).items():
        if old not in scan.schema:
            hint = did_you_mean(old, scan.schema.names())
            raise RecipeError(f"the source has no column {old!r}", at=f"like.columns.{new}", hint=hint)
    return scan


def read_examples(source: Source, scan: Scan, context: Context) -> Examples:
    """The rows of a source.

    Raises:
        DataError: There are none.
    """
    name, found = source.name or "like", list[ExampleRow]()
    for block in source.blocks(scan, context):
        parsed, file = source.parse(block, scan), scan.files[block.file]
        renames = source.columns or {column: column for column in parsed.table.columns}
        records = parsed.records.to_list()
        for record, values in zip(records, parsed.table.iter_rows(named=True), strict=True):
            told = {new: values[old] for new, old in renames.items()}
            found.append(ExampleRow(f"{name}:{file.name}#{record}", told, file.sha256, record))
        if len(found) > MOST:
            break
    if not found:
        raise DataError("holds no row to show", at=source.address, hint="leave `like` out, or name another source")
    return Examples(tuple(found[:MOST]), _read(scan), len(found) > MOST)


def given(rows: Sequence[Mapping[str, Any]]) -> Examples:
    """Rows that stand in the recipe."""
    return Examples(tuple(ExampleRow(f"like#{place}", dict(values)) for place, values in enumerate(rows, 1)))


def _read(scan: Scan) -> tuple[tuple[str, str], ...]:
    return tuple((file.name, file.sha256) for file in scan.files)


def drawn(rows: Sequence[ExampleRow], most: int, key: str) -> list[ExampleRow]:
    """Some of the rows, in an order that nothing but the key and their ids decides."""
    return sorted(rows, key=lambda one: sha256(f"{key}/{one.row}".encode()).digest())[:most]


def pools(
    rows: Iterable[ExampleRow], labels: Sequence[str | None], column: str, most: int, seed: int
) -> dict[str | None, list[ExampleRow]]:
    """The rows that may be shown for each class: those of the class, where rows have one; `most` of them, drawn."""
    every = list(rows)
    labelled = any(column in one.values for one in every)
    return {
        label: drawn(
            [one for one in every if label is None or not labelled or str(one.values.get(column)) == label],
            most,
            f"{seed}/{label}",
        )
        for label in labels
    }
