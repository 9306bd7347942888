"""What a careful reader would point out about a run, though nothing is wrong by the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from seedbed.core.run import DatasetRecord
from seedbed.core.splitter import Certificate

#: Fewer rows than this make for wide intervals.
FEW_ROWS = 100
#: A classifier with more labels than this is most likely given an id or a text as its label.
MOST_LABELS = 1_000


def notices(
    labels: Sequence[str], dataset: DatasetRecord | None, certificate: Certificate | None = None
) -> Iterator[str]:
    """Things to look at, a sentence each."""
    if certificate and certificate.train_only:
        made, moved = certificate.train_only["rows"], certificate.train_only["moved"]
        yield f"{made:,} made rows only train, and {moved:,} other rows that belong to them went to train with them"
    alike = defaultdict(list)
    for label in labels:
        alike[" ".join(label.split()).casefold()].append(label)
    for group in alike.values():
        if len(group) > 1:
            named = ", ".join(repr(label[:40]) for label in group[:6])
            yield f"labels that differ only in case or spaces count as different: {named}; `map_values` makes them one"
    if dataset is None or not dataset.splits:
        return
    rows = sum(dataset.splits.values())
    if len(labels) > rows / 5:
        yield f"{len(labels):,} labels for {rows:,} rows: is the label column an id or a text?"
    for split in ("validation", "test"):
        if 0 < dataset.splits.get(split, 0) < FEW_ROWS:
            yield f"only {dataset.splits[split]} {split} rows: scores on them say little, read their intervals"
