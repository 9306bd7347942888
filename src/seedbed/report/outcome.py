"""How a run ended, in a word and a line: what stands at the top of its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seedbed.core import numbers
from seedbed.core.run import GateRecord, Run

from .facts import judged


@dataclass(frozen=True)
class Outcome:
    """A run's end: `warned` (amber) where nothing failed and yet nobody may call it passed."""

    kind: Literal["passed", "warned", "failed"]
    word: str
    line: str
    """What a reader must know with the word; empty where the word says it all."""
    reasons: tuple[str, ...] = ()
    """What stopped the run, each on its own, where the line does not say it."""


def outcome(run: Run) -> Outcome:
    """The word for a run, and the line beside it."""
    blank = sum(stop.startswith("card: ") for stop in run.stopped_by)
    failures = stops(run)
    told = f"{blank} {'question' if blank == 1 else 'questions'} of the card {'is' if blank == 1 else 'are'} blank"
    if run.state == "failed" and blank and not failures:
        questions = tuple(stop.removeprefix("card: ") for stop in run.stopped_by)
        return Outcome("warned", "Not published", _joined(told, *_caveats(run)), questions)
    if run.state == "failed":
        reasons = (*failures, told) if blank else tuple(failures)
        if len(reasons) < 2:
            return Outcome("failed", "Failed", _joined(*reasons) or "the record does not say why")
        return Outcome("failed", "Failed", f"{len(reasons)} things stopped it", reasons)
    line = _joined(*_caveats(run))
    waived = ", with a waiver" if run.waivers else ""
    if judged(run) and not run.gates:
        return Outcome("warned", f"Done{waived}", line)
    return Outcome("passed", f"Passed{waived}", line)


def _joined(*clauses: str) -> str:
    return "; ".join(clauses)


def stops(run: Run) -> list[str]:
    """What stopped a run but blanks of the card; a gate with what was measured and what was asked."""
    failed = [gate for gate in run.gates if not gate.passed and not gate.waived]
    told = []
    for stop in run.stopped_by:
        gate = next((gate for gate in failed if stop == f"{gate.metric} gate"), None)
        if gate:
            failed.remove(gate)
        if not stop.startswith("card: "):
            told.append(_missed(gate) if gate else stop)
    return told


def _missed(gate: GateRecord) -> str:
    name, asked = numbers.metric(gate.metric), f"{gate.direction.replace('_', ' ')} {gate.limit:g} was asked"
    if gate.value is None:
        return f"{name} on {gate.split} was not measured, {asked}"
    return f"{name} {numbers.score(gate.value)} on {gate.split}, {asked}"


def _caveats(run: Run) -> list[str]:
    """What keeps a run that went through from being a success."""
    of = judged(run)
    if of is None:
        return []
    told = [] if run.gates else ["no gate asked for a score"]
    if of.baseline is None and len(run.models) > 1:
        told.append("no model did better than the simplest")
    elif of.baseline and of.comparison and of.comparison.a == of.baseline.name:
        if of.comparison.verdict == "not distinguishable":
            told.append("the best model is not distinguishable from the simplest")
        elif of.comparison.verdict == "worse":
            told.append("the best model is worse than the simplest")
    return told
