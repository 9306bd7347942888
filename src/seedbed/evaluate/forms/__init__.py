"""How answers are held and judged, one module for each kind of answer that a task can ask for (`Task.says`)."""

from __future__ import annotations

from collections.abc import Mapping

from seedbed.core.task import Says, Task

from .form import Details, Form, Wrong
from .label_sets import LabelSets
from .likelihood import Likelihood
from .number import Number
from .one_label import OneLabel, decide
from .spans import Spans
from .texts import Texts
from .words import in_words, surprise_in_words

_FORMS: Mapping[Says, type[Form]] = {
    "label": OneLabel,
    "labels": LabelSets,
    "number": Number,
    "spans": Spans,
    "text": Texts,
    "turns": Texts,
    "itself": Likelihood,
}


def form_of(task: Task) -> Form:
    """How answers to a task are held; its labels, if it has any, are known."""
    return _FORMS[task.says](task)


__all__ = [
    "Details",
    "Form",
    "LabelSets",
    "Likelihood",
    "Number",
    "OneLabel",
    "Spans",
    "Texts",
    "Wrong",
    "decide",
    "form_of",
    "in_words",
    "surprise_in_words",
]
