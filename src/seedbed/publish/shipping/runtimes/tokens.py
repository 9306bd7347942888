"""Answers texts with a model that Seedbed exported. It needs onnxruntime and tokenizers, and nothing of Seedbed.

python runtime.py "a text" "another one"      or      from runtime import Model; Model()(["a text"])
"""

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

    def __call__(self, texts: list[str]) -> Any:
        """Probabilities of `labels`, shape (texts, labels), or numbers, shape (texts, 1)."""
        return np.concatenate([self.one(text) for text in texts])

    def one(self, text: str) -> Any:
        """One text at a time, so that its neighbours do not move the last digits."""
        tokens = self.tokenizer.encode(text)
        feed = {"input_ids": tokens.ids, "attention_mask": tokens.attention_mask}
        return self.session.run(None, {name: np.array([ids], np.int64) for name, ids in feed.items()})[0]

    def words(self, answer: Any) -> object:
        """An answer in words: the label (or labels, from one half on) with its probability, or the number."""
        if not self.told["labels"]:
            return float(answer[0])
        shares = dict(zip(self.told["labels"], map(float, answer), strict=True))
        several = self.told["says"] == "labels"
        return {one: share for one, share in shares.items() if (share >= 0.5 if several else share == max(answer))}


if __name__ == "__main__":
    model = Model()
    for text in sys.argv[1:]:
        print(text, model.words(model([text])[0]))
