"""A linear layer on terms as plain arrays, for what computes it elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from numpy.typing import NDArray


@dataclass(frozen=True)
class CountedKind:
    """One kind of terms."""

    kind: Literal["words", "characters"]
    lengths: tuple[int, int]
    """Shortest and longest term: in words, or in characters within a word and a space at each end of it."""
    terms: Sequence[str]
    """In lower case, in the order of their weights."""
    rarity: NDArray[Any] | None
    """What 1 + ln(count) is multiplied by, shape (terms,), before the text's numbers are brought to length 1; none
    where the plain counts are weighed."""


@dataclass(frozen=True)
class Counted:
    """A layer: scores are each kind's numbers times weights, plus intercepts."""

    kinds: tuple[CountedKind, ...]
    weights: NDArray[Any]
    """Of all kinds, one after the other, shape (terms, outputs)."""
    intercepts: NDArray[Any]
    """Shape (outputs,); minus infinity where a label has no probability."""
    link: Literal["softmax", "logistic", "identity", "exponential"]
    """What makes answers of scores."""
    temperature: float = 1.0
    """What scores are divided by before the softmax."""


@runtime_checkable
class AsCounted(Protocol):
    """A model that may be a linear layer on terms."""

    def counted(self) -> Counted | None:
        """The layer; none where it is more than that."""
