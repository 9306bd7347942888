"""A model of trees, whatever learned them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from seedbed.core.graph import Graph
from seedbed.core.learner import ArrayModel

from .columns import ColumnFeatures
from .scale import Scale
from .tabular import Floats, Lesson
from .text_features import TextFeatures
from .trees import Trees

#: What becomes of what the leaves add up to: the mean over trees, itself, or a probability.
Link = Literal["mean", "sum", "logistic", "softmax"]


class TreeModel(ArrayModel):
    """Trees on the columns of a table, or on what is made of a text. It needs neither scikit-learn nor what learned it.

    Labels that training rows lack have the probability 0.
    """

    def __init__(
        self,
        *,
        columns: ColumnFeatures | TextFeatures,
        trees: Trees,
        link: Link,
        start: Floats,
        labels: tuple[str, ...] = (),
        seen: tuple[int, ...] = (),
        scale: Scale,
    ) -> None:
        """Keep what was learned.

        Args:
            columns: How rows become numbers.
            trees: What the numbers are asked.
            link: What becomes of what they add up to.
            start: What is added to, shape (outputs,).
            labels: The labels; none where the answer is a number.
            seen: Which of them training rows have: those that outputs are about.
            scale: Of a number.
        """
        self.columns, self.trees, self.link, self.start = columns, trees, link, start
        self.labels, self.seen, self.scale = labels, seen, scale

    @classmethod
    def of(cls, lesson: Lesson, trees: Trees, link: Link, start: Floats) -> Self:
        """A model of what a lesson taught."""
        seen = tuple(np.unique(lesson.right).astype(np.int64).tolist()) if lesson.labels else ()
        return cls(
            columns=lesson.columns,
            trees=trees,
            link=link,
            start=start,
            labels=lesson.labels,
            seen=seen,
            scale=lesson.scale,
        )

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Probability of each label for each row, shape (rows, labels), or a number, shape (rows, 1).

        Raises:
            ModelError: The rows lack a column that is read.
        """
        return self.answer(self.columns.of(rows))

    def answer(self, features: Floats) -> NDArray[np.float64]:
        """The same of features, shape (rows, features)."""
        outputs = linked(self.trees.add(features, self.start), self.link, len(self.trees))
        if not self.labels:
            return self.scale.back(outputs)
        found = np.zeros((len(features), len(self.labels)))
        found[:, list(self.seen)] = outputs
        return found

    def graph(self, temperature: float = 1.0) -> Graph:
        """The trees as a graph of ONNX, fed with numbers, or with the terms of a text.

        Raises:
            MissingExtraError: What makes graphs is not installed.
        """
        from .graphs.of_trees import Grown, trees_graph

        grown = Grown(self.columns, self.trees, self.link, self.start, self.labels, self.seen, self.scale)
        return trees_graph(grown, temperature)

    def save(self, folder: Path) -> None:
        """Write `model.json` and `trees.safetensors`."""
        from safetensors.numpy import save_file

        columns, arrays = self.columns.saved(), dict[str, NDArray[Any]]()
        if isinstance(self.columns, TextFeatures):
            arrays = self.columns.save(folder)
        settings: dict[str, Any] = {
            "labels": self.labels,
            "seen": self.seen,
            "link": self.link,
            "log": self.scale.log,
            "columns": columns,
        }
        (folder / "model.json").write_bytes(orjson.dumps(settings, option=orjson.OPT_INDENT_2))
        save_file({**self.trees.arrays(), **arrays, "start": self.start}, folder / "trees.safetensors")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        settings = orjson.loads((folder / "model.json").read_bytes())
        arrays, columns = load_file(folder / "trees.safetensors"), settings["columns"]
        return cls(
            columns=TextFeatures.read(columns, arrays, folder) if "text" in columns else ColumnFeatures.read(columns),
            trees=Trees.read(arrays),
            link=settings["link"],
            start=arrays["start"],
            labels=tuple(settings["labels"]),
            seen=tuple(settings["seen"]),
            scale=Scale(log=settings["log"]),
        )


def linked(total: Floats, link: Link, trees: int) -> Floats:
    """What leaves add up to, shape (rows, outputs), as probabilities of labels with training rows, or as numbers."""
    match link:
        case "mean":
            return total / trees
        case "logistic":
            from scipy.special import expit

            second = expit(total[:, 0])
            return np.stack([1 - second, second], axis=1)
        case "softmax":
            powers = np.exp(total - total.max(axis=1, keepdims=True))
            # One after the other, as scikit-learn adds them: NumPy adds eight and more of a row in another order.
            return np.asarray(powers / powers.cumsum(axis=1)[:, -1:])
        case _:
            return total
