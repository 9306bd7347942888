"""What a run says of its card: answers that were given about other data, and what new ones are about."""

from __future__ import annotations

from pathlib import Path

from seedbed.core.check import Finding
from seedbed.core.context import Context
from seedbed.core.errors import RecipeError
from seedbed.core.numbers import things, word
from seedbed.core.profile import DatasetProfile
from seedbed.core.run import Run, StaleAnswer
from seedbed.publish.papers.answers import Answers
from seedbed.publish.papers.keeping import Lock, kept, read_lock, stale, write_lock
from seedbed.publish.papers.measured import Measured

#: The file of answers, beside the recipe.
CARD = "card.yaml"
#: The check's name of the finding that lists answers about other data.
STALE = "card"


def look_at_card(
    card: Path, answers: Answers, run: Run, profile: DatasetProfile | None, context: Context
) -> tuple[Run, Lock | None]:
    """The run with what is stale on the card, and what `card.lock` is to hold from now on.

    An answer that no run saw before counts as given about this one. A quick look, or a run without a dataset, tells
    nothing about answers: they are about the whole.
    """
    if not run.dataset.splits or run.limit is not None:
        return run, None
    try:
        lock = read_lock(card)
    except RecipeError as error:
        context.progress.say(str(error))
        return run, None
    measured = Measured(run, profile)
    now = kept(lock, answers, measured, run.started)
    moved = stale(lock, answers, measured)
    found = tuple(
        StaleAnswer(question=key, run=lock.answers[key].run, when=lock.answers[key].when, changes=told)
        for key, told in moved.items()
    )
    if found:
        finding = Finding(check=STALE, passed=False, value=len(found), limit=0, message=_told(found))
        run = run.model_copy(update={"stale": found, "findings": (*run.findings, finding)})
    return run, now if now != lock else None


def keep_card(card: Path, lock: Lock | None, context: Context) -> None:
    """Write what answers are about, beside the card. The run is done without it, so that a failure is only told."""
    if lock is None:
        return
    try:
        write_lock(card, lock)
    except OSError as error:
        context.progress.say(f"card.lock could not be written: {error.strerror or error}")


def _told(found: tuple[StaleAnswer, ...]) -> str:
    first = found[0]
    others = f"; also {', '.join(one.question for one in found[1:])}" if len(found) > 1 else ""
    count = things(len(found), "answer")
    were = word(len(found), "was", "were")
    return f"{count} of the card {were} given about other data: {first.question} ({first.changes[0]}){others}."
