"""Steps that ship with Seedbed, one module each."""

from .conflicting_labels import ConflictingLabels
from .drop_missing import DropMissing
from .exact_duplicates import ExactDuplicates
from .fix_text import FixText
from .keep_values import KeepValues
from .map_values import MapValues
from .near_duplicates import NearDuplicates
from .normalize import Normalize
from .sample import Sample
from .strip_html import StripHtml
from .text_length import TextLength

__all__ = [
    "ConflictingLabels",
    "DropMissing",
    "ExactDuplicates",
    "FixText",
    "KeepValues",
    "MapValues",
    "NearDuplicates",
    "Normalize",
    "Sample",
    "StripHtml",
    "TextLength",
]
