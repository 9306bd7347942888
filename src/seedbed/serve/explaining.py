"""Why an answer: which words of a text it hung on, or which columns of a row.

Of a linear model on terms the words' parts are exact (`terms_told`). Any other model is asked again without each word,
or with each column as it is as a rule: what that takes from the answer is what the word or value was worth (Li et al.
2016, *Understanding Neural Networks through Representation Erasure*). Words that only count together are worth nothing
by that measure, one by one.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.counted import AsCounted
from seedbed.core.errors import DataError, SeedbedError, did_you_mean
from seedbed.core.task import Says
from seedbed.monitor.trained import as_typed
from seedbed.train.bundle import REFERENCE

from .predictor import Predictor
from .terms_told import TermsTold

if TYPE_CHECKING:
    from seedbed.monitor.columns import Column

Floats = NDArray[np.float64]
#: What can be explained: answers that are numbers.
EXPLAINED: tuple[Says, ...] = ("label", "labels", "number")
#: Most characters of a text, and times that a model is asked again; more words are left out some at a time.
MOST_CHARACTERS, MOST_ASKED = 20_000, 100
#: Texts that a model is asked together: between them it is looked whether there is time left.
_TOGETHER = 16
#: Scripts without blanks: each character is a word here.
_ALONE = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ffff"
_WORD = re.compile(rf"[{_ALONE}]|[^\s{_ALONE}]{{1,60}}")
_LEAST = 1e-9


@dataclass(frozen=True)
class Word:
    """Some characters of the text, and what they are worth."""

    start: int
    end: int
    """Characters of the text, from 0; the one after the last."""
    weight: float | None
    """None where there was no time to find out."""


@dataclass(frozen=True)
class Value:
    """A column's value, and what it is worth."""

    column: str
    value: Any
    """As the model read it, after the steps, which is what the usual one is, too."""
    usual: Any
    """What it was held against: the median, or the most frequent value, of held-out rows; none where none is known."""
    weight: float


@dataclass(frozen=True)
class Explained:
    """Why an answer."""

    label: str | None
    """The label whose probability is explained; none where the answer is a number."""
    method: str
    """`exact`, or `left_out`."""
    unit: str
    base: float | None
    """Of exact weights: what they add up to the score with."""
    text: str | None = None
    words: tuple[Word, ...] = ()
    columns: tuple[Value, ...] = ()


class Explainer:
    """Explains the answers of one model. Threads may share it."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def explain(self, rows: pl.DataFrame, label: str | None = None, *, seconds: float = 5.0) -> Explained:
        """Why the answer to a row is what it is.

        Args:
            rows: One row, a frame with the columns `Predictor.inputs`.
            label: The label to explain; the most probable one when left out.
            seconds: After so many no more words are looked at.

        Raises:
            DataError: There is no such label, an input is missing, or the text is too long.
            ModelError: A step or the model failed.
        """
        read = self.predictor.preparation(rows).rows
        scores = self._asked(read)
        output = self._output(scores[0], label)
        shown = self.predictor.bundle.task.shown
        if shown is None or shown not in read.columns:
            return self._of_columns(read, output)
        text = text_of(read, shown)
        if len(text) > MOST_CHARACTERS:
            raise DataError(
                f"a text of {len(text):,} characters is too long to be explained",
                at=shown,
                hint=f"at most {MOST_CHARACTERS:,} are looked through",
            )
        if self._linear is not None:
            return self._exact(self._linear, text, output)
        return self._left_out(read, shown, output, self._measured(scores, output)[0], time.monotonic() + seconds)

    def _asked(self, read: pl.DataFrame) -> Floats:
        return np.asarray(self.predictor.scores(read), dtype=np.float64)

    def _output(self, scores: Floats, label: str | None) -> int:
        """The column of what is explained."""
        labels = self.predictor.labels
        if label is None or not labels:
            return int(scores.argmax())
        if label not in labels:
            raise DataError(f"{label[:80]!r} is no label", at="label", hint=did_you_mean(label, labels))
        return labels.index(label)

    def _told(self, output: int, method: str, unit: str = "", **more: Any) -> Explained:
        labels = self.predictor.labels
        usual = "log-odds" if labels else "the number"
        told = {"base": None, **more}
        return Explained(labels[output] if labels else None, method, unit or usual, **told)

    # Words

    @cached_property
    def _linear(self) -> TermsTold | None:
        """The model, where it is a linear one on terms."""
        model = self.predictor.model
        layer = model.counted() if isinstance(model, AsCounted) else None
        return None if layer is None else TermsTold(layer)

    def _exact(self, linear: TermsTold, text: str, output: int) -> Explained:
        known, labels = self.predictor.model.labels, self.predictor.labels
        own = known.index(labels[output]) if known else output
        parts, base = linear.parts(text, own)
        until = np.concatenate([[0.0], np.cumsum(parts)])
        words = tuple(Word(start, end, float(until[end] - until[start])) for start, end in words_of(text))
        unit = {"exponential": "logarithm of the number", "identity": "the number"}.get(linear.layer.link, "log-odds")
        if linear.layer.link == "softmax" and len(known) > 2:
            unit = "log-odds against the other labels, on average"
        return self._told(output, "exact", unit, base=base, text=text, words=words)

    def _left_out(self, read: pl.DataFrame, shown: str, output: int, whole: float, until: float) -> Explained:
        """Ask again without each word, or without each few words where there are many."""
        text = text_of(read, shown)
        found = words_of(text)
        step = max(1, math.ceil(len(found) / MOST_ASKED))
        runs = [(some[0][0], some[-1][1]) for some in (found[at : at + step] for at in range(0, len(found), step))]
        weights: list[float | None] = []
        for at in range(0, len(runs), _TOGETHER):
            if time.monotonic() > until:
                break
            texts = [text[:start] + text[end:] for start, end in runs[at : at + _TOGETHER]]
            without = pl.concat([read] * len(texts)).with_columns(pl.Series(shown, texts, dtype=pl.String))
            weights += (whole - self._measured(self._asked(without), output)).tolist()
        weights += [None] * (len(runs) - len(weights))
        words = tuple(Word(start, end, weight) for (start, end), weight in zip(runs, weights, strict=True))
        return self._told(output, "left_out", text=text, words=words)

    def _measured(self, scores: Floats, output: int) -> Floats:
        """What is compared: log-odds of a label, or the number. Shape (rows,)."""
        told: Floats = scores[:, output]
        if not self.predictor.labels:
            return told
        share = told.clip(_LEAST, 1 - _LEAST)
        return np.asarray(np.log(share) - np.log1p(-share))

    # Columns

    @cached_property
    def _usual(self) -> dict[str, Column]:
        """What columns were like in held-out rows, where the bundle says it."""
        from seedbed.monitor.reference import read_reference

        try:
            text = (self.predictor.folder / REFERENCE).read_text("utf-8")
            return dict(read_reference(text, at=REFERENCE)[0].reads)
        except (OSError, UnicodeDecodeError, SeedbedError):
            return {}

    def _usual_of(self, name: str, kind: pl.DataType) -> pl.Series:
        """The usual value of a column; of numbers written as texts, or with no two alike, that of training rows."""
        found, trained = usual_value(self._usual.get(name), kind), self.predictor.preparation.trained.get(name)
        if found.null_count() and trained is not None and trained.median is not None:
            return pl.Series([trained.median if kind.is_numeric() else as_typed(trained.median)]).cast(kind)
        return found

    def _of_columns(self, read: pl.DataFrame, output: int) -> Explained:
        """Ask again with each column as it is as a rule."""
        answer = self.predictor.bundle.task.answer
        names = [name for name in read.columns if name != answer][:MOST_ASKED]
        usual = {name: self._usual_of(name, read.schema[name]) for name in names}
        others = [read.with_columns(pl.Series(name, usual[name], dtype=read.schema[name])) for name in names]
        scores = self._measured(self._asked(pl.concat([read, *others])), output)
        return self._told(
            output,
            "left_out",
            columns=tuple(
                Value(name, plain(read[name]), plain(usual[name]), float(scores[0] - without))
                for name, without in zip(names, scores[1:], strict=True)
            ),
        )


def text_of(read: pl.DataFrame, shown: str) -> str:
    """The text of a row; empty where it has none."""
    return str(read[shown].cast(pl.String).fill_null("").item())


def words_of(text: str) -> list[tuple[int, int]]:
    """Where the words of a text are; in scripts without blanks, its characters. Nothing but white space is left."""
    return [one.span() for one in _WORD.finditer(text)]


def usual_value(column: Column | None, kind: pl.DataType) -> pl.Series:
    """The value of a column that is most usual, as a series of one: the median, or what is most frequent."""
    nothing = pl.Series([None], dtype=kind)
    if column is None or column.kind == "text":
        return nothing
    if column.kind == "category":
        from seedbed.monitor.columns import OTHER

        known = {value: rows for value, rows in column.counts.items() if value != OTHER}
        most = max(known, key=lambda value: known[value], default=None)
        if kind == pl.Boolean:
            return pl.Series([None if most is None else most == "true"], dtype=kind)
        return pl.Series([most], dtype=pl.String).cast(kind, strict=False)
    if not column.values:
        return nothing
    median = pl.Series([column.values[len(column.values) // 2]], dtype=pl.Float64)
    return median.cast(pl.Int64).cast(kind) if kind.is_temporal() else median.cast(kind, strict=False)


def plain(value: Sequence[Any] | pl.Series) -> Any:
    """The one value of a series as JSON has it."""
    told = pl.Series(value).item()
    if told is None or isinstance(told, bool | int | str):
        return told
    return told if isinstance(told, float) and math.isfinite(told) else str(told)
