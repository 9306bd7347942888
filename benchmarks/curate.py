"""The curation job, by Seedbed and its peers, on the same bytes and the same cores.

Usage: python benchmarks/curate.py [--size 50MB] [--peers raw,polars,…] [--runs 3] [--cores 0,1] [--json FILE]
       python benchmarks/curate.py --only seedbed --unchecked --sizes 100MB,1GB,5GB    (the memory curve)

The job: read JSON lines of which some are malformed; mend the text (ftfy), strip HTML, normalise (NFC, white space);
keep texts of sound length (characters and words) with enough letters; of equal texts keep one; write Parquet. Seedbed
also writes its ledger. `kept` and `differs` are counted against plain Python that does the same row by row: rows of the
output that should not be there plus rows that are missing.

Peers are installed into .bench/ on first use.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import functions
import numpy as np
import pyarrow.parquet as pq
import xxhash
from contending import (
    Attempt,
    Job,
    contenders,
    contest,
    corpus_of,
    machine,
    only_while,
    parser_of,
    record,
    table,
    told,
)
from numpy.typing import NDArray
from profiles import PROFILES, Profile

PEERS = {
    "raw": "read, parse and hash, nothing else",
    "polars": "one plan, tuned by hand",
    "datasets": "datasets.map, plain Python functions",
    "datasets_steps": "datasets.map, Seedbed's functions",
    "datatrove": "DataTrove",
    "data_juicer": "Data-Juicer",
}


def expected(corpus: Path, profile: Profile) -> NDArray[np.uint64]:
    """Hashes of the texts that are to be kept, sorted; remembered beside the corpus."""
    place = corpus.with_suffix(".expected.npy")
    if not place.exists():
        print("reckoning what is to be kept, in plain Python …", file=sys.stderr, flush=True)
        np.save(place, np.sort(np.fromiter(set(_kept(corpus, profile)), dtype=np.uint64)))
    return np.load(place)


def _kept(corpus: Path, profile: Profile) -> Iterator[int]:
    with corpus.open("rb") as file:
        for line in file:
            found = functions.record_of(line)
            if found is None or not isinstance(found["text"], str):
                continue
            text = functions.clean(found["text"])
            if functions.fits(text, profile):
                yield xxhash.xxh3_64_intdigest(text.encode())


def texts_of(files: list[Path]) -> NDArray[np.uint64]:
    """Hashes of the texts of an output, sorted; equal texts as often as they stand there."""
    hashes = [
        np.fromiter((xxhash.xxh3_64_intdigest(text.as_py().encode()) for text in batch.column(0)), dtype=np.uint64)
        for file in files
        for batch in pq.ParquetFile(file).iter_batches(20_000, columns=["text"])
    ]
    return np.sort(np.concatenate([np.empty(0, np.uint64), *hashes]))


def look(wanted: NDArray[np.uint64] | None, one: Attempt) -> None:
    """Count what a contender kept, and how far it is from what was to be kept."""
    if not one.files:
        return
    found = texts_of(one.files)
    one.facts["kept"] = len(found)
    if wanted is not None:
        different = np.unique(found)
        both = len(np.intersect1d(different, wanted, assume_unique=True))
        one.facts["differs"] = len(found) + len(wanted) - 2 * both


def compare(size: int, options: argparse.Namespace, *, keep: bool) -> dict[str, Any]:
    """Run all on a corpus of a size and print the table."""
    corpus, rows = corpus_of(size, options.profile, options.seed)
    job = Job("curate", corpus, rows, options.profile)
    with only_while(corpus, keep=keep):
        wanted = None if options.unchecked else expected(corpus, PROFILES[options.profile])
        attempts = contest(contenders(options), job, options, partial(look, wanted))
        print(f"\n{job.size / 1e6:,.0f} MB, {rows:,} lines, profile {options.profile}, seed {options.seed}")
        print(f"to be kept: {len(wanted):,}\n" if wanted is not None else "")
        print(table(job, attempts, ["kept", "differs"]), flush=True)
        return record(job, attempts, options)


def main() -> None:
    """Print what was measured."""
    parser = parser_of(__doc__, PEERS)
    options = parser.parse_args()
    options.machine = machine(options.cores)
    print(options.machine)
    results = [compare(size, options, keep=not options.sizes) for size in options.sizes or [options.size]]
    told(results, options)


if __name__ == "__main__":
    main()
