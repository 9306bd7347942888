"""Which source reads a file, told by its contents; and what to do about files that none reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import orjson

from seedbed.core.context import Context
from seedbed.core.errors import DataError, SeedbedError
from seedbed.core.source import InputFile, Scan, Source
from seedbed.engine.plan import renames_of
from seedbed.profile import Sample, column_profile, header_is_a_row, sample_of
from seedbed.sources import Csv, Jsonl, Parquet
from seedbed.sources.reading.files import PACKED, find
from seedbed.sources.reading.stream import Stream

_HEAD = 1 << 16
#: Files of fewer bytes are looked at before anyone wonders whether something happens.
_AT_ONCE = 20_000_000
_BY_ENDING: dict[str, type[Source]] = {
    ".csv": Csv,
    ".tsv": Csv,
    ".jsonl": Jsonl,
    ".ndjson": Jsonl,
    ".parquet": Parquet,
    ".pq": Parquet,
}
#: The sources that are told by a file's contents.
TOLD = frozenset(_BY_ENDING.values())
_TO_PARQUET = "in Python: import pandas; pandas.{read}({name!r}).to_parquet({new!r}), then look at that file"
_NOT_YET: tuple[tuple[bytes, str, str], ...] = (
    (b"ARROW1", "an Arrow file", _TO_PARQUET.format(read="read_feather", name="{name}", new="{stem}.parquet")),
    (b"SQLite format 3\0", "an SQLite database", "sqlite3 -header -csv {name} 'select * from TABLE' > {stem}.csv"),
    (b"%PDF-", "a PDF document", "copy its rows into a CSV file"),
    (b"PK\x03\x04", "an Office document or an archive", "save the sheet as CSV, or unpack the archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "save the sheet as CSV"),
    (b"\x80\x04\x95", "a pickle, which Seedbed does not load", "save it as CSV or Parquet where it was made"),
    (b"\x89PNG", "a picture", "give a file with rows of text"),
    (b"\xff\xd8\xff", "a picture", "give a file with rows of text"),
)


@dataclass(frozen=True)
class Recognised:
    """A file that can be read, and some of its rows."""

    source: Source
    scan: Scan
    sample: Sample
    notes: tuple[str, ...] = ()
    """What was decided on the way, in sentences."""


def recognise(path: str, context: Context) -> Recognised:
    """Find the source that reads a path, and look at some rows.

    Args:
        path: File, folder, glob or URL, relative to the context's `base`.
        context: Shows progress.

    Raises:
        DataError: Nothing is there, it cannot be read, or it is of a kind that no source reads yet.
    """
    files = find(path, context, suffixes=tuple(_BY_ENDING), use="init")
    if sum(file.size for file in files) < _AT_ONCE:
        context = replace(context, progress=Context().progress)
    kind, notes = _kind_of(files)
    source = kind.model_validate({"use": kind.model_fields["use"].default, "path": path})
    if not isinstance(source, Csv):
        scan = source.scan(context)
        return Recognised(source, scan, looked_at(source, scan, context), notes)
    return _delimited(source, context, notes)


def kind_of(path: str, context: Context) -> tuple[type[Source], tuple[str, ...]]:
    """The kind of source that reads a path, and what is left out, in sentences.

    Raises:
        DataError: Nothing is there, it cannot be read, or it is of a kind that no source reads yet.
    """
    return _kind_of(find(path, context, suffixes=tuple(_BY_ENDING), use="init"))


def looked_at(source: Source, scan: Scan, context: Context) -> Sample:
    """Some rows of a source, under the names that a run gives their columns."""
    return sample_of(source, scan, renames_of(source, scan, "sources.0"), context)


def _kind_of(files: Sequence[InputFile]) -> tuple[type[Source], tuple[str, ...]]:
    if len(files) == 1:
        return _by_contents(files[0]), ()
    kinds = Counter(_BY_ENDING.get(_ending(file.name), Csv) for file in files)
    kind, count = kinds.most_common(1)[0]
    if len(kinds) == 1 and _ending(files[0].name) not in _BY_ENDING:
        kind = _by_contents(files[0])
    others = ", ".join(f"{n} {other.model_fields['use'].default}" for other, n in kinds.items() if other is not kind)
    name = kind.model_fields["use"].default
    return kind, (f"{count} {name} files are read; {others} are left out",) if others else ()


def _ending(name: str) -> str:
    path = PurePosixPath(name.lower())
    return PurePosixPath(path.stem).suffix if path.suffix in PACKED else path.suffix


def _by_contents(file: InputFile) -> type[Source]:
    with Stream(file.url) as stream:
        head = stream.read(_HEAD)
    name = PurePosixPath(file.name).name
    if head.startswith(b"PAR1"):
        return Parquet
    for magic, what, way_out in _NOT_YET:
        if head.startswith(magic):
            hint = way_out.replace("{name}", name).replace("{stem}", PurePosixPath(name).stem)
            raise DataError(f"is {what}, not a table of text", at=file.url, hint=hint)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] not in (b"{", b"["):
        return Csv
    if _is_object(start.partition(b"\n")[0]) or _ending(file.name) in (".jsonl", ".ndjson"):
        return Jsonl
    if start[:1] == b"[" and _ending(file.name) != ".json":
        return Csv
    raise DataError(
        "is one JSON document; Seedbed reads JSON with one object a line",
        at=file.url,
        hint=f"jq -c '.[]' {name} > {PurePosixPath(name).stem}.jsonl (if it is a list of objects), "
        "then look at that file",
    )


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


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
    why = header_is_a_row([column_profile(column) for column in sample.rows.head(20_000)], sample.rows.head(20_000))
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
