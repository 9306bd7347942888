"""Records inside XML documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import polars as pl
import xxhash
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.part import Example
from seedbed.core.source import Block, FileSource, InputFile, Parsed, Scan

from .markup.columns import Row, element_of
from .markup.document import Broken, Document, Element, Found, Huge, likeliest, root_of
from .nested.columns import MOST_COLUMNS, SAMPLE, unseen
from .nested.flattening import DEPTH
from .nested.objects import FaultError
from .reading.blocks import BLOCK, LONGEST, Malformed, malformed_table, too_long
from .reading.files import find
from .reading.stream import Stream


@dataclass(frozen=True)
class _Elements:
    """Payload of a block."""

    lines: tuple[int, ...]
    data: tuple[bytes, ...]


class Xml(FileSource):
    """Reads the records of XML documents: the elements that a path names.

    ## Why
    A document streams by; libxml2 cuts it into records, and the workers make rows of them. Nothing that a document asks
    for is done: no entity is expanded, no DTD read, nothing fetched. A file that declares entities, nests deeper than
    256 levels or holds a text over 10 MB is refused. One that ends too early, or stops being XML, keeps the records
    before that place, and `cut_off` or `not_xml` in the ledger says where it was.

    `records` says which elements are records: `item` is any of that name, `channel/item` those in a `channel`,
    `/rss/channel/item` those on that way from the root. Left out, they are found by the first MiB: elements that repeat
    and hold others, of these the least deep, of these the most frequent.

    Attributes are columns `@NAME`, children `NAME`, what is inside them `NAME.INNER` to `depth` levels; deeper elements
    stand in their column as JSON text. A child that repeats in some record of the first MiB is a JSON list in all. An
    element with text and other elements side by side is its text, tags left out. Names are those without a prefix;
    those from another namespace than the record's keep theirs (`dc:creator`).

    ## Limits
    All columns are text, white space around it is dropped, and an empty element is null. Comments and processing
    instructions are no data. References to characters are read as in HTML (`&eacute;`) where the document names a DTD;
    any other entity makes its record malformed (`unknown_entity`). What `records` names inside a record is part of
    that one. A record over 16 MiB or of more than 2,000 columns is refused. After a place that is no XML, nothing more
    of that file can be read. One process cuts a file into records.
    """

    extra: ClassVar[str] = "documents"
    needs: ClassVar[tuple[str, ...]] = ("lxml",)
    block_bytes: ClassVar[int] = BLOCK
    longest: ClassVar[int] = LONGEST
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Attributes, an element inside another, one that repeats",
            before={"lines": ['<list n="2">', '<item id="1"><text>good &amp; fine</text><by><name>Ada</name></by>',
                              "<tag>a</tag><tag>b</tag></item>",
                              '<item id="2"><text>so <b>bad</b></text><tag>c</tag></item>', "</list>"]},
            after={"@id": ["1", "2"], "text": ["good & fine", "so bad"], "by.name": ["Ada", None],
                   "tag": ['["a","b"]', '["c"]']},
        ),
        Example(
            title="A feed that ends too early",
            options={"records": "/feed/entry"},
            before={"lines": ["<feed><entry><title>one</title></entry>", "<entry><title>tw"]},
            after={"title": ["one"]},
        ),
    )  # fmt: skip

    use: Literal["xml"] = "xml"
    records: str | None = Field(
        None,
        pattern=r"^/?[^/\s]+(/[^/\s]+)*$",
        description="Which elements are records: `item`, `channel/item` or `/rss/channel/item`; found when left out.",
    )
    depth: int = Field(DEPTH, ge=0, le=64, description="Levels of elements inside a record that become columns.")

    # -- scan

    def scan(self, context: Context) -> Scan:
        """Read every file once to hash it; find the records, and learn the columns from its first ones."""
        from lxml import etree

        self.check_needs()
        notes: list[str] = []
        found = find(self.path, context, suffixes=(".xml",), use=self.use, notes=notes)
        files: list[InputFile] = []
        roots: list[str] = []
        path = self.records
        columns: dict[str, None] = {}
        lists: set[str] = set()
        with context.stage(f"looking at {self.path}", sum(file.size for file in found), "B") as stage:
            for file in found:
                roots.append(root_of(file.url))
                path = path or self._found(file)
                if not self._sample(file, path, roots[-1], columns, lists):
                    if len(found) == 1:
                        raise DataError(f"holds no record at {path}", at=file.url, hint="look at the elements' names")
                    notes.append(f"{file.name} has no records")
                with Stream(file.url, hashed=True) as stream:
                    files.append(replace(file, sha256=stream.sha256()))
                stage.advance(file.size)
        if not columns or len(columns) > MOST_COLUMNS:
            problem = f"would have {len(columns):,} columns" if columns else "its records hold nothing"
            raise DataError(problem, at=self.path, hint="say which elements are records (records: …)")
        version = ".".join(map(str, etree.LIBXML_VERSION))
        settings = {"records": path, "roots": roots, "lists": sorted(lists), "libxml2": version}
        schema = pl.Schema({name: pl.String() for name in columns})
        return Scan(tuple(files), schema, settings, {"records": path or ""}, tuple(notes))

    def _found(self, file: InputFile) -> str:
        path, there = likeliest(file.url, SAMPLE)
        if path:
            return path
        raise DataError(
            "it is not clear which elements are records" + (f": {there}?" if there else ""),
            at=file.url,
            hint=f"say so, such as records: {(there or '/list/item').split(' ')[0].strip(',')}",
        )

    def _sample(self, file: InputFile, path: str, root: str, columns: dict[str, None], lists: set[str]) -> bool:
        """Note the columns of the first MiB of records; whether there are any."""
        taken, some = 0, False
        with Stream(file.url) as stream:
            for found in Document(file.url, path, root, self.longest).read(stream):
                some = True
                if isinstance(found, Element):
                    try:
                        row = Row(element_of(found.data), self.depth)
                    except FaultError:
                        continue
                    columns.update(dict.fromkeys(row.fields))
                    lists |= row.repeated
                    taken += len(found.data)
                elif isinstance(found, Broken) and not taken:
                    raise DataError(
                        f"is no XML from line {found.line} on, and has no record before: {found.error}",
                        at=file.url,
                        hint="fetch it again, or mend it there",
                    )
                if taken >= SAMPLE:
                    break
        return some

    # -- blocks

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """Cut the files into blocks of whole records, hashing them again.

        Raises:
            DataError: A file is not the one that was scanned (told at its end), or asks for too much.
        """
        left = self.limit
        for number, (file, root) in enumerate(zip(scan.files, scan.settings["roots"], strict=True)):
            with Stream(file.url, hashed=True) as stream:
                document = Document(file.url, scan.settings["records"], root, self.longest)
                told = 0
                for block, records in self._gathered(number, document.read(stream), left):
                    yield replace(block, size=stream.position - told)
                    told = stream.position
                    left = None if left is None else left - records
                stream.check_sha256(file.sha256)
            if left == 0:
                return

    def _gathered(self, file: int, found: Iterator[Found], left: int | None) -> Iterator[tuple[Block, int]]:
        """Elements together as blocks of about `block_bytes`, with how many they are."""
        record, size = 1, 0
        held: list[Element] = []
        for one in found:
            if isinstance(one, Element):
                held.append(one)
                size += len(one.data)
            if held and (not isinstance(one, Element) or size >= self.block_bytes or len(held) == left):
                yield self._block(file, record, held), len(held)
                record, left = record + len(held), None if left is None else left - len(held)
                held, size = [], 0
            if left == 0:
                return
            if not isinstance(one, Element):
                yield Block(file, record, one.line, 0, one), 1
                record, left = record + 1, None if left is None else left - 1
            if left == 0:
                return
        if held:
            yield self._block(file, record, held), len(held)

    def _block(self, file: int, record: int, held: Sequence[Element]) -> Block:
        payload = _Elements(tuple(one.line for one in held), tuple(one.data for one in held))
        return Block(file, record, held[0].line, 0, payload)

    def heeds(self, block: Block, scan: Scan) -> Any:
        """The block's bytes and lines, and what was found out about the columns."""
        held = block.payload
        what: Any = repr(held)
        if isinstance(held, _Elements):
            what = [list(held.lines), xxhash.xxh3_128_hexdigest(b"\0".join(held.data))]
        return [what, None, {name: value for name, value in scan.settings.items() if name != "roots"}]

    # -- parse

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of a block, all columns text."""
        if not isinstance(block.payload, _Elements):
            refused = [self._refused(block, block.payload)]
            return Parsed(pl.DataFrame(schema=scan.schema), pl.Series(dtype=pl.UInt64), malformed_table(refused))
        lists = frozenset(scan.settings["lists"])
        rows: list[dict[str, str]] = []
        numbers: list[int] = []
        malformed: list[Malformed] = []
        late: dict[str, int] = {}
        for number, (line, data) in enumerate(
            zip(block.payload.lines, block.payload.data, strict=True), block.first_record
        ):
            try:
                row = Row(element_of(data), self.depth, lists)
            except FaultError as fault:
                malformed.append(Malformed(number, line, fault.reason, fault.evidence, data.decode(errors="replace")))
                continue
            rows.append(row.fields)
            numbers.append(number)
            for name in row.repeated - lists:
                late[name] = late.get(name, 0) + 1
        columns = [pl.Series(name, [row.get(name) or None for row in rows], pl.String()) for name in scan.schema]
        remarks = {
            f"{name} repeats, as in no record of the first MiB: it is a JSON list": n for name, n in late.items()
        }
        return Parsed(
            pl.DataFrame(columns, schema=scan.schema),
            pl.Series(numbers, dtype=pl.UInt64),
            malformed_table(malformed),
            remarks | unseen(rows, scan.schema),
        )

    def _refused(self, block: Block, found: Huge | Broken) -> Malformed:
        if isinstance(found, Huge):
            return too_long(block, found.held, found.held.start.decode(errors="replace"), self.longest)
        evidence = {"error": found.error, "line": found.line}
        return Malformed(block.first_record, found.line, found.reason, evidence, found.start.decode(errors="replace"))
