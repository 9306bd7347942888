"""The papers of a dataset folder, written beside its data."""

from __future__ import annotations

import json
from pathlib import Path

from seedbed.core.run import Run

from .answers import Answers
from .card import card
from .croissant import croissant
from .datasheet import datasheet
from .shards import measure


def write_papers(dataset_folder: Path, run: Run, answers: Answers) -> None:
    """Write `README.md`, `datasheet.md` and `croissant.json` beside `data/SPLIT-NNNNN-of-NNNNN.parquet`.

    Raises:
        DataError: A data file cannot be read.
        BooksError: The data files do not hold the rows that the run says.
    """
    shards = measure(dataset_folder, run)
    described = json.dumps(croissant(run, answers, shards), indent=2, ensure_ascii=False)
    papers = {
        "README.md": card(run, answers, shards),
        "datasheet.md": datasheet(run, answers),
        "croissant.json": described + "\n",
    }
    for name, text in papers.items():
        (dataset_folder / name).write_text(text, encoding="utf-8", newline="\n")
