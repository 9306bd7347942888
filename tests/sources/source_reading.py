"""Read a source as the engine does: scan, cut, parse each block (pickled on the way), put together."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from seedbed.core.context import Context
from seedbed.core.source import MALFORMED_SCHEMA, Block, Scan, Source


@dataclass
class Read:
    scan: Scan
    table: pl.DataFrame
    records: list[int]
    malformed: list[dict[str, Any]]
    blocks: list[Block]
    remarks: dict[str, int]

    @property
    def reasons(self) -> list[tuple[int, int, str]]:
        return [(bad["record"], bad["line"], bad["reason"]) for bad in self.malformed]


def read(source: Source, base: Path = Path(), *, context: Context | None = None) -> Read:
    context = context or Context(base=base, store=base / ".seedbed")
    scan = source.scan(context)
    blocks, tables, records, malformed = [], [pl.DataFrame(schema=scan.schema)], [], []
    remarks: dict[str, int] = {}
    for block in source.blocks(scan, context):
        parsed = source.parse(pickle.loads(pickle.dumps(block)), scan)
        assert parsed.table.schema == scan.schema
        assert parsed.records.dtype == pl.UInt64
        assert dict(parsed.malformed.schema) == MALFORMED_SCHEMA
        numbers = parsed.records.to_list()
        assert len(numbers) == parsed.table.height
        assert not set(numbers) & set(parsed.malformed["record"].to_list())
        blocks.append(block)
        tables.append(parsed.table)
        records.extend(numbers)
        malformed.extend(parsed.malformed.to_dicts())
        for text, n in parsed.remarks.items():
            remarks[text] = remarks.get(text, 0) + n
    return Read(scan, pl.concat(tables), records, malformed, blocks, remarks)
