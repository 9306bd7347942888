"""A small run of every task, with what formats like to lose in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from publish_sample import ANSWERED, run_of, write_dataset
from publish_sample import splits_of as sample_splits

from seedbed.core.rows import ROW
from seedbed.core.run import ColumnRecord, DatasetRecord, Run
from seedbed.core.task import (
    CausalLm,
    Chat,
    MultiLabelClassification,
    QuestionAnswering,
    Regression,
    TabularClassification,
    TabularRegression,
    Task,
    TextClassification,
    TextToText,
)
from seedbed.core.task.chat import TURNS
from seedbed.core.task.question_answering import ANSWERS
from seedbed.publish.shaping.turns import turn

TASKS: dict[str, Task] = {
    "text_classification": TextClassification(text="text", label="label", labels=("bad", "good")),
    "multi_label_classification": MultiLabelClassification(text="plot", label="genres", labels=("drama", "war", "zoo")),
    "regression": Regression(text="text", target="price"),
    "tabular_classification": TabularClassification(label="kind", features=("width", "colour")),
    "tabular_regression": TabularRegression(target="price", features=("width",)),
    "question_answering": QuestionAnswering(),
    "causal_lm": CausalLm(text="text"),
    "chat": Chat(tools="tools"),
    "text_to_text": TextToText(text="en", target="de"),
}
#: Long enough for every split to have some of everything.
ROWS = {"train": 24, "validation": 8, "test": 8}
ODD = [
    "a lamp",
    "ünï 👩‍👩‍👧 \u2028 line",
    'quote " and \\ back',
    "=1+1",
    " spaces  ",
    "tab\tand\nline",
    "0",
    "<b>&amp;</b>",
]

_CALL = '[{"id":"c1","type":"function","function":{"name":"time","arguments":"{}"}}]'
_TOOLS = '[{"type":"function","function":{"name":"time","description":"The time.","parameters":{"type":"object"}}}]'
_CHATS: list[tuple[list[dict[str, Any]], str | None]] = [
    ([turn("user", "hi"), turn("assistant", "hello")], None),
    ([turn("system", "Be brief."), turn("user", "hi\nthere"), turn("assistant", "ünï \u2028")], None),
    ([turn("user", "a"), turn("assistant", "b"), turn("user", "c"), turn("assistant", "d")], None),
    (
        [turn("user", "What time is it?"), turn("assistant", None, tool_calls=_CALL),
         turn("tool", "noon", tool_call_id="c1"), turn("assistant", "It is noon.")],
        _TOOLS,
    ),
    ([turn("user", "a", name="Ada"), turn("assistant", "b")], None),
    ([turn("user", "a"), turn("assistant", "b", weight=0), turn("user", "c"), turn("assistant", "d", weight=1)], None),
    ([turn("user", "a"), turn("user", "b"), turn("assistant", "c")], None),
    ([turn("system", "Be brief."), turn("user", '"q"'), turn("assistant", "{}")], None),
]  # fmt: skip


def _context(i: int) -> str:
    return f"Köln 👩‍👩‍👧 ist eine Stadt am Rhein, Nummer {i // 3}."


def _answers(i: int) -> list[dict[str, Any]]:
    found = [{"text": word, "start": _context(i).index(word)} for word in ("Rhein", "Stadt")]
    return [[], found[:1], found][i % 3]


def columns_of(kind: str, numbers: range) -> dict[str, pl.Series]:
    """The task's columns, and one besides."""
    texts = [f"{ODD[i % 8]} {i}" for i in numbers]
    chats = [_CHATS[i % 8] for i in numbers]
    found: dict[str, dict[str, Any]] = {
        "text_classification": {"text": texts, "label": [("bad", "good")[i % 2] for i in numbers]},
        "multi_label_classification": {
            "plot": texts,
            "genres": pl.Series([[["drama"], [], ["drama", "war"], ["zoo"]][i % 4] for i in numbers]),
        },
        "regression": {"text": texts, "price": [[12.5, 3.0, 0.1 + 0.2, 1e22][i % 4] for i in numbers]},
        "tabular_classification": {
            "width": [None if i % 5 == 0 else i / 3 for i in numbers],
            "colour": [("red", None, "blue")[i % 3] for i in numbers],
            "kind": [("a", "b")[i % 2] for i in numbers],
        },
        "tabular_regression": {"width": [i / 3 for i in numbers], "price": [i * 1.5 for i in numbers]},
        "question_answering": {
            "question": [f"Wo? {i}" for i in numbers],
            "context": [_context(i) for i in numbers],
            "answers": pl.Series([_answers(i) for i in numbers], dtype=ANSWERS),
        },
        "causal_lm": {"text": texts},
        "chat": {
            "messages": pl.Series([turns for turns, _ in chats], dtype=TURNS),
            "tools": pl.Series([tools for _, tools in chats], dtype=pl.String),
        },
        "text_to_text": {"en": texts, "de": [text[::-1] for text in texts]},
    }
    made = {name: pl.Series(name, values) for name, values in found[kind].items()}
    return {**made, "topic": pl.Series("topic", [f"t{i % 2}" for i in numbers])}


def splits_of_task(kind: str) -> dict[str, pl.DataFrame]:
    """The splits of a dataset."""
    splits, start = {}, 1
    for name, rows in ROWS.items():
        numbers = range(start, start + rows)
        ids = pl.Series(ROW, [f"0:rows.jsonl#{i}" for i in numbers])
        splits[name] = pl.DataFrame([ids, *columns_of(kind, numbers).values()])
        start += rows
    return splits


def run_of_task(kind: str) -> Run:
    """Its record."""
    task, splits = TASKS[kind], splits_of_task(kind)
    whole = pl.concat(splits.values())
    counted = (
        {name: dict(rows[task.answer].value_counts(sort=True).iter_rows()) for name, rows in splits.items()}
        if task.says == "label" and task.answer
        else {}
    )
    dataset = DatasetRecord(
        digest="ab" * 32,
        splits=ROWS,
        columns=tuple(
            ColumnRecord(name=one.name, type=str(one.dtype), missing=one.null_count(), unique=None)
            for one in whole
            if one.name != ROW
        ),
        labels=counted,
        labels_before={},
        lengths=None,
    )
    changed = {"task": task.model_dump(mode="json"), "dataset": dataset, "name": kind, "best": None}
    none = dict.fromkeys(("models", "comparisons", "gates", "waivers", "findings"), ()) | {"leakage": None}
    return run_of(sample_splits(["a", "b"])).model_copy(update={**changed, **none})


def finished_task(folder: Path, kind: str) -> Path:
    """A run folder as `flow` leaves it."""
    run = run_of_task(kind)
    write_dataset(folder / "dataset", splits_of_task(kind), run, ANSWERED)
    (folder / "run.json").write_text(run.model_dump_json())
    (folder / "report.html").write_text("<h1>report</h1>")
    return folder
