"""What a network that reads a text is taught to say of it: one of some labels, several of them, or a number."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core import numbers
from seedbed.core.task import Task

from .objective import Objective, Result, Row, padded
from .scale import Scale
from .target_numbers import numbers_of
from .target_sets import coded, held_by

#: How much a row counts.
COUNT = "count"
#: Weight of the loss among states that decide alike.
_SLIGHT = 1e-6


class _OfOutputs(Objective):
    """The loss of each row by its outputs, times what the row counts."""

    def collate(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Tokens, labels and counts."""
        import torch

        counts = torch.tensor([row.get(COUNT, 1.0) for row in rows], dtype=torch.float32)
        return {
            **padded(rows, {"input_ids": self.pad}),
            "labels": torch.tensor([row["label"] for row in rows]),
            COUNT: counts,
        }

    def loss(self, network: Any, batch: Mapping[str, Any]) -> Any:
        """The losses of rows, each as often as it counts."""
        outputs = network(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits.float()
        return (self.each(outputs, batch["labels"]) * batch[COUNT]).sum()

    def total(self, rows: Sequence[Row]) -> float:
        """What rows count together."""
        return float(sum(row.get(COUNT, 1.0) for row in rows))

    @abstractmethod
    def each(self, outputs: Any, labels: Any) -> Any:
        """The loss of each row, shape (rows,)."""

    def outputs(self, network: Any, rows: Sequence[Row], size: int) -> NDArray[np.float64]:
        """What the network puts out, in the order of the rows."""
        import torch

        network.eval()
        found: dict[int, NDArray[np.float64]] = {}
        with torch.inference_mode():
            for batch, places in self.read(network, rows, size):
                told = network(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
                found |= dict(zip(places, told.double().cpu().numpy(), strict=True))
        return np.stack([found[place] for place in range(len(rows))])


class OneOf(_OfOutputs):
    """One label: cross-entropy. States are compared by macro-F1, and of equals by the lower loss."""

    measures = "macro_f1"

    def each(self, outputs: Any, labels: Any) -> Any:
        """Minus ln of the probability of each row's label."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(outputs, labels, reduction="none")

    def measure(self, network: Any, rows: Sequence[Row], size: int) -> Result:
        """Macro-F1."""
        from scipy.special import log_softmax
        from sklearn.metrics import f1_score

        outputs, truth = self.outputs(network, rows, size), np.array([row["label"] for row in rows])
        macro_f1 = float(f1_score(truth, outputs.argmax(axis=1), average="macro", zero_division=0))
        loss = -float(log_softmax(outputs, axis=1)[np.arange(len(truth)), truth].mean())
        return Result(macro_f1 - _SLIGHT * loss, f"validation macro-F1 {numbers.score(macro_f1)}", macro_f1)


class AnyOf(_OfOutputs):
    """Any number of labels: binary cross-entropy of each. States are compared as those of one label."""

    measures = "macro_f1"

    def each(self, outputs: Any, labels: Any) -> Any:
        """The mean over labels."""
        from torch.nn.functional import binary_cross_entropy_with_logits

        return binary_cross_entropy_with_logits(outputs, labels, reduction="none").mean(dim=1)

    def measure(self, network: Any, rows: Sequence[Row], size: int) -> Result:
        """Macro-F1 of labels that are as likely as not."""
        from sklearn.metrics import f1_score

        outputs, truth = self.outputs(network, rows, size), np.array([row["label"] for row in rows])
        macro_f1 = float(f1_score(truth > 0.5, outputs >= 0, average="macro", zero_division=0))
        loss = float((np.logaddexp(0, outputs) - truth * outputs).mean())
        return Result(macro_f1 - _SLIGHT * loss, f"validation macro-F1 {numbers.score(macro_f1)}", macro_f1)


class Amount(_OfOutputs):
    """A number: its squared error, on a scale on which the training numbers have variance 1."""

    def each(self, outputs: Any, labels: Any) -> Any:
        """Squared errors."""
        return (outputs[:, 0] - labels) ** 2


@dataclass(frozen=True)
class Head:
    """What is said, and how outputs say it. It is plain data."""

    says: str
    outputs: tuple[str, ...]
    """Names of the outputs: labels, or the number's."""
    seen: tuple[int, ...] = ()
    """Of one label: those that training rows have; others have no probability."""
    log: bool = False
    """Of a number: whether it is learned as a logarithm."""
    mean: float = 0.0
    deviation: float = 1.0

    @classmethod
    def of(cls, train: pl.DataFrame, task: Task) -> Head:
        """What training rows say.

        Raises:
            DataError: They cannot be learned from.
        """
        if task.says == "number":
            found = numbers_of(train, task, "auto")
            mean, deviation = float(found.values.mean()), float(found.values.std())
            return cls("number", (str(task.answer),), log=found.scale.log, mean=mean, deviation=deviation or 1.0)
        target = coded(train, task)
        seen = sorted(set(train[str(task.answer)].cast(pl.String))) if task.says == "label" else ()
        return cls(task.says, target.labels, tuple(place for place, name in enumerate(target.labels) if name in seen))

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the model."""
        return () if self.says == "number" else self.outputs

    @property
    def problem(self) -> str:
        """As networks call it."""
        return {"label": "single_label", "labels": "multi_label", "number": "regression"}[self.says]

    def objective(self, name: str, pad: int) -> Objective:
        """What is learned."""
        kinds: dict[str, type[_OfOutputs]] = {"label": OneOf, "labels": AnyOf, "number": Amount}
        return kinds[self.says](name, pad)

    def coded(self, rows: pl.DataFrame, task: Task) -> tuple[list[Any], list[int]]:
        """Labels as the objective wants them, and the places of the rows that have one which it knows."""
        values = rows[str(task.answer)]
        if self.says == "number":
            told = ((Scale(self.log).to(values) - self.mean) / self.deviation).astype(np.float32)
            return told.tolist(), np.flatnonzero(np.isfinite(told)).tolist()
        held = held_by(values, self.outputs)
        if self.says == "labels":
            return held.astype(np.float32).tolist(), np.flatnonzero(values.is_not_null().to_numpy()).tolist()
        return held.argmax(axis=1).tolist(), np.flatnonzero(held.any(axis=1)).tolist()

    def answers(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """What outputs say, shape (rows, outputs)."""
        if self.says == "number":
            return Scale(self.log).back(outputs[:, 0] * self.deviation + self.mean)
        if self.says == "labels":
            return np.asarray(np.exp(-np.logaddexp(0, -outputs)))  # 1 / (1 + exp(-x)), without overflow
        found = np.zeros_like(outputs)
        shares = np.exp(outputs[:, self.seen] - outputs[:, self.seen].max(axis=1, keepdims=True))
        found[:, self.seen] = shares / shares.sum(axis=1, keepdims=True)
        return found

    def traced(self, outputs: Any, temperature: float) -> Any:
        """The same of a tensor while a graph is made of it; probabilities of one label to the power 1/temperature."""
        import torch

        if self.says == "labels":
            return torch.sigmoid(outputs)
        if self.says == "number":
            told = outputs * self.deviation + self.mean
            return torch.exp(told.clamp(-87, 88)) if self.log else told
        apart = torch.full((len(self.outputs),), float("-inf"), device=outputs.device)
        apart[list(self.seen)] = 0.0
        return torch.softmax(outputs / temperature + apart, dim=1)
