"""A linear layer on terms, on embeddings, or on both: what most of the cheap learners end up with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from seedbed.core.context import Context
from seedbed.core.counted import Counted, CountedKind
from seedbed.core.graph import Graph
from seedbed.core.learner import ArrayModel
from seedbed.store.embeddings import Embedder

from .scale import Scale
from .target import Target, texts_of
from .target_sets import TargetSets
from .terms import Terms, features_of

#: What makes answers of scores: probabilities of labels that exclude one another, or of each label by itself; or a
#: number, which is the score or has it as its logarithm.
Link = Literal["softmax", "logistic", "identity", "exponential"]
#: Weights, shape (features, labels), and intercepts, shape (labels,).
Layer = tuple[NDArray[np.float32], NDArray[np.float64]]


class LinearModel(ArrayModel):
    """Terms, embeddings or both, and one weight for each of them and each label, or for the number that is answered.

    Scores are features (texts, terms + width) times weights (terms + width, labels) plus intercepts (labels,);
    probabilities are their softmax, or, where rows have any number of labels, the logistic function of each. With
    softmax, a label without training rows has the intercept minus infinity, so its probability is 0. Where the answer
    is a number, there are no labels and one score, which is the number or its logarithm.
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
        link: Link = "softmax",
    ) -> None:
        self.labels, self.text, self.terms, self.embedder = labels, text, terms, embedder
        self.weights, self.intercepts, self.link = weights, intercepts, link

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Probability of each label for each row, shape (rows, labels), or its number, shape (rows, 1).

        Raises:
            MissingExtraError: The package that holds the encoder is not installed.
            ModelError: The rows do not have the text column, or the encoder is not there or another one.
        """
        texts = texts_of(rows, self.text)
        if not texts:
            return np.zeros((0, len(self.intercepts)))
        scores = np.tile(self.intercepts, (len(texts), 1))
        counted = sum(len(one.vocabulary) for one in self.terms)
        if self.terms:
            scores += features_of(self.terms, texts) @ self.weights[:counted]
        if self.embedder:
            scores += self.embedder.embed(texts) @ self.weights[counted:]
        return LINKS[self.link](scores)

    def use_store(self, store: Path) -> None:
        """Keep embeddings there."""
        if self.embedder:
            self.embedder.store = store

    def graph(self, temperature: float = 1.0) -> Graph:
        """The layer as a graph of ONNX: fed with terms, with tokens where the encoder is before it, or with both.

        Raises:
            ModelError: The encoder cannot be read.
            MissingExtraError: What makes graphs is not installed.
        """
        from .graphs.building import LinearLayer
        from .graphs.of_texts import both_graph, embeddings_graph, terms_graph

        layer = LinearLayer(self.weights, self.intercepts, self.link, self.labels, temperature)
        if not self.embedder:
            return terms_graph(layer, self.text, self.terms)
        encoder, most = self.embedder.open(), self.embedder.max_tokens
        if self.terms:
            return both_graph(layer, self.text, self.terms, encoder, most)
        return embeddings_graph(layer, self.text, encoder, most)

    def counted(self) -> Counted | None:
        """The layer as arrays; none where it reads embeddings."""
        if self.embedder:
            return None
        kinds = tuple(
            CountedKind(one.kind, one.lengths, one.vocabulary, one.idf if one.weighting == "tfidf" else None)
            for one in self.terms
        )
        return Counted(kinds, self.weights, self.intercepts, self.link)

    def save(self, folder: Path) -> None:
        """Write `model.json`, `vocabulary.json` (terms in the order of their weights) and `weights.safetensors`."""
        from safetensors.numpy import save_file

        settings: dict[str, Any] = {"labels": self.labels, "text": self.text, "link": self.link}
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
            link=settings.get("link", "softmax"),
        )


def layer_of(learned: NDArray[Any], offsets: NDArray[Any], classes: NDArray[np.int64], target: Target) -> Layer:
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


def each_by_itself(target: TargetSets, features: int, context: Context, solve: Callable[[Target, str], Layer]) -> Layer:
    """A layer of which each label was learned by itself, for the link `logistic`.

    A label that too few rows have, or lack, is as likely as it is frequent.

    Args:
        target: The sets of labels.
        features: How many there are.
        context: Where progress goes.
        solve: Learns whether rows have a label: its target with two labels, and its name, to a layer of two labels.
    """
    weights = np.zeros((features, len(target.labels)), dtype=np.float32)
    shares = target.shares()
    intercepts = np.log(shares) - np.log1p(-shares)
    with context.stage("Fitting labels", len(target.labels), "labels") as stage:
        for place, label in enumerate(target.labels):
            if target.learnable(place):
                layer, offsets = solve(target.one(place), label)
                weights[:, place], intercepts[place] = layer[:, 1] - layer[:, 0], offsets[1] - offsets[0]
            stage.advance(note=label)
    return weights, intercepts


def link_of(target: Target | TargetSets) -> Link:
    """What makes probabilities of such labels."""
    return "logistic" if isinstance(target, TargetSets) else "softmax"


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores, shape (rows, labels), to probabilities of which each row adds up to 1."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def logistic(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores, shape (rows, labels), to probabilities, each by itself."""
    return np.asarray(np.exp(-np.logaddexp(0, -scores)))


def identity(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores, shape (rows, 1), are the numbers."""
    return scores


def exponential(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms, shape (rows, 1), to numbers."""
    return Scale(log=True).back(scores)


LINKS: Mapping[Link, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "softmax": softmax,
    "logistic": logistic,
    "identity": identity,
    "exponential": exponential,
}
