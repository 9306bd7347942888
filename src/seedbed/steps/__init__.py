"""Steps that ship with Seedbed, one module each."""

from .apply_review import ApplyReview
from .augment import Augment
from .cap_per_class import CapPerClass
from .cast import Cast
from .character_share import CharacterShare
from .class_weights import ClassWeights
from .conflicting_labels import ConflictingLabels
from .convert_units import ConvertUnits
from .decontaminate import Decontaminate
from .derive import Derive
from .drop_missing import DropMissing
from .each_turn import EachTurn
from .encode import Encode
from .exact_duplicates import ExactDuplicates
from .fill_missing import FillMissing
from .fix_text import FixText
from .hash_features import HashFeatures
from .join import Join
from .keep_values import KeepValues
from .language import Language
from .lemmatize import Lemmatize
from .map_values import MapValues
from .merge_categories import MergeCategories
from .near_duplicates import NearDuplicates
from .normalize import Normalize
from .numeric_outliers import NumericOutliers
from .oversample import Oversample
from .parse_dates import ParseDates
from .parse_numbers import ParseNumbers
from .python import Python
from .quality_rules import QualityRules
from .redact_pii import RedactPii
from .sample import Sample
from .scale import Scale
from .select_features import SelectFeatures
from .semantic_duplicates import SemanticDuplicates
from .strip_html import StripHtml
from .text_features import TextFeatures
from .text_length import TextLength
from .tfidf import Tfidf
from .toxicity import Toxicity
from .undersample import Undersample
from .where import Where

__all__ = [
    "ApplyReview",
    "Augment",
    "CapPerClass",
    "Cast",
    "CharacterShare",
    "ClassWeights",
    "ConflictingLabels",
    "ConvertUnits",
    "Decontaminate",
    "Derive",
    "DropMissing",
    "EachTurn",
    "Encode",
    "ExactDuplicates",
    "FillMissing",
    "FixText",
    "HashFeatures",
    "Join",
    "KeepValues",
    "Language",
    "Lemmatize",
    "MapValues",
    "MergeCategories",
    "NearDuplicates",
    "Normalize",
    "NumericOutliers",
    "Oversample",
    "ParseDates",
    "ParseNumbers",
    "Python",
    "QualityRules",
    "RedactPii",
    "Sample",
    "Scale",
    "SelectFeatures",
    "SemanticDuplicates",
    "StripHtml",
    "TextFeatures",
    "TextLength",
    "Tfidf",
    "Toxicity",
    "Undersample",
    "Where",
]
