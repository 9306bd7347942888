"""Some rows of a source, from all over it: what fits in memory and can be looked at in seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from seedbed.core.context import Context
from seedbed.core.source import Scan, Source

#: About as many rows, and bytes of them in memory, as a sample holds. A file with fewer is looked at whole.
MOST_ROWS = 100_000
MOST_BYTES = 64_000_000


@dataclass(frozen=True)
class Sample:
    """Rows of a source, and what stood between them."""

    rows: pl.DataFrame
    """The rows, without identity, under the names that a run gives their columns."""
    malformed: Mapping[str, int]
    """Records that are no rows, by reason."""
    share: float
    """Which share of the source's bytes was parsed; 1 when all of them were."""

    @property
    def whole(self) -> bool:
        """Whether nothing was left out."""
        return self.share >= 1

    @property
    def records(self) -> int:
        """How many records the source has; an estimate unless the sample is whole."""
        seen = self.rows.height + sum(self.malformed.values())
        return seen if self.whole else round(seen / self.share)


def sample_of(source: Source, scan: Scan, renames: Mapping[str, str], context: Context) -> Sample:
    """Parse blocks of a source, all of them or, of a big one, some that are spread evenly.

    Args:
        source: Where the rows come from.
        scan: What it found.
        renames: Columns to take, as NEW: OLD.
        context: Shows progress.

    Raises:
        DataError: The source cannot be read.
    """
    total = max(sum(file.size for file in scan.files), 1)
    tables = [pl.DataFrame(schema=scan.schema)]
    malformed: Counter[str] = Counter()
    place = parsed_bytes = skip_until = held = rows = 0
    whole = True
    with context.stage("Looking at the rows", total, "B") as stage:
        for block in source.blocks(scan, context):
            start, place = place, place + block.size
            stage.advance(block.size)
            if start < skip_until:
                whole = False
                continue
            parsed = source.parse(block, scan)
            tables.append(parsed.table)
            malformed.update(parsed.malformed["reason"].to_list())
            parsed_bytes += block.size
            rows += parsed.table.height
            held += int(parsed.table.estimated_size())
            # As many times more than fits as there would be, were the rest of the file like what was seen.
            times = max(rows / MOST_ROWS, held / MOST_BYTES) * total / max(parsed_bytes, 1)
            if times > 1:
                skip_until = place + int(block.size * (times - 1))
    read = pl.concat(tables)
    # Series, not expressions: to those a column called `*` would mean all of them.
    taken = pl.DataFrame([read[old].alias(new) for new, old in renames.items()])
    return Sample(taken, dict(malformed), 1.0 if whole else min(parsed_bytes / total, 0.999))
