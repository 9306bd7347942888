"""What deciding at thresholds is worth, on rows that did not choose them."""

from __future__ import annotations

from typing import Any

from seedbed.core.metric import Answers as Told
from seedbed.core.metric import ProbabilityMetric
from seedbed.core.scrutiny import Decided, Deciding, Difference, Worth
from seedbed.evaluate.forms import Form
from seedbed.evaluate.holm import with_holm
from seedbed.evaluate.judge import judge
from seedbed.evaluate.paired import Answers, compare
from seedbed.train.thresholds import Thresholds

from .judge import Judging, Rows


def worth_of(chosen: Thresholds, form: Form, rows: Rows, answers: Told, judging: Judging, model: str) -> Deciding:
    """What thresholds are worth on rows that did not choose them, in the metrics that look at decisions.

    Args:
        chosen: The thresholds.
        form: How answers are held.
        rows: The rows.
        answers: The model's.
        judging: Who judges models.
        model: The model's name.
    """
    metrics = [metric for metric in judging.metrics if not isinstance(metric, ProbabilityMetric)]
    intervals = judging.evaluate.intervals
    truth, split = rows.truth, rows.name
    how: dict[str, Any] = {"level": intervals.level, "resamples": intervals.resamples, "seed": judging.context.seed}
    how["groups"] = rows.groups
    after = chosen.moved(form.labels, answers)
    scores = [judge(form, truth, one, metrics, **how).scores for one in (answers, after)]
    two = [Answers(name, one, right=form.right(truth, one)) for name, one in (("usual", answers), (model, after))]
    each = [compare(truth, two[0], two[1], metric, split=split, **how) for metric in metrics]
    # Every metric looks at the same decisions: all of them are asked at once.
    found = [one for one in each if one is not None]
    corrected = with_holm([one.model_copy(update={"metric": "all"}) for one in found], (), intervals.level)
    lower = {metric.use for metric in metrics if metric.lower_is_better}
    worth = []
    for one, with_p in zip(found, corrected, strict=True):
        assert with_p.p_holm is not None
        turned = {"better": "worse", "worse": "better"} if one.metric in lower else {}
        worth.append(
            Worth(
                metric=one.metric,
                score=scores[1][one.metric],
                score_before=scores[0][one.metric],
                difference=Difference(value=one.difference, low=one.low, high=one.high, p=one.p, p_holm=with_p.p_holm),
                verdict=turned.get(with_p.verdict, with_p.verdict),
            )
        )
    told = tuple(
        Decided(label=one.label, at=one.at, chosen=one.chosen, support=one.support, f1=one.f1, f1_before=one.f1_before)
        for one in chosen.labels
    )
    return Deciding(
        model=model,
        aim=chosen.aim,
        precision=chosen.precision,
        chosen_on=chosen.split,
        rows=chosen.rows,
        labels=told,
        split=split,
        worth=tuple(worth),
    )
