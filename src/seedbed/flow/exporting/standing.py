"""What stands against publishing a run, and what a person lets pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from seedbed.core.errors import RecipeError, Refused, did_you_mean
from seedbed.core.run import Run, Waived

_LICENCE = "license"
_SHOWN = 3


@dataclass(frozen=True)
class Obstacle:
    """Something that stands against publishing."""

    told: str
    what: str = ""
    """What a waiver calls it; empty where nothing can waive it."""
    as_waived: str = ""
    """What the record calls it once it is waived."""


def obstacles(run: Run, licences: Sequence[str], blanks: Sequence[str]) -> list[Obstacle]:
    """What stands against publishing a run and was not waived.

    Args:
        run: Its record.
        licences: What is wrong with the licences of its sources.
        blanks: Questions of the card that nobody answered, as `KEY: QUESTION`.
    """
    found = [*_of_the_run(run)]
    if not run.reason_to_waive("licences"):
        found += [Obstacle(f"licences: {problem}", _LICENCE, "licences") for problem in licences]
    for blank in blanks:
        key = blank.partition(":")[0]
        if not run.reason_to_waive(f"question {key}"):
            found.append(Obstacle(f"card: nobody answered {key!r}", key, f"question {key}"))
    return found


def _of_the_run(run: Run) -> Iterator[Obstacle]:
    """What stopped it: its certificate, learners, checks and gates."""
    if run.limit is not None:
        yield Obstacle(f"this was a quick look at {run.limit:,} records of each source")
    for what in run.stopped_by:
        if what.startswith(("licences:", "card:")) or what.endswith(" gate"):
            continue
        known = what != "certificate" and not what.startswith("learner ")
        yield Obstacle(f"{what} stopped the run", what if known else "", f"check {what}" if known else "")
    for gate in run.gates:
        if not gate.passed and not gate.waived:
            limit = f"{gate.direction.replace('_', ' ')} {gate.limit:g}"
            told = f"the gate {gate.metric} {limit} on {gate.split} was not passed"
            yield Obstacle(told, gate.metric, f"gate {gate.metric} on {gate.split}")


def reasons_in(waivers: Sequence[str], found: Sequence[Obstacle]) -> dict[str, str]:
    """The reasons that a person gives, by what they waive.

    Args:
        waivers: As WHAT=REASON.
        found: What stands against publishing.

    Raises:
        RecipeError: One is not of that form, or waives nothing that stands against it.
    """
    known = sorted({one.what for one in found if one.what})
    reasons: dict[str, str] = {}
    for text in waivers:
        what, _, reason = (part.strip() for part in text.partition("="))
        if not what or not reason:
            hint = "for instance --waive 'license=its owner agreed by letter'"
            raise RecipeError("is not WHAT=REASON", at=f"--waive {text[:80]!r}", hint=hint)
        if what not in known:
            hint = did_you_mean(what, known) if known else "nothing that could be waived does: leave it out"
            raise RecipeError(f"nothing called {what[:40]!r} stands against it", at="--waive", hint=hint)
        reasons[what] = reason
    return reasons


def waived(run: Run, found: Sequence[Obstacle], reasons: Mapping[str, str], named: str) -> Run:
    """The record with what a person lets pass.

    Raises:
        Refused: Something is left that stands against publishing.
    """
    left = [one for one in found if one.what not in reasons]
    if left:
        told = "; ".join(one.told for one in left[:_SHOWN])
        more = f" (and {len(left) - _SHOWN} more)" if len(left) > _SHOWN else ""
        can = next((one.what for one in left if one.what), "")
        way = f", or --waive '{can}=REASON', which is printed on the card" if all(one.what for one in left) else ""
        of_card = all(one.as_waived.startswith("question ") for one in left)
        mend = f"`seedbed card {named}` asks it" if of_card else "mend it and run the recipe again"
        raise Refused(f"is not published: {told}{more}", at=named, hint=f"{mend}{way}")
    used = {one.as_waived: reasons[one.what] for one in found}
    gates = tuple(
        gate.model_copy(update={"waived": gate.waived or reasons.get(gate.metric)}) if not gate.passed else gate
        for gate in run.gates
    )
    more_waived = tuple(Waived(what=what, reason=reason) for what, reason in used.items())
    return run.model_copy(
        update={"waivers": (*run.waivers, *more_waived), "gates": gates, "stopped_by": (), "state": "passed"}
    )
