"""Training rows in folds, each of which is held out once."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seedbed.core.part import Example
from seedbed.core.splitter import Folding

from .dealing import deal
from .folds import deal_folds


class KFold(Folding):
    """Sets test rows aside and deals the others to folds: each fold is held out once, and the others train.

    Rows that belong together are in one fold, labels are spread evenly. In the dataset each fold is one file of
    `train`; its card names a configuration for each (`datasets.load_dataset(folder, "fold_2")`: that fold is
    `validation`, the others `train`), so that no row stands there twice. Models are cross-validated on these folds.

    With `nested`, each fold is also a test once: configurations `outer_0_inner_1` hold out fold 0 as the test and
    fold 1 as validation. Learners are chosen on the inner folds and judged on the outer one, which did not choose them.

    ## Why
    One held-out split of a small dataset says as much about the draw as about the model; with folds every row judges
    once. And whoever chooses among many models by cross-validation and reports the winner's score there reports the
    luck of the winner, too: nested folds do not.

    ## Limits
    Every learner is trained once more for each fold, with `nested` for each pair of folds. Fold scores are not
    independent of each other, so their intervals are approximations. `prepare` is refused here: what it learns or makes
    of the training rows would know the fold that is held out (`evaluate: {folds: 5}` prepares anew in each fold).
    Rows that a source made, and what belongs to those, train in every fold; they are a file of their own, the last.
    """

    use: Literal["k_fold"] = Field("k_fold", description="The splitter's name.")
    folds: int = Field(5, ge=2, le=20, description="Number of folds.")
    nested: bool = Field(False, description="Whether each fold is also a test, with the others as folds to choose in.")
    test: float = Field(0.1, ge=0, lt=1, description="Share of rows that are set aside for a last test; 0 for none.")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Twenty rows in four folds, four rows aside",
            options={"folds": 4, "test": 0.2},
            before={"label": ["a", "b"] * 10},
            after={"train": [16], "test": [4], "folds": [[4, 4, 4, 4]]},
        ),
        Example(
            title="Folds alone; five copies are in one of them",
            options={"folds": 2, "test": 0},
            before={"label": ["a", "b"] * 5, "cluster": [0, 0, 0, 0, 0, 5, 6, 7, 8, 9]},
            after={"train": [10], "folds": [[5, 5]]},
        ),
    )

    @property
    def shares(self) -> dict[str, float]:
        """Of the test, and of all folds together."""
        return {"train": 1 - self.test, "test": self.test} if self.test else {"train": 1.0}

    @property
    def count(self) -> int:
        """Folds."""
        return self.folds

    @property
    def within(self) -> bool:
        """Whether folds are nested."""
        return self.nested

    def assign(self, clusters: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int8]:
        """See `dealing.deal`; folds come afterwards."""
        return deal(self, clusters, labels) if self.test else np.zeros(len(clusters), dtype=np.int8)

    def deal_folds(self, clusters: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """See `folds.deal_folds`."""
        return deal_folds(clusters, labels, self.folds, self.seed, at="split.folds")
