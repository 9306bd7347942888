"""Answers texts with a model that Seedbed exported: python runtime.py "a text", or Model()(["a text", "another"])."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime import InferenceSession
from tokenizers import Tokenizer


class Model:
    """The model of a folder; `graph` may name a smaller form of it."""

    def __init__(self, folder: Path = Path(__file__).parent, graph: str = "model.onnx") -> None:
        self.told = json.loads((folder / "model.json").read_text("utf-8"))
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.session = InferenceSession(str(folder / graph), providers=["CPUExecutionProvider"])

    def __call__(self, texts: list[str]) -> np.ndarray:
        """Probabilities of `labels`, shape (texts, labels), or numbers, shape (texts, 1)."""
        return np.concatenate([self.one(text) for text in texts])

    def one(self, text: str) -> Any:
        """One text at a time, so that its neighbours do not move the last digits."""
        tokens = self.tokenizer.encode(text)
        feed = {"input_ids": tokens.ids, "attention_mask": tokens.attention_mask}
        return self.session.run(None, {name: np.array([ids], np.int64) for name, ids in feed.items()})[0]


if __name__ == "__main__":
    asked, model = [one for one in sys.argv[1:] if one != "--help"], Model()
    for text in asked or sys.exit('use: python runtime.py "a text" "another text"'):
        found = zip(model.told["labels"] or ["number"], model([text])[0].tolist(), strict=True)
        print(text, dict(sorted(found, key=lambda one: -one[1])[:5]))
