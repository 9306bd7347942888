"""Answers texts with a model that Seedbed exported: python runtime.py "a text", or Model()(["a text", "another"])."""

import json
import re
import sys
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession


def cut(text: str, kind: str, shortest: int, longest: int) -> list[str]:
    """A text's terms; model.json says the rule."""
    words, low, found = kind == "words", text.lower(), []
    for piece in [re.findall(r"\b\w\w+\b", low)] if words else [f" {one} " for one in low.split()]:
        for n in range(shortest, max(shortest, min(longest, len(piece))) + 1):
            found += [(" " * words).join(piece[i : i + n]) for i in range(max(not words, len(piece) - n + 1))]
    return found


class Model:
    """The model of a folder; `graph` may name a smaller form of it."""

    def __init__(self, folder: Path = Path(__file__).parent, graph: str = "model.onnx") -> None:
        self.told = json.loads((folder / "model.json").read_text("utf-8"))
        self.places = json.loads((folder / "vocabulary.json").read_text("utf-8"))
        self.session = InferenceSession(str(folder / graph), providers=["CPUExecutionProvider"])

    def __call__(self, texts: list[str]) -> np.ndarray:
        """Probabilities of `labels`, shape (texts, labels), or numbers, shape (texts, 1)."""
        return np.concatenate([self.session.run(None, self.feed(text))[0] for text in texts])

    def feed(self, text: str) -> dict[str, np.ndarray]:
        """Places of a text's terms in the vocabularies, and how often each occurs."""
        found: dict[str, np.ndarray] = {}
        for name, rule in self.told["terms"].items():
            known = [self.places[name][term] for term in cut(text, **rule) if term in self.places[name]]
            found[name], counts = np.unique(np.array(known, np.int64), return_counts=True)
            found[f"{name}_counts"] = counts.astype(np.float32)
        return found


if __name__ == "__main__":
    asked, model = [one for one in sys.argv[1:] if one != "--help"], Model()
    for text in asked or sys.exit('use: python runtime.py "a text" "another text"'):
        found = zip(model.told["labels"] or ["number"], model([text])[0].tolist(), strict=True)
        print(text, dict(sorted(found, key=lambda one: -one[1])[:5]))
