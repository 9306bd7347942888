"""What a table looks like, in numbers and guesses."""

from __future__ import annotations

from .columns import ColumnProfile, column_profile
from .headers import header_is_a_row
from .profile import LabelProfile, Profile, label_profile, profile_of
from .roles import Roles, could_be_label, roles_of
from .sampling import Sample, sample_of
from .texts import TextProfile, copies_in, text_profile

__all__ = [
    "ColumnProfile",
    "LabelProfile",
    "Profile",
    "Roles",
    "Sample",
    "TextProfile",
    "column_profile",
    "copies_in",
    "could_be_label",
    "header_is_a_row",
    "label_profile",
    "profile_of",
    "roles_of",
    "sample_of",
    "text_profile",
]
