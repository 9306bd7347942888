"""The judgement of all models of a recipe: training, cross-validation, slices, comparisons, neighbours of mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from seedbed.core.learner import Learner
from seedbed.flow.splitting.split import Split

from .folds import deal
from .judge import Judged, Judging, Rows
from .preprocessing import Preprocessing
from .slices import groupings_of, with_neighbours


def judge_models(
    judging: Judging,
    learners: Sequence[Learner],
    splits: dict[str, Rows],
    before: Preprocessing,
    split: Split,
    folder: Path,
) -> Judged:
    """Train, judge and compare; writes `models/NAME/` and `predictions/NAME-SPLIT.parquet` into the folder.

    Args:
        judging: What every model is judged by.
        learners: The recipe's.
        splits: Rows by split, with the columns of `evaluate.slices` and the one that the split compares.
        before: What rows pass before models read them.
        split: Which rows belong together, and what is called similar.
        folder: The run's.
    """
    task, context, folds = judging.task, judging.context, judging.evaluate.folds
    dealt = deal(splits, split, folds, context.seed) if folds and learners else None
    groupings = groupings_of(splits, task, judging.evaluate.slices)
    judged = judging.run(learners, splits, before, folder, groupings=groupings, folds=dealt)
    return replace(judged, models=with_neighbours(judged.models, splits, split.similarity, task, context))
