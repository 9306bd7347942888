"""What a person lets pass although it would stop publishing: by the recipe's `waive`, or by the `waive` of a gate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seedbed.core.run import GateRecord, SourceRecord, Waived
from seedbed.flow.known import Known
from seedbed.publish.papers.answers import blanks
from seedbed.recipe.recipe import Recipe
from seedbed.recipe.sections import Waiver

#: Waives what the licences of the sources, and the check and the question of that name, would stop.
LICENCE = "license"


def waive_gates(gates: Sequence[GateRecord], waivers: Sequence[Waiver]) -> list[GateRecord]:
    """Each failed gate with the reason to let it pass, if there is one: its own, else that of the recipe."""
    reasons = {waiver.what: waiver.reason for waiver in waivers}
    return [
        gate.model_copy(update={"waived": None if gate.passed else gate.waived or reasons.get(gate.metric)})
        for gate in gates
    ]


def waivers_used(recipe: Recipe, known: Known, sources: Sequence[SourceRecord]) -> Iterator[Waived]:
    """What would have stopped publishing and was waived, in the order in which it was met."""
    reasons = {waiver.what: waiver.reason for waiver in recipe.waive}
    failed = dict.fromkeys(f.check for f in known.findings if not f.passed and f.on_fail == "stop")
    yield from (Waived(what=f"check {name}", reason=reasons[name]) for name in failed if name in reasons)
    for gate in known.gates:
        if gate.waived:
            yield Waived(what=f"gate {gate.metric} on {gate.split}", reason=gate.waived)
    if known.licences and known.licences.problems and LICENCE in reasons:
        yield Waived(what="licences", reason=reasons[LICENCE])
    for question in blanks(known.answers, sources, known.task):
        key = question.partition(":")[0]
        if key in reasons:
            yield Waived(what=f"question {key}", reason=reasons[key])
