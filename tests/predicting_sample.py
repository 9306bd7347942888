"""A small run with models, for the tests of what opens and uses them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from seedbed.flow.running import Finished, run
from seedbed.recipe.loading import parse

GOOD, BAD = ("love", "great", "fine", "brilliant"), ("hate", "awful", "poor", "dreadful")
TEXT = "the film was really quite long with a cast of people who act and sing about life in town at night"
WORDS = TEXT.split()
STEPS: list[dict[str, Any]] = [
    {"use": "fix_text"},
    {"use": "normalize"},
    {"use": "map_values", "column": "mood", "values": {"NEG": "bad"}},
    {"use": "drop_missing", "columns": ["said"]},
    {"use": "text_length", "at_least": 12},
    {"use": "keep_values", "column": "mood", "values": ["good", "bad"]},
]


def rows(n: int, seed: int = 3) -> list[dict[str, Any]]:
    """Texts with a mood; some have markup, some are too short, blank or missing."""
    draw = random.Random(seed)
    made: list[dict[str, Any]] = []
    for place in range(n):
        good = draw.random() < 0.5
        text: str | None = " ".join(
            [*draw.sample(WORDS, 7), draw.choice(GOOD if good else BAD), *draw.sample(WORDS, 2)]
        )
        if place % 10 == 0:
            text = f"  {text} &amp;\n more "
        if place % 40 == 7:
            text = (None, "  ", "too short", "")[place // 40 % 4]
        made.append({"title": f"No. {place}", "said": text, "mood": "good" if good else "NEG", "stars": place % 5})
    return made


def write(path: Path, made: list[dict[str, Any]]) -> Path:
    """As JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in made), "utf-8")
    return path


def small_run(base: Path, made: list[dict[str, Any]] | None = None, **recipe: Any) -> Finished:
    """Run a recipe over some rows in a folder."""
    write(base / "rows.jsonl", made if made is not None else rows(500))
    whole = {
        "seedbed": 1,
        "name": "moods",
        "task": {"kind": "text_classification", "text": "said", "label": "mood"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "name": "mine"}],
        "steps": STEPS,
        "evaluate": {"intervals": {"resamples": 200}, "leakage": False},
    }
    return run(parse(whole | recipe, base), out=base / "out", workers=1)
