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
