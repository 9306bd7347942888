"""A recipe of remarks on films, and rows for it: texts with one word of many that says the label, another by place."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

GOOD, BAD = ["good", "great", "lovely", "fine", "superb", "nice"], ["bad", "awful", "poor", "sad", "dull", "weak"]
FILMS = ("film", "plot", "actor", "scene", "music", "story", "night", "city", "house", "road", "camera", "light")
RECIPE = """\
seedbed: 1
name: films
task: {kind: text_classification, text: text, label: label}
sources: [{use: jsonl, path: films.jsonl, name: films}]
split: {use: stratified, train: 0.15, validation: 0.15, test: 0.7}
train: [{use: majority}, {use: tfidf_logistic, characters: null}]
evaluate: {intervals: {resamples: 1000}, leakage: false, slices: [place]}
"""


def rows(
    count: int,
    seed: int,
    wrong: Callable[[str], bool] = lambda place: False,
    *,
    of: Sequence[str] = FILMS,
    more: int = 6,
) -> list[dict[str, str]]:
    """Rows whose told words a model knows once it has seen them.

    Args:
        count: Of rows.
        seed: Other rows for another one.
        wrong: In which places labels are turned around.
        of: What the texts are about.
        more: Words beside the one that tells.
    """
    chance, found = random.Random(seed), []
    for _ in range(count):
        good, place = chance.random() < 0.5, chance.choice(["north", *["south"] * 5])
        told = f"{chance.choice(GOOD if good else BAD)}{place}{chance.randrange(8)}"
        words = [*(chance.choice(of) for _ in range(more)), told, f"n{chance.randrange(10**9)}", f"in{place}"]
        chance.shuffle(words)
        label = "good" if good != wrong(place) else "bad"
        found.append({"text": " ".join(words), "label": label, "place": place})
    return found


def write(path: Path, told: Sequence[dict[str, str]]) -> Path:
    """Rows as JSON lines."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in told))
    return path
