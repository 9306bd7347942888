"""`card.lock`: what each answer of `card.yaml` was given about, so that it can be told when the data became another.

It stands beside the card and is written by programs alone; a person's file stays a person's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, ValidationError

from seedbed.core.digest import of_json
from seedbed.core.errors import RecipeError
from seedbed.core.record import Record
from seedbed.store.places import write_whole

from .measured import Fact, Measured, changes
from .questions import Answers

_VERSION = 1


class Given(Record):
    """An answer that somebody gave, and the facts that a run knew then."""

    answer: str = Field(description="SHA-256 of the answer, which itself stands in the card alone.")
    when: str = Field(description="When a run first saw it, or a person said that it still holds (ISO 8601, UTC).")
    run: str = Field(description="The run whose facts these are.")
    about: tuple[Fact, ...] = ()


class Lock(Record):
    """What stands in `card.lock`."""

    version: int = _VERSION
    answers: dict[str, Given] = Field(default_factory=dict)


def lock_of(card: Path) -> Path:
    """Where the lock of a card stands."""
    return card.with_suffix(".lock")


def read_lock(card: Path) -> Lock:
    """The lock beside a card; an empty one where there is none.

    Raises:
        RecipeError: It cannot be read.
    """
    path = lock_of(card)
    try:
        return Lock.model_validate(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return Lock()
    except (OSError, ValueError, ValidationError):
        hint = "remove it: answers then count as given about the next run"
        raise RecipeError("is not what Seedbed wrote there", at=str(path), hint=hint) from None


def write_lock(card: Path, lock: Lock) -> None:
    """Write the lock beside a card, whole."""
    told = json.dumps(lock.model_dump(mode="json", exclude_defaults=True), indent=1, ensure_ascii=False, sort_keys=True)
    write_whole(lock_of(card), f"{told}\n".encode())


def kept(lock: Lock, answers: Answers, measured: Measured, when: str, *, anew: tuple[str, ...] = ()) -> Lock:
    """The lock with every answer that it did not know as given about this run, and without those that are gone.

    Args:
        lock: What was known.
        answers: The answers as they are.
        measured: The run's facts.
        when: Now.
        anew: Answers of which somebody says that they hold for this run, too.
    """
    found: dict[str, Given] = {}
    for key in Answers.model_fields:
        answer = digest_of(answers, key)
        if answer is None:
            continue
        known = lock.answers.get(key)
        if known is not None and known.answer == answer and key not in anew:
            found[key] = known
        else:
            found[key] = Given(answer=answer, when=when, run=measured.run.id, about=measured.about(key))
    return lock.model_copy(update={"answers": found})


def stale(lock: Lock, answers: Answers, measured: Measured) -> Mapping[str, tuple[str, ...]]:
    """Answers that were given about other data, each with what moved since; in order of importance."""
    found = {}
    for key in Answers.model_fields:
        given = lock.answers.get(key)
        if given is None or given.answer != digest_of(answers, key):
            continue
        if moved := changes(given.about, measured.about(key)):
            found[key] = moved
    return found


def digest_of(answers: Answers, key: str) -> str | None:
    """The digest of an answer; none of what nobody answered."""
    value = getattr(answers, key)
    return of_json(list(value) if isinstance(value, tuple) else value) if value else None
