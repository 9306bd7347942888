"""The data statement: whose language a dataset holds, made when and how (Bender and Friedman, TACL 6, 2018)."""

from __future__ import annotations

from seedbed.core.run import Run

from .answers import Answers
from .markdown import render
from .measured import Measured
from .telling import facts


def data_statement(run: Run, answers: Answers, measured: Measured | None = None) -> str:
    """`data_statement.md`: its nine sections, with what was measured and what a person answered."""
    return render("data_statement.md", **facts(run, answers, measured))
