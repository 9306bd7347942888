"""Faults between what `evaluate` asks for besides metrics, the task, and the learners."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seedbed.core.errors import did_you_mean
from seedbed.core.learner import Learner
from seedbed.core.task import Task

from .faults import Fault
from .sections import Evaluate, Thresholds

#: Tasks whose models read a text that can be disturbed.
READ_A_TEXT = (
    "text_classification",
    "multi_label_classification",
    "regression",
    "question_answering",
    "text_to_text",
)
#: What models say where answers are texts, or texts go on.
IN_WORDS = ("spans", "text", "turns", "itself")
_OUT = "leave it out"


def faults_of_scrutiny(evaluate: Evaluate, task: Task, train: Sequence[Learner]) -> Iterator[Fault]:
    """What is asked for can be told of such answers, and there is a model to tell it of."""
    asked: dict[str, tuple[object, bool, str]] = {
        "conformal": (
            evaluate.conformal,
            task.says in ("label", "labels", "number"),
            "sets of labels, or intervals of numbers",
        ),
        "thresholds": (evaluate.thresholds, task.says in ("label", "labels"), "labels"),
        "robustness": (evaluate.robustness, task.kind in READ_A_TEXT, "models that read one text"),
        "fairness": (evaluate.fairness, task.says in ("label", "labels", "number"), "labels and numbers"),
        "clusters": (evaluate.clusters, task.kind in READ_A_TEXT, "models that read one text"),
        "people": (evaluate.people, task.says != "itself", "answers that people can give"),
        "judged_by": (evaluate.judged_by, task.says in ("text", "turns"), "answers that are texts"),
        "preferences": (
            evaluate.preferences,
            task.says in ("text", "turns", "itself"),
            "answers that are texts, and language models",
        ),
        "samples": (evaluate.samples, task.says in IN_WORDS, "answers in words, and language models"),
    }
    for option, (value, possible, what) in asked.items():
        place = ("evaluate", option)
        if not value:
            continue
        if not possible:
            yield Fault(place, f"is for {what}, and {task.kind} has none", _OUT)
        elif not train:
            yield Fault(place, "there is nothing in `train` to look at", "add a learner, or leave it out")
    for option in ("judged_by", "preferences"):
        if asked[option][0] is not None and len(train) == 1:
            yield Fault(("evaluate", option), "one model has nobody to be compared with", "add a learner to `train`")
    yield from faults_of_labels(evaluate, task)
    for i, column in enumerate(evaluate.fairness):
        if column == task.answer:
            yield Fault(("evaluate", "fairness", i), f"{column!r} is what models answer", "name a column of groups")
        elif column in evaluate.fairness[:i]:
            yield Fault(("evaluate", "fairness", i), f"the column {column[:40]!r} stands there twice", "name it once")


def faults_of_labels(evaluate: Evaluate, task: Task) -> Iterator[Fault]:
    """Labels that are none of the task's, as far as those are known: of a recipe that does not list them, later."""
    positive = evaluate.thresholds.positive if isinstance(evaluate.thresholds, Thresholds) else None
    if positive is not None and task.names and positive not in task.names:
        problem = f"the label {positive[:40]!r} is none of the task's"
        yield Fault(("evaluate", "thresholds", "positive"), problem, did_you_mean(positive, task.names))
