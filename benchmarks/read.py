"""Reading files, by Seedbed and the plain libraries, on the same bytes and the same cores.

Usage: python benchmarks/read.py [--size 50MB] [--peers pandas,load_dataset] [--formats csv,jsonl,json] [--runs 3]

The job: read the file and write its rows as Parquet. The files hold no malformed record, since the peers stop at the
first one (`--malformed` leaves them in, and shows that). Seedbed also hashes the input, numbers and names every row and
writes its ledger.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import functions
import orjson
import polars as pl
import pyarrow.parquet as pq
from contending import Attempt, Job, contenders, contest, corpus_of, machine, only_while, parser_of, record, table, told

PEERS = {"pandas": "pandas.read_…", "load_dataset": "datasets.load_dataset"}
FORMATS = ("csv", "jsonl", "json", "parquet")
_SCHEMA = {"id": pl.Int64, "text": pl.String, "source": pl.String, "lang": pl.String, "score": pl.Float64}


def sound(corpus: Path) -> Iterator[dict[str, object]]:
    """The records of a corpus with the columns that all of them have."""
    with corpus.open("rb") as file:
        for line in file:
            row = functions.record_of(line)
            if row is not None and isinstance(row.get("id"), int):
                yield {name: row.get(name) for name in _SCHEMA}


def written(corpus: Path, kind: str, *, malformed: bool) -> Path:
    """The corpus as a file of another kind, made if it is not there yet."""
    place = corpus.with_name(f"{corpus.stem}-{'all' if malformed else 'sound'}.{kind}")
    if place.exists():
        return place
    if malformed:
        place.write_bytes(corpus.read_bytes())
    elif kind == "jsonl":
        with place.open("wb") as out:
            out.writelines(orjson.dumps(row) + b"\n" for row in sound(corpus))
    elif kind == "json":
        place.write_bytes(orjson.dumps(list(sound(corpus))))
    else:
        rows = pl.DataFrame(list(sound(corpus)), schema=_SCHEMA, strict=False)
        rows.write_csv(place) if kind == "csv" else rows.write_parquet(place)
    return place


def look(one: Attempt) -> None:
    """Count the rows of an output."""
    one.facts["rows"] = sum(pq.read_metadata(file).num_rows for file in one.files)


def main() -> None:
    """Print what was measured."""
    parser = parser_of(__doc__, PEERS)
    parser.add_argument("--formats", default="csv,jsonl,json", help=f"of {','.join(FORMATS)}")
    parser.add_argument("--malformed", action="store_true", help="leave malformed lines in; jsonl only")
    options = parser.parse_args()
    options.machine = machine(options.cores)
    print(options.machine)
    results = []
    corpus, rows = corpus_of(options.size, options.profile, options.seed)
    with only_while(corpus, keep=not options.sizes):
        for kind in ["jsonl"] if options.malformed else options.formats.split(","):
            job = Job("read", written(corpus, kind, malformed=options.malformed), rows, options.profile)
            attempts = contest(contenders(options), job, options, look)
            print(f"\n{kind}: {job.size / 1e6:,.0f} MB, {rows:,} lines of the corpus\n")
            print(table(job, attempts, ["rows"]), flush=True)
            results.append(record(job, attempts, options))
    told(results, options)


if __name__ == "__main__":
    main()
