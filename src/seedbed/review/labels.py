"""Labels as people give them: one, a set, or a number, and whether the task knows them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from seedbed.core.errors import DataError, did_you_mean
from seedbed.core.task import said_set

from .queue import Answers


def meant(label: str, answers: Answers, labels: Sequence[str]) -> str:
    """A label as the task reads it: of a set a JSON list, in the task's order.

    Args:
        label: As a person gave it.
        answers: What people say of a row.
        labels: The task's.

    Raises:
        DataError: It was to be a list of labels and is none.
    """
    if answers != "labels":
        return label
    known = {name: place for place, name in enumerate(labels)}
    names = dict.fromkeys(_names(label))
    return said_set(sorted(names, key=lambda name: known.get(name, len(known))))


def refuse_label(label: str, answers: Answers, labels: Sequence[str]) -> None:
    """Refuse what the task does not know.

    Raises:
        DataError: It is no number where one is asked for, or a label that there is not.
    """
    if answers == "number":
        try:
            finite = math.isfinite(float(label))
        except ValueError:
            finite = False
        if not finite:
            raise DataError(f"{label[:80]!r} is no number", at="label", hint="write it in digits, such as 12.5")
        return
    for name in _names(label) if answers == "labels" else [label]:
        if labels and name not in labels:
            raise DataError(f"{name[:80]!r} is no label", at="label", hint=did_you_mean(name, labels))


def _names(label: str) -> list[str]:
    """The labels of a set: a JSON list, or names between commas or bars."""
    if label.lstrip().startswith("["):
        try:
            found = json.loads(label)
        except ValueError:
            raise DataError("is no list of labels", at="label", hint='write ["one", "other"], or one, other') from None
        if not isinstance(found, list):
            raise DataError("is no list of labels", at="label")
        return [str(one).strip() for one in found]
    return [one.strip() for one in label.replace("|", ",").split(",") if one.strip()]
