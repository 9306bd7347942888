"""Rows whose labels one word gives away, and a recipe that looks closely at who learns them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

WORDS = {"food": ["soup", "bread", "apple", "cheese"], "sport": ["goal", "match", "player", "team"]}
COMMON = ["the", "very", "quite", "today", "our", "was", "good", "bad", "new", "old"]


def rows(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Labels that one word of four letters gives away, seldom in `north`, and never beside the word `umbrella`."""
    chance = random.Random(seed)
    found: list[dict[str, Any]] = []
    for number in range(count):
        label = chance.choice(list(WORDS))
        region = chance.choice(["north", "south", "west"])
        odd = chance.random() < 0.15
        told = chance.random() < (0.35 if odd or region == "north" else 0.95)
        words = [chance.choice(COMMON) for _ in range(9)]
        words.insert(chance.randint(0, 4), chance.choice(WORDS[label if told else chance.choice(list(WORDS))]))
        rain = ["umbrella", "rain", "clouds"] if odd else []
        found.append(
            {"text": " ".join([*words, *rain, f"{number:04}"]), "label": label, "region": region, "y": len(rain)}
        )
    return found


def recipe(folder: Path, given: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in given))
    asked: dict[str, Any] = {
        "seedbed": 1,
        "name": "closely",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "small"}],
        "split": {"use": "stratified", "train": 0.5, "validation": 0.25, "test": 0.25},
        "train": [{"use": "majority"}, {"use": "tfidf_logistic", "characters": None}],
        **more,
    }
    asked["evaluate"] = {"intervals": {"resamples": 300}, "leakage": False, **more.get("evaluate", {})}
    return asked
