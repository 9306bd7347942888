"""Steps that ship with Seedbed, one module each."""

from .cap_per_class import CapPerClass
from .cast import Cast
from .character_share import CharacterShare
from .conflicting_labels import ConflictingLabels
from .decontaminate import Decontaminate
from .derive import Derive
from .drop_missing import DropMissing
from .exact_duplicates import ExactDuplicates
from .fill_missing import FillMissing
from .fix_text import FixText
from .join import Join
from .keep_values import KeepValues
from .lemmatize import Lemmatize
from .map_values import MapValues
from .near_duplicates import NearDuplicates
from .normalize import Normalize
from .parse_dates import ParseDates
from .python import Python
from .sample import Sample
from .semantic_duplicates import SemanticDuplicates
from .strip_html import StripHtml
from .text_length import TextLength
from .where import Where

__all__ = [
    "CapPerClass",
    "Cast",
    "CharacterShare",
    "ConflictingLabels",
    "Decontaminate",
    "Derive",
    "DropMissing",
    "ExactDuplicates",
    "FillMissing",
    "FixText",
    "Join",
    "KeepValues",
    "Lemmatize",
    "MapValues",
    "NearDuplicates",
    "Normalize",
    "ParseDates",
    "Python",
    "Sample",
    "SemanticDuplicates",
    "StripHtml",
    "TextLength",
    "Where",
]
