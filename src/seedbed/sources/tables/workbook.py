"""Workbooks as rows: what `sheets` found in one, kept in the store, and its failures in words."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.errors import DataError, did_you_mean
from seedbed.core.numbers import things
from seedbed.core.showing import clean
from seedbed.sources.reading.files import is_local, local_path
from seedbed.store.store import Artefact, Store, kept

from . import sheets

SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
#: What the process that reads a workbook may take: a sheet of 20 million filled cells needs about 2 GiB.
MOST_MEMORY = 4 << 30
MOST_SECONDS = 600
_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = ("EncryptedPackage".encode("utf-16-le"), b"encryption-data")
#: The rows' own numbers in the sheet.
ROW = "\x01row"
_TYPES: dict[str, pl.DataType] = {
    **{"whole": pl.Int64(), "number": pl.Float64(), "boolean": pl.Boolean(), "date": pl.Date(), "text": pl.String()},
    **{"datetime": pl.Datetime("ms"), "duration": pl.Duration("ms"), "empty": pl.String()},
}


def converted(at: str, sha256: str, sheet: str | int | None, header: int | None, context: Context) -> dict[str, Any]:
    """The sheets of a workbook as Parquet files in the store; as `sheets` tells of them, with their `folder`.

    Raises:
        DataError: It is no workbook, is damaged, protected or too large, or has no such sheet.
    """
    code = digest.of_file(Path(sheets.__file__))
    key = digest.of_json([sha256, sheet, header, version("fastexcel"), code])
    place = Store.of(context).artefact("sheets", key)
    if not place.intact:
        place.forget()
        with kept(place) as folder:
            told = _told(_run(at, sheet, header, folder), at, sheet)
            Artefact(folder).seal(told, *(one["file"] for one in told["sheets"]))
    return {**place.facts(), "folder": str(place.folder)}


def _run(at: str, sheet: str | int | None, header: int | None, folder: Path) -> subprocess.CompletedProcess[bytes]:
    if not is_local(at):
        raise DataError("is not a plain file on this machine", at=at, hint="copy it here, and unpack it")
    order = {"path": str(local_path(at)), "sheet": sheet, "header": header, "folder": str(folder)}
    order |= {"most_memory": MOST_MEMORY, "seconds": MOST_SECONDS}
    command = [sys.executable, "-P", sheets.__file__]
    try:
        return subprocess.run(
            command, input=json.dumps(order).encode(), capture_output=True, check=False, timeout=2 * MOST_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise DataError(f"took longer than {2 * MOST_SECONDS} seconds", at=at, hint="save it as CSV") from None


def _told(done: subprocess.CompletedProcess[bytes], at: str, sheet: str | int | None) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        limits = f"{MOST_MEMORY >> 30} GiB of memory or {MOST_SECONDS} seconds"
        hint = "is it damaged, or does a cell far from the others hold something? Or save the sheet as CSV"
        raise DataError(f"needs more than {limits} to be read", at=at, hint=hint) from None
    if told.get("error") == "no_sheet":
        there = told["names"]
        hint = did_you_mean(sheet, there) if isinstance(sheet, str) else f"it has {things(len(there), 'sheet')}, from 1"
        raise DataError(f"has no sheet {sheet!r}", at=at, hint=hint)
    if "error" in told:
        raise _not_read(told["said"], at)
    if not told["sheets"]:
        what = "has no row under its header" if told["bare"] else "has no rows"
        raise DataError(what, at=at, hint="is this the right file? Hidden sheets are read where named")
    return told


def _not_read(said: str, at: str) -> DataError:
    data = local_path(at).read_bytes()
    if "assword" in said or any(mark in data for mark in _ENCRYPTED):
        return DataError("is protected by a password", at=at, hint="save it without one")
    if not data:
        return DataError("is empty", at=at, hint="is this the right file?")
    if data.startswith((b"PK", _OLE)):
        return DataError(f"is a damaged workbook ({clean(said)})", at=at, hint="fetch it again, or save it anew")
    return DataError("is no workbook", at=at, hint="for text, use: csv")


def schema_of(told: list[dict[str, Any]]) -> pl.Schema:
    """The columns of sheets that have the same: of the type that fits all values, text where none does."""
    found: dict[str, pl.DataType] = {}
    for place, name in enumerate(told[0]["columns"]):
        kinds = {one["kinds"][place] for one in told} - {"empty"}
        if len(kinds) > 1:
            kinds = {"number"} if kinds <= {"whole", "number"} else {"datetime"} if kinds <= _DAYS else {"text"}
        found[name] = _TYPES[next(iter(kinds), "empty")]
    return pl.Schema(found)


_DAYS = {"date", "datetime"}


def rows_of(path: Path, group: int, schema: pl.Schema, *, at: str) -> tuple[pl.DataFrame, pl.Series]:
    """Rows of a row group, and their numbers in the sheet.

    Raises:
        DataError: The file is damaged or gone.
    """
    try:
        with pq.ParquetFile(path, pre_buffer=False) as opened:
            table = pl.DataFrame(pl.from_arrow(opened.read_row_group(group)))
    except (pa.ArrowException, OSError):
        raise DataError("what the store holds of it is damaged", at=at, hint="run again: it is read anew") from None
    columns = [_as(table.to_series(place), kind) for place, kind in enumerate(schema.dtypes(), 1)]
    rows = pl.DataFrame([column.alias(name) for column, name in zip(columns, schema, strict=True)])
    return rows, table.to_series(0)


def _as(column: pl.Series, kind: pl.DataType) -> pl.Series:
    if kind == pl.String() and column.dtype.is_float():  # another sheet has text here: 3, not 3.0
        return column.cast(pl.String).str.strip_suffix(".0")
    return column.cast(kind)
