"""Two kinds of corpora: how long their documents are, and which of them the curation keeps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """How long documents are, and what the curation's filters ask of a cleaned text."""

    words: int
    """Median length in words; a word and its blank are about six characters."""
    spread: float
    """Standard deviation of the logarithm of the length."""
    characters: tuple[int, int]
    """Fewest and most characters that are kept."""
    least_words: int
    """Fewest words that are kept."""
    shingles: str
    """What near duplicates are compared by: `words` (runs of 3) or `characters` (runs of 5)."""
    letters: float = 0.6
    """Least share of the letters a to z among the characters."""


PROFILES = {
    "long": Profile(100, 0.9, (60, 20_000), 10, "words"),
    "short": Profile(14, 0.5, (15, 1_000), 3, "characters"),
}
