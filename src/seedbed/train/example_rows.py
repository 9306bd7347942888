"""Rows that the examples of several learners show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MESSAGES: Mapping[str, list[Any]] = {
    "text": ["win cash now", "see you at lunch", "free cash prize", "lunch was good", "win a prize", "see ya"],
    "label": ["spam", "ham", "spam", "ham", "spam", "ham"],
}
REMARKS: Mapping[str, list[Any]] = {
    "text": [
        "what a lovely day",
        "this is awful",
        "I am so happy",
        "the worst film ever",
        "great fun",
        "it makes me sad",
    ],
    "label": ["good", "bad", "good", "bad", "good", "bad"],
}
