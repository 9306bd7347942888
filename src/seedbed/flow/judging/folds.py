"""Cross-validation: each learner once more per fold, on training and validation rows; test rows stay untouched."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.learner import Learner
from seedbed.core.rows import NUMBER
from seedbed.core.run import FoldScores
from seedbed.evaluate.folds import fold_scores
from seedbed.evaluate.judge import measure
from seedbed.flow.preparing.in_memory import Preparation
from seedbed.flow.preparing.unprepared import Unprepared
from seedbed.flow.splitting.split import Split
from seedbed.splits.folds import deal_folds

from .judge import Judging, Rows


@dataclass(frozen=True)
class DealtFolds:
    """Training and validation rows, and the fold that each is held out in. Rows that belong together share one."""

    rows: pl.DataFrame
    fold: NDArray[np.int64]
    count: int
    judging: NDArray[np.bool_]
    """Whether each row may judge: one that was made, and only trains, is held out with its fold and not measured."""
    preparation: Preparation | None = None
    """What is done to the rows of each fold anew: it learns, and makes rows, of those that train there."""
    _prepared: dict[int, tuple[Rows, Rows]] = field(default_factory=dict, compare=False)

    def judge(self, name: str, learner: Learner, judging: Judging) -> dict[str, FoldScores]:
        """Fit on all folds but one, measure on that one, and so on; what was fitted before comes from the store.

        The learner gets no validation rows, and what the model says is its own, not calibrated. A metric that has no
        value on some fold is left out.
        """
        values: dict[str, list[float]] = {metric.use: [] for metric in judging.metrics}
        with judging.context.stage(f"Cross-validating {name}", self.count, "folds") as stage:
            for fold in range(self.count):
                train, test = self.of(fold, judging)
                model, _ = judging.fit(learner, {"train": train})
                answers = judging.predict(model, test.frame)
                for metric in judging.metrics:
                    values[metric.use].append(measure(metric, test.truth, answers))
                stage.advance(1, f"fold {fold + 1} of {self.count}")
        level = judging.evaluate.intervals.level
        return {
            metric.use: fold_scores(metric, found, level=level)
            for metric in judging.metrics
            if not np.isnan(found := values[metric.use]).any()
        }

    def of(self, fold: int, judging: Judging) -> tuple[Rows, Rows]:
        """The rows that train and those that judge in a fold; what is done to them is done once for all learners."""
        if fold not in self._prepared:
            held = pl.Series(self.fold == fold)
            train, test = self.rows.filter(~held), self.rows.filter(held & pl.Series(self.judging))
            if self.preparation:
                train, found = self.preparation(train.sort(NUMBER), {"fold": test})
                test = found["fold"]
            self._prepared[fold] = judging.rows("train", train), judging.rows("fold", test)
        return self._prepared[fold]


def deal_unprepared(unprepared: Unprepared, judging: Judging, count: int) -> DealtFolds:
    """As `deal`, of rows before `prepare`, which is done anew in each fold.

    Raises:
        DataError: There are fewer clusters than folds.
    """
    split, seed = unprepared.split, judging.context.seed
    names = [name for name in ("train", "validation") if name in split.names]
    preparation = unprepared.preparation(seed, judging.task)
    with judging.context.stage("Reading the rows of the folds"):
        found = unprepared.read(names, preparation)
    splits = {name: judging.rows(name, rows) for name, rows in found.items()}
    dealt = deal(judging, splits, split, count)
    return replace(dealt, rows=pl.concat(list(found.values())), preparation=preparation)


def deal(judging: Judging, splits: dict[str, Rows], split: Split, count: int) -> DealtFolds:
    """Folds of the training and validation rows, dealt by the clusters of the split; or those that the split has.

    Raises:
        DataError: There are fewer clusters than folds.
    """
    if split.folds is not None:
        # Rows beyond the last fold train in all of them.
        return DealtFolds(splits["train"].frame, split.folds_in("train"), count, split.judging_in("train"))
    names = [name for name in ("train", "validation") if name in splits]
    clusters = np.concatenate([split.clusters_in(name) for name in names])
    strata = np.concatenate([judging.form.strata(splits[name].truth) for name in names])
    rows = pl.concat([splits[name].frame for name in names])
    may_judge = np.concatenate([split.judging_in(name) for name in names])
    return DealtFolds(rows, deal_folds(clusters, strata, count, judging.context.seed), count, may_judge)
