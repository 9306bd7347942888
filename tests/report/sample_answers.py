"""Runs to show whose models answer with something else than a label: numbers, places in texts, likelihoods."""

from __future__ import annotations

from typing import Any

import numpy as np
import sample

from seedbed.core.metric import Score
from seedbed.core.preference import Chosen, ChosenByPeople, Judged, Preferred
from seedbed.core.run import Comparison, Mistake, ModelRecord, Run
from seedbed.core.scrutiny import Scrutiny
from seedbed.core.side_by_side import SampledAnswer, SampledRow, SideBySide
from seedbed.core.task import QuestionAnswering, Regression
from seedbed.evaluate import USUAL_METRICS
from seedbed.evaluate.forms import form_of
from seedbed.evaluate.judge import judge

HOSTILE = '<script>window.hacked = 1</script><b onmouseover="window.hacked = 2">'


def _run(task: dict[str, Any], models: list[ModelRecord], metric: str) -> Run:
    base = sample.tweets()
    data = base.dataset.model_copy(update={"labels": {}, "labels_before": {}, "labels_made": {}})
    scores = [model.scores["test"][metric] for model in models]
    compared = Comparison(
        a=models[0].name, b=models[1].name, split="test", metric=metric, difference=scores[1].value - scores[0].value,
        low=scores[1].value - scores[0].value - 0.1, high=scores[1].value - scores[0].value + 0.1, p=0.0004,
        p_holm=0.0004, n=scores[0].n, verdict="better",
    )  # fmt: skip
    return base.model_copy(
        update={"task": task, "dataset": data, "models": tuple(models), "metric": metric, "best": models[1].name,
                "comparisons": (compared,), "gates": (), "leakage": None, "stopped_by": (), "notices": ()}
    )  # fmt: skip


def numbers(rows: int = 700, *, wide: bool = True) -> Run:
    """Prices that span five powers of ten, or a few numbers around zero, and two models of them."""
    task = Regression(kind="regression", text="text", target="price")
    draw = np.random.default_rng(3)
    truth = np.exp(draw.normal(6, 2, rows)) if wide else draw.normal(0, 3, rows)
    form, metrics = form_of(task), _metrics("number")
    models = []
    for name, told in (("mean", np.full(rows, truth.mean())), ("ridge", truth * np.exp(draw.normal(0.1, 0.3, rows)))):
        answers = form.checked(told, rows, ())
        found = judge(form, truth, answers, metrics, resamples=200)
        assert found.details.distances is not None
        models.append(
            ModelRecord(
                name=name, use=name, options={}, scores={"test": found.scores}, classes={}, confusion={},
                mistakes=tuple(
                    Mistake(row=f"0:{n}", text=f"a lamp {HOSTILE}", truth=one.truth, predicted=one.answer)
                    for n, one in enumerate(form.wrong(truth, answers, 12))
                ),
                distances={"test": found.details.distances}, seconds=0.2, bytes=900,
            )
        )  # fmt: skip
    return _run(task.model_dump(mode="json"), models, metrics[0].use)


def few_numbers() -> Run:
    """Numbers around zero, on few rows."""
    return numbers(40, wide=False)


def places() -> Run:
    """Answers marked in texts, with mistakes that try to be markup."""
    task = QuestionAnswering(kind="question_answering")
    score = {name: Score(value=0.41, low=0.36, high=0.47, n=320) for name in USUAL_METRICS["spans"]}
    said: list[tuple[str, str, str, float]] = [
        (f"Where is it? {HOSTILE}", f"Köln | {HOSTILE}", "no answer", 0.93),
        ("متى سقط الجسر؟ " * 9, "no answer", "withoutanyblanks" * 12, 0.5),
        ("Who?", "line\nbreak", "", 0.2),
    ]
    wrong = [
        Mistake(row=f"0:{n}", text=text, truth=truth, predicted=told, confidence=sure)
        for n, (text, truth, told, sure) in enumerate(said)
    ]
    models = [
        ModelRecord(
            name=name, use="best_sentence", options={}, scores={"validation": score, "test": score}, classes={},
            confusion={}, mistakes=tuple(wrong), seconds=0.2, bytes=900,
        )
        for name in ("best_sentence", "best_sentence.2")
    ]  # fmt: skip
    run = _run(task.model_dump(mode="json"), models, "token_f1")
    found = Scrutiny(side_by_side=_beside(said), judged_by=_judged(), preferences=_chosen())
    return run.model_copy(update={"scrutiny": found})


def _beside(said: list[tuple[str, str, str, float]]) -> SideBySide:
    """What four models with long names say of the same rows."""
    names = ["best_sentence", f"b{HOSTILE}", "extractive_qa" * 9, "größtes"]
    rows = [
        SampledRow(
            row=f"0:{n}", text=text, truth=truth,
            answers=tuple(SampledAnswer(model=name, text=told, score=sure) for name in names),
        )
        for n, (text, truth, told, sure) in enumerate(said * 3)
    ]  # fmt: skip
    return SideBySide(
        split="validation", of=320, seed=13, metric="token_f1", continued=False, rows=tuple(rows), silent=(HOSTILE,)
    )


def _judged() -> Judged:
    share = Score(value=0.41, low=0.36, high=0.47, n=100)
    pairs = [
        Preferred(
            a="best_sentence", b=name, rows=100, wins=40, losses=38, ties=22, same=3, unread=4, win_rate=share, p=0.9,
            p_holm=0.9, verdict="not distinguishable", changed=share, first=20, second=1, agrees=share,
        )
        for name in (f"b{HOSTILE}", "extractive_qa" * 9)
    ]  # fmt: skip
    return Judged(
        judge=f"judge{HOSTILE}" + "long" * 40, endpoint="http://127.0.0.1:1/v1", split="test", of=320,
        metric="token_f1", pairs=tuple(pairs), place_p=0.0001, goes_by_place=True, requests=400,
    )  # fmt: skip


def _chosen() -> ChosenByPeople:
    share = Score(value=0.41, low=0.36, high=0.47, n=100)
    pairs = [
        Chosen(
            a="best_sentence", b=name, rows=100, wins=40, losses=38, ties=22, both_bad=7, same=3, win_rate=share, p=0.9,
            p_holm=0.9, verdict="not distinguishable", agrees=share, judge_agrees=None,
        )
        for name in (f"b{HOSTILE}", "extractive_qa" * 9)
    ]  # fmt: skip
    return ChosenByPeople(
        split="test", of=320, metric="token_f1", people=2, decisions=201, pairs=tuple(pairs), left=share, left_p=0.0001,
        goes_by_place=True, agreement=share, file=f"{HOSTILE}.jsonl", notes=(f"1 line of {HOSTILE} cannot be read",),
    )  # fmt: skip


def _metrics(says: Any) -> list[Any]:
    from seedbed.core.metric import metric_named

    return [metric_named(name) for name in USUAL_METRICS[says]]
