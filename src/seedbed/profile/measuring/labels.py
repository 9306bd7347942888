"""The label: how its values are spread, and which words stand with which."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl

from seedbed.core.profile import ColumnFacts, LabelFacts, LabelWord

from .column import ColumnPart

_MOST_LABELS = 200
_MOST_WORDED, _WORDS = 20, 12
_FEWEST = 5
#: Texts that the prior weighs as much as.
_PRIOR = 500.0


def label_facts(facts: ColumnFacts, part: ColumnPart) -> LabelFacts:
    """How the label's values are spread."""
    counts = part.frequent.counted()["n"].to_numpy().astype(float)
    share = counts / counts.sum() if counts.size else counts
    entropy = float(-(share * np.log(share)).sum()) if counts.size else 0.0
    shown = part.frequent.top(_MOST_LABELS, facts.filled)
    return LabelFacts(
        column=facts.name,
        missing=facts.missing,
        counts=shown.top,
        other=shown.other,
        labels=int(facts.distinct.value),
        ratio=round(float(counts.max() / counts.min()), 4) if counts.size else 0.0,
        evenness=round(entropy / math.log(len(counts)), 6) if len(counts) > 1 else 0.0,
    )


def label_words(texts: pl.Series, labels: pl.Series, known: Sequence[str]) -> dict[str, tuple[LabelWord, ...]]:
    """Words that stand with a label more than with the others.

    By the log odds of texts with a word, with an informative Dirichlet prior (Monroe, Colaresi and Quinn,
    "Fightin' words", 2008), over its standard error. Words are listed whose two-sided p is below 0.05 after
    Bonferroni's correction for all words of all labels that were tried.

    Args:
        texts: Of a sample.
        labels: Of each text.
        known: Labels to tell of, the most frequent first.
    """
    told = known[:_MOST_WORDED]
    rows = pl.DataFrame({"text": texts, "label": labels}).with_row_index("at").filter(pl.col("label").is_in(told))
    if rows["label"].n_unique() < 2:
        return {}
    sizes = dict(rows["label"].value_counts(name="n").iter_rows())
    worded = (
        rows.select("at", "label", word=pl.col("text").str.to_lowercase().str.extract_all(r"[\w'’]{2,40}"))
        .explode("word")
        .drop_nulls("word")
        .unique()
        .group_by("word", "label")
        .len("n")
    )
    total = worded.group_by("word").agg(pl.col("n").sum().alias("all")).filter(pl.col("all") >= _FEWEST)
    table = worded.join(total, on="word")
    if not table.height:
        return {}
    sure = _normal_beyond(0.05 / (2 * total.height * len(sizes)))
    texts_in_all = sum(sizes.values())
    every = table.select("word", "all").unique().sort("word")
    found = {}
    for label in told:
        if label not in sizes:
            continue
        here = every.join(table.filter(pl.col("label") == label).select("word", "n"), on="word", how="left").fill_null(
            0
        )
        n, total_n = here["n"].to_numpy().astype(float), here["all"].to_numpy().astype(float)
        z = _log_odds(n, total_n - n, sizes[label], texts_in_all - sizes[label], total_n / texts_in_all * _PRIOR)
        best = [int(place) for place in np.lexsort((here["word"].to_numpy(), -z))[:_WORDS] if z[place] >= sure]
        words = here["word"]
        found[label] = tuple(
            LabelWord(word=words[at], here=int(n[at]), elsewhere=int(total_n[at] - n[at]), z=round(float(z[at]), 4))
            for at in best
        )
    return {label: words for label, words in found.items() if words}


def _log_odds(here: np.ndarray, there: np.ndarray, of_here: int, of_there: int, prior: np.ndarray) -> np.ndarray:
    """Log odds of each word here against there, over its standard error."""
    a, b = here + prior, there + prior
    others = of_here + _PRIOR - a + 0.5, of_there + _PRIOR - b + 0.5  # a word may stand in every text
    odds = np.log(a / others[0]) - np.log(b / others[1])
    found: np.ndarray = odds / np.sqrt(1 / a + 1 / b)
    return found


def _normal_beyond(p: float) -> float:
    from scipy.special import ndtri

    return float(-ndtri(p))
