"""rensa (MinHash in Rust): sketches in batches, 16 bands of 8, candidates verified by their sketches' estimate."""

from __future__ import annotations

from collections.abc import Iterator

import functions
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from jobs import Asked
from rensa import RMinHash, RMinHashLSH

_BATCH = 1_000
_PERMUTATIONS = 128
_BANDS = 16


def kept(asked: Asked) -> list[int]:
    """The ids of rows that are like none before them."""
    index = RMinHashLSH(threshold=asked.threshold, num_perm=_PERMUTATIONS, num_bands=_BANDS)
    sketches: dict[int, RMinHash] = {}
    for numbers, texts in batches(asked):
        sets = [list(functions.shingles(text, asked.profile.shingles)) for text in texts]
        for number, sketch in zip(numbers, RMinHash.from_token_sets(sets, _PERMUTATIONS, 13), strict=True):
            if all(sketch.jaccard(sketches[other]) < asked.threshold for other in index.query(sketch)):
                index.insert(number, sketch)
                sketches[number] = sketch
    return list(sketches)


def batches(asked: Asked) -> Iterator[tuple[list[int], list[str]]]:
    """Ids and texts, some at a time."""
    numbers: list[int] = []
    texts: list[str] = []
    with asked.source.open("rb") as file:
        for line in file:
            record = orjson.loads(line)
            numbers.append(record["id"])
            texts.append(record["text"])
            if len(numbers) == _BATCH:
                yield numbers, texts
                numbers, texts = [], []
    yield numbers, texts


if __name__ == "__main__":
    asked = Asked.read()
    pq.write_table(pa.table({"id": kept(asked)}), asked.out / "kept.parquet")
    asked.done([asked.out / "kept.parquet"], "one process; candidates are verified by their sketches only")
