"""Splits that stay as they are while the data grows."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.earlier_run import EarlierRun
from seedbed.core.part import Example
from seedbed.core.similarity.shingles import mix
from seedbed.core.splitter import InTurn


class Hashed(InTurn):
    """Splits by a hash of what a row says, so that rows that are added later never move those that are there.

    A row without near copies or group gets the split that a hash of its normalised text and the seed says. A row with
    some gets the split of its oldest neighbour: a near copy, or a row of its group. Where its older neighbours stand in
    different splits, so that it would bridge them, it is rejected (`bridges_splits`), and the ledger names a neighbour
    of each split. So what becomes of a row depends on older rows only.

    ## Why
    Any other splitter deals all rows anew whenever some are added, and yesterday's test row trains tomorrow: scores of
    two versions of a dataset are then not about the same rows, and a model that was kept has seen its new test. Here a
    test row stays one for good. With `as_in` it stays one that another splitter made, too: `seedbed retrain` does so.

    ## Limits
    Shares are met by chance, as well as a coin meets them; labels are not balanced. The certificate says what was asked
    and got. "Older" is the order in which rows are read, so rows are added at the end of the last file, or in files
    that sort behind it; elsewhere, `age` must say what is older, and a row that is added must be younger than all that
    are there (of equal ages the text decides, a missing age is youngest).
    A single row stays where it is in any order; a group of near copies goes by its oldest. Steps before the split see
    all rows: a row that is added may make `near_duplicates` remove an old one. `shingles: auto` means characters,
    because a choice by the lengths of all texts could change as they grow in number. Up to 200,000 rows every pair of
    near copies is found, above that at least 99.9 % of them, so that the addition that crosses this line may move a few
    rows; of a pair that only the independent check finds, the younger is rejected. All pairs are kept in memory, also
    of crowds that are all alike: remove copies first.
    """

    use: Literal["hashed"] = Field("hashed", description="The splitter's name.")
    as_in: str | None = Field(
        None,
        min_length=1,
        description="Folder of a run whose rows, told by what they say, stay in the splits that they have there, "
        "however they came there; other rows are dealt beside them.",
    )

    @property
    def stays(self) -> EarlierRun | None:
        """The run that `as_in` names."""
        return EarlierRun(run=self.as_in) if self.as_in else None

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Forty rows: as a coin says",
            before={"label": ["a", "b"] * 20},
            after={"train": [34], "validation": [2], "test": [4]},
        ),
    )

    def own(self, identities: NDArray[np.uint64]) -> NDArray[np.int8]:
        """By where the hash falls: train's share of all hashes first, then validation's, then test's."""
        seed = mix(np.array([self.seed % 2**64], dtype=np.uint64))
        drawn = mix(mix(identities.astype(np.uint64)) ^ seed) / 2.0**64
        ends = np.cumsum(list(self.shares.values()))[:-1]
        return np.searchsorted(ends, drawn, side="right").astype(np.int8)

    def assign(self, clusters: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int8]:
        """Where nothing is known of the rows but their clusters: by a hash of the cluster's number."""
        return self.own(clusters.astype(np.uint64))
