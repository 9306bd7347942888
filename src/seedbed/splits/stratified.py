"""Splits that keep the shares of labels alike."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.part import Example
from seedbed.core.splitter import ByShares, Dealing

from .dealing import deal


class Stratified(ByShares, Dealing):
    """Deals rows so that every split has the same shares of each label.

    ## Why
    A rare label may miss the test rows of a random split altogether, or be over-represented there by luck; scores of
    small splits then say more about the draw than about the model. Clusters of copies are dealt largest first, each to
    the split that lacks its labels most; single rows fill what is left. Where rows have several labels, each label gets
    its share, and so do labels that go together.

    ## Limits
    Rows that belong together are never parted, so shares are met only as well as the clusters allow; the certificate
    states what was asked and what was got. A label with at least one single row for every split reaches every split,
    which costs shares where there are very many rare labels. A label with a single row goes to train.
    """

    use: Literal["stratified"] = Field("stratified", description="The splitter's name.")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Three labels, ten rows of each",
            before={"label": ["a", "b", "c"] * 10},
            after={"train": [24], "validation": [3], "test": [3]},
        ),
        Example(
            title="Six copies are too many for a held-out split of ten rows, so they train",
            options={"train": 0.5, "validation": 0.25, "test": 0.25},
            before={"label": ["a", "b"] * 20, "cluster": [0] * 6 + list(range(6, 40))},
            after={"train": [20], "validation": [10], "test": [10]},
        ),
    )

    def assign(self, clusters: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int8]:
        """See `dealing.deal`."""
        return deal(self, clusters, labels)
