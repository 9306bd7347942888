"""Texts with labels or numbers, as encoders read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pyarrow as pa

from .form import Form, Texts, parents, texts_of, unseen
from .losses import Losses
from .windows import Segment, join, windows
from .writing import Made


class Labelled(Form):
    """One text a row, and what is to be told of it: the number of a label, a 0 or 1 a label, or a number."""

    model: ClassVar[str] = "encoder"

    def encode(self, batch: pl.DataFrame) -> Texts:
        """The texts' ids, and the labels as they are learned."""
        assert self.task.answer is not None
        text = self.tokens.encode(texts_of(batch, self.task.roles["text"]))
        answers = batch[self.task.answer]
        names = _names(answers, self.task.says)
        return Texts(batch["row"], {"text": text}, {"labels": self._labels(answers), "names": names})

    def made(self, encoded: Texts, losses: Losses) -> Iterator[Made]:
        """Windows of the texts; each has the label of its row."""
        text, frame = encoded.encoded["text"], self.tokens.single
        rows = len(text)
        room = np.full(rows, self.asked.most_tokens - len(frame))
        cut = windows(text.lengths, room, side=self.asked.side, stride=self.asked.stride)
        many = len(cut.parent)
        joined = join(
            [
                Segment.constant(frame.before, many, frame.types_before),
                Segment.of(text, cut, type=frame.types[0]),
                Segment.constant(frame.after, many, frame.types_after),
            ]
        )
        self.note(losses, text)
        losses.see(text.lengths + len(frame), unseen(text.lengths, cut), encoded.more["names"])
        labels = encoded.more["labels"].take(pa.array(cut.parent))
        yield Made(joined.bounds, self.inputs(joined), {**parents(encoded.rows, cut), "labels": labels})

    def _labels(self, answers: pl.Series) -> pa.Array:
        if self.task.says == "number":
            return answers.cast(pl.Float32).to_arrow()
        numbers = {name: place for place, name in enumerate(self.asked.labels)}
        if self.task.says == "label":
            return pa.array([numbers[name] for name in answers.cast(pl.String)], pa.int64())
        hot = np.zeros((len(answers), len(numbers)), np.float32)
        for row, names in enumerate(answers.to_list()):
            hot[row, [numbers[name] for name in names or ()]] = 1
        bounds = np.arange(len(answers) + 1) * len(numbers)
        return pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), pa.array(hot.ravel()))


def _names(answers: pl.Series, says: str) -> Sequence[Sequence[str]]:
    """The labels of each row."""
    if says == "label":
        return [[name] for name in answers.cast(pl.String).to_list()]
    found: list[Any] = answers.to_list() if says == "labels" else []
    return [names or () for names in found]
