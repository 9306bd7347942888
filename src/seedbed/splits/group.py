"""Splits that keep the rows of a group together."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.part import Column, Example
from seedbed.core.splitter import ByShares, Dealing

from .dealing import deal


class Group(ByShares, Dealing):
    """Keeps all rows of a group (a patient, an author, a thread) in one split.

    ## Why
    Rows of one author look alike even where no two texts do. A model that has seen the author scores better on that
    author's other rows than it ever will on new authors; held-out groups measure what matters.

    ## Limits
    Few or unequal groups make uneven splits: a group above half a held-out split's rows goes to train while smaller
    ones can fill it, none is ever cut, and a group above train's share stops the run. Labels are balanced as far as the
    groups allow. Rows without a group value are rows of their own. `stratified` takes a `group` too; here it is a must.
    """

    use: Literal["group"] = Field("group", description="The splitter's name.")
    group: Column = Field(description="Column whose equal values stay in one split (a patient, an author).")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Twenty authors with two rows each",
            options={"group": "author", "train": 0.5, "validation": 0.25, "test": 0.25},
            before={
                "author": [f"author {row // 2}" for row in range(40)],
                "label": ["a", "b"] * 20,
                "cluster": [row // 2 for row in range(40)],
            },
            after={"train": [20], "validation": [10], "test": [10]},
        ),
    )

    def assign(self, clusters: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int8]:
        """See `dealing.deal`; `clusters` already joins the rows of a group."""
        return deal(self, clusters, labels)
