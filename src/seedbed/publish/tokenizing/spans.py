"""Questions and texts, with the tokens of the answer: for models that find it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from seedbed.core.rows import ROW
from seedbed.core.task import QuestionAnswering
from seedbed.core.tokenizing.tokens import Places

from .form import Form, Texts, parents, texts_of, unseen
from .losses import Losses
from .windows import Segment, Windows, join, ranges, windows
from .writing import Made


class Answered(Form):
    """A question and a window of the text a row; the first and last token of the answer, where it is in the window.

    Where it is not, or there is none, both are the place of the token that stands for the whole row (0 without one).
    """

    model: ClassVar[str] = "encoder"

    def encode(self, batch: pl.DataFrame) -> Texts:
        """Questions and texts, and where the first answer of each is, in characters; -1 without one."""
        assert isinstance(self.task, QuestionAnswering)
        question = self.tokens.encode(texts_of(batch, self.task.question))
        context = self.tokens.encode(texts_of(batch, self.task.context), spans=True)
        assert context.spans is not None
        first = [answers[0] if answers else None for answers in batch[self.task.answers].to_list()]
        begin = np.array([one["start"] if one else -1 for one in first], np.int64)
        end = np.array([one["start"] + len(one["text"]) if one else -1 for one in first], np.int64)
        answer = _tokens_of(context.bounds, context.spans, begin, end)
        loose = _loose(context.spans, context.bounds, answer, begin, end, texts_of(batch, self.task.context))
        return Texts(batch[ROW], {"question": question, "context": context}, {"answer": answer, "loose": loose})

    def made(self, encoded: Texts, losses: Losses) -> Iterator[Made]:
        """Windows of the texts, each after its question."""
        question, context, frame = encoded.encoded["question"], encoded.encoded["context"], self.tokens.pair
        room = self.asked.most_tokens - len(frame)
        asked = np.minimum(question.lengths, max(room // 2, 1))
        losses.counted["questions_cut"] += int((asked < question.lengths).sum())
        cut = windows(context.lengths, room - asked, side=self.asked.side, stride=self.asked.stride)
        whole = Windows(cut.parent, cut.piece, np.zeros_like(cut.parent), asked[cut.parent])
        many = len(cut.parent)
        joined = join(
            [
                Segment.constant(frame.before, many, frame.types_before),
                Segment.of(question, whole, type=frame.types[0]),
                Segment.constant(frame.between, many, frame.types_between),
                Segment.of(context, cut, type=frame.types[1]),
                Segment.constant(frame.after, many, frame.types_after),
            ]
        )
        first = len(frame.before) + asked[cut.parent] + len(frame.between)
        start, end = self._places(encoded.more["answer"], cut, first)
        self._count(encoded, cut, start >= 0, losses)
        self.note(losses, question, context)
        losses.see(question.lengths + context.lengths + len(frame), unseen(context.lengths, cut))
        null = self._null(frame.before)
        columns = self.inputs(joined)
        if self.asked.offsets:
            columns["offset_mapping"] = self._offsets(joined.bounds, context, cut, first)
        rows = {
            **parents(encoded.rows, cut),
            "start_positions": pa.array(np.where(start < 0, null, start), pa.int64()),
            "end_positions": pa.array(np.where(start < 0, null, end), pa.int64()),
        }
        yield Made(joined.bounds, columns, rows)

    def _places(self, answer: Places, cut: Windows, first: Places) -> tuple[Places, Places]:
        """First and last token of the answer in each row; -1 where it is not all there."""
        start, end = answer[cut.parent, 0], answer[cut.parent, 1]
        inside = (start >= cut.starts) & (end < cut.stops) & (start >= 0)
        moved = first - cut.starts
        return np.where(inside, start + moved, -1), np.where(inside, end + moved, -1)

    def _count(self, encoded: Texts, cut: Windows, found: NDArray[np.bool_], losses: Losses) -> None:
        answer = encoded.more["answer"]
        seen = np.zeros(len(answer), bool)
        np.logical_or.at(seen, cut.parent, found)
        losses.counted["answers_lost"] += int(((answer[:, 0] >= 0) & ~seen).sum())
        losses.counted["unanswerable"] += int((answer[:, 0] < 0).sum())
        losses.counted["answers_within_tokens"] += int(encoded.more["loose"].sum())

    def _null(self, before: tuple[int, ...]) -> int:
        cls = self.tokens.specials.cls
        return before.index(cls) if cls in before else 0

    def _offsets(self, bounds: Places, context: Any, cut: Windows, first: Places) -> NDArray[np.int32]:
        """Characters of the context that each token stands for; 0, 0 for those that are not of it."""
        found = np.zeros((int(bounds[-1]), 2), np.int32)
        there = ranges(bounds[:-1] + first, cut.lengths)
        found[there] = context.spans[ranges(context.bounds[:-1][cut.parent] + cut.starts, cut.lengths)]
        return found


def _tokens_of(bounds: Places, spans: Places, begin: Places, end: Places) -> Places:
    """First and last token of each text that stands for a character of its answer, shape (texts, 2); -1 without one."""
    found = np.full((len(begin), 2), -1, np.int64)
    for row in np.flatnonzero(begin >= 0):
        of_row = spans[bounds[row] : bounds[row + 1]]
        touched = np.flatnonzero((of_row[:, 1] > begin[row]) & (of_row[:, 0] < end[row]))
        if len(touched):
            found[row] = touched[0], touched[-1]
    return found


def _loose(
    spans: Places, bounds: Places, answer: Places, begin: Places, end: Places, texts: list[str]
) -> NDArray[np.bool_]:
    """Whether the tokens of an answer hold more than the answer and white space around it, shape (texts,)."""
    found = np.zeros(len(begin), bool)
    for row in np.flatnonzero(answer[:, 0] >= 0):
        low = spans[bounds[row] + answer[row, 0], 0]
        high = spans[bounds[row] + answer[row, 1], 1]
        found[row] = texts[row][low:high].strip() != texts[row][begin[row] : end[row]].strip()
    return found
