"""What comes back from elsewhere: held against the queues of the run, and written down where it fits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from seedbed.core.errors import DataError, RecipeError
from seedbed.core.ledger import mask
from seedbed.core.rows import ROW
from seedbed.review.desk import Asked, Desk, as_action
from seedbed.review.queue import Queue

#: Who decided, as other tools know people: by number, or by address.
_WHO = re.compile(r"[^\W_][\w .@+-]{0,99}")
#: Of such a row: its label, its text, its id, and whether it is in the dataset (`yes`, `no`).
BESIDE = ("other_label", "other_text", "other_row", "other_kept")
#: What is told of an answer that cannot be understood.
ODD = "it has another shape than what the tool writes"


@dataclass(frozen=True)
class Answer:
    """What somebody decided elsewhere."""

    at: str
    """Where it stands in the file, for messages."""
    row: str
    queue: str
    key: str
    """`key_of` of the item as it was sent."""
    action: str = ""
    label: str = ""
    why: str = ""
    who: str = ""
    odd: str = ""
    """What is wrong with its shape, so that nothing can be told of it."""


@dataclass(frozen=True)
class Taken:
    """What became of the answers of a file."""

    written: int
    blank: int
    """Rows that nobody decided on."""
    known: int
    """Answers that were there already."""
    refused: dict[str, int]
    """Answers that were not taken, by why."""
    first: str = ""
    """The first of them, for a person to find it."""


def key_of(item: dict[str, Any]) -> str:
    """What tells that an item is still the one that was sent: the hash of its text."""
    return str(item["seen"] or item["read"] or "")[:16]


def exported(desk: Desk) -> Iterator[Queue]:
    """The queues that an export holds: those in which there is something to decide."""
    return (queue for queue in desk.queues.values() if set(queue.actions) - {"skip"})


def items_of(desk: Desk, who: str) -> Iterator[tuple[Queue, dict[str, Any], dict[str, Any] | None]]:
    """All items of those queues, with what was said on each."""
    for queue in exported(desk):
        for start in range(0, queue.height, 1_000):
            for item in queue.window(range(start, min(start + 1_000, queue.height))):
                yield queue, item, desk.state(item[ROW], who)


def told_of_other(item: dict[str, Any]) -> dict[str, str]:
    """What an export says of the row that an item is a copy of, or that contradicts it; empty where there is none."""
    other = item["other"]
    if not other:
        return dict.fromkeys(BESIDE, "")
    told = (other["label"] or "", other["text"] or "", other[ROW], "yes" if other["split"] else "no")
    return dict(zip(BESIDE, told, strict=True))


def take_in(desk: Desk, answers: Iterable[Answer], who: str) -> Taken:
    """Write down the answers that fit.

    Args:
        desk: The run's queues.
        answers: From a file.
        who: Whose they are where the file does not say.

    Raises:
        RecipeError: Something stands where an action does, and is none: nothing of the file is written then.
    """
    written = blank = known = 0
    refused: Counter[str] = Counter()
    first = ""
    read = list(answers)  # nothing is written before all could be read
    for one in read:
        if one.action and not one.odd:
            _refuse_no_action(one)
    for one in read:
        if not one.action and not one.label and not one.odd:
            blank += 1
            continue
        try:
            asked = _asked(desk, one)
            name = _name(one.who or who)
        except DataError as error:
            why = error.problem if not error.at else f"{error.at}: {error.problem}"
            refused[why] += 1
            first = first or f"{one.at}: {mask(one.row)}"
            continue
        if _is_known(desk, asked, name):
            known += 1
            continue
        desk.decide(asked, name)
        written += 1
    return Taken(written, blank, known, dict(refused), first)


def read_each(items: Iterable[Any], what: str, read: Callable[[str, Any], Iterable[Answer]]) -> Iterator[Answer]:
    """The answers of the items of a JSON file; one that has an odd shape is told as such.

    Args:
        items: As they were read.
        what: What an item is called.
        read: Given the item's place in words, and the item.
    """
    for place, item in enumerate(items, start=1):
        at = f"{what} {place}"
        try:
            yield from list(read(at, item))
        except (AttributeError, IndexError, KeyError, TypeError):
            yield Answer(at, "", "", "", odd=ODD)


def _refuse_no_action(one: Answer) -> None:
    try:
        as_action(one.action.strip().lower())
    except DataError as error:
        raise RecipeError(error.problem, at=one.at, hint=error.hint) from None


def _name(who: str) -> str:
    if not _WHO.fullmatch(who):
        raise DataError("who decided is no name of at most 100 letters, digits, blanks and . @ + -")
    return who


def _asked(desk: Desk, one: Answer) -> Asked:
    if one.odd:
        raise DataError(one.odd)
    if any(map(_lone, (one.row, one.label, one.why))):
        raise DataError("it holds characters that are none")
    queue = desk.queues.get(one.queue) or next((q for q in desk.queues.values() if one.row in q.places), None)
    if queue is None or one.row not in queue.places:
        raise DataError("no queue of this run has such a row")
    item = queue.window([queue.places[one.row]])[0]
    if one.key and one.key != key_of(item):
        raise DataError("the row's text is not the one that was sent")
    if queue.asks == "pairs":
        return _preferred(desk, queue, one)
    label = desk.meant(one.label) if one.label else None
    action = one.action.strip().lower() or ("accept" if label == item["label"] else "relabel")
    if action == "relabel" and label == item["label"] and "accept" in queue.actions:
        action, label = "accept", None
    asked = Asked(queue.name, one.row, as_action(action), label if action in ("relabel", "rescue") else None, one.why)
    desk.refuse(asked)
    return asked


def _preferred(desk: Desk, queue: Queue, one: Answer) -> Asked:
    """Which of two answers somebody prefers; how it is spelt (`Left`, `both bad`) does not matter."""
    side = "_".join(one.label.lower().split())
    asked = Asked(queue.name, one.row, as_action(one.action.strip().lower() or "prefer"), side or None, one.why)
    if asked.action == "skip":
        return replace(asked, label=None)
    desk.refuse(asked)
    return asked


def _lone(text: str) -> bool:
    """Whether half of a pair of surrogates stands alone, which no file can hold."""
    return any("\ud800" <= sign <= "\udfff" for sign in text)


def _is_known(desk: Desk, asked: Asked, who: str) -> bool:
    """Whether that person's last word on the row says the same."""
    state = desk.state(asked.row, who)
    mine = [one for one in state["words"] if one["who"] == who] if state else []
    return any((one["action"], one["label"], one["why"]) == (asked.action, asked.label, asked.why) for one in mine)
