"""Text for a terminal: whatever stands in data, a recipe or a page, it cannot steer the terminal."""

from __future__ import annotations

import re

#: Control characters (C0 but tab and line feed, DEL, C1), and those that reorder text.
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Text without characters that a terminal would obey."""
    return _STEERING.sub("\N{REPLACEMENT CHARACTER}", text)
