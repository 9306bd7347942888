"""The papers of a dataset folder, written beside its data."""

from __future__ import annotations

import json
from pathlib import Path

from seedbed.core.profile import DatasetProfile
from seedbed.core.run import Run

from .answers import Answers
from .card import card
from .croissant import croissant
from .data_statement import data_statement
from .datasheet import datasheet
from .measured import Measured
from .shards import measure


def papers_of_run(
    dataset_folder: Path, run: Run, answers: Answers, profile: DatasetProfile | None = None
) -> dict[str, str]:
    """The text of each paper by its file name.

    Args:
        dataset_folder: Holds `data/SPLIT-NNNNN-of-NNNNN.parquet`.
        run: What happened.
        answers: What only a person can say.
        profile: What the dataset looks like in numbers, where that was measured.

    Raises:
        DataError: A data file cannot be read.
        BooksError: The data files do not hold the rows that the run says.
    """
    shards, measured = measure(dataset_folder, run), Measured(run, profile)
    described = json.dumps(croissant(run, answers, shards, measured), indent=2, ensure_ascii=False)
    return {
        "README.md": card(run, answers, shards, measured),
        "datasheet.md": datasheet(run, answers, measured),
        "data_statement.md": data_statement(run, answers, measured),
        "croissant.json": described + "\n",
    }


def write_papers(dataset_folder: Path, run: Run, answers: Answers, profile: DatasetProfile | None = None) -> None:
    """Write `README.md`, `datasheet.md`, `data_statement.md` and `croissant.json` beside the data, as `papers_of_run`.

    Raises:
        DataError: A data file cannot be read.
        BooksError: The data files do not hold the rows that the run says.
    """
    for name, text in papers_of_run(dataset_folder, run, answers, profile).items():
        (dataset_folder / name).write_text(text, encoding="utf-8", newline="\n")
