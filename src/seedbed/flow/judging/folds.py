"""Cross-validation: each learner once more per fold, on training and validation rows; test rows stay untouched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.learner import Learner
from seedbed.core.run import FoldScores
from seedbed.evaluate.folds import fold_scores
from seedbed.evaluate.judge import measure
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

    def judge(self, name: str, learner: Learner, judging: Judging) -> dict[str, FoldScores]:
        """Fit on all folds but one, measure on that one, and so on; what was fitted before comes from the store.

        The learner gets no validation rows, and probabilities are the model's own, not calibrated. A metric that has no
        value on some fold is left out.
        """
        values: dict[str, list[float]] = {metric.use: [] for metric in judging.metrics}
        with judging.context.stage(f"Cross-validating {name}", self.count, "folds") as stage:
            for fold in range(self.count):
                held = pl.Series(self.fold == fold)
                model, _ = judging.fit(learner, {"train": judging.rows("train", self.rows.filter(~held))})
                test = judging.rows("fold", self.rows.filter(held & pl.Series(self.judging)))
                probabilities = judging.predict(model, test.frame)
                for metric in judging.metrics:
                    values[metric.use].append(measure(metric, test.truth, probabilities))
                stage.advance(1, f"fold {fold + 1} of {self.count}")
        level = judging.evaluate.intervals.level
        return {
            metric.use: fold_scores(metric, found, level=level)
            for metric in judging.metrics
            if not np.isnan(found := values[metric.use]).any()
        }


def deal(splits: dict[str, Rows], split: Split, count: int, seed: int) -> DealtFolds:
    """Folds of the training and validation rows, dealt by the clusters of the split.

    Raises:
        DataError: There are fewer clusters than folds.
    """
    names = [name for name in ("train", "validation") if name in splits]
    clusters = np.concatenate([split.clusters_in(name) for name in names])
    truth = np.concatenate([splits[name].truth for name in names])
    rows = pl.concat([splits[name].frame for name in names])
    may_judge = np.concatenate([split.judging_in(name) for name in names])
    return DealtFolds(rows, deal_folds(clusters, truth, count, seed), count, may_judge)
