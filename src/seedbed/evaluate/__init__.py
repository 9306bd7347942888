"""Metrics that ship with Seedbed, intervals, and paired comparisons."""

from .accuracy import Accuracy
from .balanced_accuracy import BalancedAccuracy
from .macro_f1 import MacroF1

__all__ = ["Accuracy", "BalancedAccuracy", "MacroF1"]
