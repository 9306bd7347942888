"""Rows that an earlier run has dealt already: which split each stays in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import xxhash
from numpy.typing import NDArray

from seedbed.core import digest
from seedbed.core.errors import DataError
from seedbed.core.similarity.shingles import normalise
from seedbed.core.splitter import LEFT_OUT, InTurn, Splitter

from .split import Similarity

_AT = "split.as_in"


def identities_of(texts: pl.Series) -> NDArray[np.uint64]:
    """A hash of each text, as similarity sees it, shape (rows,)."""
    plain = normalise(texts)
    return np.array([xxhash.xxh3_64_intdigest((text or "").encode()) for text in plain], dtype=np.uint64)


def whose(splitter: Splitter, base: Path) -> list[str]:
    """Digests of the files whose rows stay where they are; none where no run is named.

    Raises:
        DataError: The run holds no dataset.
    """
    if not isinstance(splitter, InTurn) or splitter.stays is None:
        return []
    by_split = splitter.stays.by_split(base, _AT)
    return [digest.of_json([split, *map(digest.of_file, files)]) for split, files in by_split.items()]


def stays(
    splitter: InTurn, identities: NDArray[np.uint64], similarity: Similarity, base: Path
) -> NDArray[np.int8] | None:
    """The split of each row that the earlier run has, told by what it says, `LEFT_OUT` for the others, shape (rows,).

    Where the earlier run has rows that say the same in several splits (it was not kept from that), the last of train,
    validation and test counts: what judged then never trains now.

    Args:
        splitter: Names the run; where it names none, nothing stays.
        identities: From `identities_of`, of each row.
        similarity: What of rows is compared.
        base: What the run's folder is relative to.

    Raises:
        DataError: The run holds no dataset, or one with other columns.
    """
    if splitter.stays is None:
        return None
    known = [np.empty((0, 2), dtype=np.uint64)]
    for split, files in splitter.stays.by_split(base, _AT).items():
        if split in splitter.splits:
            place = splitter.splits.index(split)
            found = np.concatenate([_identities_in(file, similarity, splitter.stays.run) for file in files])
            known.append(np.stack([found, np.full_like(found, place)], axis=1))
    rows = np.unique(np.concatenate(known), axis=0)  # in order: the last of equal identities has the last split
    at = np.searchsorted(rows[:, 0], identities, side="right") - 1
    there = (at >= 0) & (rows[at, 0] == identities) if len(rows) else np.zeros(len(identities), dtype=np.bool_)
    return np.where(there, rows[at, 1].astype(np.int8) if len(rows) else LEFT_OUT, LEFT_OUT).astype(np.int8)


def _identities_in(file: Path, similarity: Similarity, run: str) -> NDArray[np.uint64]:
    """Of the rows of a Parquet file of the earlier run."""
    if missing := set(similarity.columns) - set(pl.read_parquet_schema(file)):
        raise DataError(
            f"its rows have no column {min(missing)!r}, which says here which rows are the same",
            at=f"{_AT}: {run}",
            hint="name a run of this recipe, or of one that makes the same columns",
        )
    return identities_of(similarity.texts(pl.read_parquet(file, columns=list(similarity.columns), glob=False)))
