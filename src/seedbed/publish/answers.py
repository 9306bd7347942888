"""What only a person can say about a dataset: the questions of the card, and the answers in `card.yaml`.

The questions are those of Datasheets for Datasets (Gebru et al., Communications of the ACM 64(12), 2021) that no
measurement answers, in order of importance.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from seedbed.core.documents import Document, open_document
from seedbed.core.errors import RecipeError, did_you_mean
from seedbed.core.licences import Stated, mixed
from seedbed.core.run import SourceRecord

#: Questions that must be answered, or waived, before a dataset is published.
REQUIRED = ("license", "languages", "collected", "intended_uses", "sensitive", "contact")


def _texts(given: Any) -> Any:
    """One text is a list of one; what is empty is no answer."""
    if given is None:
        return ()
    items = [given] if isinstance(given, str) else given
    if not isinstance(items, list | tuple):
        return given
    return tuple(item for item in items if not (item is None or (isinstance(item, str) and not item.strip())))


def _text(given: Any) -> Any:
    return None if isinstance(given, str) and not given.strip() else given


Words = Annotated[str, StringConstraints(strip_whitespace=True)]
Texts = Annotated[tuple[Words, ...], BeforeValidator(_texts, json_schema_input_type=str | list[str] | None)]
Text = Annotated[Words | None, BeforeValidator(_text)]
Language = Annotated[Words, StringConstraints(pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{1,8})*|code|multilingual)$")]
Languages = Annotated[tuple[Language, ...], BeforeValidator(_texts, json_schema_input_type=str | list[str] | None)]


class Answers(BaseModel):
    """A person's answers; every one may be left out. Longer ones are a text, or a list of texts shown as a list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    license: Text = Field(
        None, description="Under which licence may others use the dataset (an SPDX id, or a name and where to read it)?"
    )
    languages: Languages = Field((), description="Which languages are the texts in (codes such as en or pt-BR)?")
    collected: Texts = Field((), description="How was the data collected, by whom, and over what time?")
    intended_uses: Texts = Field((), description="What is the dataset meant to be used for?")
    sensitive: Texts = Field(
        (), description="Does it hold personal, sensitive or offensive content, and what was done about it?"
    )
    contact: Text = Field(None, description="Who looks after the dataset, and how can they be reached?")
    consent: Texts = Field(
        (), description="Did the people in the data know and agree, and can they have their data removed?"
    )
    out_of_scope_uses: Texts = Field((), description="What should it not be used for?")
    biases: Texts = Field((), description="Which biases and limitations are known, and whom does the data leave out?")
    annotation: Texts = Field((), description="Who gave the labels, by what instructions, and how far did they agree?")
    annotations_creators: (
        Literal["crowdsourced", "expert-generated", "machine-generated", "found", "no-annotation", "other"] | None
    ) = Field(None, description="What kind of annotators gave the labels?")
    maintenance: Texts = Field(
        (), description="Will it be corrected or extended, how often, and how are mistakes reported?"
    )
    summary: Texts = Field((), description="What is in the dataset, in two or three sentences?")
    pretty_name: Text = Field(None, description="What is the dataset called in headings?")
    creators: Texts = Field((), description="Which people or organisations made the dataset?")
    funding: Text = Field(None, description="Who paid for it?")
    citation: Text = Field(None, description="How should it be cited (BibTeX, or a sentence)?")
    homepage: Text = Field(None, description="At which web address can it be found?")


#: The questions by the key that answers them, in order of importance.
QUESTIONS: dict[str, str] = {name: field.description or "" for name, field in Answers.model_fields.items()}


def read_answers(path: Path) -> Answers:
    """The answers in a `card.yaml`; a file that is missing or empty answers nothing.

    Raises:
        RecipeError: The file is not YAML, or an answer is not one; with file, line and key.
    """
    if not path.exists():
        return Answers()
    document = open_document(path, what="card")
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
            problem, hint = f"{first['input']!r} is no language code", "such as en, de or pt-BR (ISO 639)"
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


def licence(answers: Answers, run_sources: Iterable[SourceRecord]) -> str | None:
    """The dataset's licence: as answered, else that of the sources where all state the same or demand one together."""
    if answers.license:
        return answers.license
    stated = [Stated(source.name, source.license) for source in run_sources]
    if stated and stated[0].licence and len({(one.licence or "").casefold() for one in stated}) == 1:
        return stated[0].licence
    found = mixed(stated)
    return None if found.problems else found.under


def blanks(answers: Answers, run_sources: Iterable[SourceRecord]) -> tuple[str, ...]:
    """The required questions that nobody answered, each as `KEY: QUESTION`.

    Required is what a reader of a datasheet needs and no program can find out: may I use this and how (`license`,
    Distribution), what is it written in (`languages`, Composition), where does it come from (`collected`, Collection
    process), what is it for (`intended_uses`, Motivation and Uses), whom could it hurt (`sensitive`, Composition), and
    whom do I ask (`contact`, Maintenance). Gebru et al. (2021) let questions be skipped that do not apply; for these
    six "none" is an answer and silence is not.
    """
    answered = answers.model_copy(update={"license": licence(answers, run_sources)})
    return tuple(f"{name}: {QUESTIONS[name]}" for name in REQUIRED if not getattr(answered, name))
