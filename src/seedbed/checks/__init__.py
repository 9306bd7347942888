"""Checks that ship with Seedbed, one module each."""

from .allowed_values import AllowedValues
from .class_share import ClassShare
from .license import License
from .matches import Matches
from .no_leakage import NoLeakage
from .no_missing import NoMissing
from .row_count import RowCount
from .text_length_range import TextLengthRange
from .unique import Unique
from .value_range import ValueRange

__all__ = [
    "AllowedValues",
    "ClassShare",
    "License",
    "Matches",
    "NoLeakage",
    "NoMissing",
    "RowCount",
    "TextLengthRange",
    "Unique",
    "ValueRange",
]
