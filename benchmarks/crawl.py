"""Crawling a site, by Seedbed's source `web` and plain Scrapy with trafilatura, on the same site and cores.

Usage: python benchmarks/crawl.py [--pages 2000] [--runs 1]

The job: follow all links, find each page's main text, write rows as Parquet. The site is made from a seed and served
by one process on this machine, whose cost is not counted. Both obey robots.txt, pause not at all, and ask for one page
at a time. Seedbed also keeps each page and its headers, hashes it, numbers and names every row and writes its ledger.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
from contending import PLACE, Attempt, Job, contenders, contest, machine, parser_of, record, told
from crawled_site import served

PEERS = {"scrapy": "Scrapy, trafilatura"}
_AGENT = "seedbed-benchmark/1.0 (somebody@example.org)"


def look(one: Attempt) -> None:
    """Count the rows of an output, and the characters of their text."""
    one.facts["rows"] = sum(pq.read_metadata(file).num_rows for file in one.files)
    texts = [text for file in one.files for text in pq.read_table(file, columns=["text"])["text"].to_pylist()]
    one.facts["characters"] = sum(map(len, texts))


def table(pages: int, attempts: list[Attempt]) -> str:
    """The table in Markdown. Ratios are of the peer over Seedbed: 2 means that Seedbed took half as much."""
    own = next((one.cost for one in attempts if one.name == "seedbed" and one.cost), None)
    lines = ["|  | pages/s | CPU s | wall s | peak MB | rows | characters | CPU s ÷ Seedbed's |", f"|{'---|' * 8}"]
    for one in attempts:
        if one.cost is None:
            lines.append(f"| {one.name} | {one.error.replace('|', '/')} | | | | | | |")
            continue
        cost, ratio = one.cost, f"{one.cost.cpu / own.cpu:.2f}" if own else ""
        lines.append(
            f"| {one.name} | {pages / cost.wall:,.0f} | {cost.cpu:.1f} | {cost.wall:.1f} | {cost.peak:,.0f} "
            f"| {one.facts['rows']:,} | {one.facts['characters']:,} | {ratio} |"
        )
    return "\n".join([*lines, "", *(f"- {one.name}: {one.note}" for one in attempts if one.note)])


def main() -> None:
    """Print what was measured."""
    parser = parser_of(__doc__, PEERS)
    parser.add_argument("--pages", type=int, default=2000, help="of the site")
    parser.add_argument("--site", help="its address; one is served when left out")
    options = parser.parse_args()
    if options.site is None:  # by a process that is not below the one that measures, since that counts all below it
        with served(options.pages, options.seed) as url:
            sys.exit(subprocess.run([sys.executable, *sys.argv, "--site", url], check=False).returncode)
    options.machine = machine(options.cores)
    print(options.machine)
    PLACE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=PLACE, prefix="crawl-") as folder:
        source = Path(folder) / "site.json"
        source.write_text(json.dumps({"url": options.site, "depth": 20, "pages": options.pages, "user_agent": _AGENT}))
        job = Job("crawl", source, options.pages, options.profile)
        attempts = contest(contenders(options), job, options, look)
        print(f"\n{options.pages:,} pages\n\n{table(options.pages, attempts)}", flush=True)
        told([record(job, attempts, options)], options)


if __name__ == "__main__":
    main()
