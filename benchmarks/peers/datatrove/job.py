"""DataTrove's pipelines, run by its local executor, on the file split into as many pieces as there are cores.

Its reader ends a file at the first byte that is no UTF-8 and dies of a line that is a list, so `Lines` reads bytes and
passes such lines over. It has no stripper of HTML for fragments: `Clean` gives it the plain Python functions, as it is
meant to be extended. Near duplicates are compared by runs of three words, as its tokenizer (spaCy) finds them; it knows
no runs of characters.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import functions
from datatrove.data import Document
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.dedup import ExactDedupFilter, ExactDedupSignature, ExactFindDedups
from datatrove.pipeline.dedup.exact_dedup import ExactDedupConfig
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.filters import LambdaFilter
from datatrove.pipeline.formatters.base import BaseFormatter
from datatrove.pipeline.readers import JsonlReader, ParquetReader
from datatrove.pipeline.writers import ParquetWriter
from jobs import Asked
from profiles import Profile


class Lines(JsonlReader):
    """JSON lines, of which those that are no records are passed over."""

    def read_file(self, filepath: str) -> Iterator[Document]:
        """The documents of a file."""
        with self.data_folder.open(filepath, "rb") as file:
            for number, line in enumerate(file):
                with self.track_time():
                    record = functions.record_of(line)
                    document = record and self.get_document_from_dict(record, filepath, number)
                if document:
                    yield document


class Clean(BaseFormatter):
    """The plain Python functions."""

    def format(self, text: str) -> str:
        """A text, cleaned."""
        return functions.clean(text)


class Fits(LambdaFilter):
    """The plain Python filters."""

    def __init__(self, profile: Profile) -> None:
        super().__init__(lambda document: functions.fits(document.text, profile))


def text_of(document: Document) -> str:
    """What exact duplicates are equal in."""
    return document.text


def run(asked: Asked, steps: list[Any], tasks: int | None = None) -> None:
    """One stage."""
    tasks = tasks or asked.cores
    LocalPipelineExecutor(steps, tasks=tasks, workers=min(tasks, asked.cores), start_method="fork").run()


def curate(asked: Asked, pieces: str) -> None:
    """Clean, filter and write; find equal hashes; read again and write what stays."""
    out, config = str(asked.out), ExactDedupConfig(content_getter=text_of)
    signature = ExactDedupSignature(f"{out}/signatures", config)
    clean = ParquetWriter(f"{out}/clean", output_filename="${rank}.parquet", compression="lz4")
    run(asked, [Lines(pieces), Clean(), Fits(asked.profile), clean, signature])
    run(asked, [ExactFindDedups(f"{out}/signatures", f"{out}/copies", config)], tasks=1)
    kept = ParquetWriter(f"{out}/kept", output_filename="${rank}.parquet", compression="lz4")
    run(asked, [ParquetReader(f"{out}/clean"), ExactDedupFilter(f"{out}/copies", config), kept])


def dedup(asked: Asked, pieces: str) -> None:
    """Signatures, buckets, clusters, and what stays: 14 bands of 8."""
    out, config = str(asked.out), MinhashConfig(n_grams=3)
    run(asked, [Lines(pieces), MinhashDedupSignature(f"{out}/signatures", config)])
    run(asked, [MinhashDedupBuckets(f"{out}/signatures", f"{out}/buckets", config=config)], tasks=config.num_buckets)
    run(asked, [MinhashDedupCluster(f"{out}/buckets", f"{out}/clusters", config)], tasks=1)
    kept = ParquetWriter(f"{out}/kept", output_filename="${rank}.parquet", compression="lz4")
    run(asked, [Lines(pieces), MinhashDedupFilter(f"{out}/clusters"), kept])


if __name__ == "__main__":
    asked = Asked.read()
    folder = asked.out / "pieces"
    folder.mkdir()
    subprocess.run(
        ["split", "--number", f"l/{asked.cores}", "--numeric-suffixes", str(asked.source), f"{folder}/"], check=True
    )
    {"curate": curate, "dedup": dedup}[asked.job](asked, str(folder))
    notes = {
        "curate": "given the plain Python functions and a reader that passes malformed lines over",
        "dedup": "runs of three words in both profiles; 14 bands of 8, candidates are not verified",
    }
    asked.done(sorted((asked.out / "kept").glob("*.parquet")), notes[asked.job])
