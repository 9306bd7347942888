"""Documents for a language model: each a row, or packed into blocks of the same length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from seedbed.core.rows import ROW
from seedbed.core.task import Task
from seedbed.core.tokenizing import Tokens

from .form import Asked, Form, Texts, parents, texts_of, unseen
from .losses import Losses
from .windows import SKIPPED, Joined, Segment, Windows, join, windows
from .writing import Made, Padding


class Documents(Form):
    """A row a document, with the token that ends it; long ones are cut, or go on in another row."""

    model: ClassVar[str] = "decoder"

    def encode(self, batch: pl.DataFrame) -> Texts:
        """The documents, what begins and ends them included."""
        text = self.tokens.encode(texts_of(batch, self.task.roles["text"]))
        rows, frame = len(text), self.tokens.single
        ends = frame.after or _end(self.tokens)
        whole = join(
            [
                Segment.constant(frame.before, rows, learned=True),
                Segment.of(text, _all(text.lengths), learned=True),
                Segment.constant(ends, rows, learned=True),
            ]
        )
        return Texts(batch[ROW], {"documents": whole}, {"text": text})

    def made(self, encoded: Texts, losses: Losses) -> Iterator[Made]:
        """Windows of the documents; all of it is to be learned."""
        whole: Joined = encoded.encoded["documents"]
        room = np.full(len(whole.lengths), self.asked.most_tokens)
        cut = windows(whole.lengths, room, side=self.asked.side, stride=self.asked.stride)
        self.note(losses, encoded.more["text"])
        losses.see(whole.lengths, unseen(whole.lengths, cut))
        joined = join([Segment(whole.ids, whole.bounds[:-1][cut.parent] + cut.starts, cut.lengths, learned=True)])
        yield Made(joined.bounds, self.inputs(joined, labels=True), parents(encoded.rows, cut))


class Packed(Documents):
    """Documents one after the other, cut into blocks; a document that a block's end cuts goes on in the next.

    Where documents are not to see each other (`across` is false), the positions begin anew with each, `document_ids`
    tell them apart, and the first token of a document is not to be learned from the one before.
    """

    def __init__(self, task: Task, tokens: Tokens, asked: Asked) -> None:
        super().__init__(task, tokens, asked)
        self._ids = np.zeros(0, np.int32)
        self._of = np.zeros(0, np.int64)
        """The document of each token that waits, by number."""
        self._at = np.zeros(0, np.int64)
        """The place of each token in its document."""
        self._rows: list[str] = []
        """Ids of the documents that wait; the first has the number `_first`."""
        self._first = 0

    @property
    def padding(self) -> Padding:
        """The last block is filled up; the others are full."""
        return Padding("right" if self.asked.pad == "none" else self.asked.pad, self.asked.most_tokens,
                       super().padding.fill)  # fmt: skip

    def made(self, encoded: Texts, losses: Losses) -> Iterator[Made]:
        """The blocks that are full."""
        whole: Joined = encoded.encoded["documents"]
        self.note(losses, encoded.more["text"])
        losses.see(whole.lengths, np.zeros_like(whole.lengths))
        number = self._first + len(self._rows) + np.arange(len(whole.lengths))
        self._ids = np.concatenate([self._ids, whole.ids])
        self._of = np.concatenate([self._of, np.repeat(number, whole.lengths)])
        starts = np.repeat(whole.bounds[:-1], whole.lengths)
        self._at = np.concatenate([self._at, np.arange(len(whole.ids)) - starts])
        self._rows += encoded.rows.to_list()
        full = len(self._ids) // self.asked.most_tokens * self.asked.most_tokens
        if full:
            yield self._blocks(full, losses)

    def last(self, losses: Losses) -> Iterator[Made]:
        """What is left: a block that is not full, or nothing."""
        if not len(self._ids):
            return
        if self.asked.last == "drop":
            losses.counted["tokens_of_the_last_block_dropped"] += len(self._ids)
            return
        yield self._blocks(len(self._ids), losses)

    def nothing(self, schema: pl.Schema) -> Iterator[Made]:
        """No blocks."""
        yield self._blocks(0, Losses())

    def _blocks(self, tokens: int, losses: Losses) -> Made:
        """Blocks of the first tokens that wait."""
        size = self.asked.most_tokens
        ids, of, at = self._ids[:tokens], self._of[:tokens], self._at[:tokens]
        bounds = np.append(np.arange(0, tokens, size), tokens)
        place = np.arange(tokens) % size
        begins = (place == 0) | (np.diff(of, prepend=-1) != 0)
        labels = ids.copy()
        columns: dict[str, NDArray[Any]] = {
            "input_ids": ids,
            "attention_mask": np.ones(tokens, np.int8),
            "labels": labels,
        }
        parts = np.flatnonzero(begins)
        if not self.asked.across:
            labels[begins] = SKIPPED
            columns["position_ids"] = _since(begins)
            columns["document_ids"] = _numbered(begins, place)
        ends = np.searchsorted(parts, bounds)
        names = [self._rows[number - self._first] for number in of[parts]]
        rows = {
            "rows": pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(names, pa.string())),
            "starts": pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(at[parts], pa.int32())),
        }
        losses.counted["documents_cut_by_a_block"] += int((at[bounds[:-1]] > 0).sum())
        self._ids, self._of, self._at = self._ids[tokens:], self._of[tokens:], self._at[tokens:]
        going = int(self._of[0]) if len(self._of) else self._first + len(self._rows)
        self._rows, self._first = self._rows[going - self._first :], going
        return Made(bounds, columns, rows)


def _end(tokens: Tokens) -> tuple[int, ...]:
    return () if tokens.specials.end is None else (tokens.specials.end,)


def _all(lengths: NDArray[np.int64]) -> Windows:
    each = np.arange(len(lengths))
    return Windows(each, np.zeros_like(each), np.zeros_like(lengths), lengths)


def _since(begins: NDArray[np.bool_]) -> NDArray[np.int32]:
    """How many tokens ago each token's part began."""
    every = np.arange(len(begins))
    found: NDArray[np.int32] = (every - np.maximum.accumulate(np.where(begins, every, 0))).astype(np.int32)
    return found


def _numbered(begins: NDArray[np.bool_], place: NDArray[np.int64]) -> NDArray[np.int32]:
    """Which part of its block each token is of, from 0."""
    parts = np.cumsum(begins)
    first = np.maximum.accumulate(np.where(place == 0, parts, 0))
    found: NDArray[np.int32] = (parts - first).astype(np.int32)
    return found
