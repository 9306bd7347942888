"""Rows that a seed draws, with what is right and what each model says of them: what is usual, not what is worst."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from math import isfinite
from typing import Any

import numpy as np
import polars as pl

from seedbed.core.learner import Continues, Model
from seedbed.core.ledger import excerpt_of
from seedbed.core.rows import ROW
from seedbed.core.side_by_side import SampledAnswer, SampledRow, SideBySide
from seedbed.core.task import rows_said
from seedbed.evaluate.forms import Form, in_words
from seedbed.evaluate.judge import measure
from seedbed.evaluate.taking import some
from seedbed.recipe.sections import Evaluate

from .judge import Judging, Rows

#: Rows that are drawn where the recipe says nothing, if the answers are there anyway.
USUAL = 8
#: Characters of a text that models go on after at most, and that they write.
_BEGINNING, _WRITTEN = 160, 200
#: Characters that are shown of an answer, and of what was written: fewer, so that nothing is masked in part.
_SHOWN, SHOWN_WRITTEN = 400, 160


def rows_wanted(evaluate: Evaluate, form: Form) -> int:
    """How many rows are drawn: some where answers are in words, none where they would first have to be written."""
    if evaluate.samples is not None:
        return evaluate.samples
    return USUAL if form.quotes else 0


def drawn(rows: Sequence[str], most: int, seed: int) -> list[int]:
    """Places of rows, drawn by a seed in an order of its own, whatever other rows there are.

    Two runs that hold a row draw it both, or have other rows that come before it.

    Args:
        rows: Row ids.
        most: How many at most.
        seed: Of the order.
    """
    order = [sha256(f"{seed}\n{row}".encode()).digest() for row in rows]
    return sorted(range(len(order)), key=order.__getitem__)[:most]


def said_side_by_side(judging: Judging, rows: Rows, most: int, answers: Mapping[str, Any]) -> SideBySide:
    """What models answered to some rows.

    Args:
        judging: What models are judged by.
        rows: Rows that may be looked at one by one.
        most: How many of them at most.
        answers: Of each model to all rows, as the form of the task's answers holds them.
    """
    form, task, metric = judging.form, judging.task, judging.metrics[0]
    places = drawn(rows.frame[ROW].to_list(), most, judging.context.seed)
    frame = rows.frame[places]
    truths = some(rows.truth, np.array(places, dtype=np.int64))
    said: dict[str, list[tuple[str, float | None]]] = {}
    truth: list[str] = []
    for model, told in answers.items():
        theirs = some(told, np.array(places, dtype=np.int64))
        written = form.written(truths, theirs)
        truth = [in_words(task.says, value) for value in written["truth"].to_list()]
        words = [in_words(task.says, value) for value in written["predicted"].to_list()]
        each = (np.array([place]) for place in range(len(places)))
        scores = [measure(metric, some(truths, place), some(theirs, place)) for place in each]
        said[model] = [(word, score if isfinite(score) else None) for word, score in zip(words, scores, strict=True)]
    told_rows = _rows(frame[ROW], _texts(rows_said(task, task.as_asked(frame)).to_list()), truth, said, _SHOWN)
    return SideBySide(
        split=rows.name,
        of=rows.frame.height,
        seed=judging.context.seed,
        metric=metric.use,
        continued=False,
        rows=tuple(told_rows),
    )


def continued_side_by_side(
    judging: Judging, rows: Rows, most: int, models: Mapping[str, Callable[[], Model[Any]]]
) -> SideBySide:
    """How models go on after the beginnings of some texts.

    Args:
        judging: What models are judged by.
        rows: Rows that may be looked at one by one.
        most: How many of them at most.
        models: What gives each model.
    """
    seed = judging.context.seed
    places = drawn(rows.frame[ROW].to_list(), most, seed)
    begun, rest = beginnings(judging.form.truth(rows.frame[places]).to_list())
    said: dict[str, list[tuple[str, float | None]]] = {}
    silent = []
    with judging.context.stage("Continuing texts", len(models), "models") as stage:
        for name, model in models.items():
            one = model()
            if isinstance(one, Continues):
                said[name] = [(text, None) for text in one.go_on(begun, _WRITTEN, seed % 2**32)]
            else:
                silent.append(name)
            stage.advance(1, name)
    return SideBySide(
        split=rows.name,
        of=rows.frame.height,
        seed=seed,
        metric=None,
        continued=True,
        rows=tuple(_rows(rows.frame[ROW][places], begun, rest, said, SHOWN_WRITTEN)) if said else (),
        silent=tuple(silent),
    )


def beginnings(values: Sequence[Any]) -> tuple[list[str], list[str]]:
    """The beginning of each text, which a language model goes on after, and how the text itself goes on."""
    texts = _texts(values)
    cuts = [_cut(text) for text in texts]
    both = list(zip(texts, cuts, strict=True))
    return [text[:cut] for text, cut in both], [text[cut:] for text, cut in both]


def _texts(values: Sequence[Any]) -> list[str]:
    return ["" if value is None else str(value) for value in values]


def _cut(text: str) -> int:
    """Where a text is cut: between two words of its first half, not too far in, and never within personal data."""
    middle = min(len(text) // 2, _BEGINNING)
    blanks = [place for place in range(middle, 0, -1) if text[place].isspace()]
    near = text[: 2 * _BEGINNING]
    for blank in blanks or [middle]:
        if "".join(_masked([near[:blank], near[blank:]], len(near) * 2)) == _masked([near], len(near) * 2)[0]:
            return blank
    return 0


def _rows(
    ids: pl.Series,
    texts: Sequence[str],
    truth: Sequence[str],
    said: Mapping[str, Sequence[tuple[str, float | None]]],
    most: int,
) -> Iterator[SampledRow]:
    """Excerpts of at most so many characters, row by row."""
    answers = {model: _masked([word for word, _ in each], most) for model, each in said.items()}
    shown = zip(ids.to_list(), _masked(texts, _SHOWN), _masked(truth, most), strict=True)
    for place, (row, text, right) in enumerate(shown):
        told = [SampledAnswer(model=model, text=answers[model][place], score=said[model][place][1]) for model in said]
        yield SampledRow(row=row, text=text, truth=right, answers=tuple(told))


def _masked(texts: Sequence[str], most: int) -> list[str]:
    column = pl.DataFrame({"text": pl.Series(list(texts), dtype=pl.String)})
    return column.select(excerpt_of(pl.col("text"), most))["text"].to_list()
