"""Cuts sources into blocks on the workers of a cluster, so that what is read does not go through one machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from seedbed.core.context import Context
from seedbed.core.errors import DataError, told_as
from seedbed.core.source import Block, Scan, Source

from .workers import Workers

#: Files that are cut before their blocks are done: so many blocks wait in memory.
_FILES = 256


@dataclass(frozen=True)
class CutJob:
    """Cuts one file."""

    source: Source
    scan: Scan

    def __call__(self, file: int) -> tuple[int, list[Block] | None]:
        """The file, and its blocks; none where it cannot be cut here."""
        with told_as(DataError, self.scan.files[file].name):
            return file, self.source.stretches(self.scan, file)


def cut_by(workers: Workers, source: Source, scan: Scan, context: Context) -> Iterator[Block]:
    """The blocks of a source, in order. From the first file that workers cannot cut on, they are cut here."""
    if type(source).stretches is Source.stretches:
        yield from source.blocks(scan, context)
        return
    for first in range(0, len(scan.files), _FILES):
        files = range(first, min(first + _FILES, len(scan.files)))
        found = dict(workers.run(CutJob(source, scan), files))
        for file in files:
            cut = found.pop(file)
            if cut is None:
                yield from (block for block in source.blocks(scan, context) if block.file >= file)
                return
            yield from cut
