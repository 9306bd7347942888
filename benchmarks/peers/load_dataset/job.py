"""`load_dataset` of Hugging Face datasets, then Parquet."""

from __future__ import annotations

from datasets import disable_progress_bars, load_dataset
from jobs import Asked

KINDS = {".csv": "csv", ".jsonl": "json", ".json": "json", ".parquet": "parquet"}

if __name__ == "__main__":
    asked = Asked.read()
    disable_progress_bars()
    files = {"train": str(asked.source)}
    rows = load_dataset(KINDS[asked.source.suffix], data_files=files, cache_dir=str(asked.out / "cache"), split="train")
    rows.to_parquet(asked.out / "rows.parquet")
    asked.done([asked.out / "rows.parquet"])
