"""What only a person can say about a dataset: the answers in `card.yaml`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from seedbed.core.documents import Document, open_document
from seedbed.core.errors import RecipeError, did_you_mean
from seedbed.core.licences import Stated, mixed
from seedbed.core.run import Run, SourceRecord
from seedbed.core.task import AnyTask, Task

from .questions import PAPERS, QUESTIONS, REQUIRED, Answers, asked_of

__all__ = [
    "QUESTIONS",
    "REQUIRED",
    "Answers",
    "answers_in",
    "blanks",
    "card_schema",
    "licence",
    "read_answers",
    "task_of",
]


def read_answers(path: Path) -> Answers:
    """The answers in a `card.yaml`; a file that is missing or empty answers nothing.

    Raises:
        RecipeError: The file is not YAML, or an answer is not one; with file, line and key.
    """
    if not path.exists():
        return Answers()
    return answers_in(open_document(path, what="card"))


def answers_in(document: Document) -> Answers:
    """The answers in a document.

    Raises:
        RecipeError: An answer is not one; with file, line and key.
    """
    given = {} if document.data is None else document.data
    if not isinstance(given, dict):
        raise RecipeError(
            "a card is a mapping of questions to answers",
            at=document.place(),
            hint=f"such as `{REQUIRED[0]}: CC-BY-4.0`",
        )
    try:
        return Answers.model_validate(given)
    except ValidationError as error:
        raise _fault(error, document) from None


def _fault(error: ValidationError, document: Document) -> RecipeError:
    faults = error.errors(include_url=False)
    first = faults[0]
    path = tuple(first["loc"])
    key = str(path[0]) if path else ""
    hint = ""
    match first["type"]:
        case "extra_forbidden":
            problem, hint = f"the card has no question {key!r}", did_you_mean(key, QUESTIONS, show=20)
        case "string_pattern_mismatch":
            problem, hint = _unlike(key, first["input"])
        case "string_type" | "tuple_type":
            kind = type(first["input"]).__name__
            problem = (
                f"a text is needed here, this is {first['input']!r}" if kind != "dict" else "a text is needed here"
            )
            hint = QUESTIONS.get(key, "")
        case _:
            problem, hint = first["msg"], QUESTIONS.get(key, "")
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return RecipeError(f"{problem}{more}", at=f"{document.place(path)}: {'.'.join(map(str, path))}", hint=hint)


def _unlike(key: str, given: object) -> tuple[str, str]:
    """What is wrong with a code or a date, and what one looks like."""
    if key == "timeframe":
        return f"{given!r} is no date", "such as 2024-12-31, or 2024"
    return f"{given!r} is no language code", "such as en, de or pt-BR (ISO 639)"


def licence(answers: Answers, run_sources: Iterable[SourceRecord]) -> str | None:
    """The dataset's licence: as answered, else that of the sources where all state the same or demand one together."""
    if answers.license:
        return answers.license
    stated = [Stated(source.name, source.license) for source in run_sources]
    if stated and stated[0].licence and len({(one.licence or "").casefold() for one in stated}) == 1:
        return stated[0].licence
    found = mixed(stated)
    return None if found.problems else found.under


def blanks(answers: Answers, run_sources: Iterable[SourceRecord], task: Task | None = None) -> tuple[str, ...]:
    """The required questions that nobody answered, each as `KEY: QUESTION`.

    Required is what a reader of a datasheet needs and no program can find out: may I use this and how (`license`,
    Distribution), what is it written in (`languages`, Composition), where does it come from (`collected`, Collection
    process), what is it for (`intended_uses`, Motivation and Uses), whom could it hurt (`sensitive`, Composition), and
    whom do I ask (`contact`, Maintenance). Gebru et al. (2021) let questions be skipped that do not apply; for these
    six "none" is an answer and silence is not. Of a table without a text nobody asks the language.

    Args:
        answers: What was answered.
        run_sources: Sources whose licence may answer for the dataset's.
        task: What the dataset is for, where that is known.
    """
    answered = answers.model_copy(update={"license": licence(answers, run_sources)})
    asked = asked_of(task)
    return tuple(f"{name}: {asked[name]}" for name in REQUIRED if name in asked and not getattr(answered, name))


def task_of(run: Run) -> Task | None:
    """The task of a run's record; none where this version knows no such task."""
    try:
        return TypeAdapter[Task](AnyTask).validate_python(run.task)
    except ValidationError:
        return None


def card_schema() -> dict[str, Any]:
    """The JSON Schema of `card.yaml`, for editors: each question with why it is asked and an example."""
    found = Answers.model_json_schema()
    for key, option in found["properties"].items():
        why, papers = option.pop("why"), option.pop("papers")
        goes = ", ".join(f"{PAPERS[paper]} ({where})" for paper, where in papers.items())
        required = " Needed before the dataset is published." if key in REQUIRED else ""
        option["description"] = f"{option['description']} {why}{required} Goes to: {goes}."
        option.pop("default", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **found,
        "title": "The card of a dataset (card.yaml)",
    }
