"""A text in, a text out: for models that read one and write the other, and for models that continue a prompt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import polars as pl

from seedbed.core.errors import RecipeError
from seedbed.core.rows import ROW
from seedbed.core.task import Task
from seedbed.core.templates import template_of
from seedbed.core.tokenizing import Encoded, Frame, Tokens

from .form import Asked, Form, Texts, parents, texts_of, unseen
from .losses import Losses
from .windows import Joined, Segment, join, windows
from .writing import Made


class Translated(Form):
    """The text as input, the target as labels: for encoder-decoders."""

    model: ClassVar[str] = "encoder_decoder"

    def encode(self, batch: pl.DataFrame) -> Texts:
        """Both texts."""
        assert self.task.answer is not None
        encode = self.tokens.encode
        texts, targets = texts_of(batch, self.task.roles["text"]), texts_of(batch, self.task.answer)
        return Texts(batch[ROW], {"text": encode(texts), "target": encode(targets)})

    def made(self, encoded: Texts, losses: Losses) -> Iterator[Made]:
        """Both are cut; the target at its end."""
        text, target, frame = encoded.encoded["text"], encoded.encoded["target"], self.tokens.single
        source, lost = self._framed(text, frame, self.asked.most_tokens, self.asked.side)
        written, lost_of_target = self._framed(target, frame, self.asked.most_target, "right")
        self.note(losses, text, target)
        losses.see(text.lengths + len(frame), lost)
        losses.counted["targets_cut"] += int((lost_of_target > 0).sum())
        losses.counted["tokens_of_targets_lost"] += int(lost_of_target.sum())
        each = windows(text.lengths, text.lengths + 1, side="right", stride=None)
        lists = {"labels": (written.bounds, written.ids)}
        yield Made(source.bounds, self.inputs(source), parents(encoded.rows, each), lists)

    def _framed(self, texts: Encoded, frame: Frame, most: int, side: Any) -> tuple[Joined, Any]:
        cut = windows(texts.lengths, np.full(len(texts), most - len(frame)), side=side, stride=None)
        rows = len(texts)
        joined = join(
            [
                Segment.constant(frame.before, rows, frame.types_before),
                Segment.of(texts, cut, type=frame.types[0]),
                Segment.constant(frame.after, rows, frame.types_after),
            ]
        )
        return joined, unseen(texts.lengths, cut)


class Prompted(Form):
    """A prompt that is read and a completion that is learned: for models that continue texts.

    Both are encoded by themselves, as a prompt is when the model is asked. The completion is never cut: the prompt is.
    """

    model: ClassVar[str] = "decoder"

    def __init__(self, task: Task, tokens: Tokens, asked: Asked) -> None:
        super().__init__(task, tokens, asked)
        self._prompt = _template(asked.prompt, "prompt")
        self._completion = _template(asked.completion, "completion")

    def encode(self, batch: pl.DataFrame) -> Texts:
        """Prompts and completions."""
        rows = [self._given(row) for row in batch.iter_rows(named=True)]
        encode = self.tokens.encode
        prompts = encode([_written(self._prompt, row, "prompt") for row in rows])
        completions = encode([_written(self._completion, row, "completion") for row in rows])
        return Texts(batch[ROW], {"prompt": prompts, "completion": completions})

    def made(self, encoded: Texts, losses: Losses) -> Iterator[Made]:
        """Prompts that are cut to what the completion leaves."""
        prompt, completion = encoded.encoded["prompt"], encoded.encoded["completion"]
        frame = self.tokens.single
        ends = frame.after or (() if self.tokens.specials.end is None else (self.tokens.specials.end,))
        around = len(frame.before) + len(ends)
        room = np.minimum(self.asked.most_tokens - around - completion.lengths, self.asked.most_prompt)
        fits = room >= 1
        for place in np.flatnonzero(~fits):
            losses.reject("completion_too_long", str(encoded.rows[int(place)]))
        room = np.where(fits, room, 1)
        cut = windows(prompt.lengths, room, side=self.asked.side, stride=None)
        whole = windows(completion.lengths, completion.lengths, side="right", stride=None)
        lost = unseen(prompt.lengths, cut)
        self.note(losses, prompt, completion)
        losses.see((prompt.lengths + completion.lengths + around)[fits], lost[fits])
        kept = np.flatnonzero(fits)
        joined = join(
            [
                Segment.constant(frame.before, len(kept)),
                _some(Segment.of(prompt, cut), kept),
                _some(Segment.of(completion, whole, learned=True), kept),
                Segment.constant(ends, len(kept), learned=True),
            ]
        )
        each = windows(np.zeros_like(kept), np.ones_like(kept), side="right", stride=None)
        rows = parents(encoded.rows.gather(kept), each)
        yield Made(joined.bounds, self.inputs(joined, labels=True), rows)

    def _given(self, row: dict[str, Any]) -> dict[str, Any]:
        """What templates see: the columns, and `text` and `target` whatever the columns are called."""
        assert self.task.answer is not None
        return {**row, "text": row[self.task.roles["text"]], "target": row[self.task.answer]}


def _some(segment: Segment, rows: Any) -> Segment:
    return Segment(segment.ids, segment.starts[rows], segment.lengths[rows], segment.types, segment.learned)


def _template(text: str, option: str) -> Any:
    import jinja2

    try:
        return template_of(text)
    except jinja2.TemplateSyntaxError as error:
        raise RecipeError(f"is no template: {str(error)[:120]}", at=option, hint="such as '{{ text }}'") from None


def _written(template: Any, row: dict[str, Any], option: str) -> str:
    import jinja2

    try:
        return str(template.render(row))
    except (jinja2.TemplateError, TypeError, ValueError) as error:
        hint = f"there are: {', '.join(list(row)[:12])}"
        raise RecipeError(f"cannot be filled in: {str(error)[:120]}", at=option, hint=hint) from None
