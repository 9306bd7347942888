"""Faults between what `evaluate` asks for besides metrics, the task, and the learners."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seedbed.core.learner import Learner
from seedbed.core.task import Task

from .faults import Fault
from .sections import Evaluate

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
    if evaluate.judged_by is not None and len(train) == 1:
        yield Fault(("evaluate", "judged_by"), "one model has nobody to be compared with", "add a learner to `train`")
    for i, column in enumerate(evaluate.fairness):
        if column == task.answer:
            yield Fault(("evaluate", "fairness", i), f"{column!r} is what models answer", "name a column of groups")
        elif column in evaluate.fairness[:i]:
            yield Fault(("evaluate", "fairness", i), f"the column {column[:40]!r} stands there twice", "name it once")
