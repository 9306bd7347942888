"""Metrics that ship with Seedbed, intervals, and paired comparisons."""

from collections.abc import Mapping

from seedbed.core.task import Says

from .accuracy import Accuracy
from .answerable_accuracy import AnswerableAccuracy
from .average_precision import AveragePrecision
from .balanced_accuracy import BalancedAccuracy
from .bits_per_byte import BitsPerByte
from .brier import Brier
from .chrf import Chrf
from .cohen_kappa import CohenKappa
from .exact import Exact
from .exact_match import ExactMatch
from .expected_calibration_error import ExpectedCalibrationError
from .hamming_loss import HammingLoss
from .log_loss import LogLoss
from .macro_f1 import MacroF1
from .macro_precision import MacroPrecision
from .macro_recall import MacroRecall
from .mae import Mae
from .matthews import Matthews
from .median_absolute_error import MedianAbsoluteError
from .micro_f1 import MicroF1
from .mse import Mse
from .perplexity import Perplexity
from .r2 import R2
from .rmse import Rmse
from .rmsle import Rmsle
from .roc_auc import RocAuc
from .rouge_l import RougeL
from .samples_f1 import SamplesF1
from .token_f1 import TokenF1
from .top_3_accuracy import Top3Accuracy
from .weighted_f1 import WeightedF1
from .within_10_percent import Within10Percent
from .word_perplexity import WordPerplexity

#: What is measured where a recipe names no metric, by what tasks answer; the first decides. Of language models that is
#: what compares across vocabularies.
USUAL_METRICS: Mapping[Says, tuple[str, ...]] = {
    "label": ("macro_f1", "accuracy", "roc_auc", "log_loss", "expected_calibration_error"),
    "labels": ("micro_f1", "macro_f1", "samples_f1", "accuracy", "hamming_loss"),
    "number": ("rmse", "mae", "median_absolute_error", "r2"),
    "spans": ("token_f1", "exact_match", "answerable_accuracy"),
    "text": ("chrf", "rouge_l", "exact"),
    "turns": ("chrf", "rouge_l", "exact"),
    "itself": ("bits_per_byte", "perplexity", "word_perplexity"),
}

__all__ = [
    "R2",
    "USUAL_METRICS",
    "Accuracy",
    "AnswerableAccuracy",
    "AveragePrecision",
    "BalancedAccuracy",
    "BitsPerByte",
    "Brier",
    "Chrf",
    "CohenKappa",
    "Exact",
    "ExactMatch",
    "ExpectedCalibrationError",
    "HammingLoss",
    "LogLoss",
    "MacroF1",
    "MacroPrecision",
    "MacroRecall",
    "Mae",
    "Matthews",
    "MedianAbsoluteError",
    "MicroF1",
    "Mse",
    "Perplexity",
    "Rmse",
    "Rmsle",
    "RocAuc",
    "RougeL",
    "SamplesF1",
    "TokenF1",
    "Top3Accuracy",
    "WeightedF1",
    "Within10Percent",
    "WordPerplexity",
]
