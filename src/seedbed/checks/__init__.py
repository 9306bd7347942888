"""Checks that ship with Seedbed, one module each."""

from .allowed_values import AllowedValues
from .class_share import ClassShare
from .no_leakage import NoLeakage
from .no_missing import NoMissing
from .row_count import RowCount

__all__ = ["AllowedValues", "ClassShare", "NoLeakage", "NoMissing", "RowCount"]
