"""What a task asks of each row is measured, and texts inside lists are read like others."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from seedbed.cli.profile import told
from seedbed.core.context import Context
from seedbed.core.profile import DatasetProfile
from seedbed.core.rows import ROW
from seedbed.core.task import Chat, QuestionAnswering, Task, TextToText
from seedbed.core.task.chat import TURNS
from seedbed.core.task.question_answering import ANSWERS
from seedbed.flow.profiling.datasets import by_split, plan_for
from seedbed.profile.measuring.summary import line_of, line_of_measure
from seedbed.report.profile import render


def turns(*said: str) -> list[dict[str, object]]:
    names = [field.name for field in TURNS.inner.fields]  # type: ignore[union-attr]
    roles = ("user", "assistant")
    return [
        {**dict.fromkeys(names), "role": roles[place % 2], "content": content} for place, content in enumerate(said)
    ]


CHATS = pl.DataFrame(
    {
        "messages": [
            turns("hello there", "good day to you"),
            turns("a", "b", "anna@example.org", "d"),
            turns("hi", "yo"),
        ]
    },
    schema={"messages": TURNS},
)
QUESTIONS = pl.DataFrame(
    {
        "question": ["Where?", "When?", "Who?"],
        "context": ["in Rome, Rome", "in Rome", "in Rome"],
        "answers": [
            [{"text": "Rome", "start": 3}, {"text": "Rome", "start": 9}],
            [],
            [{"text": "in Rome", "start": 0}],
        ],
    },
    schema={"question": pl.String, "context": pl.String, "answers": ANSWERS},
)
PAIRS = pl.DataFrame({"text": ["abcd", "ab"], "target": ["ab", "abc"]})


def profiled(rows: pl.DataFrame, task: Task, folder: Path) -> DatasetProfile:
    """The profile of rows in two splits."""
    named = rows.with_columns(pl.format("a:b#{}", pl.int_range(1, pl.len() + 1)).alias(ROW))
    files = {}
    for name, some in (("train", named[:1]), ("test", named[1:])):
        some.write_parquet(folder / f"{name}.parquet")
        files[name] = [folder / f"{name}.parquet"]
    plan = plan_for(files, text=task.shown, label=None, task=task)
    return by_split(files, plan, Context(base=folder, workers=1))


@pytest.mark.parametrize(
    ("rows", "task", "expected"),
    [
        (CHATS, Chat(), {"turns": (2, 4, 0), "user characters": (2, 17, 0), "assistant characters": (2, 15, 0)}),
        (QUESTIONS, QuestionAnswering(), {"answers": (0, 2, 1), "characters of the first answer": (4, 7, 0)}),
        (
            PAIRS,
            TextToText(text="text", target="target"),
            {"target characters": (2, 3, 0), "target characters per character of the text": (0.5, 1.5, 0)},
        ),
    ],
)
def test_what_a_task_asks_of_rows(
    rows: pl.DataFrame, task: Task, expected: dict[str, tuple[float, float, int]], tmp_path: Path
) -> None:
    found = profiled(rows, task, tmp_path)
    measured = {one.name: one for one in found.whole.measures}
    assert {
        name: (one.spread.low, one.spread.high, one.zeros) for name, one in measured.items() if one.spread
    } == expected
    assert [one.name for one in found.splits["test"].measures] == list(expected)
    assert found.whole.label is None, "nothing is taken for a label that the task does not name"
    page, lines = render(found), "\n".join(told(found))
    assert "What a row holds" in page and "what a row holds" in lines
    assert all(f"<dt>{name}</dt>" in page for name in expected)
    assert DatasetProfile.model_validate_json(found.model_dump_json()) == found


def test_turns_are_read_like_texts(tmp_path: Path) -> None:
    [column] = profiled(CHATS, Chat(), tmp_path).whole.columns
    assert column.kind == "nested" and column.nested and column.nested.lengths
    assert column.nested.lengths.high == 4
    assert column.text and column.text.total_words == 12 and "email" in column.text.personal
    assert line_of(column).startswith("2 to 4 items, median 2; ")


def test_a_measure_in_a_line(tmp_path: Path) -> None:
    answers, _ = profiled(QUESTIONS, QuestionAnswering(), tmp_path).whole.measures
    assert line_of_measure(answers, 3) == "0 to 2, median 1, 5 % above 1.9; 0 in 33.3\u00a0% of the rows"
    turns_each = profiled(CHATS[[0, 2]], Chat(), tmp_path).whole.measures[0]
    assert line_of_measure(turns_each, 2) == "2 in each row"
