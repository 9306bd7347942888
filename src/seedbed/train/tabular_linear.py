"""tabular_linear: a weighted sum of a table's columns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from seedbed.core.context import Context
from seedbed.core.graph import Graph
from seedbed.core.learner import ArrayModel, Learner, Model
from seedbed.core.part import Example
from seedbed.core.task import Task

from .columns import ColumnFeatures
from .example_rows import FLOWERS, HOUSES
from .linear import LINKS, Link
from .logistic import LogisticOptions, Trust
from .ridge import RidgeOptions
from .scale import OnScale
from .tabular import KINDS, Floats, Lesson
from .target import Target
from .target_numbers import Numbers


@dataclass(frozen=True)
class Design:
    """Columns of a table as what a weighted sum can be made of.

    Numbers are scaled to mean 0 and standard deviation 1; where one is missing, it counts as the mean, and a flag
    stands beside it. Each category of a column has a feature of its own, and so have "another one" and "missing".
    """

    columns: ColumnFeatures
    means: Floats
    """Of the numbers, shape (numbers,)."""
    deviations: Floats
    """Their standard deviations, shape (numbers,)."""

    @classmethod
    def learn(cls, columns: ColumnFeatures, features: Floats) -> Design:
        """Mean and standard deviation of each number of training rows, shape (rows, features)."""
        seen = [column[~np.isnan(column)] for column in features[:, : len(columns.numbers)].T]
        means = np.array([column.mean() if column.size else 0.0 for column in seen])
        deviations = np.array([column.std() if column.size else 0.0 for column in seen])
        # What varies by rounding alone is no column of its own.
        flat = deviations <= 1e-12 * np.abs(means)
        return cls(columns, means, np.where(flat, 1.0, deviations))

    def of(self, features: Floats) -> Any:
        """A sparse matrix (CSR), shape (rows, width), of what `ColumnFeatures.of` makes of rows."""
        from scipy.sparse import csr_array, hstack

        rows, count = len(features), len(self.columns.numbers)
        numbers = features[:, :count]
        missing = np.isnan(numbers)
        scaled = np.where(missing, 0.0, (numbers - self.means) / self.deviations)
        blocks = [csr_array(scaled), csr_array(missing.astype(np.float64))]
        for place, codes in enumerate(self.columns.named.values(), count):
            code = np.where(np.isnan(features[:, place]), len(codes) + 1, features[:, place]).astype(np.int64)
            shape = rows, len(codes) + 2
            blocks.append(csr_array((np.ones(rows), (np.arange(rows), code)), shape=shape))
        return csr_array(hstack(blocks, format="csr"))


class TabularLinearModel(ArrayModel):
    """One weight for each feature of a table's columns and each label, or for the number that is answered.

    Scores are features times weights (features, outputs) plus intercepts (outputs,); `link` makes answers of them, as
    in `LinearModel`.
    """

    def __init__(
        self,
        *,
        labels: tuple[str, ...],
        design: Design,
        weights: NDArray[np.float32],
        intercepts: Floats,
        link: Link,
    ) -> None:
        self.labels, self.design, self.weights = labels, design, weights
        self.intercepts, self.link = intercepts, link

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Probability of each label for each row, shape (rows, labels), or a number, shape (rows, 1).

        Raises:
            ModelError: The rows lack a column that is read.
        """
        features = self.design.columns.of(rows)
        scores = self.design.of(features) @ self.weights.astype(np.float64) + self.intercepts
        return LINKS[self.link](np.asarray(scores))

    def graph(self, temperature: float = 1.0) -> Graph:
        """The layer as a graph of ONNX, fed with numbers.

        Raises:
            MissingExtraError: What makes graphs is not installed.
        """
        from .graphs.building import LinearLayer
        from .graphs.of_columns import columns_graph

        layer = LinearLayer(self.weights, self.intercepts, self.link, self.labels, temperature)
        return columns_graph(layer, self.design.columns, (self.design.means, self.design.deviations))

    def save(self, folder: Path) -> None:
        """Write `model.json` and `weights.safetensors`."""
        from safetensors.numpy import save_file

        settings = {"labels": self.labels, "link": self.link, "columns": self.design.columns.saved()}
        (folder / "model.json").write_bytes(orjson.dumps(settings, option=orjson.OPT_INDENT_2))
        arrays: dict[str, NDArray[Any]] = {
            "weights": self.weights,
            "intercepts": self.intercepts,
            "means": self.design.means,
            "deviations": self.design.deviations,
        }
        save_file(arrays, folder / "weights.safetensors")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        settings = orjson.loads((folder / "model.json").read_bytes())
        arrays = load_file(folder / "weights.safetensors")
        columns = ColumnFeatures.read(settings["columns"])
        return cls(
            labels=tuple(settings["labels"]),
            design=Design(columns, arrays["means"], arrays["deviations"]),
            weights=arrays["weights"],
            intercepts=arrays["intercepts"],
            link=settings["link"],
        )


class TabularLinear(LogisticOptions, Learner):
    """A weighted sum of the columns: logistic regression for labels, ridge regression for numbers.

    ## Why
    It is the model that statistics begins with: one weight for each column or category says what it adds. Where rows
    are few or what is to be told is a sum of small things, it is as good as any, and it is steady: other rows of the
    same kind give nearly the same weights. Numbers are scaled, categories get a weight each, and a missing value counts
    as the mean with a weight of its own; all of that is learned from training rows alone. No seed is drawn.

    ## Limits
    It knows no bends and no "only if": `gradient_boosting` does. Beyond what training rows held it goes straight on, so
    one wild number gives a wild answer. Columns of texts are read as categories where few of them are different (at
    most 200, the most frequent), and left out where most are. Of numbers that are learned as logarithms it tells what
    lies in the middle, by factors, which is below the mean; say `scale: linear` where sums of answers matter.
    """

    learns: ClassVar[tuple[str, ...]] = KINDS
    model: ClassVar[type[Model[Any]]] = TabularLinearModel
    heeds_weights: ClassVar[bool] = True

    use: Literal["tabular_linear"] = "tabular_linear"
    c: Trust = 1.0
    scale: OnScale = "auto"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(title="Flowers", options={"c": 100}, before=FLOWERS, after={"predicted": FLOWERS["label"]}),
        Example(
            title="Houses: a garden costs 50",
            options={"c": 1e9, "scale": "linear"},
            before=HOUSES,
            after={"predicted": HOUSES["target"]},
        ),
    )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> TabularLinearModel:
        """Learn the scaling, then weights. Validation rows are not used.

        Raises:
            DataError: There are too few rows, one label or number only, or no column that tells anything.
        """
        lesson = Lesson.of(train, task, self.scale)
        assert isinstance(lesson.columns, ColumnFeatures), "its tasks are those of tables"
        design = Design.learn(lesson.columns, lesson.features)
        features, right = design.of(lesson.features), lesson.right
        link: Link = "softmax"
        if lesson.labels:
            target = Target(lesson.labels, right.astype(np.int64), lesson.weights)
            weights, intercepts = self.solve(features, target, context, name=self.use)
        else:
            numbers = Numbers(right.astype(np.float64), lesson.scale, lesson.weights)
            ridge = RidgeOptions(alpha=1 / self.c)
            (weights, intercepts), link = ridge.solve(features, numbers, context, name=self.use)
        return TabularLinearModel(
            labels=lesson.labels, design=design, weights=weights, intercepts=intercepts, link=link
        )
