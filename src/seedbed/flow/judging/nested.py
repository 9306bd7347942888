"""Nested folds: learners are chosen on inner folds, and the one that was chosen is judged on the outer one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from seedbed.core.learner import Learner
from seedbed.core.part import labels_of
from seedbed.core.run import NestedRecord
from seedbed.evaluate.folds import fold_scores
from seedbed.evaluate.judge import measure

from .folds import DealtFolds
from .judge import Judging


def judge_nested(judging: Judging, learners: Sequence[Learner], dealt: DealtFolds) -> NestedRecord:
    """What choosing among some learners by cross-validation is worth, on rows that took no part in the choice.

    Each fold is held out once. On the others, all learners are cross-validated, and the best by the first metric is
    fitted on all of them and judged on the fold (Varma & Simon 2006, *Bias in error estimation when using
    cross-validation for model selection*). A metric that has no value on some fold is left out.

    Raises:
        ModelError: A learner failed.
        DataError: A learner cannot learn from the rows of a fold.
    """
    metric = judging.metrics[0]
    sign = -1 if metric.lower_is_better else 1
    named = dict(zip(labels_of(list(learners)), learners, strict=True))
    chosen: list[str] = []
    values: dict[str, list[float]] = {one.use: [] for one in judging.metrics}
    with judging.context.stage("Cross-validating the choice of a model", dealt.count, "folds") as stage:
        for outer in range(dealt.count):
            inner = _inner(dealt, outer)
            worth = {name: inner.judge(name, learner, judging) for name, learner in named.items()}
            ranked = {name: sign * found[metric.use].mean for name, found in worth.items() if metric.use in found}
            best = max(ranked, key=ranked.__getitem__) if ranked else next(iter(named))
            train, test = dealt.of(outer, judging)
            model, _ = judging.fit(named[best], {"train": train})
            answers = judging.predict(model, test.frame)
            for one in judging.metrics:
                values[one.use].append(measure(one, test.truth, answers))
            chosen.append(best)
            stage.advance(1, f"fold {outer + 1} of {dealt.count}: {best}")
    scores = {
        one.use: fold_scores(one, found, level=judging.level)
        for one in judging.metrics
        if not np.isnan(found := values[one.use]).any()
    }
    return NestedRecord(chosen=tuple(chosen), scores=scores)


def _inner(dealt: DealtFolds, outer: int) -> DealtFolds:
    """The other folds, in the same order; rows that train in every fold are in none of them."""
    rest = dealt.fold != outer
    fold = dealt.fold[rest]
    fold = np.where(fold > outer, fold - 1, fold)
    return replace(
        dealt,
        rows=dealt.rows.filter(rest),
        fold=fold,
        count=dealt.count - 1,
        judging=dealt.judging[rest],
        _prepared={},
    )
