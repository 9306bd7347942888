"""What exporters write is taken by programs that we did not write: task by task, one table."""

from __future__ import annotations

from pathlib import Path

import pytest
from accepting import CASES, Case, page

PAGE = Path(__file__).parents[2] / "docs" / "accepted.md"


@pytest.mark.filterwarnings("ignore")  # of others, also in the processes that they start
@pytest.mark.parametrize(
    "case", [pytest.param(one, id=str(one), marks=[pytest.mark.slow] * one.heavy) for one in CASES]
)
def test_accepted(case: Case, tmp_path: Path) -> None:
    case.run(tmp_path)


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text("utf-8") == page(list(CASES)), "python docs/accepted.py"


def test_a_program_that_does_not_take_it_is_seen(tmp_path: Path) -> None:
    wrong = Case("text_to_text", "csv", "nobody", lambda out, case: (out / "train.tsv").read_bytes(), heavy=False)  # type: ignore[arg-type, return-value]
    with pytest.raises(FileNotFoundError):
        wrong.run(tmp_path)
    unrefused = next(case for case in CASES if case.refused and case.exporter == "squad")
    with pytest.raises(AssertionError, match="nothing was refused"):
        Case("question_answering", "squad", "", unrefused.accepts).run(tmp_path)
