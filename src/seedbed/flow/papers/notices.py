"""What a careful reader would point out about a run, though nothing is wrong by the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from seedbed.core.numbers import things
from seedbed.core.run import DatasetRecord
from seedbed.core.splitter import Certificate

#: Fewer rows than this make for wide intervals.
FEW_ROWS = 100
#: A classifier with more labels than this is most likely given an id or a text as its label.
MOST_LABELS = 1_000


def notices(
    labels: Sequence[str],
    dataset: DatasetRecord | None,
    certificate: Certificate | None = None,
    *,
    trained: bool = True,
) -> Iterator[str]:
    """Things to look at, a sentence each."""
    if certificate and certificate.train_only:
        made, moved = certificate.train_only["rows"], certificate.train_only["moved"]
        went = f"{things(moved, 'other row that belongs', 'other rows that belong')} to them went to train with them"
        yield f"{things(made, 'row that a model wrote only trains', 'rows that a model wrote only train')}, and {went}"
    if certificate and certificate.folds and 2 * min(certificate.folds["rows"]) < max(certificate.folds["rows"]):
        few, many = min(certificate.folds["rows"]), max(certificate.folds["rows"])
        largest = things(certificate.largest_cluster, "row belongs", "rows belong")
        yield f"folds hold {few} to {many} rows, because {largest} together: scores of folds so uneven say little"
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
        yield f"{things(len(labels), 'label')} for {things(rows, 'row')}: is the label column an id or a text?"
    for split in ("validation", "test"):
        if 0 < dataset.splits.get(split, 0) < FEW_ROWS:
            few = f"only {things(dataset.splits[split], f'{split} row')}: scores on so few"
            yield f"{few} say little, read their intervals" if trained else f"{few} will say little"
