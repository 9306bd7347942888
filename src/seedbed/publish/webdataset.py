"""WebDataset shards."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from itertools import chain, count, islice
from pathlib import Path
from typing import ClassVar, Literal

import orjson
import polars as pl
from pydantic import Field

from seedbed.core.errors import DataError
from seedbed.core.exporter import BATCH, Rows
from seedbed.core.part import Example

from .files.described import described
from .files.plain import frame_of, records
from .files.splits import Splits


class Webdataset(Splits):
    """Write each split as tar shards that the `webdataset` library streams: a JSON file a row.

    `train/000000.tar` holds `000000000.json`, `000000001.json`, … in row order; what a row's JSON says, and by which
    rules, is as with `jsonl`. Tar headers carry no owner and no time, so that the same rows give the same bytes.

    ## Why
    Readers stream whole shards in order, from a disk or over HTTP, and workers share shards out among them.

    ## Limits
    A tar file takes at least 1 KiB a row. As many workers can share the work as there are shards: `shard_rows` makes
    more of them. Categories come back as texts.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Two shards",
            options={"path": "out/webdataset", "shard_rows": 1, "row_ids": False},
            before={"text": ["good", None]},
            after={"train/000000.tar": [{"text": "good"}], "train/000001.tar": [{"text": None}]},
        ),
    )

    use: Literal["webdataset"] = "webdataset"
    shard_rows: int = Field(10_000, ge=1, description="Rows of a shard.")

    def write(self, rows: Rows, target: Path) -> None:
        """Write the shards."""
        target.mkdir()
        found = (record for batch in rows.batches() for record in records(batch))
        for shard in count():
            some = islice(found, self.shard_rows)
            first = next(some, None)
            if first is None:
                return
            with tarfile.open(target / f"{shard:06}.tar", "w", format=tarfile.USTAR_FORMAT) as held:
                for place, record in enumerate(chain([first], some), shard * self.shard_rows):
                    data = orjson.dumps(record)
                    member = tarfile.TarInfo(f"{place:09}.json")
                    member.size = len(data)
                    held.addfile(member, io.BytesIO(data))

    @classmethod
    def read(cls, path: Path) -> Rows:
        """Rows as they were given to `write`.

        Raises:
            DataError: The schema or a shard is damaged.
        """
        schema = described(path, "webdataset").schema

        def batches() -> Iterator[pl.DataFrame]:
            for some in _batched(_records(path)):
                yield frame_of(some, schema, at=str(path))

        return Rows(schema, batches)


def _batched(found: Iterator[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    while some := list(islice(found, BATCH)):
        yield some


def _records(folder: Path) -> Iterator[dict[str, object]]:
    for path in sorted(folder.glob("*.tar")):
        try:
            with tarfile.open(path, "r|") as shard:
                for member in shard:
                    held = shard.extractfile(member)
                    if held is not None:
                        yield orjson.loads(held.read())
        except (tarfile.TarError, orjson.JSONDecodeError, OSError) as error:
            raise DataError(f"a shard cannot be read: {str(error)[:160]}", at=str(path)) from None
