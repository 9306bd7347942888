"""What both jobs on `datasets` share: how rows come in, and how equal ones are sorted out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import functions
from datasets import Dataset, Features, Value
from jobs import Asked


def records(path: str, spans: list[tuple[int, int]]) -> Iterator[dict[str, Any]]:
    """The records of lines that begin within some spans of bytes."""
    with open(path, "rb") as file:
        for start, end in spans:
            file.seek(start)
            if start:
                file.seek(start - 1)
                file.readline()
            while file.tell() < end and (line := file.readline()):
                found = functions.record_of(line)
                if found is not None:
                    yield found


class Unseen:
    """Whether a hash is met for the first time."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __call__(self, hashes: list[str]) -> list[bool]:
        new = []
        for one in hashes:
            new.append(one not in self.seen)
            self.seen.add(one)
        return new


def opened(asked: Asked) -> Dataset:
    """The records of the source, read by as many processes as there are cores."""
    size = os.path.getsize(asked.source)
    cuts = [size * n // asked.cores for n in range(asked.cores + 1)]
    columns = {name: Value("string") for name in ("text", "source", "lang")}
    return Dataset.from_generator(
        records,
        gen_kwargs={"path": str(asked.source), "spans": list(pairwise(cuts))},
        num_proc=asked.cores,
        cache_dir=str(asked.out / "cache"),
        features=Features({"id": Value("int64"), **columns, "score": Value("float64")}),
    )


def finish(asked: Asked, kept: Dataset) -> None:
    """Keep the first of equal hashes and write the rest."""
    kept = kept.filter(Unseen(), input_columns="hash", batched=True).remove_columns("hash")
    kept.to_parquet(str(asked.out / "rows.parquet"))
    asked.done([asked.out / "rows.parquet"])
