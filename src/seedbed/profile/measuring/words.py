"""Columns of texts: lengths in characters, words and tokens, what they hold, and which words they are made of."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from seedbed.core.profile import Estimate, Spread, TextFacts
from seedbed.core.tokenizing import HuggingfaceTokenizer

from .distinct import Distinct
from .frequent import Frequent
from .hashed import hashes_of
from .moments import Moments, settled
from .numbers import spread_of

ROUGH = "a run of letters and digits, or another sign: what a tokenizer would make of it is about a fifth more"
_TOKEN = r"\w+|[^\w\s]"
_SPACES = r"[\t-\r\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]"
_MARKS = " \t.,;:!?\"'`´‘’“”„«»()[]{}<>*_~|/\\-–—…·•#@&%$^+=。、，！？：；（）「」"
_LONGEST_WORD = 60
_TOP_WORDS = 30
#: Texts that hold something, by what it is.
HOLDS = {
    "web addresses": r"(?i)\b(?:https?://|www\.)\S",
    "mentions (@name)": r"\B@\w",
    "HTML tags": r"(?i)</?(?:a|b|i|u|p|br|hr|em|li|ol|ul|td|tr|th|h[1-6]|div|img|span|font|table)(?:\s[^<>]*)?/?>",
    "HTML entities": r"&(?:#\d{2,7}|#[xX][0-9a-fA-F]{2,6}|[a-zA-Z]{2,8}\d{0,2});",
    "line breaks": r"[\n\r]",
    "control characters": r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]",
    "lost characters (U+FFFD)": "\ufffd",
}
LENGTHS = ("characters", "words", "tokens")


@dataclass
class TextPart:
    """What is known of a column of texts."""

    reads: bool
    vocabulary: Distinct
    words: Frequent
    tokenizer: str = ""
    lengths: dict[str, Moments] = field(default_factory=lambda: {name: Moments() for name in LENGTHS})
    rows: dict[str, int] = field(default_factory=dict)
    total_words: int = 0

    def add(self, texts: pl.Series, filled: pl.Series) -> dict[str, pl.Series]:
        """Take in a batch; returns the lengths of each text, null where there is none."""
        there = texts.set(~filled, None)
        found = {"characters": there.str.len_chars()}
        if self.reads:
            found["words"] = there.str.count_matches(r"\S+")
            found["tokens"] = self._tokens(there)
            self._hold(there, found["characters"])
            self._read(there.drop_nulls())
        for name, lengths in found.items():
            self.lengths[name].add(lengths.drop_nulls().cast(pl.Float64).to_numpy())
        return found

    def _hold(self, texts: pl.Series, characters: pl.Series) -> None:
        found = {"letters beyond ASCII": int((texts.str.len_bytes() != characters).sum())}
        found |= {what: int(texts.str.contains(pattern).sum() or 0) for what, pattern in HOLDS.items()}
        for what, rows in found.items():
            self.rows[what] = self.rows.get(what, 0) + rows

    def _tokens(self, texts: pl.Series) -> pl.Series:
        if not self.tokenizer:
            return texts.str.count_matches(_TOKEN)
        there = texts.is_not_null().arg_true()
        tokens = HuggingfaceTokenizer(path=self.tokenizer).open("--tokenizer", offline=True)
        counts = tokens.count(texts.gather(there).to_list())
        lacking = pl.Series([None], dtype=pl.UInt32).new_from_index(0, texts.len())
        return lacking.scatter(there, pl.Series(counts, dtype=pl.UInt32))

    def _read(self, texts: pl.Series) -> None:
        """Count words: split at white space, lower case, marks at the ends taken off."""
        spaced = texts.str.to_lowercase().str.replace_all(_SPACES, " ")
        counted = spaced.str.split(" ").explode().alias("word").value_counts(name="n")
        counted = (
            counted.with_columns(pl.col("word").str.strip_chars(_MARKS).str.slice(0, _LONGEST_WORD))
            .filter(pl.col("word").str.len_bytes() > 0)
            .group_by("word")
            .agg(pl.col("n").sum())
        )
        self.total_words += int(counted["n"].sum() or 0)
        keys = hashes_of(counted["word"])
        order = np.argsort(keys)
        self.vocabulary.add(keys[order], counted["n"].to_numpy().astype(np.int64)[order])
        self.words.add(pl.Series(keys), counted["word"], counted["n"])

    def merge(self, other: TextPart) -> None:
        """Take in that of another part of the table."""
        self.vocabulary.merge(other.vocabulary)
        self.words.merge(other.words)
        self.total_words += other.total_words
        for name, lengths in other.lengths.items():
            self.lengths[name].merge(lengths)
        for what, rows in other.rows.items():
            self.rows[what] = self.rows.get(what, 0) + rows

    def facts(self, sample: dict[str, pl.Series], whole: bool) -> TextFacts:
        """What was found, but for what a sample of texts says.

        Args:
            sample: Lengths of the sample.
            whole: Whether these are all of them.
        """
        spreads: dict[str, Spread | None] = {
            name: spread_of(self.lengths[name], lengths.drop_nulls().cast(pl.Float64).to_numpy(), whole)
            for name, lengths in sample.items()
        }
        totals = {f"total_{name}": _sum(spreads.get(name)) for name in ("characters", "tokens")}
        if not self.reads:
            return TextFacts(characters=spreads.get("characters"), total_characters=totals["total_characters"])
        vocabulary = self.vocabulary.distinct()
        once = self.vocabulary.once()
        return TextFacts(
            **spreads,
            **totals,
            tokenizer=self.tokenizer or ROUGH,
            total_words=self.total_words,
            rows={what: rows for what, rows in self.rows.items() if rows},
            vocabulary=vocabulary,
            once=_over(once, vocabulary) if vocabulary.value else None,
            top_words=self.words.top(_TOP_WORDS, self.total_words).top,
            words_within=self.words.within,
        )


def _sum(spread: Spread | None) -> int:
    return round(spread.mean * spread.n) if spread else 0


def _over(part: Estimate, whole: Estimate) -> Estimate:
    ends = (part.low / whole.low, part.high / whole.high) if whole.low else (0.0, 1.0)
    value = settled(part.value / whole.value)
    return Estimate(value=value, low=min(value, *map(settled, ends)), high=max(value, *map(settled, ends)), of=part.of)
