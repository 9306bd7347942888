"""`datasets.map` with Seedbed's own functions, a batch at a time as Polars frames: only the engine differs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # the processes share the cores
sys.path.insert(0, str(Path(__file__).parents[1] / "datasets"))

import polars as pl
import xxhash
from datasets import disable_progress_bars
from jobs import Asked
from plain import finish, opened
from profiles import Profile

from seedbed.steps import FixText, Normalize, StripHtml


def cleaned(batch: pl.DataFrame, profile: Profile) -> pl.DataFrame:
    """The rows of a batch whose cleaned text is kept, with its hash."""
    text, (least, most) = pl.col("text"), profile.characters
    batch = batch.drop_nulls("text").with_columns(FixText(column="text", mac_roman=False).columns())
    batch = batch.with_columns(StripHtml(column="text").columns()).with_columns(Normalize(column="text").columns())
    length = text.str.len_chars()
    batch = batch.filter(length.is_between(least, most))
    batch = batch.filter(text.str.count_matches(" ", literal=True) >= profile.least_words - 1)
    batch = batch.filter(text.str.count_matches("[^a-zA-Z]") <= (1 - profile.letters) * length)
    hashes = [xxhash.xxh3_128_hexdigest(one.encode()) for one in batch["text"]]
    return batch.with_columns(hash=pl.Series(hashes, dtype=pl.String))


if __name__ == "__main__":
    asked = Asked.read()
    disable_progress_bars()
    rows = opened(asked).with_format("polars")
    kept = rows.map(cleaned, batched=True, batch_size=5_000, num_proc=asked.cores, fn_kwargs={"profile": asked.profile})
    finish(asked, kept.with_format(None))
