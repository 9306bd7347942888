"""A question and a text in, the places of the answer in the text out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import orjson
import polars as pl
from pydantic import Field

from seedbed.core.part import Example

from .following import Answers, Following
from .reading import Unreadable, parsed, read_each, says_something
from .task import WHAT, Says, Task

#: Answers in the task's own form.
ANSWERS = pl.List(pl.Struct({"text": pl.String, "start": pl.Int64}))


class QuestionAnswering(Task):
    """A question and a text in, the places of the answer in the text out (extractive, as SQuAD asks it).

    Answers are a list of objects with `text` and `start` (or `answer_start`), or one object with lists of both, as they
    are or as JSON; or one text, with its place in the column `start` if there is one. They become a list of
    `{text, start}` with `start` in characters, for which `context[start:start + len(text)] == text` holds. No answers
    means that the text does not answer the question.

    ## Why
    Offsets break in silence: tools count bytes or UTF-16 units, and every step that cleans a text moves them. Here a
    start that does not fit is counted again in those units, then looked for where the text stands only once, and
    a row that stays unclear is rejected. Steps that change the context take its answers along.

    ## Limits
    Rejected are rows without a question (`no_question`) or a text (`no_context`), with answers that cannot be read
    (`not_answers`), and with an answer that is not in the text (`answer_not_found`) or at several places of it with no
    start that fits (`answer_ambiguous`). Questions about one text stay in one split, and so do those about texts that
    are nearly the same.
    """

    says: ClassVar[Says] = "spans"
    told: ClassVar[tuple[str, ...]] = ("answer", "start")

    kind: Literal["question_answering"] = Field("question_answering", description=WHAT)
    question: str = Field("question", min_length=1, description="Column that holds the question.")
    context: str = Field("context", min_length=1, description="Column that holds the text to answer from.")
    answers: str = Field("answers", min_length=1, description="Column that holds the answers.")
    start: str | None = Field(
        None,
        min_length=1,
        description="Column that holds the place of the answer, where `answers` holds its text alone.",
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Starts that count bytes, one that is wrong, one that is not there",
            before={
                "question": ["Where?", "Where?", "Where?", "Where?"],
                "context": ["In Köln, at home.", "In Köln, at home.", "in or in", "in Rome"],
                "answers": [
                    '[{"text": "home", "start": 13}]',
                    '{"text": ["Köln"], "answer_start": [9]}',
                    '[{"text": "in", "start": 2}]',
                    "[]",
                ],
            },
            after={
                "answers": [[{"text": "home", "start": 12}], [{"text": "Köln", "start": 3}], None, []],
                "refused": [None, None, "answer_ambiguous", None],
            },
        ),
    )

    @property
    def roles(self) -> dict[str, str]:
        """Question, context and answers."""
        at = {"start": self.start} if self.start else {}
        return {"question": self.question, "context": self.context, "answers": self.answers, **at}

    @property
    def shown(self) -> str | None:
        """The question."""
        return self.question

    def compared(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The context: whoever has read it knows the other questions about it."""
        return (self.context,)

    def reads(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Question and context."""
        return (self.question, self.context)

    @property
    def answer(self) -> str | None:
        """The answers."""
        return self.answers

    @property
    def written(self) -> tuple[str, ...]:
        """The answers, as a list."""
        return (self.answers,)

    def work(self) -> pl.Expr:
        """Answers with places that fit."""
        columns = [self.question, self.context, self.answers, *([self.start] if self.start else [])]
        return read_each(columns, self._read, {self.answers: ANSWERS}, {"answer": pl.String, "start": pl.Int64})

    def measures(self) -> Mapping[str, pl.Expr]:
        """Answers a row, and their lengths."""
        texts = pl.col(self.answers).list.eval(pl.element().struct.field("text").str.len_chars())
        return {"answers": pl.col(self.answers).list.len(), "characters of the first answer": texts.list.first()}

    def following(self) -> Following:
        """Answers move with the context."""
        return Following(self.context, self.answers, self.start, answers_in)

    def _read(self, question: Any, context: Any, answers: Any, start: Any = None) -> dict[str, Any]:
        if not says_something(question):
            raise Unreadable("no_question")
        if not says_something(context):
            raise Unreadable("no_context")
        return {self.answers: [{"text": text, "start": at} for text, at in answers_in(context, answers, start)]}


def answers_in(context: str, answers: Any, start: Any) -> Answers:
    """The answers to a question, in whichever form they are given, each once; all are in the text.

    Raises:
        Unreadable: They cannot be read, or one of them is not in the text.
    """
    return list(dict.fromkeys((text, placed(context, text, at)) for text, at in told_answers(answers, start)))


def told_answers(value: Any, start: Any = None) -> Iterator[tuple[str, int | None]]:
    """Texts and their places as they are given.

    Raises:
        Unreadable: They cannot be read.
    """
    if isinstance(value, str) and not _is_listing(value, placed=start is not None):
        if value.strip():
            yield value, _place(start)
        return
    found = parsed(value, "not_answers")
    if isinstance(found, dict):
        texts, places = found.get("text"), found.get("answer_start", found.get("start"))
        if isinstance(texts, list):
            places = places if isinstance(places, list) else [None] * len(texts)
            if len(places) != len(texts):
                raise Unreadable("not_answers")
            found = [{"text": text, "start": place} for text, place in zip(texts, places, strict=True)]
        else:
            found = [found]
    if not isinstance(found, list | None):
        raise Unreadable("not_answers")
    for one in found or []:
        if not isinstance(one, dict) or not isinstance(one.get("text"), str):
            raise Unreadable("not_answers")
        if one["text"]:  # some write "no answer" as an empty text
            yield one["text"], _place(one.get("start", one.get("answer_start")))


def _is_listing(text: str, *, placed: bool) -> bool:
    """Whether a text is JSON, not an answer such as `[1]`, which is one where its place stands in a column."""
    if not text.lstrip().startswith(("[", "{")) or not placed:
        return text.lstrip().startswith(("[", "{"))
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return isinstance(found, dict) or all(isinstance(one, dict) for one in found)


def _place(value: Any) -> int | None:
    if value is None or (isinstance(value, float) and not value.is_integer()):
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Unreadable("not_answers") from None


def placed(context: str, text: str, start: int | None) -> int:
    """Where an answer stands, in characters.

    A start is taken as characters, then as UTF-16 units, then as bytes of UTF-8; where none fits, the only place of the
    text counts.

    Raises:
        Unreadable: The text is not there, or at several places.
    """
    for place in _readings(context, start):
        if context.startswith(text, place):
            return place
    only = context.find(text)
    if only < 0:
        raise Unreadable("answer_not_found", answer=text, start=start)
    if context.find(text, only + 1) >= 0:
        raise Unreadable("answer_ambiguous", answer=text, start=start)
    return only


def _readings(context: str, start: int | None) -> Iterator[int]:
    if start is None or start < 0:
        return
    yield start
    if not context.isascii():
        yield len(context.encode("utf-16-le", "surrogatepass")[: 2 * start].decode("utf-16-le", "ignore"))
        yield len(context.encode("utf-8", "surrogatepass")[:start].decode("utf-8", "ignore"))
