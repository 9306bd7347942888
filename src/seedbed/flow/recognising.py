"""Which source reads a file, told by its contents; and what to do about files that none reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import orjson

from seedbed.core.context import Context
from seedbed.core.errors import DataError, SeedbedError
from seedbed.core.numbers import word
from seedbed.core.source import InputFile, Scan, Source
from seedbed.engine.plan import renames_of
from seedbed.profile import Sample, column_profile, header_is_a_row, sample_of
from seedbed.sources import Arrow, Csv, Excel, Html, Json, Jsonl, Parquet, Pdf, Sqlite, Text, Xml
from seedbed.sources.reading.files import PACKED, find
from seedbed.sources.reading.stream import Stream

_HEAD = 1 << 16
#: Names that tell whether the first record is a row.
_MOST_NAMES = 200
#: Files of fewer bytes are looked at before anyone wonders whether something happens.
_AT_ONCE = 20_000_000
_ENDINGS: dict[type[Source], str] = {
    Csv: ".csv .tsv",
    Jsonl: ".jsonl .ndjson",
    Json: ".json .geojson",
    Parquet: ".parquet .pq",
    Arrow: ".arrow .feather .ipc .arrows",
    Xml: ".xml",
    Text: ".txt .text .md",
    Excel: ".xlsx .xlsm .xlsb .xls .ods",
    Html: ".html .htm .xhtml",
    Pdf: ".pdf",
    Sqlite: ".db .sqlite .sqlite3 .db3",
}
_BY_ENDING: dict[str, type[Source]] = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings.split()}
#: The sources that are told by a file's contents.
TOLD = frozenset(_BY_ENDING.values())
#: First bytes that tell a kind by themselves.
_MAGIC: tuple[tuple[bytes, type[Source]], ...] = (
    (b"PAR1", Parquet),
    (b"ARROW1", Arrow),
    (b"\xff\xff\xff\xff", Arrow),
    (b"SQLite format 3\0", Sqlite),
    (b"%PDF-", Pdf),
    (b"PK\x03\x04", Excel),
    (b"\xd0\xcf\x11\xe0", Excel),
)
_NOT_TOLD: tuple[tuple[bytes, str, str], ...] = (
    (b"\x80\x04\x95", "a pickle", "if you know who made it, write a recipe with use: pickle and trust: true"),
    (b"\x80\x05\x95", "a pickle", "if you know who made it, write a recipe with use: pickle and trust: true"),
    (
        b"version https://git-lfs.github.com/spec/",
        "a pointer that Git LFS left",
        "fetch the file itself (git lfs pull), or download it where it is shown",
    ),
    (b"\x89PNG", "a picture", "give a file with rows of text"),
    (b"\xff\xd8\xff", "a picture", "give a file with rows of text"),
)
#: Kinds whose files no editor shows: one that holds text is not what its name says.
_BINARY = (Parquet, Arrow, Excel, Pdf, Sqlite)


@dataclass(frozen=True)
class Recognised:
    """A file that can be read, and some of its rows."""

    source: Source
    scan: Scan
    sample: Sample
    notes: tuple[str, ...] = ()
    """What was decided on the way, in sentences."""


def recognise(path: str, context: Context, source_of: Callable[[str], Source] | None = None) -> Recognised:
    """Find the source that reads a path, and look at some rows.

    Args:
        path: File, folder, glob or URL, relative to the context's `base`.
        context: Shows progress.
        source_of: Makes the source of a `use`; as it is when left out.

    Raises:
        DataError: Nothing is there, it cannot be read, or it is of a kind that no source reads unasked.
    """
    files = find(path, context, suffixes=tuple(_BY_ENDING), use="init")
    if sum(file.size for file in files) < _AT_ONCE:
        context = replace(context, progress=Context().progress)
    kind, notes = _kind_of(files)
    kind.check_needs()
    use = kind.model_fields["use"].default
    source = source_of(use) if source_of else kind.model_validate({"use": use, "path": path})
    if isinstance(source, Csv) and "header" not in source.model_fields_set:
        return _delimited_or_misnamed(source, files[0], context, notes)
    scan = source.scan(context)
    return Recognised(source, scan, looked_at(source, scan, context), notes)


def kind_of(path: str, context: Context) -> tuple[type[Source], tuple[str, ...]]:
    """The kind of source that reads a path, and what is left out, in sentences.

    Raises:
        DataError: Nothing is there, it cannot be read, or it is of a kind that no source reads unasked.
    """
    return _kind_of(find(path, context, suffixes=tuple(_BY_ENDING), use="init"))


def looked_at(source: Source, scan: Scan, context: Context) -> Sample:
    """Some rows of a source, under the names that a run gives their columns."""
    return sample_of(source, scan, renames_of(source, scan, "sources.0"), context)


def _kind_of(files: Sequence[InputFile]) -> tuple[type[Source], tuple[str, ...]]:
    if len(files) == 1:
        return _by_contents(files[0]), ()
    kinds = Counter(_BY_ENDING.get(_ending(file.name), Csv) for file in files)
    if len(kinds) > 1:
        kinds.pop(Text, None)  # a README beside the data
    kind, count = kinds.most_common(1)[0]
    if len(kinds) == 1 and _ending(files[0].name) not in _BY_ENDING:
        kind = _by_contents(files[0])
    others = ", ".join(f"{n} {other.model_fields['use'].default}" for other, n in kinds.items() if other is not kind)
    name = kind.model_fields["use"].default
    told = f"{count} {name} {word(count, 'file is', 'files are')} read; {others} are left out"
    return kind, (told,) if others else ()


def _ending(name: str) -> str:
    path = PurePosixPath(name.lower())
    return PurePosixPath(path.stem).suffix if path.suffix in PACKED else path.suffix


def _by_contents(file: InputFile) -> type[Source]:
    with Stream(file.url) as stream:
        head = stream.read(_HEAD)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    for magic, what, hint in _NOT_TOLD:
        if head.startswith(magic):
            raise DataError(f"is {what}, not a table of text", at=file.url, hint=hint)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<"):
        return _markup(start[:1024].lower(), file)
    return _json(start, file) if start[:1] in (b"{", b"[") else Csv


def _markup(start: bytes, file: InputFile) -> type[Source]:
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start:
        return Html
    return Xml if start.startswith(b"<?xml") or _BY_ENDING.get(_ending(file.name)) is Xml else Csv


def _json(start: bytes, file: InputFile) -> type[Source]:
    """One document, or an object a line; a bracket may also open a line of delimited text."""
    first, _, rest = start.partition(b"\n")
    ending = _BY_ENDING.get(_ending(file.name))
    if ending is Jsonl or (_is_object(first) and (ending is not Json or rest.strip())):
        return Jsonl
    return Json if ending is Json or start[:1] == b"{" else Csv


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _delimited_or_misnamed(source: Csv, file: InputFile, context: Context, notes: tuple[str, ...]) -> Recognised:
    """Read delimited text. Whoever takes it for what its name promises is told that it is none."""
    promised = _BY_ENDING.get(_ending(file.name))
    if promised not in _BINARY:
        return _delimited(source, context, notes)
    told = f"holds text, not the {promised.model_fields['use'].default} that its name promises"
    try:
        return _delimited(source, context, (*notes, f"{file.name} {told}: it is read as delimited text"))
    except DataError as error:
        hint = "look into it: it may be what a server says that has no such file"
        raise DataError(f"{told}; as delimited text it {error.problem}", at=error.at, hint=hint) from None


def _delimited(source: Csv, context: Context, notes: tuple[str, ...]) -> Recognised:
    """Read delimited text, with its first record as a row where it does not name the columns."""
    bare = source.model_copy(update={"header": False})
    try:
        scan = source.scan(context)
    except SeedbedError as error:
        if "more than once" not in error.problem and "a header and no rows" not in error.problem:
            raise
        scan = bare.scan(context)
        sample = looked_at(bare, scan, context)
        first = sample.rows.row(0) if sample.rows.height else ()
        if not any(_is_number(value) for value in first):  # names that stand there twice are names all the same
            raise
        return Recognised(bare, scan, sample, (*notes, "the first line is read as a row: it holds values, not names"))
    sample = looked_at(source, scan, context)
    if context.named & {name for place, name in enumerate(scan.schema, 1) if name != f"column_{place}"}:
        return Recognised(source, scan, sample, notes)
    top = sample.rows.head(20_000)
    why = header_is_a_row([column_profile(column, shown=False) for column in top.get_columns()[:_MOST_NAMES]], top)
    if not why:
        return Recognised(source, scan, sample, notes)
    scan = bare.scan(context)
    told = f"the first line is read as a row, not as names: {why}"
    return Recognised(bare, scan, looked_at(bare, scan, context), (*notes, told))


def _is_number(value: str | None) -> bool:
    try:
        return value is not None and float(value) is not None
    except ValueError:
        return False
