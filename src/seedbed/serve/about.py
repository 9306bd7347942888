"""What a server tells of its model: labels, inputs, scores, limits, card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import polars as pl

from seedbed.core.ledger import EXCERPT_LENGTH, mask, masked
from seedbed.core.run import ModelRecord
from seedbed.core.task import Chat, Says

from .answers import Value
from .limits import MOST_BYTES, MOST_CHARACTERS, MOST_ROWS
from .predictor import Predictor
from .standing import owed
from .trust import honesty_said, off_said, score_said

_LONGEST_EXAMPLE = 2_000

_KNOWS = "It knows texts like those that it learned from; of others"
#: What a person should know before believing an answer, by what the task answers.
_LIMITS: Mapping[Says, Sequence[str]] = {
    "label": (
        "It answers with one of {} labels whatever the text says, also where none fits.",
        f"{_KNOWS} its percentages say little.",
    ),
    "labels": ("It knows no other labels than these.", f"{_KNOWS} its percentages say little."),
    "number": (
        "It answers with a number whatever it is asked.",
        "Of rows unlike those that it learned from it knows nothing.",
    ),
    "spans": ("It finds words in the text; whether the text is true, it does not know.", f"{_KNOWS} it finds less."),
    "text": ("What it writes sounds alike, right or wrong.", f"{_KNOWS} its answers say little."),
    "turns": ("What it says sounds alike, right or wrong.", f"{_KNOWS} its answers say little."),
    "itself": ("It says how usual a text is, not whether it is true or good.", f"{_KNOWS} it is surprised."),
}


def facts(predictor: Predictor) -> dict[str, Any]:
    """What `/model` tells."""
    run, bundle = predictor.run, predictor.bundle
    says = bundle.task.says
    record = next((model for model in run.models if model.name == predictor.name), None) if run else None
    found = {
        "name": predictor.name,
        "version": predictor.digest,
        "use": bundle.use,
        "precision": predictor.model.precision,
        "task": bundle.task.kind,
        "says": says,
        "turns": bundle.task.messages if isinstance(bundle.task, Chat) and bundle.task.turns is None else None,
        "seedbed": bundle.seedbed,
        "labels": list(predictor.labels),
        "shown": bundle.task.shown,
        "answer": bundle.task.answer,
        "inputs": predictor.fields,
        "run": {"name": run.name, "id": run.id, "state": run.state, "dataset": run.dataset.digest} if run else None,
        "trained_on": run.dataset.splits.get("train") if run else None,
        "score": _score(predictor, record),
        "off": _off(predictor, record),
        "scores": record.model_dump(mode="json", include={"scores"})["scores"] if record else {},
        "calibrated": bundle.calibration is not None if says == "label" else None,
        "calibration": _calibration(predictor),
        "reliability": _reliability(predictor, record),
        "limits": _limits(predictor),
        "not_for_publication": list(owed(run)),
        "waived": [waived.model_dump() for waived in run.waivers] if run else [],
        "examples": [_example(one.input) for one in bundle.preprocess.golden],
        "most": {"bytes": MOST_BYTES, "rows": MOST_ROWS, "characters": MOST_CHARACTERS},
        "card": predictor.card,
    }
    said = {"score": score_said(found), "honesty": honesty_said(found), "off": off_said(found)}
    return found | {"said": said}


def _score(predictor: Predictor, record: ModelRecord | None) -> dict[str, Any] | None:
    """The deciding metric, and accuracy if it was measured, on the rows that judge."""
    run = predictor.run
    scores = record.scores.get(run.judging_split, {}) if run and record else {}
    if run is None or run.metric not in scores:
        return None
    accuracy = scores["accuracy"].model_dump(mode="json") if "accuracy" in scores else None
    told = {"metric": run.metric, "split": run.judging_split, "level": run.intervals.get("level")}
    return told | scores[run.metric].model_dump(mode="json") | {"accuracy": accuracy}


def _reliability(predictor: Predictor, record: ModelRecord | None) -> dict[str, Any] | None:
    """How far the stated confidence was off on the rows that judge, and how often it was right where it was surest."""
    run = predictor.run
    bins = record.reliability.get(run.judging_split, ()) if run and record else ()
    rows = sum(one.rows for one in bins)
    if run is None or record is None or not rows:
        return None
    measured = record.scores.get(run.judging_split, {}).get("expected_calibration_error")
    summed = sum(one.rows * abs(one.confidence - one.accuracy.value) for one in bins) / rows
    surest = max((one for one in bins if one.rows), key=lambda one: one.confidence)
    return {
        "split": run.judging_split,
        "rows": rows,
        "error": summed if measured is None else measured.value,
        "surest": {"rows": surest.rows, "confidence": surest.confidence, "right": surest.accuracy.value},
    }


def _calibration(predictor: Predictor) -> dict[str, Any] | None:
    """On which rows the percentages were put right; none where they were not."""
    found = predictor.bundle.calibration
    return {"split": found.split, "rows": found.rows, "temperature": found.temperature} if found else None


def _off(predictor: Predictor, record: ModelRecord | None) -> dict[str, Any] | None:
    """How far numbers were off on the rows that judge."""
    run = predictor.run
    found = record.distances.get(run.judging_split) if run and record else None
    return {"split": run.judging_split, "half": found.half, "most": found.most} if run and found else None


def _limits(predictor: Predictor) -> list[str]:
    """What a person should know before believing an answer."""
    told = list(_LIMITS[predictor.bundle.task.says])
    if predictor.bundle.task.says == "label":
        told[0] = told[0].format(len(predictor.labels))
    if predictor.bundle.task.alike_if_equal:
        told = [one.replace("the text says", "the row holds").replace("texts like", "rows like") for one in told]
    skipped = predictor.preparation.skipped
    told += [f"{name}, its maker's own code, is not run: its warnings are missing." for name in skipped]
    return told


def _example(row: dict[str, Any]) -> dict[str, Value]:
    """A golden example's input, fit to be shown: it comes from somebody's data. Turns become a text."""
    return {name: _shown(value) for name, value in row.items()}


def _shown(value: Any) -> Value:
    if isinstance(value, list | dict):
        said = [turn.get("content", turn.get("value")) for turn in value if isinstance(turn, dict)]
        lone = said[0] if len(value) == 1 and len(said) == 1 else None
        return mask(lone if isinstance(lone, str) else orjson.dumps(value).decode())
    if isinstance(value, str) and len(value) > EXCERPT_LENGTH:
        return str(pl.select(masked(pl.lit(value))).item())[:_LONGEST_EXAMPLE]
    return mask(value) if isinstance(value, str) else value
