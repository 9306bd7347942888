"""Answers rows with a model that Seedbed exported: python runtime.py '{"rooms": 3}', or Model()([{"rooms": 3}])."""

import json
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime import InferenceSession


def number(value: Any) -> float:
    """A value as the number that the model reads; not a number where it is missing or is none."""
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime.combine(value, time())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1e6
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan
    return max(-3e38, min(3e38, found)) if np.isfinite(found) else np.nan


def features(row: dict[str, Any], numbers: list[str], categories: dict[str, dict[str, int]]) -> list[float]:
    """A row as numbers; model.json says the rule."""
    codes = [np.nan if row[name] is None else at.get(str(row[name]), len(at)) for name, at in categories.items()]
    return [number(row[name]) for name in numbers] + codes


class Model:
    """The model of a folder."""

    def __init__(self, folder: Path = Path(__file__).parent, graph: str = "model.onnx") -> None:
        self.told = json.loads((folder / "model.json").read_text("utf-8"))
        self.session = InferenceSession(str(folder / graph), providers=["CPUExecutionProvider"])

    def __call__(self, rows: list[dict[str, Any]]) -> Any:
        """Probabilities of `labels`, shape (rows, labels), or numbers, shape (rows, 1)."""
        read = {name: [features(row, **one) for row in rows] for name, one in self.told["features"].items()}
        return self.session.run(None, {name: np.array(values, np.float64) for name, values in read.items()})[0]


if __name__ == "__main__":
    model = Model()
    for row in sys.argv[1:]:
        found = zip(model.told["labels"] or ["number"], model([json.loads(row)])[0].tolist(), strict=True)
        print(row, dict(sorted(found, key=lambda one: -one[1])[:5]))
