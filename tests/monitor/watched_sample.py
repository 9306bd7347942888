"""A run whose model is watched, and rows that it never saw."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from seedbed.flow.running import Finished, run
from seedbed.recipe.loading import parse

GOOD, BAD = ("love", "great", "fine", "brilliant"), ("hate", "awful", "poor", "dreadful")
TEXT = "the film was really quite long with a cast of people who act and sing about life in town at night"
WORDS = TEXT.split()
STEPS = [{"use": "drop_missing", "columns": ["said"]}, {"use": "text_length", "at_least": 12}]


def moods(n: int, seed: int, *, good: float = 0.5, hard: float = 0.2) -> list[dict[str, Any]]:
    """Texts with a mood; of a share of them nothing tells it, and of others a word does."""
    draw = random.Random(seed)
    made = []
    for _ in range(n):
        mood = draw.random() < good
        word = draw.choice(WORDS) if draw.random() < hard else draw.choice(GOOD if mood else BAD)
        text = " ".join([*draw.choices(WORDS, k=draw.randint(4, 9)), word, *draw.choices(WORDS, k=3)])
        made.append({"said": text, "mood": "good" if mood else "bad"})
    return made


def watched_run(base: Path) -> Finished:
    """A run over such texts, with two models."""
    from predicting_sample import write

    write(base / "rows.jsonl", moods(2500, 1))
    recipe = {
        "seedbed": 1,
        "name": "moods",
        "task": {"kind": "text_classification", "text": "said", "label": "mood"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "mine"}],
        "steps": STEPS,
        "split": {"use": "random", "train": 0.4, "validation": 0.4, "test": 0.2},
        "train": [{"use": "majority"}, {"use": "tfidf_logistic"}],
        "evaluate": {"metrics": ["accuracy"], "intervals": {"resamples": 200}, "leakage": False},
    }
    return run(parse(recipe, base), out=base / "out", workers=1)
