"""Answers in words, as people read them: from the values that files of predictions hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.core.numbers import things
from seedbed.core.task import Says

NO_ANSWER, NO_LABEL = "no answer", "none"


def in_words(says: Says, value: Any) -> str:
    """An answer, or what is right.

    Args:
        says: What the task answers.
        value: Of the column `predicted` or `truth`, as `Form.written` gives it.
    """
    match says:
        case "labels":
            return ", ".join(value) or NO_LABEL
        case "number":
            return f"{value:,.6g}"
        case "spans" if not isinstance(value, str):
            return " | ".join(one["text"] for one in value or ()) or NO_ANSWER
    return str(value or "")


def surprise_in_words(row: Mapping[str, Any]) -> str:
    """How likely a text is to a language model.

    Args:
        row: With `nats` and `tokens`.
    """
    each = row["nats"] / max(row["tokens"], 1)
    return f"{each:.2f} nats a token, {things(row['tokens'], 'token')}"
