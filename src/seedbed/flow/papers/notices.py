"""What a careful reader would point out about a run, though nothing is wrong by the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from seedbed.core.numbers import things, word
from seedbed.core.run import DatasetRecord
from seedbed.core.splitter import Certificate
from seedbed.evaluate.groups import FEW_GROUPS

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
    yield from _alike(labels)
    if dataset is None or not dataset.splits:
        return
    rows = sum(dataset.splits.values())
    if len(labels) > rows / 5:
        yield f"{things(len(labels), 'label')} for {things(rows, 'row')}: is the label column an id or a text?"
    elif len(labels) > 1:
        yield from _idle(labels, dataset)
    for split in ("validation", "test"):
        if 0 < dataset.splits.get(split, 0) < FEW_ROWS:
            few = f"only {things(dataset.splits[split], f'{split} row')}: scores on so few"
            yield f"{few} say little, read their intervals" if trained else f"{few} will say little"


def _alike(labels: Sequence[str]) -> Iterator[str]:
    alike = defaultdict(list)
    for label in labels:
        alike[" ".join(label.split()).casefold()].append(label)
    for group in alike.values():
        if len(group) > 1:
            named = ", ".join(repr(label[:40]) for label in group[:6])
            yield f"labels that differ only in case or spaces count as different: {named}; `map_values` makes them one"


def _idle(labels: Sequence[str], dataset: DatasetRecord) -> Iterator[str]:
    """Labels of which scores say nothing: those of all rows, and of none that judges."""
    for label in labels:
        if all(dataset.labels[split].get(label) == rows for split, rows in dataset.splits.items() if rows):
            yield (
                f"all rows have the label {label[:40]!r}, so that whoever always says it is right: "
                "it lifts `micro_f1`; leave it out, or judge by `macro_f1`"
            )
    absent = [
        repr(label[:40]) for label in labels if dataset.splits.get("test") and not dataset.labels["test"].get(label)
    ]
    if absent:
        several = f"{len(absent):,} of the labels ({', '.join(absent[:4])}{', …' if len(absent) > 4 else ''})"
        which = several if len(absent) > 1 else f"the label {absent[0]}"
        yield f"no test row has {which}: nothing is known of how well {word(len(absent), 'it is', 'they are')} told"


def notices_of_groups(groups: Mapping[str, int]) -> Iterator[str]:
    """Where rows that judge are no independent draws, by split: groups of them that are too few."""
    for split, found in groups.items():
        if found == 1:
            yield f"the {split} rows are one group: intervals tell of other rows of that group, and of no other"
        elif found < FEW_GROUPS:
            yield f"the {split} rows are only {found} groups: intervals of so few groups are too narrow"
