"""What a careful reader would point out about a run."""

from __future__ import annotations

import pytest

from seedbed.core.run import DatasetRecord
from seedbed.core.splitter import Certificate
from seedbed.flow.papers.notices import notices


@pytest.mark.parametrize(("rows", "told"), [([518, 17, 16, 17], True), ([150, 140, 120, 158], False)])
def test_folds_that_are_uneven_are_pointed_out(rows: list[int], told: bool) -> None:
    certificate = Certificate.model_construct(folds={"rows": rows}, largest_cluster=max(rows), train_only=None)
    dataset = DatasetRecord.model_construct(splits={"train": sum(rows)})
    found = list(notices([], dataset, certificate, trained=False))
    assert found == (
        [f"folds hold {min(rows)} to 518 rows, because 518 rows belong together: scores of folds so uneven say little"]
        * told
    )


def test_labels_that_tell_nothing_are_pointed_out() -> None:
    held = {"train": {"noun": 80, "name": 9, "odd": 2}, "test": {"noun": 120, "name": 3, "odd": 0}}
    dataset = DatasetRecord.model_construct(splits={"train": 80, "test": 120}, labels=held)
    assert list(notices(["noun", "name", "odd"], dataset)) == [
        "all rows have the label 'noun', so that whoever always says it is right: it lifts `micro_f1`; "
        "leave it out, or judge by `macro_f1`",
        "no test row has the label 'odd': nothing is known of how well it is told",
    ]
    held["train"]["noun"], held["test"]["odd"] = 79, 1
    assert list(notices(["noun", "name", "odd"], dataset)) == []
    held["test"] |= {f"l{place}": 0 for place in range(9)}
    [told] = notices([*held["test"]], dataset)
    assert (
        told
        == "no test row has 9 of the labels ('l0', 'l1', 'l2', 'l3', …): nothing is known of how well they are told"
    )
