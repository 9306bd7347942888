"""Gradual unfreezing: the head learns first, then a layer more from the top on (Howard & Ruder 2018).

*Universal Language Model Fine-tuning for Text Classification*, https://arxiv.org/abs/1801.06146. There a layer more
learns in each epoch; here all do when the first epoch is over, because two epochs are what a small network needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from .frozen_layers import parts_of


class Unfreezing:
    """Which parameters learn at a step: those of the head, then a layer more from the top at even distances.

    Args:
        parts: Parameters that learn together, the highest first.
        steps: After which all learn.
    """

    def __init__(self, parts: Sequence[Sequence[Any]], steps: int) -> None:
        self.parts, self.steps = parts, steps

    @classmethod
    def of(cls, network: Any, learning: Mapping[str, Any], steps: int) -> Self:
        """Of a network's layers that learn.

        Args:
            network: It.
            learning: The parameters that learn in the end, by name.
            steps: After which all learn.
        """
        below = [[one for one in part.parameters() if one.requires_grad] for part in reversed(parts_of(network))]
        inside = {id(one) for part in below for one in part}
        head = [one for one in learning.values() if id(one) not in inside]
        return cls([part for part in (head, *below) if part], steps)

    def at(self, step: int) -> None:
        """Have learn what learns at a step, from 0."""
        many = 1 + step * len(self.parts) // max(1, self.steps)
        for place, part in enumerate(self.parts):
            for one in part:
                one.requires_grad_(place < many)
