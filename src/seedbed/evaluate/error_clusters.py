"""Where a model's mistakes lie: rows that are about the same, named by the terms that tell mistakes from right rows.

All rows are grouped by what they say, TF-IDF of terms and k-means, and only then one looks at which are wrong. Groups
of mistakes alone would each hold nothing but mistakes, and would look like a finding even where mistakes fall by
chance; this way the share that is wrong can be compared with that of all other rows (Fisher's exact test, Holm's
correction over all groups). A group is named by the terms of its mistakes against the right rows of all groups, by
chi-square (Yang & Pedersen 1997), of those that are more frequent among the mistakes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from seedbed.core.ledger import excerpt_of
from seedbed.core.scrutiny import ErrorCluster, ErrorClusters
from seedbed.core.statistics.holm import holm

from .conformal import share
from .fairness import difference_of_shares

_Bools = NDArray[np.bool_]

#: Fewer rows, or mistakes, than this have no clusters.
FEWEST_ROWS, FEWEST_MISTAKES = 60, 10
#: Rows a cluster on average, and clusters there are at most.
_ROWS_A_CLUSTER, _MOST_CLUSTERS = 40, 20
#: Mistakes below which a cluster is not told of.
_FEWEST_TOLD = 3
_TERMS, _EXAMPLES, _PAIRS = 5, 3, 5
_MOST_TERMS = 5_000
#: Share of the mistakes that have a term that names them, at least.
_COMMON = 0.1
#: Fewer characters than this for each blank: texts whose words are told apart by blanks.
_TO_A_BLANK = 20


@dataclass(frozen=True)
class Answered:
    """Rows that a model answered."""

    rows: pl.Series
    """Row ids."""
    texts: pl.Series
    """What the model read."""
    wrong: _Bools
    """Which rows it got wrong, shape (rows,)."""
    said: Sequence[tuple[str, str]]
    """What was right and what was answered, in words; empty where that would say little."""


def error_clusters(
    of: Answered, *, model: str, split: str, what: str, level: float = 0.95, seed: int = 13
) -> ErrorClusters | None:
    """Groups of rows with their share of mistakes, those that have more than the others first.

    Args:
        of: The rows.
        model: The model's name.
        split: What the rows are called.
        what: What counts as a mistake, in words.
        level: Of the intervals.
        seed: Of k-means.

    Returns:
        None where there are too few rows or mistakes, or texts have no terms in common.
    """
    texts, wrong, mistakes = of.texts, of.wrong, int(of.wrong.sum())
    if len(texts) < FEWEST_ROWS or mistakes < FEWEST_MISTAKES:
        return None
    features = _features(texts)
    if features is None:
        return None
    matrix, terms = features
    codes = _clusters(matrix, seed)
    present = matrix > 0
    found = []
    for code in np.unique(codes).tolist():
        inside = codes == code
        here, there = (
            (int((inside & wrong).sum()), int(inside.sum())),
            (
                int((~inside & wrong).sum()),
                int((~inside).sum()),
            ),
        )
        if not there[1]:
            continue
        apart = difference_of_shares(here, there, level)
        found.append((inside, here, apart))
    chances = holm([apart.p for *_, apart in found])
    told = []
    for (inside, here, apart), p in zip(found, chances, strict=True):
        if here[0] < _FEWEST_TOLD:
            continue
        off = np.flatnonzero(inside & wrong)
        told.append(
            ErrorCluster(
                name=_name(present, terms, off, ~wrong),
                rows=here[1],
                mistakes=here[0],
                wrong=share(*here, level),
                difference=apart.model_copy(update={"p_holm": p}),
                more=p < 1 - level and apart.low > 0,
                labels=_confused([of.said[i] for i in off.tolist()]),
                examples=_shown(texts, of.rows, off[:_EXAMPLES]),
            )
        )
    told.sort(key=lambda one: (not one.more, -one.wrong.value))
    return ErrorClusters(model=model, split=split, rows=len(texts), mistakes=mistakes, wrong=what, clusters=tuple(told))


def _features(texts: pl.Series) -> tuple[Any, NDArray[np.object_]] | None:
    """TF-IDF, rows of length 1, and the terms; none where no two texts share one."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    filled = texts.cast(pl.String).fill_null("")
    blanks = int(filled.str.count_matches(r"\s").sum() or 0)
    by_words = int(filled.str.len_chars().sum() or 0) <= _TO_A_BLANK * max(1, blanks)
    # Digits are no part of a name: they may be somebody's number.
    how: dict[str, Any] = {"token_pattern": r"(?u)\b[^\W\d_]{2,}\b"} if by_words else {"analyzer": "char_wb"}
    if not by_words:
        filled = filled.str.replace_all(r"[\W\d_]+", " ")
    vectorizer = TfidfVectorizer(
        min_df=3, max_df=0.5, sublinear_tf=True, max_features=_MOST_TERMS, ngram_range=(1, 2), **how
    )
    try:
        matrix = vectorizer.fit_transform(filled.to_list())
    except ValueError:  # no term is left
        return None
    return matrix.tocsr(), vectorizer.get_feature_names_out()


def _clusters(matrix: Any, seed: int) -> NDArray[np.int64]:
    from sklearn.cluster import KMeans
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    rows, width = matrix.shape
    wanted = int(np.clip(rows // _ROWS_A_CLUSTER, 2, _MOST_CLUSTERS))
    reduced = matrix
    if width > 60:  # few dimensions hold what texts are about; k-means in thousands finds little
        reduced = normalize(TruncatedSVD(50, random_state=seed).fit_transform(matrix))
    found = KMeans(wanted, n_init=3, random_state=seed).fit_predict(reduced)
    return np.asarray(found, dtype=np.int64)


def _name(present: Any, terms: NDArray[np.object_], off: NDArray[np.int64], right: _Bools) -> tuple[str, ...]:
    """The terms with the largest chi-square, of those more frequent among these mistakes than among right rows."""
    from sklearn.feature_selection import chi2

    sides = [present[rows] for rows in (off, np.flatnonzero(right))]
    here, there = (np.asarray(side.sum(axis=0)).ravel() for side in sides)
    known = here + there > 0
    scores = np.full(len(terms), -1.0)
    of = np.repeat([1, 0], [side.shape[0] for side in sides])
    scores[known] = chi2(_vstack(sides)[:, known].astype(np.float64), of)[0]
    # A name is what several mistakes have in common, not what one of them says.
    more = (here >= max(min(2, len(off)), _COMMON * len(off))) & (here / len(off) > there / max(1, int(right.sum())))
    scores[~more] = -1.0
    best = [i for i in np.argsort(-scores, kind="stable").tolist() if scores[i] >= 0]
    return tuple(_apart([str(terms[i]) for i in best[: 4 * _TERMS]])[:_TERMS])


def _vstack(sides: Sequence[Any]) -> Any:
    from scipy.sparse import vstack

    return vstack(sides, format="csr")


def _apart(names: Sequence[str]) -> list[str]:
    """Terms without those whose words were named already."""
    kept: list[str] = []
    for name in names:
        if not any(
            set(name.split()) <= set(other.split()) or set(other.split()) <= set(name.split()) for other in kept
        ):
            kept.append(name)
    return kept


def _confused(pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    counted = Counter(f"{truth} → {answer}" for truth, answer in pairs if truth or answer)
    return dict(sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:_PAIRS])


def _shown(texts: pl.Series, rows: pl.Series, places: NDArray[np.int64]) -> tuple[tuple[str, str], ...]:
    some = texts.gather(places.tolist()).cast(pl.String).fill_null("").alias("text")
    shown = pl.DataFrame({"text": some}).select(excerpt_of(pl.col("text")))["text"]
    return tuple(zip((str(rows[i]) for i in places.tolist()), shown.to_list(), strict=True))
