"""Runs that trackers are told about, and that are compared."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from seedbed.core.context import Progress
from seedbed.flow import Finished
from seedbed.flow.running import run
from seedbed.recipe.loading import parse

GOOD, BAD = ["great", "lovely", "perfect", "tasty"], ["awful", "cold", "rude", "broken"]
COMMON = ["the", "soup", "room", "staff", "day", "was", "and"]


class Heard:
    """Keeps what a person would be told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def start(self, title: str, total: float | None, unit: str) -> Heard:
        return self

    def advance(self, amount: float = 1, note: str = "", *, rows: int = 0, found: bool = False) -> None: ...

    def finish(self, stage: Any) -> None: ...

    def say(self, text: str) -> None:
        self.said.append(text)


def write_rows(folder: Path, count: int = 400, seed: int = 3) -> None:
    """Texts whose words tell the label, mostly."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        label = chance.choice(["good", "bad"])
        told = chance.choices(GOOD if (label == "good") == (chance.random() < 0.8) else BAD, k=2)
        words = [*told, *chance.choices(COMMON, k=chance.randint(3, 9))]
        chance.shuffle(words)
        rows.append({"text": f"{' '.join(words)} {number}", "label": label, "stars": len(words) + chance.random()})
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def asked(**more: Any) -> dict[str, Any]:
    """A recipe over these rows."""
    return {
        "seedbed": 1,
        "name": "reviews",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "reviews", "license": "MIT"}],
        "steps": [{"use": "exact_duplicates"}],
        "train": [{"use": "majority"}, {"use": "naive_bayes"}],
        "evaluate": {"intervals": {"resamples": 200}, "leakage": False},
        **more,
    }


def ran(folder: Path, progress: Progress | None = None, limit: int | None = None, **more: Any) -> Finished:
    """A run of it."""
    return run(parse(asked(**more), folder), workers=1, progress=progress, limit=limit)
