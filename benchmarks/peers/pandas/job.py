"""pandas, as its documentation begins: read the file, write Parquet."""

from __future__ import annotations

from functools import partial

import pandas as pd
from jobs import Asked

READERS = {
    ".csv": pd.read_csv,
    ".jsonl": partial(pd.read_json, lines=True),
    ".json": pd.read_json,
    ".parquet": pd.read_parquet,
}

if __name__ == "__main__":
    asked = Asked.read()
    READERS[asked.source.suffix](asked.source).to_parquet(asked.out / "rows.parquet")
    asked.done([asked.out / "rows.parquet"], "all rows in memory at once, in one process")
