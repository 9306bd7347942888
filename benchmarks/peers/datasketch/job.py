"""datasketch as its documentation shows it: a MinHash of each text, asked of an LSH index and put into it if new.

`MinHashLSH` chooses its bands for the least sum of wrong and missed pairs. What it finds is not verified. One process:
the index is one object in memory.
"""

from __future__ import annotations

import functions
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from datasketch import MinHash, MinHashLSH
from jobs import Asked


def kept(asked: Asked) -> list[int]:
    """The ids of rows that are like none before them."""
    index = MinHashLSH(threshold=asked.threshold, num_perm=128)
    ids = []
    with asked.source.open("rb") as file:
        for line in file:
            record = orjson.loads(line)
            sketch = MinHash(num_perm=128)
            sketch.update_batch([one.encode() for one in functions.shingles(record["text"], asked.profile.shingles)])
            if not index.query(sketch):
                index.insert(record["id"], sketch)
                ids.append(record["id"])
    return ids


if __name__ == "__main__":
    asked = Asked.read()
    pq.write_table(pa.table({"id": kept(asked)}), asked.out / "kept.parquet")
    asked.done([asked.out / "kept.parquet"], "one process; candidates are not verified")
