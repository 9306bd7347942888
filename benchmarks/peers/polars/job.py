"""One Polars plan for the whole job, tuned by hand.

The texts are rewritten by Seedbed's own expressions, so that only the engines differ.
What was tried and found faster is used: blocks of 4 MiB are parsed by Polars, after orjson has sorted out the lines
that hold no record where Polars refuses the block; words are counted by their blanks, letters by what is none; one hash
of 64 bits is compared and not the text. It keeps no ledger and says nothing of the lines that it passes over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from jobs import Asked

os.environ.setdefault("POLARS_MAX_THREADS", str(Asked.read().cores))

import functions
import polars as pl
from polars.io.plugins import register_io_source

from seedbed.steps import FixText, Normalize, StripHtml

_SCHEMA = {"id": pl.Int64, "text": pl.String, "source": pl.String, "lang": pl.String, "score": pl.Float64}
_BLOCK = 4 << 20


def blocks(asked: Asked) -> Iterator[bytes]:
    """Whole lines, about 4 MiB at a time."""
    with asked.source.open("rb", buffering=0) as file:
        rest = b""
        while data := file.read(_BLOCK):
            cut = data.rfind(b"\n") + 1
            yield rest + data[:cut]
            rest = data[cut:]
        yield rest


def parsed(block: bytes) -> pl.DataFrame:
    """The records of a block; lines that hold none are passed over."""
    try:
        if rb"\ud" in block:  # half a surrogate pair would become a NUL
            raise ValueError
        return pl.read_ndjson(block, schema=_SCHEMA)
    except (pl.exceptions.PolarsError, ValueError):
        lines = block.split(b"\n")
        good = [line for line in lines if functions.record_of(line) is not None]
        return pl.read_ndjson(b"\n".join(good), schema=_SCHEMA)


def source(asked: Asked) -> pl.LazyFrame:
    """The records, lazily."""

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, batch: int | None
    ) -> Iterator[pl.DataFrame]:
        for block in blocks(asked):
            if block:
                table = parsed(block)
                yield table if columns is None else table.select(columns)

    return register_io_source(read, schema=_SCHEMA)


def curate(asked: Asked) -> None:
    """The whole plan."""
    least, most = asked.profile.characters
    text = pl.col("text")
    plan = (
        source(asked)
        .drop_nulls("text")
        .with_columns(FixText(column="text", mac_roman=False).columns())
        .with_columns(StripHtml(column="text").columns())
        .with_columns(Normalize(column="text").columns())
        .with_columns(_length=text.str.len_chars())
        .filter(pl.col("_length").is_between(least, most))
        .filter(text.str.count_matches(" ", literal=True) >= asked.profile.least_words - 1)
        .filter(text.str.count_matches("[^a-zA-Z]") <= (1 - asked.profile.letters) * pl.col("_length"))
        .drop("_length")
        .with_columns(_hash=text.hash(1))
        .unique("_hash", keep="first", maintain_order=True)
        .drop("_hash")
    )
    plan.sink_parquet(asked.out / "rows.parquet", compression="lz4", engine="streaming")


if __name__ == "__main__":
    asked = Asked.read()
    curate(asked)
    asked.done([asked.out / "rows.parquet"])
