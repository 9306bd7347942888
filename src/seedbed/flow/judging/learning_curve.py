"""How far more rows would help: a model learns from parts of the training rows, with and without made ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.errors import DataError
from seedbed.core.learner import Learner
from seedbed.core.part import labels_of
from seedbed.core.rows import NUMBER
from seedbed.core.run import LearningCurve, LearningPoint
from seedbed.core.similarity.shingles import mix
from seedbed.core.task import Task
from seedbed.evaluate.growth import Bounds, growth
from seedbed.flow.preparing.in_memory import Preparation
from seedbed.flow.splitting.split import Split
from seedbed.recipe.sections import LearningCurve as Asked

from .cheap import quick_learner
from .effect import ON, Variants, ask
from .judge import Judging, Rows

#: What the learner of a curve is called where the recipe names none.
QUICK = "quick "


def curve_of(variants: Variants, asked: Asked, learners: Sequence[Learner]) -> LearningCurve | None:
    """Scores on validation rows by the number of training rows; none where no part of them can be learned from.

    Parts are of whole clusters of the split, and each holds the smaller ones; rows are made of those alone.

    Raises:
        ModelError: Learning failed.
    """
    judging = variants.judging
    if ON not in variants.unprepared.split.names:
        return None
    train = variants.splits["train"]
    learner = _learner(asked, learners, judging.task, train)
    if learner is None:
        judging.context.progress.say(f"learning curve: nobody learns {judging.task.kind} quickly; name a model")
        return None
    name = asked.model or f"{QUICK}{learner.use}"
    curve = _Curve(variants, learner, ranks(variants.unprepared.split, train[NUMBER], judging.context.seed))
    points: list[LearningPoint] = []
    with judging.context.stage(f"Learning curve of {name}", len(asked.shares), "parts") as stage:
        for share in asked.shares:
            try:
                points.append(curve.point(share))
            except DataError as error:  # too few rows to learn from; larger parts may do
                judging.context.progress.say(f"learning curve: nothing at {share:g} of the rows ({error.problem})")
            stage.advance(1, f"{share:g} of the rows")
    if not points:
        return None
    metric = judging.metrics[0]
    bounds = Bounds(metric.lower_is_better, metric.lowest, metric.highest)
    rows, scores = [point.rows for point in points], [point.real for point in points]
    more = growth(rows, scores, bounds, level=judging.level, seed=judging.context.seed)
    return LearningCurve(model=name, metric=metric.use, split=ON, points=tuple(points), growth=more)


def _learner(asked: Asked, learners: Sequence[Learner], task: Task, train: pl.DataFrame) -> Learner | None:
    if asked.model is None:
        return quick_learner(task, train)
    return dict(zip(labels_of(list(learners)), learners, strict=True))[asked.model]


@dataclass(frozen=True)
class _Curve:
    """A curve that is being drawn."""

    variants: Variants
    learner: Learner
    rank: NDArray[np.float64]
    """Of each training row, as `ranks` gives it."""

    @cached_property
    def judging(self) -> Judging:
        """By the deciding metric alone: the others are not shown, and would cost most of the time."""
        judging = self.variants.judging
        return replace(judging, evaluate=judging.evaluate.model_copy(update={"metrics": (judging.metrics[0].use,)}))

    @cached_property
    def preparations(self) -> tuple[Preparation, Preparation]:
        """Without made rows, and with them."""
        return self.variants.preparation(made=False), self.variants.preparation()

    def point(self, share: float) -> LearningPoint:
        """The scores at a share of the training rows.

        Raises:
            DataError: Nothing can be learned from so few.
        """
        judging, metric = self.judging, self.judging.metrics[0].use
        rows = self._rows(share, made=False)
        real = ask(judging, self.learner, "real rows", rows)
        height = rows["train"].frame.height
        if not self.variants.makes:
            return LearningPoint(share=share, rows=height, real=real.scores[metric])
        more = self._rows(share, made=True)
        both = ask(judging, self.learner, "real and made rows", more)
        comparison, *_ = judging.compare(more[ON], real.answers, both.answers)
        return LearningPoint(
            share=share,
            rows=height,
            made=more["train"].frame.height - height,
            real=real.scores[metric],
            with_made=both.scores[metric],
            comparison=comparison,
        )

    def _rows(self, share: float, *, made: bool) -> Mapping[str, Rows]:
        """Rows by split when a share of the training rows is learned from."""
        chosen = self.rank <= share
        if chosen.all():
            return self.variants.whole(made=made)
        train = self.variants.splits["train"].filter(pl.Series(chosen))
        return self.variants.rows(train, self.preparations[made], made=made)


def ranks(split: Split, numbers: pl.Series, seed: int) -> NDArray[np.float64]:
    """For each training row the share of the rows from which on it is in, shape (rows,).

    Whole clusters come one after the other, by a hash of the seed and of the first row of each.
    """
    cluster = split.clusters[np.searchsorted(split.numbers, numbers.to_numpy())]
    _, first, of = np.unique(cluster, return_index=True, return_inverse=True)
    drawn = mix(mix(numbers.to_numpy()[first]) ^ mix(np.array([seed % 2**64], dtype=np.uint64)))
    place = np.argsort(np.argsort(drawn, kind="stable"), kind="stable")
    sizes = np.bincount(place[of], minlength=len(first))
    return np.asarray((np.cumsum(sizes) / len(numbers))[place[of]], dtype=np.float64)
