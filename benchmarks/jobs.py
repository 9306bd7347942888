"""What every contender is asked for on its command line, and how it says where its output is."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from profiles import PROFILES, Profile


@dataclass(frozen=True)
class Asked:
    """One job for one contender."""

    job: str
    """`curate`, `dedup`, `read` or `crawl`."""
    source: Path
    """A file of JSON lines; for `read`, of any kind, told by its ending; for `crawl`, what is known of a site."""
    out: Path
    """An empty folder for everything that is written."""
    cores: int
    """Workers to use."""
    profile: Profile
    threshold: float
    """Jaccard similarity from which texts are near duplicates."""

    @staticmethod
    def read() -> Asked:
        """As the command line has it."""
        parser = argparse.ArgumentParser()
        parser.add_argument("job", choices=("curate", "dedup", "read", "crawl"))
        parser.add_argument("source", type=Path)
        parser.add_argument("out", type=Path)
        parser.add_argument("--cores", type=int, default=1)
        parser.add_argument("--profile", choices=PROFILES, default="long")
        parser.add_argument("--threshold", type=float, default=0.8)
        given = parser.parse_args()
        return Asked(given.job, given.source, given.out, given.cores, PROFILES[given.profile], given.threshold)

    def done(self, files: Iterable[Path | str], note: str = "") -> None:
        """Say that the job is done.

        Args:
            files: Parquet files with the kept rows; `curate` needs their `text`, `dedup` their `id`.
            note: What a reader of the table must know of what was done.
        """
        said = {"files": [str(file) for file in files], "note": note}
        (self.out / "result.json").write_text(json.dumps(said))
