"""The near-duplicate job, by Seedbed and its peers, on the same bytes and the same cores.

Usage: python benchmarks/dedup.py [--profile long|short] [--size 20MB] [--peers datasketch,…] [--threshold 0.8]
       python benchmarks/dedup.py --only seedbed --sizes 100MB,1GB,5GB        (the memory curve)

The job: read JSON lines; of texts whose Jaccard similarity is at least the threshold keep one; write Parquet. Texts are
compared as sets of runs of three words (profile long) or five characters (profile short). The corpus holds nothing but
plain documents and planted copies, equal ones and ones with 1 to 20 % of their words changed; their true similarities
are reckoned in plain Python (`functions.shingles`).

* `recall`: of the planted pairs that are not equal and are at least so similar, the share of which one was removed.
* `just above`: the same for pairs up to 0.05 above the threshold, where bands miss first.
* `precision`: of the removed rows, the share that had a partner that similar.

Peers are installed into .bench/ on first use.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import functions
import numpy as np
import orjson
import pyarrow.compute as pc
import pyarrow.parquet as pq
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
from corpus import truth_of
from numpy.typing import NDArray
from profiles import PROFILES

PEERS = {
    "datasketch": "MinHashLSH, 128 permutations",
    "rensa": "RMinHash and its LSH, 128 permutations",
    "datatrove": "DataTrove's MinHash pipeline",
    "data_juicer": "document_minhash_deduplicator",
    "text_dedup": "text_dedup.minhash",
    "semhash": "SemHash: nearness of embeddings, which is another notion of alike",
}
HEADINGS = ["kept", "recall", "just above", "precision"]
_JUST = 0.05


@dataclass(frozen=True)
class Pairs:
    """All pairs of rows that are copies of the same document, or one of the other, with their true similarity."""

    rows: int
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    similarity: NDArray[np.float64]


def pairs_of(corpus: Path, kind: str) -> Pairs:
    """Planted pairs of a corpus; remembered beside it."""
    place = corpus.with_suffix(f".{kind}.pairs.npz")
    truth = pq.read_table(truth_of(corpus), columns=["id", "partner"])
    if not place.exists():
        print("reckoning true similarities, in plain Python …", file=sys.stderr, flush=True)
        copies = truth.filter(pc.field("partner").is_valid())
        families: dict[int, list[int]] = defaultdict(list)
        for copy, original in zip(copies["id"].to_pylist(), copies["partner"].to_pylist(), strict=True):
            families[original].append(copy)
        wanted = {one for original, own in families.items() for one in (original, *own)}
        texts = _texts(corpus, wanted)
        found: list[tuple[int, int, float]] = []
        for original, own in families.items():
            sets = {one: functions.shingles(texts[one], kind) for one in (original, *own)}
            found += [(a, b, functions.jaccard(sets[a], sets[b])) for a, b in combinations(sorted(sets), 2)]
        a, b, similarity = zip(*found, strict=True)
        np.savez(place, a=np.array(a, np.int64), b=np.array(b, np.int64), similarity=np.array(similarity))
    with np.load(place) as held:
        return Pairs(truth.num_rows, held["a"], held["b"], held["similarity"])


def _texts(corpus: Path, wanted: set[int]) -> dict[int, str]:
    with corpus.open("rb") as file:
        return {number: orjson.loads(line)["text"] for number, line in enumerate(file, 1) if number in wanted}


def look(pairs: Pairs, threshold: float, one: Attempt) -> None:
    """Find recall and precision of a contender's output."""
    if not one.files:
        return
    ids = np.concatenate([pq.read_table(file, columns=["id"])["id"].to_numpy().astype(np.int64) for file in one.files])
    kept = np.zeros(pairs.rows + 1, bool)
    kept[ids] = True
    true = pairs.similarity >= threshold
    parted = ~(kept[pairs.a] & kept[pairs.b])
    near = true & (pairs.similarity < 1)
    just = near & (pairs.similarity < threshold + _JUST)
    partnered = np.zeros(pairs.rows + 1, bool)
    partnered[pairs.a[true]] = partnered[pairs.b[true]] = True
    removed = ~kept
    removed[0] = False
    one.facts |= {
        "kept": len(ids),
        "recall": _share(parted[near]),
        "just above": _share(parted[just]),
        "precision": _share(partnered[removed]),
        "pairs": int(near.sum()),
    }


def _share(flags: NDArray[np.bool_]) -> float | None:
    return float(flags.mean()) if flags.size else None


def compare(size: int, options: argparse.Namespace, *, keep: bool) -> dict[str, Any]:
    """Run all on a corpus of a size and print the table."""
    corpus, rows = corpus_of(size, options.profile, options.seed, only_copies=True)
    job = Job("dedup", corpus, rows, options.profile, options.threshold)
    with only_while(corpus, keep=keep):
        if options.unchecked:
            attempts = contest(contenders(options), job, options, lambda one: None)
            print(f"\n{job.size / 1e6:,.0f} MB, {rows:,} lines, profile {options.profile}, seed {options.seed}\n")
            print(table(job, attempts, []), flush=True)
            return record(job, attempts, options)
        pairs = pairs_of(corpus, PROFILES[options.profile].shingles)
        near = (pairs.similarity >= options.threshold) & (pairs.similarity < 1)
        attempts = contest(contenders(options), job, options, partial(look, pairs, options.threshold))
        print(f"\n{job.size / 1e6:,.0f} MB, {rows:,} lines, profile {options.profile}, seed {options.seed}")
        print(
            f"{len(pairs.a):,} planted pairs: {int((pairs.similarity == 1).sum()):,} equal, "
            f"{int(near.sum()):,} others at {options.threshold:g} or above, "
            f"{int((pairs.similarity < options.threshold).sum()):,} below\n"
        )
        print(table(job, attempts, HEADINGS), flush=True)
        return record(job, attempts, options)


def main() -> None:
    """Print what was measured."""
    parser = parser_of(__doc__, PEERS)
    parser.add_argument("--threshold", type=float, default=0.8, help="Jaccard similarity of near duplicates")
    options = parser.parse_args()
    options.machine = machine(options.cores)
    print(options.machine)
    results = [compare(size, options, keep=not options.sizes) for size in options.sizes or [options.size]]
    told(results, options)


if __name__ == "__main__":
    main()
