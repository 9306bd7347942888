"""What rows are fit for besides a label: conversations, questions about texts, pairs of texts, documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from seedbed.core.numbers import percent
from seedbed.core.task import CausalLm, Chat, QuestionAnswering, Task, TextToText
from seedbed.core.task.chat import Turn
from seedbed.profile import Profile

#: Rows that are read to see whether they are what names promise, and the share of them that must be.
READ, _ENOUGH = 1_000, 0.5
#: Share of answers that must stand in their texts, where no name tells that they are answers; columns looked at.
_SURE, _MOST_TEXTS = 0.9, 8
#: Median characters from which on a text is a document.
_LONG = 200
_CHAT = ("messages", "conversations", "conversation", "turns", "dialog", "dialogue")
_QUESTION, _CONTEXT = ("question",), ("context", "passage", "paragraph")
_ANSWERS, _START = ("answers", "answer"), ("answer_start", "start")
_ASKED = ("instruction", "instructions")
_SAID = ("output", "response", "answer", "completion")
_PAIRS = (("prompt", "completion"), ("source", "target"))
#: Pairs that say less of themselves: they count where there is no label.
_PAIRS_TOO = (("prompt", "response"), ("document", "summary"), ("article", "summary"), ("article", "highlights"),
              ("text", "summary"), ("question", "answer"))  # fmt: skip
#: Columns that tell rows apart, or where they are from.
_BESIDE = ("id", "file", "path", "url", "source", "title")
#: What a column looks like that says nothing of a row but which it is.
_SAYS_NOTHING = ("id", "constant", "empty")


@dataclass(frozen=True)
class Shape:
    """What rows are fit for."""

    task: Task
    why: str
    """A clause."""
    texts: tuple[str, ...]
    """Columns whose texts may be cleaned."""
    equal: tuple[str, ...]
    """Columns of which equal rows are copies."""
    steps: tuple[tuple[str, str], ...] = ()
    """Steps that the task needs before others, each with why."""


def shape_of(rows: pl.DataFrame, profile: Profile) -> Shape | None:
    """What rows are fit for, if it is something else than predicting a label.

    Args:
        rows: Some of them.
        profile: What the columns look like; a label is only passed over where names are plain.
    """
    head = rows.head(READ)
    shapes = _plain(head)
    if profile.roles.kind != "text_classification":
        shapes = (one for some in (shapes, _likely(head, profile)) for one in some)
    return next((one for one in shapes if fits(one, head)), None)


def share_of(told: pl.Series) -> float:
    """Share of what is true."""
    return int(told.sum()) / max(told.len(), 1)


def also_fit(rows: pl.DataFrame, profile: Profile) -> Shape | None:
    """What rows with a label could be learned for as well; nothing, as a rule."""
    head = rows.head(READ)
    pairs = _pairs(by_name(rows.columns), _PAIRS_TOO)
    label = profile.roles.label
    return next((one for one in pairs if label not in one.task.roles.values() and fits(one, head)), None)


def fits(shape: Shape, rows: pl.DataFrame) -> bool:
    """Whether most rows can be used so. What steps are yet to make is taken on trust."""
    if not rows.height or shape.steps:
        return bool(rows.height)
    refused = rows.select(shape.task.refusal().alias("refused")).to_series()
    return refused.null_count() >= _ENOUGH * rows.height


def _plain(rows: pl.DataFrame) -> Iterator[Shape]:
    """Shapes that names, or values, leave no doubt of."""
    names = by_name(rows.columns)
    for name in rows.columns:
        if name.casefold() in _CHAT or holds_turns(rows[name]):
            tools = {"tools": names["tools"]} if "tools" in names and names["tools"] != name else {}
            yield Shape(Chat(messages=name, **tools), f"{_q(name)} holds turns", (), (name,))
    question, context, answers = (_first(names, some) for some in (_QUESTION, _CONTEXT, _ANSWERS))
    if question and context and answers:
        at = {"start": start} if (start := _first(names, _START)) else {}
        task = QuestionAnswering(question=question, context=context, answers=answers, **at)
        yield Shape(task, "a question, a text and answers in it", (context,), (question, context))
    elif found := who_is_asked(rows):
        question, context, answers = found
        why = "questions, and answers that stand in the text beside them"
        task = QuestionAnswering(question=question, context=context, answers=answers)
        yield Shape(task, why, (context,), (question, context))
    asked, said = _first(names, _ASKED), _first(names, _SAID)
    if asked and said:
        yield _instructions(rows, asked, said, names.get("input"), names.get("system"))
    if "user" in names and "assistant" in names:
        why = "what a user says, and what the assistant answers"
        yield _turns((("system", names.get("system")), ("user", names["user"]), ("assistant", names["assistant"])), why)
    yield from _pairs(names, _PAIRS)


def _likely(rows: pl.DataFrame, profile: Profile) -> Iterator[Shape]:
    """Shapes that rows without a label most likely have."""
    yield from _pairs(by_name(rows.columns), _PAIRS_TOO)
    told = [one for one in profile.columns if one.name.casefold() not in _BESIDE and one.looks not in _SAYS_NOTHING]
    texts = [one.name for one in told if one.looks == "text"]
    if len(texts) < len(told):
        return
    if len(texts) == 1:
        median = rows[texts[0]].cast(pl.String).str.len_chars().median()
        if isinstance(median, int | float) and median >= _LONG:
            why = f"texts of {median:,.0f} characters (the median) and nothing else: documents"
            yield Shape(CausalLm(text=texts[0]), why, (texts[0],), (texts[0],))
    elif len(texts) == 2 and profile.roles.other_texts:
        text, target = texts
        why = "two columns of texts and nothing else: the second is learned from the first"
        yield Shape(TextToText(text=text, target=target), why, (text, target), (text, target))


def _pairs(names: Mapping[str, str], pairs: Sequence[tuple[str, str]]) -> Iterator[Shape]:
    for one, other in pairs:
        if one in names and other in names:
            text, target = names[one], names[other]
            task = TextToText(text=text, target=target)
            yield Shape(task, "a text and what is to follow", (text, target), (text, target))


def _instructions(rows: pl.DataFrame, asked: str, said: str, given: str | None, system: str | None) -> Shape:
    """An instruction and what was answered; its input, where there is one, follows the instruction."""
    steps: tuple[tuple[str, str], ...] = ()
    user, texts = asked, tuple(name for name in (system, asked, given, said) if name)
    if given and rows[given].cast(pl.String).str.strip_chars().str.len_bytes().fill_null(0).sum():
        user = "user"
        both = f'"{asked}" || \'\n\n\' || "{given}"'
        expression = f"CASE WHEN coalesce(trim(\"{given}\"), '') = '' THEN \"{asked}\" ELSE {both} END"
        filled = percent(int((rows[given].cast(pl.String).str.strip_chars() != "").sum()), rows.height)
        step = f"use: derive, column: user, expression: {json.dumps(expression, ensure_ascii=False)}"
        steps = ((step, f"{filled} of the rows have an input"),)
    shape = _turns((("system", system), ("user", user), ("assistant", said)), "an instruction and what was answered")
    return replace(shape, texts=texts, equal=tuple(dict.fromkeys(texts)), steps=steps)


def _turns(columns: Sequence[tuple[Literal["system", "user", "assistant"], str | None]], why: str) -> Shape:
    """A column a turn."""
    turns = tuple(Turn(role=role, column=column) for role, column in columns if column)
    texts = tuple(turn.column for turn in turns)
    return Shape(Chat(turns=turns), why, texts, texts)


def who_is_asked(rows: pl.DataFrame) -> tuple[str, str, str] | None:
    """Columns of questions, of texts, and of answers that stand in them, by what is in the columns; none, as a rule."""
    medians = {name: rows[name].str.len_chars().median() for name in rows.columns if rows.schema[name] == pl.String}
    lengths = {name: float(median) for name, median in medians.items() if isinstance(median, int | float)}
    texts = sorted(lengths, key=lambda name: -lengths[name])[:_MOST_TEXTS]
    asking = [name for name in texts if share_of(rows[name].str.ends_with("?")) >= _ENOUGH]
    for context in texts:
        for answers in texts:
            if lengths[answers] >= lengths[context] / 2 or rows[answers].n_unique() < rows.height / 10:
                continue
            said = pl.col(answers).str.strip_chars()
            there = rows.filter(said.str.len_bytes() > 0)
            inside = there.select(pl.col(context).str.contains(said, literal=True)).to_series()
            question = next((name for name in asking if name not in (context, answers)), None)
            if question and there.height >= _ENOUGH * rows.height and share_of(inside) >= _SURE:
                return question, context, answers
    return None


def holds_turns(values: pl.Series) -> bool:
    """Whether values are lists of objects, or look like such in JSON."""
    if isinstance(values.dtype, pl.List):
        return isinstance(values.dtype.inner, pl.Struct)
    if values.dtype != pl.String:
        return False
    there = values.drop_nulls()
    return bool(there.str.contains(r'(?s)^\s*\[\s*\{.*"(?:role|from)"').sum() > _ENOUGH * max(there.len(), 1))


def by_name(columns: Sequence[str]) -> dict[str, str]:
    """Columns by their names in small letters."""
    return {name.casefold().strip(): name for name in reversed(columns)}


def _first(names: Mapping[str, str], some: Sequence[str]) -> str | None:
    return next((names[name] for name in some if name in names), None)


def _q(name: str) -> str:
    return repr(name[:40])


#: What reads a dataset of each task.
FORMATS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "chat": (("openai_chat", "OpenAI, TRL"), ("sharegpt", "LLaMA-Factory, Axolotl")),
    "question_answering": (("squad", "the official evaluators"),),
    "text_to_text": (("prompt_completion", "TRL"), ("alpaca", "LLaMA-Factory, torchtune")),
    "multi_label_classification": (("jsonl", "one row a line"), ("parquet", "datasets.load_dataset")),
    "regression": (("prompt_completion", "language models: add a prompt"), ("jsonl", "one row a line")),
    "tabular_classification": (("csv", "anything"), ("parquet", "pandas, Polars, XGBoost")),
    "tabular_regression": (("csv", "anything"), ("parquet", "pandas, Polars, XGBoost")),
    "causal_lm": (("jsonl", "one document a line"), ("parquet", "datasets.load_dataset")),
}
