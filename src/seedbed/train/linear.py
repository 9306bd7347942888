"""A linear layer on terms, on embeddings, or on both: what most of the cheap learners end up with."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from seedbed.core.learner import Model
from seedbed.store.embeddings import Embedder

from .target import Target, texts_of
from .terms import Terms, features_of


class LinearModel(Model):
    """Terms, embeddings or both, and one weight for each of them and each label.

    Probabilities are the softmax of features (texts, terms + width) times weights (terms + width, labels) plus
    intercepts (labels,). A label without training rows has the intercept minus infinity, so its probability is 0.
    """

    def __init__(
        self,
        *,
        labels: tuple[str, ...],
        text: str,
        weights: NDArray[np.float32],
        intercepts: NDArray[np.float64],
        terms: tuple[Terms, ...] = (),
        embedder: Embedder | None = None,
    ) -> None:
        self.labels, self.text, self.terms, self.embedder = labels, text, terms, embedder
        self.weights, self.intercepts = weights, intercepts

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Probability of each label for each row, shape (rows, labels).

        Raises:
            MissingExtraError: The package that holds the encoder is not installed.
            ModelError: The rows do not have the text column, or the encoder is not there or another one.
        """
        texts = texts_of(rows, self.text)
        if not texts:
            return np.zeros((0, len(self.labels)))
        scores = np.tile(self.intercepts, (len(texts), 1))
        counted = sum(len(one.vocabulary) for one in self.terms)
        if self.terms:
            scores += features_of(self.terms, texts) @ self.weights[:counted]
        if self.embedder:
            scores += self.embedder.embed(texts) @ self.weights[counted:]
        return softmax(scores)

    def use_store(self, store: Path) -> None:
        """Keep embeddings there."""
        if self.embedder:
            self.embedder.store = store

    def save(self, folder: Path) -> None:
        """Write `model.json`, `vocabulary.json` (terms in the order of their weights) and `weights.safetensors`."""
        from safetensors.numpy import save_file

        settings: dict[str, Any] = {"labels": self.labels, "text": self.text}
        arrays: dict[str, NDArray[Any]] = {"weights": self.weights, "intercepts": self.intercepts}
        if self.terms:
            settings["terms"] = {t.kind: t.lengths for t in self.terms}
            settings["weighting"] = self.terms[0].weighting
            (folder / "vocabulary.json").write_bytes(orjson.dumps({t.kind: t.vocabulary for t in self.terms}))
            arrays |= {f"idf.{t.kind}": t.idf for t in self.terms}
        if self.embedder:
            settings["encoder"] = {
                "address": self.embedder.address,
                "sha256": self.embedder.sha256,
                "max_tokens": self.embedder.max_tokens,
            }
        (folder / "model.json").write_bytes(orjson.dumps(settings, option=orjson.OPT_INDENT_2))
        save_file(arrays, folder / "weights.safetensors")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            MissingExtraError: The package that holds the encoder is not installed.
            ModelError: The encoder is not there, or another one than the model was trained with.
        """
        from safetensors.numpy import load_file

        settings = orjson.loads((folder / "model.json").read_bytes())
        arrays = load_file(folder / "weights.safetensors")
        embedder = Embedder(**settings["encoder"]) if "encoder" in settings else None
        if embedder:
            embedder.open()  # a wrong encoder is told now, not at the first text
        vocabulary = orjson.loads((folder / "vocabulary.json").read_bytes()) if "terms" in settings else {}
        return cls(
            labels=tuple(settings["labels"]),
            text=settings["text"],
            weights=arrays["weights"],
            intercepts=arrays["intercepts"],
            terms=tuple(
                Terms(kind, (low, high), tuple(vocabulary[kind]), arrays[f"idf.{kind}"], settings["weighting"])
                for kind, (low, high) in settings.get("terms", {}).items()
            ),
            embedder=embedder,
        )


def layer_of(
    learned: NDArray[Any], offsets: NDArray[Any], classes: NDArray[np.int64], target: Target
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Weights (features, labels) and intercepts (labels,) of a layer that scikit-learn learned.

    Args:
        learned: Weights of the labels with training rows, shape (classes, features); for two labels only the second
            one's advantage, shape (1, features).
        offsets: Their intercepts.
        classes: Which labels these are.
        target: All labels.
    """
    if len(learned) == 1:
        learned, offsets = np.concatenate([-learned, learned]) / 2, np.concatenate([-offsets, offsets]) / 2
    weights = np.zeros((learned.shape[1], len(target.labels)), dtype=np.float32)
    intercepts = np.full(len(target.labels), -np.inf)
    weights[:, classes], intercepts[classes] = learned.T, offsets
    return weights, intercepts


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores, shape (rows, labels), to probabilities."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
