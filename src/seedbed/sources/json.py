"""Records inside JSON documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field, field_validator

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.part import Example
from seedbed.core.source import Block, FileSource, InputFile, Parsed, Scan

from .nested.columns import SAMPLE, Kind, Kinds, fitting, unseen
from .nested.document import ANY, Broken, Document, Found, Huge, Piece
from .nested.finding import Lists
from .nested.flattening import DEPTH
from .nested.objects import FaultError, as_row, row_of
from .nested.texts import Texts
from .reading.blocks import BLOCK, LONGEST, Malformed, malformed_table, too_long
from .reading.files import find
from .reading.kinds import refuse_binary
from .reading.marked import AfterMark
from .reading.stream import Stream

_WANTED = "a JSON document"
#: The document itself, as a recipe writes it.
_ITSELF = "."


class Json(FileSource):
    """Reads the records of JSON documents: a list of objects, wherever it is inside.

    ## Why
    Exports and the answers of APIs are one big document, and most readers hold all of it in memory, or stop at the
    first byte that is wrong. Here a document streams by and is cut into records without being parsed; the records are
    parsed by the workers, each by itself. So a broken record stands in the ledger with its line, its text and a reason
    (`not_json`, `not_an_object`, `bad_encoding`, `wrong_type`, `too_many_keys`, `same_column`, `too_long`), and its
    neighbours are rows. A document that ends too early keeps what came before, and `cut_off` says so.

    `records` says where they are: keys with dots between them, `*` (or `[]`) for every element of a list or every value
    of an object. What stands there is a list of records, or one record; `.` is the document itself. Left out, it is the
    list of objects that lies least deep, if there is one such list in the whole file, or else the document itself.

    An object inside a record becomes columns `OUTER.INNER`, to `depth` levels; deeper objects, and lists of any kind,
    stand in their column as JSON text; an empty object is none. Types come from the first MiB of records of each file,
    as in `jsonl`.

    ## Limits
    UTF-8 only. A record is at most 16 MiB and 2,000 keys; `null` where a record could be is none. NaN and Infinity are
    no JSON: their record is refused. Of equal keys in one object the last counts. Keys with dots in them cannot be on
    the way to the records. Where a bracket or a quote is missing, the records from there on may be one broken record.
    One process cuts a file into records, at about the speed at which two parse them.
    """

    block_bytes: ClassVar[int] = BLOCK
    longest: ClassVar[int] = LONGEST
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="The list is found; objects inside records become columns",
            before={"lines": ['{"page": 1, "items": [', '  {"text": "good", "by": {"name": "Ada", "tags": ["a"]}},',
                              '  {"text": "bad", "by": {}}', "]}"]},
            after={"text": ["good", "bad"], "by.name": ["Ada", None], "by.tags": ['["a"]', None]},
        ),
        Example(
            title="Lists inside a list; a record that is broken",
            options={"records": "pages.*.rows"},
            before={"lines": ['{"pages": [{"rows": [{"n": 1}, {"n": oops}]},', '{"rows": [{"n": 3}]}]}']},
            after={"n": [1, 3]},
        ),
    )  # fmt: skip

    use: Literal["json"] = "json"
    records: str | None = Field(
        None,
        min_length=1,
        description="Where the records are: keys with dots between, `*` for any element or value, `.` for the document "
        "itself; found when left out.",
    )
    depth: int = Field(DEPTH, ge=0, le=64, description="Levels of objects inside a record that become columns.")
    types: dict[str, Kind] = Field(
        default_factory=dict, description="Types of columns, as COLUMN: TYPE, where the sample would mislead."
    )

    @field_validator("records")
    @classmethod
    def _steps(cls, value: str | None) -> str | None:
        if value is not None and value != _ITSELF and not all(_path_of(value)):
            raise ValueError("has an empty step: write keys with one dot between them, such as data.items")
        return value

    # -- scan

    def scan(self, context: Context) -> Scan:
        """Read every file once, to hash it and to find its records; learn columns and types from its first records."""
        notes: list[str] = []
        found = find(self.path, context, suffixes=(".json", ".geojson"), use=self.use, notes=notes)
        files: list[InputFile] = []
        paths: list[tuple[str, ...] | None] = []
        with context.stage(f"looking at {self.path}", sum(file.size for file in found), "B") as stage:
            for file in found:
                file, path = self._survey(file, stage.advance)
                files.append(file)
                paths.append(path)
        known = self._agreed(files, paths)
        kinds = Kinds()
        for file in files:
            if not self._sample(file, known, kinds):
                self._nothing(file, known, alone=len(files) == 1)
                notes.append(f"{file.name} has no records")
        schema = kinds.schema(self.types, at=self.path)
        settings = {"records": list(known), "sample_bytes": SAMPLE, "types": dict(self.types)}
        return Scan(tuple(files), schema, settings, {"records": _written(known)}, tuple(notes))

    def _survey(self, file: InputFile, advance: Callable[[float], None]) -> tuple[InputFile, tuple[str, ...] | None]:
        """The file with its digest, and where its records are, if that is to be found and can be."""
        told, lists = 0, Lists()
        with Stream(file.url, hashed=True) as stream:
            text = AfterMark(stream, file.url, _WANTED)
            first = b""
            while data := text.read(1 << 18):
                first = first or data.lstrip()[:1]
                if self.records is None and first == b"{":
                    lists.feed(data)
                advance(stream.position - told)
                told = stream.position
            digest = stream.sha256()
        if first not in (b"{", b"["):
            refuse_binary(text.head, at=file.url, wanted=_WANTED)
            problem = f"is not {_WANTED}: it begins with neither {{ nor [" if first else "is empty"
            raise DataError(problem, at=file.url, hint="is this the right file?")
        if len(lists.found) > 1:
            raise DataError(
                f"holds several lists of objects: {', '.join(map(_written, lists.found))}",
                at=file.url,
                hint=f"say which are the rows, such as records: {_written(lists.found[0])} (. is the document itself)",
            )
        found = lists.found[0] if lists.found else () if first == b"[" else None
        return replace(file, sha256=digest), found

    def _agreed(self, files: list[InputFile], paths: list[tuple[str, ...] | None]) -> tuple[str, ...]:
        if self.records is not None:
            return _path_of(self.records)
        found = [(file, path) for file, path in zip(files, paths, strict=True) if path is not None]
        for file, path in found:
            if path != found[0][1]:
                raise DataError(
                    f"has its records at {_written(path)}, {found[0][0].name} at {_written(found[0][1])}",
                    at=file.url,
                    hint="say where they are (records: …), or read the files as sources of their own",
                )
        return found[0][1] if found else ()

    def _sample(self, file: InputFile, path: tuple[str, ...], kinds: Kinds) -> bool:
        """Note the kinds of values in the first MiB of records; whether there are any."""
        taken = objects = others = records = 0
        wrong = ""
        with Stream(file.url) as stream:
            for found in Document(path, self.longest).read(AfterMark(stream, file.url, _WANTED)):
                records += 1
                for text in _texts(found):
                    if taken >= SAMPLE:
                        break
                    try:
                        kinds.note(row_of(text, self.depth))
                        objects += 1
                    except FaultError as fault:
                        others += 1
                        wrong = wrong or fault.reason
                        kinds.most = max(kinds.most, fault.evidence.get("keys", 0))
                    taken += len(text) + 1
                if isinstance(found, Broken):
                    wrong = wrong or found.reason
                    if found.reason == "after_the_end" and objects <= 1 and found.start[:1] in b"{[":
                        raise DataError(
                            "holds more than one document",
                            at=f"{file.url}, line {found.line}",
                            hint="if it has one object a line, use: jsonl",
                        )
                if taken >= SAMPLE:
                    break
        if records and not objects and not self.types and not kinds.most:
            if wrong == "cut_off":
                raise DataError(
                    "ends before its first record does",
                    at=file.url,
                    hint="it was cut: fetch it, or have it written, once more",
                )
            first = "its record is no object" if others < 2 else f"none of its first {others:,} records is an object"
            hint = "say where the records are, such as records: data.items"
            raise DataError(f"{first} ({wrong})" if wrong else first, at=file.url, hint=hint)
        return bool(records)

    def _nothing(self, file: InputFile, path: tuple[str, ...], *, alone: bool) -> None:
        if alone:
            raise DataError(
                f"holds no record at {_written(path)}" if path else "holds no record",
                at=file.url,
                hint="look at the keys on the way; left out, `records` is found where there is one list of objects",
            )

    # -- blocks

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """Cut the files into blocks of whole records, hashing them again.

        Raises:
            DataError: A file is not the one that was scanned; told at its end.
        """
        left = self.limit
        path = tuple(scan.settings["records"])
        for number, file in enumerate(scan.files):
            with Stream(file.url, hashed=True) as stream:
                found = Document(path, self.longest).read(AfterMark(stream, file.url, _WANTED))
                told = 0
                for block, records in self._gathered(number, found, left):
                    yield replace(block, size=stream.position - told)
                    told = stream.position
                    left = None if left is None else left - records
                    if left == 0:
                        break
                stream.check_sha256(file.sha256)
            if left == 0:
                return

    def _gathered(self, file: int, found: Iterator[Found], left: int | None) -> Iterator[tuple[Block, int]]:
        """Pieces together as blocks of about `block_bytes`, and what cannot be parsed by itself, with their records."""
        pieces: list[Piece] = []
        record = 1
        count = size = 0
        for one in found:
            if isinstance(one, Piece):
                if left is not None and count + len(one.ends) >= left:
                    one = one.head(left - count)
                pieces.append(one)
                count, size = count + len(one.ends), size + len(one.data)
            full = not isinstance(one, Piece) or size >= self.block_bytes or count == left
            if full and pieces:
                yield Block(file, record, pieces[0].line, 0, tuple(pieces)), count
                left = None if left is None else left - count
                record, count, size, pieces = record + count, 0, 0, []
            if left == 0:
                return
            if not isinstance(one, Piece):
                yield Block(file, record, one.line, 0, one), 1
                record, left = record + 1, None if left is None else left - 1
        if pieces:
            yield Block(file, record, pieces[0].line, 0, tuple(pieces)), count

    def heeds(self, block: Block, scan: Scan) -> Any:
        """The block's bytes, and where its records stand in them."""
        held = block.payload
        what = [piece.digest for piece in held] if isinstance(held, tuple) else repr(held)
        return [what, None, scan.settings]

    # -- parse

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a block."""
        if isinstance(block.payload, Huge | Broken):
            refused = [self._refused(block, block.payload)]
            return Parsed(pl.DataFrame(schema=scan.schema), pl.Series(dtype=pl.UInt64), malformed_table(refused))
        rows: list[dict[str, Any]] = []
        numbers: list[int] = []
        malformed: list[Malformed] = []
        texts = Texts(block.payload, self.longest)
        for number, value in enumerate(texts.values(), block.first_record):
            try:
                row = as_row(value, self.depth) if not isinstance(value, bytes) else texts.row(value, self.depth)
            except FaultError as fault:
                malformed.append(texts.malformed(number, number - block.first_record, fault))
            else:
                rows.append(row)
                numbers.append(number)
        table, bad = fitting(rows, scan.schema)
        for place, (reason, evidence) in bad.items():
            where = numbers[place] - block.first_record
            malformed.append(texts.malformed(numbers[place], where, FaultError(reason, **evidence)))
        good = [place for place in range(len(rows)) if place not in bad]
        records = pl.Series(np.array(numbers, np.uint64)[good] if rows else [], dtype=pl.UInt64)
        remarks = unseen((rows[place] for place in good), scan.schema)
        return Parsed(table, records, malformed_table(malformed), remarks)

    def _refused(self, block: Block, found: Huge | Broken) -> Malformed:
        if isinstance(found, Huge):
            return too_long(block, found.held, found.held.start.decode(errors="replace"), self.longest)
        raw = found.start.decode(errors="replace")
        return Malformed(block.first_record, found.line, found.reason, {"line": found.line}, raw)


def _texts(found: Found) -> Iterator[bytes]:
    if isinstance(found, Piece):
        for start, end in zip(found.starts.tolist(), found.ends.tolist(), strict=True):
            yield found.data[start:end].strip()


def _path_of(records: str) -> tuple[str, ...]:
    if records == _ITSELF:
        return ()
    return tuple(records.replace("[]", f".{ANY}").removeprefix(".").split("."))


def _written(path: tuple[str, ...]) -> str:
    return ".".join(path) or _ITSELF
