"""Whether a model may be shown to others: what its run still owes."""

from __future__ import annotations

from seedbed.core import numbers
from seedbed.core.run import Run


def owed(run: Run | None) -> tuple[str, ...]:
    """What stands in the way of showing a model to others, a sentence each; nothing where its papers are in order.

    A gate or check that failed and was not waived, a question of the card that nobody answered, and a run that is not
    there to be asked.
    """
    if run is None:
        return ("no run.json stands beside this model, so nobody can tell whether it passed its gates",)
    return (*_failed_gates(run), *_stopped(run), *_blanks(run))


def _failed_gates(run: Run) -> list[str]:
    return [
        f"gate failed: {numbers.metric(gate.metric)} of {gate.model} on {gate.split} is "
        f"{'not known' if gate.value is None else numbers.score(gate.value)}, not "
        f"{gate.direction.replace('_', ' ')} {gate.limit:g}"
        for gate in run.gates
        if not gate.passed and not gate.waived
    ]


def _stopped(run: Run) -> list[str]:
    told = ("card:", *(f"{gate.metric} gate" for gate in run.gates))
    return [f"the run was stopped by {reason}" for reason in run.stopped_by if not reason.startswith(told)]


def _blanks(run: Run) -> list[str]:
    asked = [blank.partition(":")[0] for blank in run.blanks]
    questions = "question" if len(asked) == 1 else "questions"
    return [f"card.yaml leaves {len(asked)} {questions} open: {', '.join(asked)}"] if asked else []
