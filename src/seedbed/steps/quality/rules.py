"""The rules by name: what is measured, its limit, which preset it is of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Preset = Literal["gopher", "gopher_repetition", "c4", "fineweb"]


@dataclass(frozen=True)
class Rule:
    """A text fails where what is `measured` is below (or above) the limit."""

    name: str
    measured: str
    side: Literal["at_least", "at_most"]
    limit: float
    preset: Preset


def _at_least(name: str, measured: str, limit: float, preset: Preset) -> Rule:
    return Rule(name, measured, "at_least", limit, preset)


def _at_most(name: str, measured: str, limit: float, preset: Preset) -> Rule:
    return Rule(name, measured, "at_most", limit, preset)


def _share(name: str, limit: float, preset: Preset) -> Rule:
    """One that is named as what it measures."""
    return _at_most(name, name, limit, preset)


#: In the order in which they decide; the page of `quality_rules` says what each means.
RULES: tuple[Rule, ...] = (
    _at_least("few_words", "words", 50, "gopher"),
    _at_most("many_words", "words", 100_000, "gopher"),
    _at_least("short_words", "word_length", 3, "gopher"),
    _at_most("long_words", "word_length", 10, "gopher"),
    _at_most("hashes", "hashes_per_word", 0.1, "gopher"),
    _at_most("ellipses", "ellipses_per_word", 0.1, "gopher"),
    _share("bullet_lines", 0.9, "gopher"),
    _share("ellipsis_lines", 0.3, "gopher"),
    _at_least("letterless_words", "words_with_letters", 0.8, "gopher"),
    _at_least("few_stop_words", "stop_words", 2, "gopher"),
    _share("duplicate_lines", 0.3, "gopher_repetition"),
    _share("duplicate_paragraphs", 0.3, "gopher_repetition"),
    _share("duplicate_line_characters", 0.2, "gopher_repetition"),
    _share("duplicate_paragraph_characters", 0.2, "gopher_repetition"),
    *(_share(f"top_{n}_gram", limit, "gopher_repetition") for n, limit in ((2, 0.20), (3, 0.18), (4, 0.16))),
    *(
        _share(f"duplicate_{n}_grams", limit, "gopher_repetition")
        for n, limit in ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10))
    ),
    _share("lorem_ipsum", 0, "c4"),
    _share("curly_brackets", 0, "c4"),
    _at_least("few_sentences", "sentences", 3, "c4"),
    _at_least("unpunctuated_lines", "punctuated_lines", 0.12, "fineweb"),
    _at_most("repeated_lines", "repeated_line_characters", 0.1, "fineweb"),
    _share("short_lines", 0.67, "fineweb"),
)
#: C4's rules for lines, which are left out of the text, with the limit where there is one.
LINE_RULES: dict[str, float] = {
    "line_end": 1,
    "line_words": 5,
    "line_word_length": 1000,
    "line_javascript": 1,
    "line_policy": 1,
}
