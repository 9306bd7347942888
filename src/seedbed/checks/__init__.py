"""Checks that ship with Seedbed, one module each."""

from .allowed_values import AllowedValues
from .annotator_agreement import AnnotatorAgreement
from .chat_rules import ChatRules
from .class_share import ClassShare
from .drift import Drift
from .errors_by_group import ErrorsByGroup
from .foreign_key import ForeignKey
from .freshness import Freshness
from .label_errors import LabelErrors
from .license import License
from .matches import Matches
from .no_leakage import NoLeakage
from .no_missing import NoMissing
from .pii_left import PiiLeft
from .row_count import RowCount
from .schema import Schema
from .text_length_range import TextLengthRange
from .unique import Unique
from .value_range import ValueRange

__all__ = [
    "AllowedValues",
    "AnnotatorAgreement",
    "ChatRules",
    "ClassShare",
    "Drift",
    "ErrorsByGroup",
    "ForeignKey",
    "Freshness",
    "LabelErrors",
    "License",
    "Matches",
    "NoLeakage",
    "NoMissing",
    "PiiLeft",
    "RowCount",
    "Schema",
    "TextLengthRange",
    "Unique",
    "ValueRange",
]
