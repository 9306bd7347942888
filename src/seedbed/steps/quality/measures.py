"""What rules measure, by name; only what is asked for is reckoned."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from .lines import line_measures, paragraph_measures, sentences
from .words import gram_measures, word_measures

_WORDS = {"words", "word_length", "words_with_letters", "stop_words", "hashes_per_word", "ellipses_per_word"}
_LINES = {
    "punctuated_lines",
    "short_lines",
    "bullet_lines",
    "ellipsis_lines",
    "duplicate_lines",
    "duplicate_line_characters",
    "repeated_line_characters",
}
_PARAGRAPHS = {"duplicate_paragraphs", "duplicate_paragraph_characters"}


def measured(texts: pl.Series, names: Sequence[str]) -> pl.DataFrame:
    """The measures of each text, a column each; null where a text has none (a share of no lines)."""
    asked = set(names)
    grams = [name for name in dict.fromkeys(names) if name.endswith(("_gram", "_grams"))]
    found: dict[str, pl.Series] = {}
    for needed, measure in ((_WORDS, word_measures), (_LINES, line_measures), (_PARAGRAPHS, paragraph_measures)):
        if asked & needed:
            table = measure(texts)
            found |= {name: table[name] for name in needed & asked}
    if grams:
        found |= {column.name: column for column in gram_measures(texts, grams)}
    if "sentences" in asked:
        found["sentences"] = sentences(texts)
    if "lorem_ipsum" in asked:
        found["lorem_ipsum"] = texts.str.to_lowercase().str.count_matches("lorem ipsum", literal=True)
    if "curly_brackets" in asked:
        found["curly_brackets"] = texts.str.count_matches("{", literal=True)
    return pl.DataFrame({name: found[name] for name in dict.fromkeys(names)})
