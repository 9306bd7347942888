"""The judgement of all models of a recipe: training, cross-validation, slices, comparisons, neighbours of mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from seedbed.core.learner import Learner
from seedbed.evaluate.groups import grouped
from seedbed.flow.preparing.unprepared import Unprepared
from seedbed.flow.splitting.split import Split

from .far_numbers import refuse_far_numbers
from .folds import deal, deal_unprepared
from .judge import Judged, Judging, Rows
from .nested import judge_nested
from .preprocessing import Preprocessing
from .slices import groupings_of, with_neighbours


def judge_models(
    judging: Judging,
    learners: Sequence[Learner],
    splits: dict[str, Rows],
    before: Preprocessing,
    split: Split,
    folder: Path,
    unprepared: Unprepared | None = None,
) -> Judged:
    """Train, judge and compare; writes `models/NAME/` and `predictions/NAME-SPLIT.parquet` into the folder.

    Args:
        judging: What every model is judged by.
        learners: The recipe's.
        splits: Rows by split, with the columns of `evaluate.slices` and the one that the split compares.
        before: What rows pass before models read them.
        split: Which rows belong together, and what is called similar.
        folder: The run's.
        unprepared: Rows before `prepare`, where there is one: what folds are dealt of.
    """
    refuse_far_numbers(judging.task, splits)
    task, context, told = judging.task, judging.context, split.certificate.folds
    folds = len(told["rows"]) if told else judging.evaluate.folds
    dealt = None
    if folds and learners:
        anew = unprepared if unprepared and unprepared.steps else None
        dealt = deal_unprepared(anew, judging, folds) if anew else deal(judging, splits, split, folds)
    groupings = groupings_of(splits, task, judging.evaluate.slices)
    judged = judging.run(learners, splits, before, folder, groupings=groupings, folds=dealt)
    if told and told["nested"] and dealt and not judged.failed:
        judged = replace(judged, nested=judge_nested(judging, learners, dealt))
    models = with_neighbours(judged.models, splits, split.similarity, task, context)
    return replace(judged, models=models, groups=dict(_dependent(split)))


def with_groups(splits: dict[str, Rows], split: Split) -> dict[str, Rows]:
    """Held-out rows that know which of them are no independent draws."""
    of = {name: grouped(split.groups_in(name)) for name, _ in _dependent(split)}
    return {name: replace(rows, groups=of.get(name)) for name, rows in splits.items()}


def _dependent(split: Split) -> Iterator[tuple[str, int]]:
    """Held-out splits with rows that are no independent draws, and how many groups there are."""
    for name in split.names:
        groups = split.groups_in(name)
        if name != "train" and (found := len(np.unique(groups))) < len(groups):
            yield name, found
