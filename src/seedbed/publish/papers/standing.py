"""How a card stands: which questions are answered, what a run measured about each, and what is stale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import Field

from seedbed.core.record import Record

from .answers import licence
from .filling import as_typed, one_line
from .keeping import Lock, stale
from .measured import Fact, Measured
from .questions import PAPERS, REQUIRED, Answers, asked_of, choices_of, papers_of, such_as, why_of


class Question(Record):
    """A question of the card, and what is known about it."""

    key: str
    question: str
    required: bool = Field(description="Whether publishing waits for the answer.")
    answer: str = Field(description="As a person types it; empty where nobody answered.")
    answered: bool = Field(description="Whether there is an answer; the sources may have answered for the licence.")
    why: str
    such_as: str = Field(description="An example of an answer.")
    one_line: bool
    choices: tuple[str, ...] = Field((), description="The answers to choose from; none where the answer is free.")
    papers: dict[str, str] = Field(description="Papers that use it, each with the section or property.")
    measured: tuple[Fact, ...] = Field((), description="What the run knows about it.")
    stale: tuple[str, ...] = Field((), description="What moved since it was answered.")


class Share(Record):
    """How many of some questions are answered."""

    answered: int
    of: int


class CardState(Record):
    """A whole card."""

    file: str
    run: str = Field("", description="The run whose facts stand beside the questions; empty where there is none.")
    required: Share
    all: Share
    papers: dict[str, Share] = Field(description="By paper.")
    questions: tuple[Question, ...] = Field(description="Those that fit the task, in order of importance.")

    @property
    def open(self) -> tuple[Question, ...]:
        """Questions that nobody answered."""
        return tuple(one for one in self.questions if not one.answered)

    @property
    def stale(self) -> tuple[Question, ...]:
        """Answers that were given about other data."""
        return tuple(one for one in self.questions if one.stale)


def state_of(file: str, answers: Answers, measured: Measured | None, lock: Lock) -> CardState:
    """How a card stands.

    Args:
        file: The card's name.
        answers: What stands in it.
        measured: The facts of a run; without them every question is asked, and nothing is stale.
        lock: What each answer was given about.
    """
    asked = asked_of(measured.task if measured else None)
    moved: Mapping[str, tuple[str, ...]] = stale(lock, answers, measured) if measured else {}
    named = licence(answers, measured.run.sources if measured else ())
    known = answers.model_copy(update={"license": named})
    questions = tuple(
        Question(
            key=key,
            question=question,
            required=key in REQUIRED,
            answer=as_typed(answers, key),
            answered=bool(getattr(known, key)),
            why=why_of(key),
            such_as=such_as(key),
            one_line=one_line(key),
            choices=choices_of(key),
            papers=papers_of(key),
            measured=measured.about(key) if measured else (),
            stale=moved.get(key, ()),
        )
        for key, question in asked.items()
    )
    return CardState(
        file=file,
        run=f"{measured.run.name} {measured.run.id}" if measured else "",
        required=_share(one for one in questions if one.required),
        all=_share(questions),
        papers={paper: _share(one for one in questions if paper in one.papers) for paper in PAPERS},
        questions=questions,
    )


def _share(questions: Iterable[Question]) -> Share:
    found = [one.answered for one in questions]
    return Share(answered=sum(found), of=len(found))
