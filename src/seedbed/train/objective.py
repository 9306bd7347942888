"""What a network is to learn: how rows become batches, what they cost it, and which of two states is better."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from seedbed.core import numbers

#: A row as a network reads it: `input_ids` and whatever else the objective wants.
Row = Mapping[str, Any]
#: The label of tokens that nothing is learned from, as in PyTorch.
IGNORED = -100


@dataclass(frozen=True)
class Result:
    """What validation rows say."""

    value: float
    """Higher is better."""
    told: str
    """For a person."""
    measured: float
    """The number that it tells."""


class Objective(ABC):
    """What a network is to learn."""

    measures: ClassVar[str] = "loss"
    """What is measured on validation rows."""

    def __init__(self, name: str, pad: int) -> None:
        self.name, self.pad = name, pad

    @abstractmethod
    def collate(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Rows as tensors, padded to the longest."""

    @abstractmethod
    def loss(self, network: Any, batch: Mapping[str, Any]) -> Any:
        """What a batch costs, added up over its rows: a tensor of one number."""

    def total(self, rows: Sequence[Row]) -> float:
        """What the loss of rows is divided by to be a mean."""
        return float(len(rows))

    def measure(self, network: Any, rows: Sequence[Row], size: int) -> Result:
        """How good the network is on rows: the mean loss, unless something says it better.

        Args:
            network: It.
            rows: Of validation.
            size: Rows to read together.
        """
        import torch

        network.eval()
        with torch.inference_mode():
            losses = [float(self.loss(network, batch)) for batch, _ in self.read(network, rows, size)]
        mean = sum(losses) / max(self.total(rows), 1e-12)
        return Result(-mean, f"validation loss {numbers.score(mean)}", mean)

    def read(self, network: Any, rows: Sequence[Row], size: int) -> Iterator[tuple[dict[str, Any], list[int]]]:
        """Batches of rows in the order of their lengths, where the network is, and the rows' places."""
        for places in by_length([len(row["input_ids"]) for row in rows], size):
            batch = self.collate([rows[place] for place in places])
            yield {name: values.to(network.device) for name, values in batch.items()}, places


def by_length(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Places of rows, the shortest first, so many together."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for start in range(0, len(order), size):
        yield order[start : start + size]


def padded(rows: Sequence[Row], fills: Mapping[str, int], *, left: bool = False) -> dict[str, Any]:
    """Lists of rows as tensors of the length of the longest, shape (rows, tokens), and the `attention_mask`.

    Args:
        rows: They.
        fills: What each list is filled up with, by its name; `input_ids` is one of them.
        left: Fill up before the list.
    """
    import torch

    longest = max(len(row["input_ids"]) for row in rows)
    found = {}
    for name, fill in {**fills, "attention_mask": 0}.items():
        lists = [row[name] if name in row else [1] * len(row["input_ids"]) for row in rows]
        rest = ([fill] * (longest - len(one)) for one in lists)
        found[name] = torch.tensor([more + one if left else one + more for one, more in zip(lists, rest, strict=True)])
    return found
