"""Rows that `prepare` made, in a run's folder: who made them, and of what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from seedbed.core.rows import PARENTS, ROW
from seedbed.core.run import Run
from seedbed.core.step import Make, Step

#: What stands for the file in the name of a made row.
FILE = "made"
#: Rows that were made of one, named at most.
MOST_OFFSPRING = 5


def maker_of(row: str, run: Run) -> str | None:
    """The part that made a row, by the row's name; none where it was read."""
    part, _, record = row.strip().partition(f":{FILE}#")
    steps = {step.part: step.use for step in run.steps}
    kind = Step.catalogue.get(steps.get(part, ""))
    known = kind is not None and issubclass(kind, Make)
    # A plugin's part may not be there any more: nothing else has a name without a source in it.
    return part if record.isdecimal() and (known or (part in steps and kind is None)) else None


def parents_of(entry: Mapping[str, Any]) -> list[str]:
    """The rows that a row was made of, by its entry in the ledger."""
    return [str(name) for name in entry["evidence"].get(PARENTS, [])]


def offspring_of(row: str, ledger: pl.LazyFrame) -> list[str]:
    """The rows that were made of one, in order."""
    written = json.dumps(row, ensure_ascii=False)
    made = ledger.filter(pl.col("action") == "made", pl.col("evidence").str.contains(written, literal=True))
    return made.select(ROW).collect()[ROW].to_list()
