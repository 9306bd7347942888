"""Where rows stand in the files that they were read from: on which line."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.context import Context
from seedbed.core.source import Block, InputFile
from seedbed.engine.jobs import Opened
from seedbed.sources.reading.files import PACKED, is_local, local_path


class Place(BaseModel):
    """A line of a file."""

    model_config = ConfigDict(frozen=True)

    file: str = Field(description="The file, from the current folder.")
    line: int = Field(description="The line on which the row begins, from 1.")


def places_of(rows: Iterable[str], opened: Opened, context: Context) -> dict[str, Place]:
    """Where rows begin, of those that stand in files which an editor shows by lines: local ones that are not packed.

    Args:
        rows: Names of rows of one source.
        opened: The source.
        context: For reading it once more, up to the last of these rows.

    Raises:
        DataError: A file cannot be read any more, or is another.
    """
    wanted = _wanted(rows, opened)
    found: dict[str, Place] = {}
    for block, end in _blocks(opened, context) if wanted else ():
        records = sorted(record for record in wanted.get(block.file, {}) if block.first_record <= record < end)
        lines = opened.source.lines(block, opened.scan, records)
        if records and not lines:
            return {}
        file = _shown(opened.scan.files[block.file])
        for record, line in zip(records, lines, strict=True):
            found[wanted[block.file][record]] = Place(file=file, line=line)
        if len(found) == sum(map(len, wanted.values())):
            break
    return found


def _wanted(rows: Iterable[str], opened: Opened) -> dict[int, dict[int, str]]:
    """Rows by the place of their file and their record in it."""
    files = {f"{opened.name}:{file.name}": place for place, file in enumerate(opened.scan.files) if _is_plain(file)}
    found: dict[int, dict[int, str]] = {}
    for row in rows:
        name, _, record = row.rpartition("#")
        if name in files and record.isdecimal():
            found.setdefault(files[name], {})[int(record)] = row
    return found


def _blocks(opened: Opened, context: Context) -> Iterator[tuple[Block, float]]:
    """Each block, and the first record after it."""
    blocks = itertools.chain(opened.source.blocks(opened.scan, context), [None])
    for block, after in itertools.pairwise(blocks):
        if block is not None:
            yield block, after.first_record if after is not None and after.file == block.file else math.inf


def _is_plain(file: InputFile) -> bool:
    return is_local(file.url) and not file.url.endswith((*PACKED, ".zip")) and local_path(file.url).is_file()


def _shown(file: InputFile) -> str:
    path = local_path(file.url)
    return Path(os.path.relpath(path)).as_posix()
