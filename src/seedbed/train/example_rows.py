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
FLOWERS: Mapping[str, list[Any]] = {
    "petal": [1.4, 1.3, 1.5, 4.7, 4.5, 4.9, 5.1, 5.9],
    "colour": ["white", "white", None, "violet", "violet", "white", "violet", "violet"],
    "label": ["small", "small", "small", "large", "large", "large", "large", "large"],
}
HOUSES: Mapping[str, list[Any]] = {
    "rooms": [2, 2, 3, 3, 5, 5],
    "garden": ["no", "yes", "no", "yes", "no", "yes"],
    "target": [100.0, 150.0, 120.0, 170.0, 160.0, 210.0],
}
LAMPS: Mapping[str, list[Any]] = {
    "text": ["a plain lamp", "a gold lamp", "a silver lamp", "a plain clock", "a gold clock", "a silver clock"],
    "target": [30.0, 80.0, 50.0, 40.0, 90.0, 60.0],
}
TOPICS: Mapping[str, list[Any]] = {
    "text": [
        "rain and goals",
        "a goal at last",
        "rain again",
        "no news",
        "goals in the rain",
        "wind and rain",
        "the goal of the year",
        "nothing new",
    ],
    "label": [
        ["sport", "weather"],
        ["sport"],
        ["weather"],
        [],
        ["sport", "weather"],
        ["weather"],
        ["sport"],
        [],
    ],
}
