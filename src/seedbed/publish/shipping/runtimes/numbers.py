"""Answers rows with a model that Seedbed exported: python runtime.py '{"rooms": 3}', or Model()([{"rooms": 3}])."""

import json
import sys
import warnings
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime import InferenceSession


def number(value: Any, kind: str | None) -> float:
    """A value as the number that the model reads; not a number where it is missing, or nothing of its column's kind."""
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime.combine(value, time())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1e6
    text = said(value).strip()
    if kind == "boolean" or (kind is None and isinstance(value, bool)):
        return {"true": 1.0, "false": 0.0}.get(text.lower(), np.nan)
    try:  # Python reads more as numbers than the model was taught to: 1_000, and the digits of all scripts
        found = float(int(text) if kind == "integer" and isinstance(value, str) else float(text))
    except (ValueError, OverflowError):
        return np.nan
    whole = kind != "integer" or (found.is_integer() and -(2**63) <= found < 2**63)
    plain = whole and np.isfinite(found) and text.isascii() and "_" not in text
    return max(-3e38, min(3e38, found)) if plain else np.nan


def said(value: Any) -> str:
    """A value as the model was taught to read it."""
    return json.dumps(value) if isinstance(value, bool) else str(value)


def features(
    row: dict[str, Any], kinds: dict[str, str], numbers: list[str], categories: dict[str, dict[str, int]]
) -> list[float]:
    """A row as numbers; model.json says the rule."""
    codes = [np.nan if row.get(name) is None else at.get(said(row[name]), len(at)) for name, at in categories.items()]
    return [number(row.get(name), kinds.get(name)) for name in numbers] + codes


class Model:
    """The model of a folder."""

    def __init__(self, folder: Path = Path(__file__).parent, graph: str = "model.onnx") -> None:
        self.told = json.loads((folder / "model.json").read_text("utf-8"))
        self.session = InferenceSession(str(folder / graph), providers=["CPUExecutionProvider"])

    def __call__(self, rows: list[dict[str, Any]]) -> Any:
        """Probabilities of `labels`, shape (rows, labels), or numbers, shape (rows, 1)."""
        for name in self.told["reads"]:
            if any(name not in row for row in rows):
                warnings.warn(f"a row lacks {name!r}: taken as missing", stacklevel=2)
        kinds, given = self.told.get("types", {}), self.told["features"]
        read = {name: [features(row, kinds, **one) for row in rows] for name, one in given.items()}
        return self.session.run(None, {name: np.array(values, np.float64) for name, values in read.items()})[0]


if __name__ == "__main__":
    model = Model()
    such = json.dumps(dict.fromkeys(model.told["reads"], "VALUE"), ensure_ascii=False)
    for text in sys.argv[1:] or [""]:
        try:
            row = dict(json.loads(text))
        except (TypeError, ValueError):
            sys.exit(f"use: python runtime.py '{such}'")
        found = zip(model.told["labels"] or ["number"], model([row])[0].tolist(), strict=True)
        print(text, dict(sorted(found, key=lambda one: -one[1])[:5]))
