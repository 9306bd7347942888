"""text-dedup's MinHash command, with xxh3, on as many processes as there are cores.

It shingles by words only; for short texts runs of two words are the nearest thing to runs of five characters.
"""

from __future__ import annotations

import subprocess
import sys

from jobs import Asked

if __name__ == "__main__":
    asked = Asked.read()
    out = asked.out / "deduplicated"
    words = "3" if asked.profile.shingles == "words" else "2"
    options = {
        "path": "json", "data_files": asked.source.absolute(), "split": "train", "cache_dir": asked.out / "cache",
        "output": out, "column": "text", "ngram": words, "min_length": 1, "threshold": asked.threshold, "num_perm": 128,
        "hash_func": "xxh3", "batch_size": 10_000, "num_proc": asked.cores,
    }  # fmt: skip
    given = [f"--{name}={value}" for name, value in options.items()]
    subprocess.run([sys.executable, "-m", "text_dedup.minhash", *given], check=True)
    from datasets import load_from_disk

    load_from_disk(str(out)).select_columns("id").to_parquet(str(asked.out / "kept.parquet"))
    asked.done([asked.out / "kept.parquet"], f"runs of {words} words; candidates are not verified")
