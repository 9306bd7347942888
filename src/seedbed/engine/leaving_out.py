"""Takes rows out that a later stage rejects, with the books and the ledger kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pyarrow.parquet as pq

from seedbed.core import digest
from seedbed.core.context import Context
from seedbed.core.errors import BooksError
from seedbed.core.ledger import Books
from seedbed.core.run import StepRecord
from seedbed.core.table import Table
from seedbed.store.store import Store

from .curate import Curated
from .jobs import LEDGER, ROWS, Pass, ShardJob
from .kernel import Kernel
from .passes import verdicts_on
from .provenance import code_of, versions
from .units import Crew, Unit, keys_of


def leave_out(
    curated: Curated,
    verdicts: Path | None,
    part: str,
    *,
    shown: str | None,
    changes: Literal["sample", "all"],
    context: Context,
) -> Curated:
    """What is left of rows when verdicts on them (`NUMBER`, `reason`, `evidence`) are applied.

    Only shards that hold a rejected row are written anew.

    Args:
        curated: The rows so far.
        verdicts: A file; none where every row stays.
        part: Whose verdicts they are, by its `use`.
        shown: Column whose excerpt stands in the ledger.
        changes: As in `Kernel`.
        context: Of the run.

    Raises:
        BooksError: A verdict is about no row.
    """
    before = curated.books
    if verdicts is None:
        record = StepRecord(part=part, use=part, rows_in=before.kept, rows_out=before.kept, changed=0, rejected={})
        return replace(curated, parts=(*curated.parts, record))
    count = pq.read_metadata(verdicts).num_rows
    asked = [digest.of_json([part, shown, changes, code_of(), versions()])]
    touched = {shard: said for shard in curated.table.shards if (said := verdicts_on(shard, verdicts))}

    def units() -> Iterator[Unit]:
        for shard, made_of in zip(touched, keys_of(list(touched)), strict=True):
            yield Unit(digest.of_json([asked, made_of, touched[shard]]), shard)

    job = ShardJob(Pass(Kernel((), shown, changes), context.batch), verdicts, part)
    artefact = Store.of(context).artefact("passes", digest.of_json([asked, curated.key, *touched.values()]))
    with Crew.of(context) as crew:
        done = crew.work(artefact, job, units(), title=f"Rejecting: {part}", total=len(touched), unit="shards")
    rejected = done.facts["rejected"]
    if sum(rejected.get(part, {}).values()) != count:
        raise BooksError(f"{count} verdicts rejected {sum(rejected.get(part, {}).values())} rows", at=part)
    anew = dict(zip(touched, done.files(ROWS), strict=True))
    left = before.kept - count
    books = before.then(Books(read=before.kept, kept=left, rejected=rejected)).check(at=part)
    record = StepRecord(
        part=part, use=part, rows_in=before.kept, rows_out=left, changed=0, rejected=rejected.get(part, {})
    )
    return replace(
        curated,
        table=Table(tuple(anew.get(shard, shard) for shard in curated.table.shards)),
        books=books,
        parts=(*curated.parts, record),
        ledger=(*curated.ledger, done.files(LEDGER)),
    )
