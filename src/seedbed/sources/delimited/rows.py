"""From a block of delimited text to rows, and to the records that are none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.source import Block, Parsed
from seedbed.sources.reading.blocks import Malformed, Marked, TooLong, kept, line_ends, malformed_table, too_long
from seedbed.sources.reading.encoding import Encoding

from .records import Dialect, Records, values
from .shape import Column, Shape
from .swallowed import OPENED, REFUSED, Told

#: What happened to rows that are kept.
_ENDS_WITH_LINE = "a quote opens the last field and is never closed; the field ends with its line"
_BROUGHT_BACK = "a quote of a record before that was never closed had swallowed them; they are rows again"


@dataclass(frozen=True)
class Form:
    """What was found out about one file; plain data, so that it can stand in a lock."""

    encoding: str
    fallback: str | None
    strict: bool
    bom: int
    delimiter: str
    quote: str
    newline: str
    columns: tuple[str, ...]
    shape: Shape | None = None
    """What its records look like; none where nothing is to be brought back."""

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Form:
        """A form from what `dataclasses.asdict` made of it."""
        shape = plain["shape"]
        if shape is not None:
            columns = tuple(Column(column["number"], tuple(column["kinds"])) for column in shape["columns"])
            shape = Shape(columns, shape["counter"], shape["index"])
        return cls(**{**plain, "columns": tuple(plain["columns"]), "shape": shape})

    @property
    def text(self) -> Encoding:
        """How bytes become text."""
        return Encoding(self.encoding, self.fallback, self.strict)

    def dialect(self, longest: int) -> Dialect:
        """How fields are told apart."""
        return Dialect(self.delimiter.encode(), self.quote.encode(), self.newline.encode(), longest)


def parsed(block: Block, form: Form, schema: pl.Schema, nulls: Sequence[str], longest: int) -> Parsed:
    """Rows of a block, all columns text, in the order of `schema`; `nulls` are the values that mean none."""
    if isinstance(block.payload, TooLong):
        refused = [too_long(block, block.payload, form.text.show(block.payload.start), longest)]
        return Parsed(pl.DataFrame(schema=schema), pl.Series(dtype=pl.UInt64), malformed_table(refused))
    records = _records(block.payload, form, longest)
    faults = dict(_undecodable(records, form))
    for found in (_misshapen(records, form), _with_nul(records), _overlong(records, longest)):
        faults.update(found)  # of several faults of one record the plainest is told: the last here
    numbers = np.cumsum(~records.blank) + block.first_record - 1
    good = ~records.blank
    good[list(faults)] = False
    places = np.flatnonzero(good)
    read = _table(records, places, form)
    table = pl.DataFrame([read[name].alias(f"{place}") for place, name in enumerate(schema)])
    # Numbers for names: to an expression a column called `*` would mean all of them.
    table = table.with_columns(pl.when(~pl.all().is_in(list(nulls))).then(pl.all()).name.keep())
    table.columns = schema.names()
    faulty = [place for place in faults if not records.blank[place]]
    refused = [
        Malformed(int(numbers[place]), line, *faults[place], _raw(records, place, faults[place][0], form, longest))
        for place, line in zip(faulty, _lines_of(records, faulty, block, form), strict=True)
    ]
    return Parsed(
        table, pl.Series(numbers[places], dtype=pl.UInt64), malformed_table(refused), _remarks(records.marks[places])
    )


def lines_of(block: Block, form: Form, numbers: Sequence[int], longest: int) -> list[int]:
    """The line on which each of some records of a block begins, by their numbers."""
    if isinstance(block.payload, TooLong):
        return [block.first_line for _ in numbers]
    records = _records(block.payload, form, longest)
    known = np.cumsum(~records.blank) + block.first_record - 1
    return _lines_of(records, np.searchsorted(known, numbers).tolist(), block, form)


def _records(payload: Any, form: Form, longest: int) -> Records:
    dialect = form.dialect(longest)
    if isinstance(payload, Marked):
        return Told(payload.data, dialect, marked=payload, width=len(form.columns))
    return Records(payload, dialect)


def _remarks(marks: NDArray[np.int8]) -> dict[str, int]:
    found = {
        _ENDS_WITH_LINE: int((marks == OPENED).sum()),
        _BROUGHT_BACK: int(((marks > OPENED) & (marks < REFUSED)).sum()),
    }
    return {text: count for text, count in found.items() if count}


_Fault = tuple[int, tuple[str, dict[str, Any]]]


def _overlong(records: Records, longest: int) -> Iterator[_Fault]:
    lengths = records.ends - records.starts
    for place in np.flatnonzero(lengths > longest).tolist():
        yield place, ("too_long", {"bytes": int(lengths[place]), "limit": longest})


def _with_nul(records: Records) -> Iterator[_Fault]:
    if b"\0" in records.data:
        nuls = np.flatnonzero(np.frombuffer(records.data, np.uint8) == 0)
        places, counts = np.unique(np.searchsorted(records.ends, nuls, side="right"), return_counts=True)
        for place, count in zip(places.tolist(), counts.tolist(), strict=True):
            yield place, ("nul_byte", {"nul_bytes": count})


def _misshapen(records: Records, form: Form) -> Iterator[_Fault]:
    expected = len(form.columns)
    for place in np.flatnonzero(records.widths != expected).tolist():
        width = int(records.widths[place])
        if not width:
            yield place, ("unclosed_quote", {"quote": form.quote})
        else:
            reason = "too_many_fields" if width > expected else "too_few_fields"
            yield place, (reason, {"fields": width, "expected": expected})


def _undecodable(records: Records, form: Form) -> Iterator[_Fault]:
    if not form.strict:
        return
    try:
        form.text.decode(records.data)
        return
    except UnicodeDecodeError:
        pass
    for place, (start, end) in enumerate(zip(records.starts.tolist(), records.ends.tolist(), strict=True)):
        try:
            form.text.decode(records.data[start:end])
        except UnicodeDecodeError as error:
            bad = error.object[error.start : error.start + 4]
            yield place, ("bad_encoding", {"encoding": form.encoding, "bytes": bad.hex(" ")})


def _lines_of(records: Records, places: list[int], block: Block, form: Form) -> list[int]:
    """The line on which each of some records begins."""
    breaks = line_ends(records.data, form.newline.encode(), final=False)
    found: list[int] = (block.first_line + np.searchsorted(breaks, records.starts[places], side="right")).tolist()
    return found


def _raw(records: Records, place: int, reason: str, form: Form, longest: int) -> str:
    start, end = int(records.starts[place]), int(records.ends[place])
    if reason == "too_long":
        return form.text.show(records.data[start : start + kept(longest)])
    return form.text.show(records.data[start:end].removesuffix(form.newline.encode()).removesuffix(b"\r"))


def _table(records: Records, places: NDArray[np.int64], form: Form) -> pl.DataFrame:
    schema = {name: pl.String() for name in form.columns}
    if not len(places):
        return pl.DataFrame(schema=schema)
    if records.regular:
        table = _by_polars(records, places, form)
        if table is not None and table.height == len(places):
            return table
    columns = values(records, places)
    return pl.DataFrame(
        {
            name: pl.Series(name, [form.text.decode(value) for value in column], dtype=pl.String)
            for name, column in zip(form.columns, columns, strict=True)
        },
        schema=schema,
    )


def _by_polars(records: Records, places: NDArray[np.int64], form: Form) -> pl.DataFrame | None:
    """The records as Polars reads them; none where it does not."""
    data = records.data
    if len(places) < len(records.ends):
        spans = zip(records.starts[places].tolist(), records.ends[places].tolist(), strict=True)
        data = b"".join([data[start:end] for start, end in spans])
    if form.newline == "\n" and data.count(b"\r") != data.count(b"\r\n"):
        return None  # Polars takes a carriage return at the end of any field for one at the end of the line
    # Polars takes a byte-order mark for one wherever its input starts: a line before the rows keeps it out of reach.
    before = form.delimiter.encode() * (len(form.columns) - 1) + b"x" + form.newline.encode()
    try:
        table = pl.read_csv(
            before + form.text.utf8(data),
            has_header=False,
            schema={name: pl.String() for name in form.columns},
            separator=form.delimiter,
            quote_char=form.quote if form.quote and form.quote.encode() in data else None,
            eol_char=form.newline,
            empty_string_is_null=False,
        )
    except pl.exceptions.PolarsError:
        return None
    return table.slice(1)
