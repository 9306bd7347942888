"""The datasheet: the seven sections of Datasheets for Datasets (Gebru et al., CACM 64(12), 2021)."""

from __future__ import annotations

from seedbed.core.run import Run

from .answers import Answers
from .markdown import render
from .measured import Measured
from .telling import facts


def datasheet(run: Run, answers: Answers, measured: Measured | None = None) -> str:
    """`datasheet.md`: each question with what was measured, what a person answered, or that nobody did."""
    return render("datasheet.md", **facts(run, answers, measured))
