"""Splits of rows with several labels: how far each label's share is off, and what that costs.

Usage: python benchmarks/stratifying.py [--rows 1000000]

Films of bokeh-sampledata with their genres (17,029 rows, 21 labels), split 80/10/10 and into ten folds by Seedbed, by
chance and, where iterative-stratification is installed, by its iterative stratification; three seeds each. Printed are
the mean and the greatest deviation of a label's share of rows in a split from the share asked for (in points), the mean
for pairs of labels, and the rows that a split has too many or too few, on average. Then CPU seconds for many rows.
"""

from __future__ import annotations

import argparse
import importlib.util
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedbed.splits import KFold, Stratified

Labels = NDArray[np.int8]
Splits = NDArray[np.int64]
FOLDS = 10
ASKED = {"80/10/10": [0.8, 0.1, 0.1], f"{FOLDS} folds": [1 / FOLDS] * FOLDS}
SEEDS = (1, 2, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    held = films()
    print(f"{held.shape[0]:,} films, {held.shape[1]} labels, {held.sum() / len(held):.2f} a film")
    ways: dict[str, Callable[[Labels, list[float], int], Splits]] = {"seedbed": by_seedbed, "chance": by_chance}
    if importlib.util.find_spec("iterstrat"):
        ways["iterstrat"] = by_iterstrat
    print(f"{'':24}{'label off':>10}{'at most':>9}{'pairs off':>11}{'rows off':>10}{'CPU s':>8}")
    for title, shares in ASKED.items():
        for name, way in ways.items():
            for seed in SEEDS:
                start = time.process_time()
                splits = way(held, shares, seed)
                seconds = time.process_time() - start
                print(f"{title:10}{name:10}{seed:4}{told(held, splits, shares)}{seconds:8.2f}")
    rng = np.random.default_rng(5)
    for title, more in (
        ("films drawn again", held[rng.integers(0, len(held), rows)]),
        ("labels by chance", (rng.random((rows, held.shape[1])) < held.mean(axis=0)).astype(np.int8)),
    ):
        start = time.process_time()
        by_seedbed(more, ASKED["80/10/10"], 1)
        print(f"{rows:,} rows, {title}: {time.process_time() - start:.2f} CPU seconds")


def films() -> Labels:
    """Whether each film has each genre."""
    found = importlib.util.find_spec("bokeh_sampledata")
    assert found is not None and found.origin, "pip install --no-deps bokeh-sampledata"
    database = sqlite3.connect(Path(found.origin).parent / "_data" / "movies.db")
    told = database.execute("SELECT Genre FROM omdb WHERE Genre IS NOT NULL AND Genre != ''")
    genres = [{one.strip() for one in genre.split(",")} for (genre,) in told]
    names = sorted(set().union(*genres))
    return np.array([[name in some for name in names] for some in genres], dtype=np.int8)


def by_seedbed(held: Labels, shares: list[float], seed: int) -> Splits:
    clusters = np.arange(len(held), dtype=np.int64)
    if len(shares) == FOLDS:
        return KFold(folds=FOLDS, test=0, seed=seed).deal_folds(clusters, held)
    return Stratified(seed=seed).assign(clusters, held).astype(np.int64)


def by_chance(held: Labels, shares: list[float], seed: int) -> Splits:
    return np.random.default_rng(seed).choice(len(shares), len(held), p=shares)


def by_iterstrat(held: Labels, shares: list[float], seed: int) -> Splits:
    from iterstrat.ml_stratifiers import IterativeStratification

    chance = np.random.RandomState(seed)
    return np.asarray(IterativeStratification(labels=held.astype(bool), r=np.array(shares), random_state=chance))


def told(held: Labels, splits: Splits, shares: list[float]) -> str:
    """The deviations, in words."""
    both = [(one, other) for one in range(held.shape[1]) for other in range(one)]
    pairs = np.column_stack([held[:, one] & held[:, other] for one, other in both])
    label, pair = off(held, splits, shares), off(pairs[:, pairs.any(axis=0)], splits, shares)
    rows = np.abs(np.bincount(splits, minlength=len(shares)) - np.array(shares) * len(splits)).mean()
    return f"{label.mean():10.3f}{label.max():9.2f}{pair.mean():11.2f}{rows:10.1f}"


def off(held: Labels, splits: Splits, shares: list[float]) -> NDArray[np.float64]:
    """How far each label's share in each split is from the one asked for, in points, shape (splits, labels)."""
    got = np.array([held[splits == place].sum(axis=0) / held.sum(axis=0) for place in range(len(shares))])
    return 100 * np.abs(got - np.array(shares)[:, None])


if __name__ == "__main__":
    main()
