"""Splits drawn at random."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.part import Example
from seedbed.core.splitter import ByShares, Dealing

from .dealing import deal


class Random(ByShares, Dealing):
    """Draws which rows go to which split, whatever their labels.

    ## Why
    The plainest split there is: for tasks without labels, and where the label shares of the held-out rows should vary
    as they would in new rows. Rows that belong together still stay together.

    ## Limits
    A rare label may be missing from a split; `label` is ignored. Use `stratified` where that matters.
    """

    use: Literal["random"] = Field("random", description="The splitter's name.")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Twenty rows",
            before={"label": ["a", "b"] * 10},
            after={"train": [16], "validation": [2], "test": [2]},
        ),
    )

    def assign(self, clusters: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int8]:
        """See `dealing.deal`; labels are taken to be all alike."""
        return deal(self, clusters, np.zeros_like(clusters))
