"""The regression check: small runs of both jobs, and their ratios compared with the committed ones.

Usage: python benchmarks/ratios.py [--runs 3] [--cores 0,1] [--update]

Absolute times say more about the machine than about the code, so none is compared. Each ratio is of two costs that were
measured one after the other on the same bytes and cores; the median of `--runs` such pairs is compared with
`ratios.json`. A ratio may exceed the committed one by the tolerance that stands beside it. Exit code 1 where one does,
or where an output is not what it should be. `--update` writes what was measured into `ratios.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import curate
import dedup
from contending import HERE, Attempt, Job, attempt, cores_of, corpus_of, machine
from corpus import size_of
from measuring import Measured
from profiles import PROFILES

COMMITTED = HERE / "ratios.json"
#: Single pairs of runs on a very busy machine were seen a fifth apart; nothing is known yet of an idle one.
_CPU_TOLERANCE, _MEMORY_TOLERANCE = 0.3, 0.15
_LEAST_RECALL = 0.99
_SMALL, _LARGE, _TEXTS = size_of("20MB"), size_of("60MB"), size_of("5MB")


class Check:
    """The ratios that were found, and what was wrong with outputs."""

    def __init__(self, runs: int, cores: list[int]) -> None:
        self.runs, self.cores = runs, cores
        self.found: dict[str, dict[str, float]] = {}
        self.wrong: list[str] = []

    def once(self, name: str, job: Job, look: Callable[[Attempt], None]) -> Attempt:
        """One run of one contender."""
        print(f"{job.name}, {job.size / 1e6:.0f} MB: {name} …", file=sys.stderr, flush=True)
        for one in attempt(name, job, cores=self.cores, runs=1, longest=1800):
            if one.error:
                sys.exit(f"{name}: {one.error}")
            look(one)
        return one

    def pairs(self, title: str, one: Callable[[], float], other: Callable[[], float], tolerance: float) -> None:
        """The median ratio of some pairs of runs."""
        ratio = median(one() / other() for _ in range(self.runs))
        self.found[title] = {"ratio": round(ratio, 3), "tolerance": tolerance}

    def curation(self) -> None:
        """Against the plan in Polars, and the memory of three times the bytes."""
        costs = {size: partial(self._curation, size, *corpus_of(size, "long", 13)) for size in (_SMALL, _LARGE)}
        self.pairs(
            "curate 20 MB, CPU s: seedbed ÷ polars",
            lambda: costs[_SMALL]("seedbed").cpu,
            lambda: costs[_SMALL]("polars").cpu,
            _CPU_TOLERANCE,
        )
        self.pairs(
            "curate, peak memory: 60 MB ÷ 20 MB",
            lambda: costs[_LARGE]("seedbed").peak,
            lambda: costs[_SMALL]("seedbed").peak,
            _MEMORY_TOLERANCE,
        )

    def _curation(self, size: int, corpus: Path, rows: int, name: str) -> Measured:
        wanted = curate.expected(corpus, PROFILES["long"])
        one = self.once(name, Job("curate", corpus, rows, "long"), partial(curate.look, wanted))
        if one.facts["differs"]:
            self.wrong.append(f"{name} differs by {one.facts['differs']} rows on {size / 1e6:.0f} MB")
        return one.cost

    def copies(self, profile: str) -> None:
        """Near duplicates against datasketch."""
        corpus, rows = corpus_of(_TEXTS, profile, 13, only_copies=True)
        pairs, job = dedup.pairs_of(corpus, PROFILES[profile].shingles), Job("dedup", corpus, rows, profile)
        looked = partial(dedup.look, pairs, job.threshold)

        def own() -> float:
            one = self.once("seedbed", job, looked)
            for fact in ("recall", "precision"):
                if (one.facts[fact] or 0) < _LEAST_RECALL:
                    self.wrong.append(f"{fact} of near duplicates ({profile}) is {one.facts[fact]:.4f}")
            return one.cost.cpu

        title = f"near duplicates 5 MB ({profile}), CPU s: seedbed ÷ datasketch"
        self.pairs(title, own, lambda: self.once("datasketch", job, looked).cost.cpu, _CPU_TOLERANCE)


def main() -> None:
    """Exit with 1 where something got worse."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="pairs of which the median counts")
    parser.add_argument("--cores", type=cores_of, default=sorted(os.sched_getaffinity(0)), help="such as 0,1")
    parser.add_argument("--update", action="store_true", help="write what was measured into ratios.json")
    options = parser.parse_args()
    print(machine(options.cores))
    check = Check(options.runs, options.cores)
    check.curation()
    for profile in PROFILES:
        check.copies(profile)
    worse = _compared(check.found, {} if options.update else json.loads(COMMITTED.read_text()))
    for sentence in check.wrong:
        print(f"WRONG: {sentence}")
    if options.update and not check.wrong:
        COMMITTED.write_text(json.dumps(check.found, indent=1, ensure_ascii=False) + "\n")
    sys.exit(1 if worse or check.wrong else 0)


def _compared(found: dict[str, dict[str, float]], known: dict[str, dict[str, float]]) -> bool:
    """Print the ratios beside the committed ones; whether one is worse than its tolerance allows."""
    print("| | measured | committed | at most | |\n|---|---|---|---|---|")
    any_worse = False
    for title, now in found.items():
        then = known.get(title, now)
        most = then["ratio"] * (1 + then["tolerance"])
        worse = now["ratio"] > most
        any_worse |= worse
        print(f"| {title} | {now['ratio']:.2f} | {then['ratio']:.2f} | {most:.2f} | {'WORSE' if worse else 'good'} |")
    return any_worse


if __name__ == "__main__":
    main()
