from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from seedbed.core.decision import Decision
from seedbed.core.errors import DataError
from seedbed.core.rows import ROW
from seedbed.core.task import MultiLabelClassification, QuestionAnswering, Regression, Task, TextClassification
from seedbed.evaluate.forms import form_of
from seedbed.flow.judging.judge import Rows
from seedbed.flow.judging.people_file import Matched, matched, read_lines

LABELLED = TextClassification(text="text", label="label", labels=("Cat", "dog"))


def answers(path: Path, task: Task, **columns: list[object]) -> Matched:
    frame = pl.DataFrame({ROW: [f"s:f#{i}" for i in range(4)], "text": ["one", "two ", "same", "same"], **columns})
    form = form_of(task)
    rows = Rows("test", frame, None, frame.select([]))
    return matched(read_lines(path, task), rows, task, form)


def told(found: Matched) -> list[tuple[str, int, object]]:
    return [(one.who, one.place, one.answer) for one in found.said]


def test_rows_are_known_by_id_or_text(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("\ufefftext,who,label\none,a,Cat\n two,b,DOG\nsame,a,dog\nelsewhere,a,dog\none,,dog\none,a,cow\n")
    found = answers(path, LABELLED)
    assert told(found) == [("a", 0, 0), ("b", 1, 1), ("somebody", 0, 1)]
    assert found.notes == [
        "1 answer on test rows are none that the task knows",
        "1 answer name a text that several test rows have",
    ]
    path = tmp_path / "people.jsonl"
    path.write_text('{"row": "s:f#3", "answer": "cat", "who": "a"}\n\n{"row": "x", "answer": "cat"}\n')
    assert told(answers(path, LABELLED)) == [("a", 3, 0)]


def test_sets_are_lists_json_or_separated(tmp_path: Path) -> None:
    task = MultiLabelClassification(text="text", label="label", labels=("a", "b"))
    path = tmp_path / "people.jsonl"
    given: list[object] = [["a"], [], '["a", "b"]', "a|b", "", ["c"], "[", 3, "[" * 200_000, f"[{'9' * 5000}]"]
    path.write_text("".join(json.dumps({"row": "s:f#0", "answer": one}) + "\n" for one in given))
    found = answers(path, task)
    assert [one.answer.tolist() for one in found.said] == [
        [True, False], [False, False], [True, True], [True, True], [False, False],
    ]  # fmt: skip
    assert found.notes == ["5 answers on test rows are none that the task knows"]


def test_sets_are_parted_as_the_task_parts_them(tmp_path: Path) -> None:
    task = MultiLabelClassification(text="text", label="label", labels=("a", "b", "c, d"), separator=",")
    path = tmp_path / "people.csv"
    path.write_text('row,answer\ns:f#0,"a, b"\ns:f#0,a|b\ns:f#0,"c, d"\ns:f#0,b\n')
    found = answers(path, task)
    assert [one.answer.tolist() for one in found.said] == [
        [True, True, False], [True, True, False], [False, False, True], [False, True, False],
    ]  # fmt: skip
    assert not found.notes


def test_numbers_and_texts(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("row,answer\ns:f#0,1.5\ns:f#1,many\ns:f#2,nan\ns:f#3,-1e308\n")
    assert told(answers(path, Regression(text="text", target="y"))) == [("somebody", 0, 1.5)]
    path.write_text("row,answer\ns:f#0,here\ns:f#1,\n")
    task = QuestionAnswering(question="text", context="c", answers="a")
    assert told(answers(path, task)) == [("somebody", 0, "here"), ("somebody", 1, None)]


def test_decisions_of_a_review_count_where_they_are_labels(tmp_path: Path) -> None:
    def line(**more: str) -> str:
        return Decision.model_validate({"who": "ann", "when": "2026-01-01", **more}).model_dump_json() + "\n"

    path = tmp_path / "review.jsonl"
    path.write_text(
        line(id="1", row="s:f#0", action="accept", was="Cat")
        + line(id="2", row="s:f#1", action="relabel", label="dog", was="Cat")
        + line(id="3", row="s:f#2", action="reject")
        + line(id="4", row="s:f#0", action="relabel", label="dog", was="Cat")
        + line(id="5", row="s:f#0", action="accept", was="Cat", who="ben")
    )
    found = answers(path, LABELLED)
    assert "judged by themselves" in found.notes[0]
    assert sorted(told(found), key=str) == [("ann", 0, 1), ("ann", 1, 1), ("ben", 0, 0)]


@pytest.mark.parametrize(
    ("name", "text", "said", "line"),
    [
        ("p.jsonl", '{"row": "a", "answer": "b\u2028c"}\n\nno\n', "no JSON object", 3),
        ("p.jsonl", '{"row": "a"}\n', "no column that says the answer", 1),
        ("p.jsonl", '{"row": "a", "answer": "b"}\n{"answer": "b"}\n', "which row", 2),
        ("p.csv", "answer\ncat\n", "which row", 2),
        ("p.csv", 'row,answer\n"a\n",cat\nb,cat,dog\n', "3 cells, and the header 2", 4),
        ("p.csv", 'row,answer\na,"cat"s\n', "no CSV", 2),
        ("p.jsonl", '{"action": "accept"}\n', "cannot be read", 1),
        ("p.csv", "", "no CSV", None),
    ],
)
def test_files_that_say_too_little_are_refused_with_the_line(
    tmp_path: Path, name: str, text: str, said: str, line: int | None
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataError, match=said) as told:
        read_lines(path, LABELLED)
    assert told.value.at == (f"{path}:{line}" if line else str(path))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read"):
        read_lines(path, LABELLED)
