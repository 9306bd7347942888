"""A small table of computers as CSV, numbers and categories, and a run whose model tells their price."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

from seedbed.flow.running import Finished, run
from seedbed.recipe.loading import parse

TARGET = "price"
FEATURES = ("speed", "hd", "cd", "rating", "maker", "warm")
SOURCE = {"speed": "Clock, MHz", "hd": "Hard disk"}
"""What the source calls columns."""
HOSTILE = '<img src=x onerror="window.hacked = 1">'
MAKERS = ("Acme", "Böhm & Co", HOSTILE, "Ömer")
LIKE = {"speed": "33", "hd": "210", "cd": "no", "rating": "2.5", "maker": "Acme", "warm": "-3"}
"""A row in which nothing is odd."""


def rows(n: int = 400, seed: int = 3) -> list[dict[str, Any]]:
    """Rows as a file of CSV holds them; one maker is seen once."""
    draw = random.Random(seed)
    made = []
    for place in range(n):
        speed, hd, cd = draw.choice((25, 33, 50, 66)), draw.randint(80, 2100), draw.choice(("yes", "no"))
        maker = "Once Ltd" if place == 5 else draw.choice(MAKERS)
        price = 500 + 10 * speed + hd / 2 + (200 if cd == "yes" else 0) + draw.gauss(0, 20)
        row = {"speed": speed, "hd": hd, "cd": cd, "rating": round(draw.uniform(0, 5), 1), "maker": maker}
        warm = draw.randint(-10, 30)
        made.append(row | {"warm": warm, "price": round(price, 2), "size": "large" if hd > 1000 else "small"})
    return made


def table_run(base: Path, **recipe: Any) -> Finished:
    """Train on the rows: `rating` stays the text that CSV holds, other numbers are cast."""
    made = rows()
    named = {name: SOURCE.get(name, name) for name in made[0]}
    with (base / "computers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(made[0]))
        writer.writerow(named)
        writer.writerows(made)
    whole = {
        "seedbed": 1,
        "name": "computers",
        "task": {"kind": "tabular_regression", "target": TARGET, "features": list(FEATURES)},
        "sources": [{"use": "csv", "path": "computers.csv", "name": "mine", "columns": named}],
        "steps": [
            {"use": "cast", "types": dict.fromkeys(("speed", "hd", "warm"), "integer"), "on_error": "missing"},
        ],
        "split": {"use": "random", "train": 0.6, "validation": 0.2, "test": 0.2, "seed": 5},
        "train": [{"use": "decision_tree"}],
        "evaluate": {"intervals": {"resamples": 200}, "leakage": False},
    }
    return run(parse(whole | recipe, base), out=base / "out", workers=1)
