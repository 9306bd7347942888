"""Runs the recipe's checks at their time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from seedbed.core.check import Check, Finding, View
from seedbed.core.context import Context
from seedbed.core.errors import DataError, told_as


def look(
    checks: Sequence[Check], when: Literal["rows", "split", "model"], view: View, context: Context
) -> list[Finding]:
    """Findings of the checks whose time it is, in the recipe's order."""
    due = [check for check in checks if check.when == when]
    if not due:
        return []
    view = replace(view, now=context.clock())
    with context.stage(f"Checking the {when}", len(due), "checks") as stage:
        findings = []
        for check in due:
            with told_as(DataError, check.use):
                findings.append(check.find(view))
            stage.advance(1, check.use)
    return findings


def stops(findings: Sequence[Finding], waived: Sequence[str] = ()) -> list[str]:
    """Names of the failed checks that stop a run."""
    return [f.check for f in findings if not f.passed and f.on_fail == "stop" and f.check not in waived]
