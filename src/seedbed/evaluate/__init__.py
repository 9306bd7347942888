"""Metrics that ship with Seedbed, intervals, and paired comparisons."""

from .accuracy import Accuracy
from .average_precision import AveragePrecision
from .balanced_accuracy import BalancedAccuracy
from .expected_calibration_error import ExpectedCalibrationError
from .log_loss import LogLoss
from .macro_f1 import MacroF1
from .macro_precision import MacroPrecision
from .macro_recall import MacroRecall
from .micro_f1 import MicroF1
from .roc_auc import RocAuc
from .weighted_f1 import WeightedF1

__all__ = [
    "Accuracy",
    "AveragePrecision",
    "BalancedAccuracy",
    "ExpectedCalibrationError",
    "LogLoss",
    "MacroF1",
    "MacroPrecision",
    "MacroRecall",
    "MicroF1",
    "RocAuc",
    "WeightedF1",
]
