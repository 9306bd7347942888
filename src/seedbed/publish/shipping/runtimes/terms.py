"""Answers texts with a model that Seedbed exported; needs onnxruntime, and nothing of Seedbed.

python runtime.py "a text" "another one"      or      from runtime import Model; Model()(["a text"])
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime import InferenceSession


def cut(text: str, kind: str, shortest: int, longest: int) -> list[str]:
    """A text's terms; model.json says the rule."""
    if kind == "words":
        words = re.findall(r"\b\w\w+\b", text.lower())
        return [" ".join(words[i : i + n]) for n in range(shortest, longest + 1) for i in range(len(words) - n + 1)]
    found = []
    for piece in (f" {piece} " for piece in text.lower().split()):
        for n in range(shortest, max(shortest, min(longest, len(piece))) + 1):
            found += [piece[i : i + n] for i in range(max(1, len(piece) - n + 1))]
    return found


class Model:
    """The model of a folder."""

    def __init__(self, folder: Path = Path(__file__).parent, graph: str = "model.onnx") -> None:
        self.told = json.loads((folder / "model.json").read_text("utf-8"))
        kinds = json.loads((folder / "vocabulary.json").read_text("utf-8"))
        self.places = {kind: {term: place for place, term in enumerate(terms)} for kind, terms in kinds.items()}
        self.session = InferenceSession(str(folder / graph), providers=["CPUExecutionProvider"])

    def __call__(self, texts: list[str]) -> Any:
        """Shape (texts, labels), or (texts, 1)."""
        return np.concatenate([self.session.run(None, self.feed(text))[0] for text in texts])

    def feed(self, text: str) -> dict[str, np.ndarray]:
        """Places of a text's terms in the vocabulary, and counts."""
        found = {}
        for one in self.told["terms"]:
            kind, places = one["kind"], self.places[one["kind"]]
            counted = Counter(cut(text, kind, one["shortest"], one["longest"]))
            known = [term for term in counted if term in places]
            found[kind] = np.array([places[term] for term in known], np.int64)
            found[f"{kind}_counts"] = np.array([counted[term] for term in known], np.float32)
        return found


if __name__ == "__main__":
    model = Model()
    for text in sys.argv[1:]:
        print(text, dict(zip(model.told["labels"] or ["number"], model([text])[0].tolist(), strict=True)))
