"""A run to show with markup wherever data, a recipe or a part may bring some in."""

from __future__ import annotations

from typing import Any

from sample import whole

from seedbed.core.check import Finding
from seedbed.core.ledger import Books
from seedbed.core.metric import Score
from seedbed.core.run import (
    Calibration,
    ClassScore,
    ColumnRecord,
    Comparison,
    Curve,
    Curves,
    DatasetRecord,
    Effect,
    FoldScores,
    GateRecord,
    LeakageClaim,
    LearningCurve,
    LearningPoint,
    LengthsRecord,
    Mistake,
    ModelRecord,
    Neighbour,
    ReliabilityBin,
    Run,
    Slice,
    SourceRecord,
    StepRecord,
)
from seedbed.core.splitter import Certificate

HOSTILE = (
    "<script>window.hacked=1</script>\"'><img src=x onerror=window.hacked=1>"
    "{{7*7}}</title></style>\x00\x1b\ud800\u202e&amp;"
)
_CLOSED = {"state", "verdict", "direction", "on_fail", "verified", "calibration", "without", "made"}


def hostile() -> Run:
    """The whole run with markup after every string that data, a recipe or a part may bring in."""
    return Run.model_validate(_spoil(whole().model_dump(), ""))


def _spoil(value: Any, key: str) -> Any:
    if key in _CLOSED:
        return value
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, (list, tuple)):
        return [_spoil(item, "") for item in value]
    if isinstance(value, dict):
        data = key in _DATA_KEYS or not set(value) <= _FIELDS
        closed = {"kind"} if "unique" in value else set()  # of a column
        return {
            k + HOSTILE if data else k: item if k in closed else _spoil(item, "" if data else k)
            for k, item in value.items()
        }
    return value


_DATA_KEYS = {
    "settings", "options", "changed", "rejected", "splits", "labels", "labels_before", "labels_made", "asked", "got",
    "scores", "classes", "confusion", "timings", "versions", "curves", "reliability", "slices", "folds",
}  # fmt: skip
_FIELDS = {
    name
    for record in (
        Run, SourceRecord, StepRecord, ColumnRecord, LengthsRecord, DatasetRecord, ClassScore, Mistake, ModelRecord,
        Comparison, GateRecord, LeakageClaim, Books, Certificate, Score, Finding, Neighbour, Curve, Curves, Slice,
        ReliabilityBin, Calibration, FoldScores, Effect, LearningCurve, LearningPoint,
    )
    for name in record.model_fields
} | {"kind", "text", "label", "labels", "level", "resamples", "method", "pairs", "clusters", "threshold"}  # fmt: skip
