"""Read a `rest` source as the engine does, with a digest of its rows and their ids."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from seedbed.core.context import Context
from seedbed.core.digest import RowsDigest
from seedbed.core.rows import number_rows
from seedbed.core.source import Scan
from seedbed.sources.rest import Rest
from seedbed.store.snapshots import Snapshot

QUICK = {"per_second": 10_000, "backoff": 0.001, "timeout": 20.0}
#: What the API of the fixture `api` holds.
ITEMS = [
    {"id": number, "text": f"text {number}", "updated": f"2024-01-{number:02}", "by": {"name": f"n{number}"}}
    for number in range(1, 26)
]


@dataclass
class Read:
    scan: Scan
    table: pl.DataFrame
    malformed: list[dict[str, Any]]

    @property
    def digest(self) -> str:
        digest = RowsDigest()
        digest.update(self.table)
        return digest.hexdigest()

    @property
    def reasons(self) -> list[tuple[str, str]]:
        return [(bad["row"], bad["reason"]) for bad in self.malformed]


def context(folder: Path, **more: Any) -> Context:
    return Context(base=folder, store=folder / "store", **more)


def rest(url: str, **options: Any) -> Rest:
    return Rest.model_validate({"use": "rest", "url": url, **QUICK, **options})


def snapshot_of(source: Rest, folder: Path) -> Snapshot:
    return source.snapshot(context(folder))


def read(source: Rest, folder: Path, **more: Any) -> Read:
    held = context(folder, **more)
    scan = pickle.loads(pickle.dumps(source.scan(held)))
    tables, malformed = [], []
    for block in source.blocks(scan, held):
        parsed = source.parse(pickle.loads(pickle.dumps(block)), scan)
        assert parsed.table.schema == scan.schema
        numbers, bad = parsed.records.to_list(), parsed.malformed["record"].to_list()
        assert sorted([*numbers, *bad]) == list(range(1, block.payload + 1))
        name = scan.files[block.file].name
        records = parsed.records
        tables.append(number_rows(parsed.table, file_number=block.file, source="api", file=name, records=records))
        malformed += [{"row": f"{name}#{one['record']}", **one} for one in parsed.malformed.to_dicts()]
    return Read(scan, pl.concat(tables), malformed)
