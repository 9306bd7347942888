"""Writes an answer into `card.yaml`: the lines of that answer change, everything else stays as a person wrote it."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import yaml

from seedbed.core.documents import Document, read_document, write_document
from seedbed.core.errors import RecipeError, did_you_mean
from seedbed.store.places import write_whole

from .answers import answers_in
from .questions import QUESTIONS, Answers

_WIDTH = 116
_CODES = ("languages", "timeframe")
_ONE_LINE = ("license", "contact", "annotations_creators", "pretty_name", "funding", "homepage", *_CODES)

Answer = str | tuple[str, ...] | None


def one_line(key: str) -> bool:
    """Whether an answer is a line rather than a text."""
    return key in _ONE_LINE


def as_answer(key: str, typed: str) -> Answer:
    """What somebody typed, as an answer: nothing, a text, codes between commas, or a list where each line has a dash.

    Raises:
        RecipeError: The card has no such question.
    """
    if key not in QUESTIONS:
        raise RecipeError(f"the card has no question {key[:40]!r}", hint=did_you_mean(key, QUESTIONS, show=40))
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", " ", typed.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not text:
        return None
    if key in _CODES:
        return tuple(code for code in re.split(r"[,\s]+", text.strip("[]")) if code)
    if key in _ONE_LINE:
        return " ".join(text.split())
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if len(lines) > 1 and all(line.startswith("- ") for line in lines):
        return tuple(line[2:].strip() for line in lines)
    return "\n".join(line.rstrip() for line in text.split("\n"))


def as_typed(answers: Answers, key: str) -> str:
    """An answer as somebody types it."""
    value = getattr(answers, key)
    if not isinstance(value, tuple):
        return value or ""
    if key in _CODES:
        return ", ".join(value)
    return "\n".join(f"- {item}" for item in value) if len(value) > 1 else "".join(value)


def fill(path: Path, key: str, answer: Answer) -> Answers:
    """Write an answer into a card, whole or not at all; no answer takes away what was there.

    Args:
        path: The `card.yaml`; made where there is none.
        key: The question.
        answer: As `as_answer` gives it.

    Raises:
        RecipeError: The answer is none of that question, or the file cannot be read or is written in a way that only a
            person can change.
    """
    try:
        before = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError("cannot be read as UTF-8 text", at=str(path), hint="save the file as UTF-8") from error
    at = str(path)
    document = read_document(before, at=at)
    answers_in(document)  # a card with faults is not written to
    ends = "\r\n" if "\r\n" in before else "\n"
    text = filled(before.replace("\r\n", "\n"), key, answer)
    after = _checked(text, document, key, answer, at)
    try:
        answers = answers_in(after)
    except RecipeError as error:  # it names a line that nobody has seen
        raise RecipeError(error.problem, at=f"{at}: {key}", hint=error.hint) from None
    write_whole(path, text.replace("\n", ends).encode())
    return answers


def _checked(text: str, before: Document, key: str, answer: Answer, at: str) -> Document:
    """What was written, read again: the answer is the only thing that changed.

    Raises:
        RecipeError: It is not.
    """
    hint = f"write the answer to {key!r} into the file yourself"
    try:
        after = read_document(text, at=at)
    except RecipeError:
        raise RecipeError("this card cannot be changed by a program", at=at, hint=hint) from None
    others = {name: value for name, value in (before.data or {}).items() if name != key}
    found = dict(after.data or {})
    given = found.pop(key, None)
    if others != found or given != (list(answer) if isinstance(answer, tuple) else answer):
        raise RecipeError("this card cannot be changed by a program", at=at, hint=hint)
    return after


def filled(text: str, key: str, answer: Answer) -> str:
    """A card's text with an answer: in the place of the one before, of the line `# KEY:`, or at the end.

    Lines of the answer before go, comments among them; a comment behind a one-line answer stays.
    """
    lines = text.split("\n")
    place = _place(text, key)
    block = _block(key, answer)
    if place is not None:
        first, last = place
        beside = _comment_behind(lines[first], text, key) if first == last else ""
        if beside and len(block) == 1:
            block[0] += beside
        return "\n".join([*lines[:first], *block, *lines[last + 1 :]])
    waiting = next((n for n, line in enumerate(lines) if re.fullmatch(rf"#\s?{re.escape(key)}:\s*", line)), None)
    if waiting is not None:
        return "\n".join([*lines[:waiting], *block, *lines[waiting + 1 :]])
    if answer is None:
        return text
    kept = text.rstrip("\n")
    return "\n".join([*([kept] if kept else []), *block, ""])


def _node(text: str, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return None
    return next(((name, value) for name, value in root.value if name.value == key), None)


def _place(text: str, key: str) -> tuple[int, int] | None:
    """The first and the last line of an answer that stands in a card."""
    found = _node(text, key)
    if found is None:
        return None
    name, value = found
    first, end = name.start_mark.line, value.end_mark
    # A block ends where the next token begins, behind empty lines and comments that are none of it.
    last = end.line if end.column > 0 or end.line == first else end.line - 1
    lines = text.split("\n")
    while last > first and (not lines[last].strip() or lines[last].startswith("#")):
        last -= 1
    return first, last


def _comment_behind(line: str, text: str, key: str) -> str:
    """The comment behind a one-line answer, with the blanks before it."""
    found = _node(text, key)
    rest = line[found[1].end_mark.column :] if found and found[1].end_mark.line == found[0].start_mark.line else ""
    behind = (
        re.search(r"\s+#.*$", line[found[0].end_mark.column :]) if found and not rest and not found[1].value else None
    )
    return rest if rest.strip().startswith("#") else behind[0] if behind else ""


def _block(key: str, answer: Answer) -> list[str]:
    """An answer as lines of YAML."""
    if answer is None:
        return [f"{key}:"]
    if isinstance(answer, str) and "\n" in answer and _fits_literally(answer):
        return [f"{key}: |-", *(f"  {line}".rstrip() for line in answer.split("\n"))]
    if isinstance(answer, str) and len(answer) > 80 and _fits_literally(answer):
        wrapped = textwrap.wrap(answer, _WIDTH, break_long_words=False, break_on_hyphens=False)
        if " ".join(wrapped) == answer:
            return [f"{key}: >-", *(f"  {line}" for line in wrapped)]
    if key in _CODES and isinstance(answer, tuple):
        items = ", ".join(write_document([code]).strip()[2:] for code in answer)
        return [f"{key}: [{items}]"]
    value = list(answer) if isinstance(answer, tuple) else answer
    return write_document({key: value}).rstrip("\n").split("\n")


def _fits_literally(text: str) -> bool:
    """Whether a block of YAML holds a text as it is."""
    lines = text.split("\n")
    return all(line == line.rstrip() and line.isprintable() for line in lines) and not text[:1].isspace()
