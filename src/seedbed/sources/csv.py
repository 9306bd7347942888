"""Delimited text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, ClassVar, Literal, Self

import polars as pl
from pydantic import Field, field_validator, model_validator

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.part import Example
from seedbed.core.source import Block, FileSource, InputFile, Parsed, Scan

from .delimited.dialect import detect, fitting, newline_of, refuse_wide, rows_of
from .delimited.records import Dialect
from .delimited.rows import Form, lines_of, parsed
from .delimited.shape import Shape, header_is_a_row, shape_of
from .delimited.swallowed import Mended
from .reading.blocks import BLOCK, LONGEST, Cutter, Pieces
from .reading.encoding import Encoding
from .reading.files import find
from .reading.stream import Stream
from .reading.surveying import Text, surveyed

_HEAD = 1 << 20
_WANTED = "delimited text"
_CAST = "what is read is text; a step makes it numbers: `steps: [{use: cast, types: {COLUMN: number}}]`"
_SEEN = {b"\t": "tab", b",": "comma", b";": "semicolon", b"|": "bar", b" ": "space"}


class Csv(FileSource):
    """Reads delimited text: CSV, TSV and their relatives, with any delimiter, quote and encoding.

    ## Why
    Real CSV files are broken in places. Most readers stop, or skip the broken records without a word, or let one stray
    quote swallow thousands of rows. Here every record is a row or stands in the ledger with its number, its line, the
    reason (`too_many_fields`, `too_few_fields`, `unclosed_quote`, `bad_encoding`, `nul_byte`, `too_long`) and its text.

    Delimiter, quote and encoding are found where they are left out. The encoding is judged on all lines: UTF-8 (16 and
    32 bits by their mark); UTF-8 in which the bytes that are not are read as cp1252; or, where fewer than a tenth of
    the lines with such bytes are UTF-8, the likeliest other encoding for the whole file. No row is lost by this: what
    still does not decode becomes U+FFFD, and a note says how many lines were concerned. Where the recipe names the
    encoding, a record that does not decode is refused (`bad_encoding`).

    A quote that is never closed costs at most the line that it stands on, and what it swallowed is brought back on
    evidence: a line looks like a record if it has the right number of fields and the columns that tell (numbers, a few
    kinds of values) fit. Then a record whose last field was not closed ends with its line; a field that closes only
    lines later is cut if all of its lines look like records and no writer would have written it so (a quote inside that
    is not doubled, a wrong number of fields), or they go on with the file's own counter; and lines with tabs between
    the fields, swallowed before the file was written, are rows if they fit the columns and the closing quote is theirs.
    The source's notes count these rows. Any other field with line breaks stays whole, whatever its lines look like.

    ## Limits
    All columns are text, and at most 10,000; an empty field is null, quoted or not. Records count from 1 after the
    header, malformed ones too; empty lines are none. A quote is a character unless it opens a field. A record over
    16 MiB is refused. Delimiters and quotes are single ASCII characters. A guessed encoding can be wrong: look at the
    note. In files of one column or of free text only, no line looks like a record: there an unclosed quote costs its
    line, and one that another closes later makes one long value. A text with line breaks that loses its closing quote
    may be cut short, if its second line looks like a record. With `recover: false` whatever a CSV writer wrote reads
    back exactly.
    """

    elsewhere: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("types", "type", "dtype", "dtypes", "schema"), _CAST),
        **dict.fromkeys(("sep", "separator"), "say `delimiter`"),
        **dict.fromkeys(("na_values", "null_values", "na"), "say `nulls`: [values that mean that there is none]"),
    }
    block_bytes: ClassVar[int] = BLOCK
    longest: ClassVar[int] = LONGEST
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A comma inside quotes, an empty field, a line break inside quotes",
            before={"lines": ["text,label", '"good, really",pos', ",neg", '"two', 'lines",pos']},
            after={"text": ["good, really", None, "two\nlines"], "label": ["pos", "neg", "pos"]},
        ),
        Example(
            title="The delimiter is found; a record with a field too many goes to the ledger",
            before={"lines": ["text;label", "good, really;pos", "what;was;this", "bad;neg"]},
            after={"text": ["good, really", "bad"], "label": ["pos", "neg"]},
        ),
    )

    use: Literal["csv"] = "csv"
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description='What separates fields ("\\t" for a tab); found when left out.'
    )
    quote: str | None = Field(
        None, max_length=1, description='What wraps fields, `""` for nothing; found when left out.'
    )
    encoding: str | None = Field(
        None, description="Encoding of the text (utf-8, cp1252, utf-16, …); found when left out."
    )
    header: bool = Field(True, description="Whether the first record names the columns; else column_1, column_2, …")
    recover: bool = Field(
        True,
        description="Whether records that a quote swallowed which was never closed are brought back (see the page); "
        "`false` reads every quoted field as it is written.",
    )
    nulls: tuple[str, ...] = Field(("",), description="Values that mean that there is none.")

    @field_validator("delimiter", "quote")
    @classmethod
    def _one_byte(cls, value: str | None) -> str | None:
        if value and (not value.isascii() or value in "\r\n\0"):
            raise ValueError("must be an ASCII character and no line end")
        return value

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.delimiter and self.delimiter == self.quote:
            raise ValueError("delimiter and quote must differ")
        return self

    # -- scan

    def scan(self, context: Context) -> Scan:
        """Read every file once: hash it, find its encoding, delimiter, quote and columns."""
        notes: list[str] = []
        found = find(self.path, context, suffixes=(".csv", ".tsv"), use=self.use, notes=notes)
        files: list[InputFile] = []
        forms: list[Form] = []
        empty: list[DataError] = []
        with context.stage(f"looking at {self.path}", sum(file.size for file in found), "B") as stage:
            for file in found:
                seen = surveyed(
                    file, self.encoding, wanted=_WANTED, head=_HEAD, advance=stage.advance, size=self.block_bytes
                )
                file = seen.file
                try:
                    form = self._form(file, seen.head, seen.encoding, seen.bom, notes, context.named)
                except _EmptyError as error:
                    empty.append(error)
                    notes.append(f"{file.name} {error.problem}")
                    continue
                files.append(file)
                forms.append(form)
                if seen.note:
                    notes.append(f"{file.name}: {seen.note}")
        if not files:
            raise DataError(empty[0].problem, at=empty[0].at, hint=empty[0].hint)
        columns = forms[0].columns
        for file, form in zip(files, forms, strict=True):
            _same_columns(file, form.columns, files[0], columns)
        schema = pl.Schema({name: pl.String() for name in columns})
        told = {
            name: " or ".join(sorted({repr(getattr(form, name)).strip("'") for form in forms}))
            for name in ("encoding", "delimiter", "quote")
        }
        return Scan(tuple(files), schema, {"files": [asdict(form) for form in forms]}, told, tuple(notes))

    def _form(
        self, file: InputFile, head: bytes, encoding: Encoding, bom: int, notes: list[str], named: frozenset[str]
    ) -> Form:
        at = file.url
        if not head.strip():
            raise _EmptyError("is empty", at=at, hint="is this the right file?")
        whole = len(head) < _HEAD
        given = Dialect(
            (self.delimiter or ",").encode(),
            ('"' if self.quote is None else self.quote).encode(),
            newline_of(head),
            self.longest,
        )
        known = partial(detect, head, given, header=self.header, whole=whole)
        dialect = known(delimiter=self.delimiter is None, quote=self.quote is None)
        rows = rows_of(head, dialect, final=whole)
        width = len(rows[0].fields or []) if rows and self.header else fitting(rows, header=False)[1]
        refuse_wide(width, head, dialect, at)
        _refuse_json(head, at)
        self._refuse_delimiter(dialect, known(delimiter=True, quote=self.quote is None), rows, head, at)
        if self.header and len(rows) == 1 and whole:
            raise _EmptyError("has a header and no rows", at=at, hint="if its first line is a row, say header: false")
        first = (rows[0].fields or []) if self.header else [b""] * width
        header = [encoding.show(name) for name in first]
        columns = _names(header, at)
        shape = shape_of(rows[1:] if self.header else rows, header if self.header else columns)
        why = "" if named & {name.strip() for name in header} or not self.header else header_is_a_row(first, shape)
        if why:
            notes.append(f"{file.name}: its first line looks like a row ({why}); if it is one, say header: false")
        return Form(
            encoding.name,
            encoding.fallback,
            encoding.strict,
            bom,
            dialect.delimiter.decode(),
            dialect.quote.decode(),
            dialect.newline.decode(),
            tuple(columns),
            shape if self.recover else None,
        )

    def _refuse_delimiter(self, given: Dialect, found: Dialect, rows: list[Any], head: bytes, at: str) -> None:
        if self.delimiter is None or len(rows[0].fields or []) != 1 or given.delimiter == found.delimiter:
            return
        share, width = fitting(rows_of(head, found, final=len(head) < _HEAD), header=self.header)
        if width > 1 and share >= 0.9:
            seems = _SEEN.get(found.delimiter, repr(found.delimiter.decode()))
            raise DataError(
                f"has one column when read with the delimiter {self.delimiter!r}, but {width} with a {seems}",
                at=at,
                hint=f"say delimiter: {found.delimiter.decode()!r}, or leave it out",
            )

    # -- blocks

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """Cut the files into blocks of whole records, hashing them again.

        Raises:
            DataError: A file is not the one that was scanned; told at its end.
        """
        left = self.limit
        for number, (file, form) in enumerate(zip(scan.files, _forms(scan), strict=True)):
            dialect = form.dialect(self.longest)
            cutter = Cutter(
                number,
                partial(_pieces, dialect=dialect, shape=form.shape),
                dialect.newline,
                skip=1 if self.header else 0,
                left=left,
                size=self.block_bytes,
                longest=self.longest,
            )
            with Stream(file.url, hashed=True) as stream:
                yield from cutter.blocks(Text(stream, form.text, form.bom))
                stream.check_sha256(file.sha256)
            left = cutter.left
            if left == 0:
                return

    # -- parse

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a block, all columns text."""
        return parsed(block, _forms(scan)[block.file], scan.schema, self.nulls, self.longest)

    def lines(self, block: Block, scan: Scan, records: Sequence[int]) -> Sequence[int]:
        """Where records begin; quotes may hold line ends."""
        return lines_of(block, _forms(scan)[block.file], records, self.longest)

    def heeds(self, block: Block, scan: Scan) -> Any:
        """The block's bytes and marks, and the form of its file."""
        what, _, settings = super().heeds(block, scan)
        return [what, None, settings["files"][block.file]]


class _EmptyError(DataError):
    """A file without rows: an error if it is the only one, else a note."""


def _pieces(data: bytes, final: bool, *, dialect: Dialect, shape: Shape | None) -> Pieces:
    return Mended(data, dialect, final, shape).pieces


def _forms(scan: Scan) -> list[Form]:
    return [Form.of(form) for form in scan.settings["files"]]


def _names(header: list[str], at: str) -> list[str]:
    names = [name.strip() or f"column_{place}" for place, name in enumerate(header, 1)]
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise DataError(
            f"the header names {', '.join(repr(name) for name in twice[:6])} more than once",
            at=f"{at}, line 1",
            hint="mend the header, or say header: false (columns are then column_1, column_2, … and it is a row)",
        )
    return names


def _same_columns(file: InputFile, columns: tuple[str, ...], first: InputFile, wanted: tuple[str, ...]) -> None:
    if set(columns) == set(wanted):
        return
    lacks, more = (sorted(set(a) - set(b))[:6] for a, b in ((wanted, columns), (columns, wanted)))
    parts = [f"{word} {', '.join(names)}" for word, names in (("lacks", lacks), ("has", more)) if names]
    raise DataError(
        f"has other columns than {first.name}: it {' and '.join(parts)}",
        at=file.url,
        hint="read files with different columns as sources of their own",
    )


def _refuse_json(head: bytes, at: str) -> None:
    line = head.lstrip().split(b"\n", 1)[0].strip()
    if line.startswith(b"{") and line.endswith(b"}"):
        raise DataError("looks like JSON, one object a line", at=at, hint="use: jsonl")
