"""Answers rows of a table with a model that Seedbed exported. It needs onnxruntime, and nothing of Seedbed.

python runtime.py '{"rooms": 3, "town": "Ulm"}'      or      from runtime import Model; Model()([{"rooms": 3, …}])
"""

import json
import math
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime import InferenceSession


def number(value: Any) -> float:
    """A value as the number that the model reads; not a number where it is missing or is none."""
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
        return moment.replace(tzinfo=UTC).timestamp() * 1e6
    try:
        found = float(value)
    except (TypeError, ValueError):
        return math.nan
    return max(-3e38, min(3e38, found)) if math.isfinite(found) else math.nan


class Model:
    """The model of a folder."""

    def __init__(self, folder: Path = Path(__file__).parent, graph: str = "model.onnx") -> None:
        self.told = json.loads((folder / "model.json").read_text("utf-8"))
        self.session = InferenceSession(str(folder / graph), providers=["CPUExecutionProvider"])

    def __call__(self, rows: list[dict[str, Any]]) -> Any:
        """Probabilities of `labels`, shape (rows, labels), or numbers, shape (rows, 1)."""
        features = np.array([self.features(row) for row in rows], np.float64)
        return self.session.run(None, {"features": features})[0]

    def features(self, row: dict[str, Any]) -> list[float]:
        """A row as numbers; model.json says the rule."""
        found = [number(row[name]) for name in self.told["numbers"]]
        for name, codes in self.told["categories"].items():
            found.append(math.nan if row[name] is None else codes.get(str(row[name]), len(codes)))
        return found


if __name__ == "__main__":
    model = Model()
    for row in sys.argv[1:]:
        print(row, dict(zip(model.told["labels"] or ["number"], model([json.loads(row)])[0].tolist(), strict=True)))
