"""A run, machine readable: what `run.json` holds. The report and the card are made from this and nothing else."""

from __future__ import annotations

from .comparisons import Ablated, AblationRecord, Comparison, Effect, LeakageClaim, LearningCurve, LearningPoint
from .dataset import ColumnRecord, DatasetRecord, LengthsRecord, NumbersRecord, StepRecord
from .models import (
    Calibration,
    ClassScore,
    Curve,
    Curves,
    Distances,
    FoldScores,
    Mistake,
    ModelRecord,
    Neighbour,
    NestedRecord,
    ReliabilityBin,
    SizePart,
    Slice,
)
from .publishing import GateRecord, StaleAnswer, Waived
from .run import Run
from .sources import Credit, FetchedRecord, LicencesRecord, SourceRecord

__all__ = [
    "Ablated",
    "AblationRecord",
    "Calibration",
    "ClassScore",
    "ColumnRecord",
    "Comparison",
    "Credit",
    "Curve",
    "Curves",
    "DatasetRecord",
    "Distances",
    "Effect",
    "FetchedRecord",
    "FoldScores",
    "GateRecord",
    "LeakageClaim",
    "LearningCurve",
    "LearningPoint",
    "LengthsRecord",
    "LicencesRecord",
    "Mistake",
    "ModelRecord",
    "Neighbour",
    "NestedRecord",
    "NumbersRecord",
    "ReliabilityBin",
    "Run",
    "SizePart",
    "Slice",
    "SourceRecord",
    "StaleAnswer",
    "StepRecord",
    "Waived",
]
