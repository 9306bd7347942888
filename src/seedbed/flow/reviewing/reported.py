"""Rows of which people said, where the model is served, that it answered them wrong: a queue, and a source of rows.

They have no label until a reviewer gives them one: then `seedbed retrain` reads them, and `apply_review` writes the
label. All others come without one, and stand in the ledger as `unlabelled`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from seedbed.core.decision import read_decisions, standing_of, text_hash
from seedbed.core.reported import SOURCE, Report, Reports
from seedbed.core.rows import NUMBER, ROW
from seedbed.core.task import fields_said, rows_said

from .rows import RunRows

NAME = "reported"


def reported_rows(rows: RunRows, reports: Reports) -> pl.DataFrame | None:
    """What people said, as the items of a queue; none where nobody said anything.

    Args:
        rows: Of the run.
        reports: What was said.
    """
    found = reports.read()
    if not found:
        return None
    task, table = rows.task, as_read(found, rows.schema)
    shown = task.shown
    texts = rows_said(task, table)
    known = None if shown is None or shown not in table.columns else table[shown]
    if shown is None:
        known = fields_said(table.drop(task.answer or "", strict=False))
    return pl.DataFrame(
        {
            ROW: [reports.row_name(one.number) for one in found],
            "text": texts if shown is None or shown in table.columns else fields_said(table),
            "suggested": [one.said.label for one in found],
            "score": [None] * len(found),
            "kind": [f"the model said {one.said.predicted}" for one in found],
            "told": [_told(one) for one in found],
            "read": [None] * len(found) if known is None else [text_hash(one) for one in known],
        },
        schema_overrides={"score": pl.Float64, "text": pl.String, "suggested": pl.String, "read": pl.String},
    )


def as_read(found: Iterable[Report], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Reported rows with the columns that all sources have together, in their types: as the next run will read them."""
    told = [one.row for one in found]
    more = dict.fromkeys(name for row in told for name in row if name not in schema)
    names = [name for name in (*schema, *more) if name not in (ROW, NUMBER)]
    columns = []
    for name in names:
        values = pl.Series(name, [row.get(name) for row in told], strict=False)
        columns.append(values.cast(schema[name], strict=False) if name in schema else values)
    return pl.DataFrame(columns)


def _told(one: Report) -> str:
    said = one.said
    sure = "" if said.confidence is None else f" ({100 * said.confidence:.1f} %)"
    facts = {"the model said": said.predicted + sure, "somebody says": said.label, "because": said.why}
    facts |= {"who": said.who, "when": said.when}
    return json.dumps({name: value for name, value in facts.items() if value}, ensure_ascii=False)


def reported_source(base: Path, name: str, decisions: Path, folder: Path) -> dict[str, Any] | None:
    """The source of reported rows for a recipe; none where no reviewer gave any of them a label.

    Args:
        base: The recipe's folder.
        name: The recipe's.
        decisions: The file of decisions.
        folder: Of the reports.
    """
    reports = Reports.of(folder, name)
    found = reports.read()
    if not found:
        return None
    standing = standing_of(read_decisions(base / decisions)[0])
    given = (standing.on(reports.row_name(one.number)) for one in found)
    if not any(one is not None and one.action == "relabel" for one in given):
        return None
    columns = dict.fromkeys(column for one in found for column in one.row)
    return {
        "use": "jsonl",
        "name": SOURCE,
        "path": str(reports.path.resolve()),
        "columns": {column: column for column in columns},
    }
