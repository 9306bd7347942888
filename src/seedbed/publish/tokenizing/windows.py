"""Which tokens of long texts go into which row, and rows put together of pieces: arrays, no loops over rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.tokenizing import Encoded
from seedbed.core.tokenizing.tokens import Ids, Places

Side = Literal["right", "left"]
#: What losses skip, as PyTorch has it.
SKIPPED = -100


def ranges(starts: Places, lengths: Places) -> Places:
    """All numbers from each start, as many as its length says, one range after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(total)


@dataclass(frozen=True)
class Windows:
    """Parts of texts that become rows."""

    parent: Places
    """Shape (windows,): the text that each is of."""
    piece: Places
    """Its place among those of the text, from 0."""
    starts: Places
    """Tokens of the text, from and up to."""
    stops: Places

    @property
    def lengths(self) -> Places:
        """Tokens of each window."""
        return self.stops - self.starts


def windows(lengths: Places, room: Places, *, side: Side, stride: int | None) -> Windows:
    """The parts of texts that fit, as `tokenizers` cuts them.

    Args:
        lengths: Tokens of each text, shape (texts,).
        room: Most tokens of a window of each, shape (texts,), at least 1.
        side: The side that is cut off.
        stride: Tokens that two windows of a text share, or half of them where there is no room for so many; without it
            there is one window a text, and the rest is lost.
    """
    if stride is None:
        kept = np.minimum(lengths, room)
        starts = lengths - kept if side == "left" else np.zeros_like(lengths)
        each = np.arange(len(lengths))
        return Windows(each, np.zeros_like(each), starts, starts + kept)
    step = np.where(stride < room, room - stride, room - room // 2)
    many = np.where(lengths > room, -(-(lengths - room) // step) + 1, 1)
    parent = np.repeat(np.arange(len(lengths)), many)
    piece = ranges(np.zeros_like(many), many)
    moved, size, most = piece * step[parent], lengths[parent], room[parent]
    if side == "right":
        return Windows(parent, piece, moved, np.minimum(moved + most, size))
    stops = size - moved
    return Windows(parent, piece, np.maximum(stops - most, 0), stops)


@dataclass(frozen=True)
class Segment:
    """A piece of each row: a slice of some ids."""

    ids: Ids
    starts: Places
    """Shape (rows,)."""
    lengths: Places
    """Shape (rows,)."""
    types: tuple[int, ...] | int = 0
    """`token_type_ids`: one for all, or one for each token of a constant."""
    learned: bool = False
    """Whether the model is to say these tokens."""

    @classmethod
    def of(cls, texts: Encoded, cut: Windows, *, type: int = 0, learned: bool = False) -> Segment:
        """Windows of texts, a row each."""
        return cls(texts.ids, texts.bounds[:-1][cut.parent] + cut.starts, cut.lengths, type, learned)

    @classmethod
    def constant(
        cls, ids: Sequence[int], rows: int, types: tuple[int, ...] | int = 0, *, learned: bool = False
    ) -> Segment:
        """The same tokens in every row."""
        lengths = np.full(rows, len(ids), np.int64)
        return cls(np.array(ids, np.int32), np.zeros(rows, np.int64), lengths, types, learned)


@dataclass(frozen=True)
class Joined:
    """Rows of tokens, one after the other."""

    ids: Ids
    bounds: Places
    """Shape (rows + 1,)."""
    types: NDArray[np.int8]
    """Shape (tokens,)."""
    labels: Ids
    """Shape (tokens,): the token, where the model is to say it, else `SKIPPED`."""

    @property
    def lengths(self) -> Places:
        """Tokens of each row."""
        return np.diff(self.bounds)


def join(segments: Sequence[Segment]) -> Joined:
    """Rows of which each is its piece of each segment, in order."""
    lengths = np.sum([one.lengths for one in segments], axis=0)
    bounds = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    ids = np.empty(int(bounds[-1]), np.int32)
    types = np.zeros(len(ids), np.int8)
    labels = np.full(len(ids), SKIPPED, np.int32)
    at = bounds[:-1].copy()
    for one in segments:
        there = ranges(at, one.lengths)
        ids[there] = one.ids[ranges(one.starts, one.lengths)]
        if isinstance(one.types, int):
            types[there] = one.types
        elif one.types:
            types[there] = np.tile(np.array(one.types, np.int8), len(one.lengths))
        if one.learned:
            labels[there] = ids[there]
        at += one.lengths
    return Joined(ids, bounds, types, labels)
