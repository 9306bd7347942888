"""Holds the judged models against the recipe's gates."""

from __future__ import annotations

from collections.abc import Sequence

from seedbed.core.run import GateRecord
from seedbed.recipe.sections import Gate

from .judge import Judged


def pass_gates(gates: Sequence[Gate], judged: Judged) -> list[GateRecord]:
    """Hold the models against the gates; of the best model on validation rows unless a gate names one."""
    records = {record.name: record for record in judged.models}
    passed = []
    for gate in gates:
        name = gate.model or judged.best
        score = records[name].scores.get(gate.split, {}).get(gate.metric) if name in records else None
        direction, limit = ("at_least", gate.at_least) if gate.at_least is not None else ("at_most", gate.at_most)
        assert limit is not None
        good = score is not None and (score.value >= limit if direction == "at_least" else score.value <= limit)
        passed.append(
            GateRecord(
                metric=gate.metric, split=gate.split, model=name, passed=good, limit=limit, direction=direction,
                value=score.value if score else None, low=score.low if score else None,
                high=score.high if score else None, waived=gate.waive,
            )
        )  # fmt: skip
    return passed
