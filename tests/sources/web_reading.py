"""Read a `web` source as the engine does: which rows, which ids, what stands in the ledger, in what order."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from seedbed.core.context import Context
from seedbed.core.digest import RowsDigest
from seedbed.core.errors import MissingExtraError
from seedbed.core.rows import ROW, number_rows
from seedbed.core.source import Scan
from seedbed.sources.web import Web
from seedbed.store.snapshots import Snapshot
from serving.site import Site

WHO = "seedbed-test/1.0 (me@example.org)"
QUICK = {"per_second": 10_000, "backoff": 0.001, "timeout": 5.0, "allow_private": True}


@dataclass
class Read:
    scan: Scan
    table: pl.DataFrame
    malformed: dict[str, str]
    """Reasons by row id."""

    @property
    def digest(self) -> str:
        digest = RowsDigest()
        digest.update(self.table)
        return digest.hexdigest()

    def paths(self, site: Site) -> list[str]:
        """Of the rows, in order."""
        return [row.removeprefix(f"web:{site.url('')}").removesuffix("#1") for row in self.table[ROW]]

    def told(self, site: Site) -> dict[str, str]:
        """Reasons by path."""
        return {row.removeprefix(f"web:{site.url('')}").removesuffix("#1"): why for row, why in self.malformed.items()}

    def failed(self, site: Site) -> dict[str, str]:
        """Why addresses gave no page."""
        failed = self.scan.fetching["failed"]
        return {note["url"].removeprefix(site.url("")): note["reason"] for note in failed}


def needs_web() -> None:
    """Skip a module whose tests need the extra `web`."""
    try:
        Web.check_needs()
    except MissingExtraError as error:
        pytest.skip(str(error), allow_module_level=True)


def context(folder: Path, **more: Any) -> Context:
    return Context(base=folder, store=folder / "store", **more)


def web(site: Site, *paths: str, **options: Any) -> Web:
    seeds = {"seeds": [site.url(path) for path in paths]} if paths else {}
    return Web.model_validate({"use": "web", "user_agent": WHO, **QUICK, **seeds, **options})


def snapshot_of(source: Web, folder: Path) -> Snapshot:
    return source.snapshot(context(folder))


def read(source: Web, folder: Path, **more: Any) -> Read:
    held = context(folder, **more)
    scan = pickle.loads(pickle.dumps(source.scan(held)))
    tables, malformed = [], {}
    for block in source.blocks(scan, held):
        parsed = source.parse(pickle.loads(pickle.dumps(block)), scan)
        assert parsed.table.schema == scan.schema
        assert parsed.table.height + parsed.malformed.height == 1
        name = scan.files[block.file].name
        tables.append(
            number_rows(parsed.table, file_number=block.file, source="web", file=name, records=parsed.records)
        )
        malformed.update({f"web:{name}#1": reason for reason in parsed.malformed["reason"]})
    return Read(scan, pl.concat(tables), malformed)
