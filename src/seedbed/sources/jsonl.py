"""One JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
import orjson
import polars as pl
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.ledger import mask
from seedbed.core.part import Example
from seedbed.core.source import Block, FileSource, InputFile, Parsed, Scan

from .reading.blocks import (
    BLOCK,
    LONGEST,
    Cutter,
    Malformed,
    Pieces,
    TooLong,
    kept,
    line_ends,
    malformed_table,
    too_long,
)
from .reading.encoding import by_mark
from .reading.files import find
from .reading.kinds import refuse_binary, refuse_other
from .reading.stream import Stream, fetched, stretched

_WANTED = "JSON, one object a line"
_SAMPLE = 1 << 20
_MOST_COLUMNS = 2_000
_BOM = b"\xef\xbb\xbf"
_TYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
}
_NAMES = {dtype: name for name, dtype in _TYPES.items()}
_PLAIN: dict[pl.DataType, set[type]] = {
    pl.String(): {str, type(None)},
    pl.Int64(): {int, type(None)},
    pl.Float64(): {float, type(None)},
    pl.Boolean(): {bool, type(None)},
}


class Jsonl(FileSource):
    """Reads JSON Lines: one JSON object a line, its keys the columns.

    ## Why
    Log and dataset dumps hold broken lines, and readers that skip them, or that turn a wrong type into a null, change
    the data without a word. Here every line is a row or stands in the ledger with its number, the reason (`not_json`,
    `not_an_object`, `bad_encoding`, `wrong_type`, `too_long`) and its text. Line by line, since readers of whole blocks
    were seen to accept two objects on a line and to turn half a surrogate pair into a NUL.

    Columns and types come from the first MiB of each file: text, whole numbers, numbers, true/false. Where values
    differ in kind, or are lists or objects, the column is text and a value that is no text stands in it as JSON.
    `types` says otherwise where the sample misleads.

    ## Limits
    Record numbers are line numbers; empty lines are passed over and are no records. A key that the first MiB does not
    show (and `types` does not name) is no column: its rows are kept without it, and counted by key. A value of the
    wrong type is refused in columns of numbers and of true/false only; text columns take every value. Of equal keys in
    one object the last counts. Whole numbers beyond 64 bits become floating-point. UTF-8 only, as RFC 8259 says.
    A line over 16 MiB is refused.
    """

    block_bytes: ClassVar[int] = BLOCK
    longest: ClassVar[int] = LONGEST
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A missing key, a list, a line that is broken",
            before={"lines": ['{"text": "good", "n": 1, "tags": ["a"]}', '{"text": "bad"}', '{"text": "oops']},
            after={"text": ["good", "bad"], "n": [1, None], "tags": ['["a"]', None]},
        ),
        Example(
            title="A type that the sample would not give",
            options={"types": {"id": "string"}},
            before={"lines": ['{"id": 7}', '{"id": 8}']},
            after={"id": ["7", "8"]},
        ),
    )

    use: Literal["jsonl"] = "jsonl"
    types: dict[str, Literal["string", "integer", "number", "boolean"]] = Field(
        default_factory=dict, description="Types of columns, as COLUMN: TYPE, where the sample would mislead."
    )

    def scan(self, context: Context) -> Scan:
        """Read every file once: hash it, and learn columns and types from its first MiB."""
        notes: list[str] = []
        found = find(self.path, context, suffixes=(".jsonl", ".ndjson"), use=self.use, notes=notes)
        kinds: dict[str, set[type]] = {}
        files: list[InputFile] = []
        with context.stage(f"looking at {self.path}", sum(file.size for file in found), "B") as stage:
            for file in found:
                told = 0
                with Stream(file.url, hashed=True) as stream:
                    empty = self._sample(file, stream, kinds)
                    while stream.read(self.block_bytes):
                        stage.advance(stream.position - told)
                        told = stream.position
                    files.append(replace(file, sha256=stream.sha256()))
                if empty and len(found) == 1:
                    raise DataError("is empty", at=file.url, hint="is this the right file?")
                if empty:
                    notes.append(f"{file.name} is empty")
        schema = {name: _type_of(seen) for name, seen in kinds.items()}
        schema.update({name: _TYPES[kind] for name, kind in self.types.items()})
        if not schema:
            raise DataError("holds no object with a key", at=self.path, hint="is this the right file?")
        if len(schema) > _MOST_COLUMNS:
            raise DataError(
                f"would have {len(schema):,} columns: the objects' keys look like data",
                at=self.path,
                hint='put them under one key, as in {"values": {…}}',
            )
        return Scan(
            tuple(files), pl.Schema(schema), {"sample_bytes": _SAMPLE, "types": dict(self.types)}, notes=tuple(notes)
        )

    def _sample(self, file: InputFile, stream: Stream, kinds: dict[str, set[type]]) -> bool:
        """Note the kinds of values in the first MiB of whole lines; whether the file is empty."""
        text = _AfterMark(stream, file.url)
        taken = objects = lines = 0
        cutter = Cutter(0, partial(_pieces), count_blank=True, size=self.block_bytes, longest=self.longest)
        for block in cutter.blocks(text):
            lines += 1
            for line in block.payload.split(b"\n") if isinstance(block.payload, bytes) else ():
                if taken < _SAMPLE:
                    objects += _note(line, kinds)
                    taken += len(line) + 1
            if taken >= _SAMPLE:
                break
        if lines and not objects and not self.types:
            refuse_binary(text.head, at=file.url, wanted=_WANTED)
            array = text.head.lstrip().startswith(b"[")
            raise DataError(
                f"no line of its first {max(taken, 1):,} bytes is a JSON object"
                + (" (a JSON array?)" if array else ""),
                at=file.url,
                hint="one object a line is needed; for delimited text, use: csv",
            )
        return not lines

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """Cut the files into blocks of whole lines, hashing them again.

        Raises:
            DataError: A file is not the one that was scanned; told at its end.
        """
        left = self.limit
        for number, file in enumerate(scan.files):
            with Stream(file.url, hashed=True) as stream:
                cutter = self._cutter(number, left)
                yield from cutter.blocks(_AfterMark(stream, file.url))
                stream.check_sha256(file.sha256)
            left = cutter.left
            if left == 0:
                return

    def _cutter(self, file: int, left: int | None) -> Cutter:
        return Cutter(file, _pieces, count_blank=True, left=left, size=self.block_bytes, longest=self.longest)

    def stretches(self, scan: Scan, file: int) -> list[Block] | None:
        """The blocks of a file that is not packed, unless `limit` asks for a part of the files."""
        url = scan.files[file].url
        if self.limit is not None:
            return None
        with Stream(url, hashed=True) as stream:
            if stream.packing:
                return None
            text = _AfterMark(stream, url)
            found = [stretched(block, text.mark) for block in self._cutter(file, None).blocks(text)]
            stream.check_sha256(scan.files[file].sha256)
        return found

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a block.

        Raises:
            DataError: The file is not the one that was scanned.
        """
        block = fetched(block, scan)
        if isinstance(block.payload, TooLong):
            text = block.payload.start.decode(errors="replace")
            refused = [too_long(block, block.payload, text, self.longest)]
            return Parsed(pl.DataFrame(schema=scan.schema), pl.Series(dtype=pl.UInt64), malformed_table(refused))
        rows: list[dict[str, Any]] = []
        numbers: list[int] = []
        faults: dict[int, tuple[str, dict[str, Any]]] = {}
        lines = block.payload.split(b"\n")
        for number, line in enumerate(lines, block.first_record):
            try:
                size = len(line) + (number - block.first_record < len(lines) - 1)  # with its line end, if it has one
                if size > self.longest:
                    raise _FaultError("too_long", bytes=size, limit=self.longest)
                row = orjson.loads(line)
                if type(row) is not dict:
                    raise _FaultError("not_an_object", found=_kind(row))
            except orjson.JSONDecodeError as error:
                if line.strip():
                    faults[number] = _json_fault(line, error)
            except _FaultError as fault:
                faults[number] = (fault.reason, fault.evidence)
            else:
                rows.append(row)
                numbers.append(number)
        table, bad = _table(rows, scan.schema)
        faults.update((numbers[place], fault) for place, fault in bad.items())
        malformed = [
            Malformed(number, number, reason, evidence, self._raw(lines[number - block.first_record], reason))
            for number, (reason, evidence) in faults.items()
        ]
        good = np.array([number not in faults for number in numbers], bool)
        records = pl.Series(np.array(numbers, np.uint64)[good], dtype=pl.UInt64)
        return Parsed(table, records, malformed_table(malformed), _unseen(rows, good, scan.schema))

    def _raw(self, line: bytes, reason: str) -> str:
        line = line[: kept(self.longest)] if reason == "too_long" else line.removesuffix(b"\r")
        return line.decode(errors="replace")


class _FaultError(Exception):
    def __init__(self, reason: str, **evidence: Any) -> None:
        self.reason, self.evidence = reason, evidence


class _AfterMark:
    """The bytes of a file after a UTF-8 mark of `mark` bytes, if it has one; its first bytes stay in `head`."""

    def __init__(self, stream: Stream, at: str) -> None:
        self._stream, self._at, self.head = stream, at, b""
        self.mark = 0

    @property
    def position(self) -> int:
        return self._stream.position

    def read(self, size: int) -> bytes:
        if self.head:
            return self._stream.read(size)
        data = self._stream.read(max(size, 1024))
        refuse_other(data, at=self._at, wanted=_WANTED)
        marked = by_mark(data)
        if marked and marked[0] != "utf-8":
            raise DataError(f"is in {marked[0]}; JSON lines are UTF-8", at=self._at, hint="recode the file (iconv)")
        self.head = data
        self.mark = len(data) - len(data.removeprefix(_BOM))
        return data.removeprefix(_BOM) or (self._stream.read(size) if data else b"")


def _pieces(data: bytes, final: bool) -> Pieces:
    ends = line_ends(data, b"\n", final)
    starts = np.concatenate([np.zeros(min(1, len(ends)), np.int64), ends[:-1]])
    blank = np.zeros(len(ends), bool)
    if len(ends):
        first = np.frombuffer(data, np.uint8)[starts]
        # Only a line that starts with white space can be blank.
        for place in np.flatnonzero(np.isin(first, np.frombuffer(b" \t\r\n\v\f", np.uint8))).tolist():
            blank[place] = not data[starts[place] : ends[place]].strip()
    return Pieces(ends, blank)


def _note(line: bytes, kinds: dict[str, set[type]]) -> bool:
    """Note the kinds of an object's values; whether the line is an object."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    if type(row) is not dict:
        return False
    for name, value in row.items():
        kind = type(value)
        # Beyond 64 bits with a sign, a whole number does not fit its column.
        kinds.setdefault(name, set()).add(dict if kind is int and not _fits(value) else kind)
    return True


def _fits(value: int) -> bool:
    return -(1 << 63) <= value < 1 << 63


def _type_of(seen: set[type]) -> pl.DataType:
    kinds = seen - {type(None)}
    if kinds == {int}:
        return pl.Int64()
    if kinds and kinds <= {int, float}:
        return pl.Float64()
    return pl.Boolean() if kinds == {bool} else pl.String()


def _kind(value: Any) -> str:
    names = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _json_fault(line: bytes, error: orjson.JSONDecodeError) -> tuple[str, dict[str, Any]]:
    try:
        line.decode()
    except UnicodeDecodeError as wrong:
        return "bad_encoding", {"encoding": "utf-8", "bytes": line[wrong.start : wrong.start + 4].hex(" ")}
    return "not_json", {"error": error.msg.partition(": line ")[0], "column": error.colno}


def _table(rows: list[dict[str, Any]], schema: pl.Schema) -> tuple[pl.DataFrame, dict[int, tuple[str, dict[str, Any]]]]:
    """The rows whose values fit the schema, and what is wrong with the others by their place."""
    bad: dict[int, tuple[str, dict[str, Any]]] = {}
    columns: dict[str, pl.Series] = {}
    for name, dtype in schema.items():
        values = [row.get(name) for row in rows]
        try:
            if not set(map(type, values)) <= _PLAIN[dtype]:
                raise TypeError
            columns[name] = pl.Series(name, values, dtype=dtype)
        except (TypeError, OverflowError):
            for place, value in enumerate(values):
                try:
                    values[place] = _fitted(value, dtype)
                except TypeError:
                    values[place] = None
                    evidence = {"key": name, "expected": _NAMES[dtype], "found": _kind(value)}
                    bad.setdefault(place, ("wrong_type", evidence))
            columns[name] = pl.Series(name, values, dtype=dtype)
    table = pl.DataFrame(columns, schema=schema)
    if bad:
        table = table.filter(~pl.int_range(pl.len()).is_in(list(bad)))
    return table, bad


def _fitted(value: Any, dtype: pl.DataType) -> Any:
    """The value as its column holds it; `TypeError` if it cannot."""
    kind = type(value)
    if kind in _PLAIN[dtype] and (kind is not int or _fits(value)):
        return value
    if dtype == pl.String():
        return orjson.dumps(value).decode()
    if dtype == pl.Float64() and kind is int:
        return float(value)
    raise TypeError


def _unseen(rows: list[dict[str, Any]], good: Any, schema: pl.Schema) -> dict[str, int]:
    """Kept rows by remark on a key that is no column."""
    known, counts = set(schema.names()), dict[str, int]()
    for row, keep in zip(rows, good.tolist(), strict=True):
        if keep and not row.keys() <= known:
            for name in row.keys() - known:
                counts[name] = counts.get(name, 0) + 1
    return {
        f"the key {mask(name)!r} is no column: the first MiB did not show it": n for name, n in sorted(counts.items())
    }
