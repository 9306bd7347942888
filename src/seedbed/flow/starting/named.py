"""A task that a person names, with its columns: `seedbed init FILE --task question_answering --column question=ask`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import polars as pl

from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.numbers import things
from seedbed.core.task import (
    AnyTask,
    CausalLm,
    Chat,
    QuestionAnswering,
    TabularClassification,
    TabularRegression,
    Task,
    TextToText,
)
from seedbed.core.task.chat import Turn
from seedbed.profile import Profile

from .shapes import READ, Shape, by_name, fits, holds_turns, who_is_asked
from .tables import features_of, of_number, of_sets, of_table, sets_beside

KINDS = tuple(one.model_fields["kind"].default for one in get_args(get_args(AnyTask)[0]))
_SAID = "as you said"
_TEXT = ("text", "body", "content", "document", "sentence", "review")
#: The columns of each task, the answer last, with names that they often have. Those of a classifier of texts, and a
#: text that nobody names, are found by what is in them.
_CALLED: Mapping[str, Mapping[str, Sequence[str]]] = {
    "text_classification": {"text": (), "label": ()},
    "multi_label_classification": {"text": (), "label": ("labels", "tags", "genres", "categories")},
    "regression": {"text": (), "target": ("target", "score", "rating", "price", "value", "y")},
    "tabular_classification": {"label": ("label", "class", "target", "y")},
    "tabular_regression": {"target": ("target", "y", "price", "value")},
    "question_answering": {
        "question": ("question", "query", "ask", "asked", "q"),
        "context": ("context", "passage", "paragraph", "document", "article", *_TEXT),
        "start": ("answer_start", "start"),
        "answers": ("answers", "answer", "answer_text", "span", "reply", "response"),
    },
    "causal_lm": {"text": ()},
    "chat": {
        "messages": ("messages", "conversations", "conversation", "turns", "dialog", "dialogue"),
        "system": ("system",),
        "tools": ("tools",),
        "user": ("user", "human", "instruction", "prompt", "question", "input"),
        "assistant": ("assistant", "gpt", "output", "response", "completion", "answer", "reply"),
    },
    "text_to_text": {
        "text": ("source", "prompt", "input", "document", "article", "question", *_TEXT),
        "target": ("target", "completion", "output", "response", "summary", "highlights", "headline", "answer"),
    },
}
#: Columns that a task can do without.
_FREE = ("start", "system", "tools", "messages")


@dataclass(frozen=True)
class Said:
    """What a person says of the task."""

    kind: str | None
    columns: Mapping[str, str]
    """By what they are to the task."""

    @classmethod
    def of(cls, kind: str | None, columns: Sequence[str], text: str | None, label: str | None) -> Said:
        """As it is typed.

        Args:
            kind: The task; none where it is to be found.
            columns: `ROLE=COLUMN`, each.
            text: The column to read, where it is given by itself.
            label: The column that answers, likewise.

        Raises:
            RecipeError: There is no such task, or it has no such column.
        """
        if kind is not None and kind not in _CALLED:
            raise RecipeError(f"there is no task {kind[:40]!r}", at="--task", hint=did_you_mean(kind, KINDS))
        if columns and kind is None:
            hint = f"say which it is, too, such as --task question_answering ({', '.join(KINDS)})"
            raise RecipeError("which column is what hangs on the task", at=f"--column {columns[0]}", hint=hint)
        told = {}
        for one in columns:
            role, equals, name = one.partition("=")
            roles = _CALLED[str(kind)]
            if not equals or not name or role not in roles:
                problem = f"{kind} has no column {role[:40]!r}" if equals and name else "this is no ROLE=COLUMN"
                hint = f"{did_you_mean(role, roles)}; such as --column {list(roles)[-1]}=COLUMN"
                raise RecipeError(problem, at=f"--column {one}", hint=hint)
            told[role] = name
        if kind is not None:
            reads = {"question_answering": "context", "chat": "user"}.get(kind, "text")
            if text is not None and reads in _CALLED[kind]:
                told.setdefault(reads, text)
            if label is not None and list(_CALLED[kind])[-1] != reads:
                told.setdefault(list(_CALLED[kind])[-1], label)
        return cls(kind, told)

    def shape(self, rows: pl.DataFrame, profile: Profile, path: str) -> Shape | None:
        """What rows are, read as the task that was named; nothing where none was, or a classifier of texts.

        Args:
            rows: Some of them.
            profile: What the columns look like.
            path: The file, for messages.

        Raises:
            RecipeError: There is no such column, or which one is meant does not show.
            DataError: Most rows cannot be read so.
        """
        if self.kind in (None, "text_classification"):
            return None
        for role, name in self.columns.items():
            if name not in rows.columns:
                hint = did_you_mean(name, rows.columns).replace("known:", "the columns are")
                raise RecipeError(f"there is no column {name!r}", at=f"--column {role}={name}", hint=hint)
        shape = _Finding(str(self.kind), self.columns, rows, profile).shape()
        if not fits(shape, rows.head(READ)):
            _refuse(shape.task, rows.head(READ), path)
        return shape


@dataclass(frozen=True)
class _Finding:
    """Finds the columns of a task that nobody named."""

    kind: str
    said: Mapping[str, str]
    rows: pl.DataFrame
    profile: Profile

    def shape(self) -> Shape:
        ways = {
            "question_answering": self._question,
            "chat": self._chat,
            "causal_lm": self._documents,
            "tabular_classification": self._table,
            "tabular_regression": self._table,
        }
        return ways.get(self.kind, self._answered)()

    def _documents(self) -> Shape:
        text = self._text()
        return Shape(CausalLm(text=text), _SAID, (text,), (text,))

    def _answered(self) -> Shape:
        text, answer = self._text(), self._answer()
        if self.kind == "multi_label_classification":
            return of_sets(text, answer, self.rows[answer], _SAID)
        if self.kind == "regression":
            return of_number(text, answer, self.rows[answer], _SAID)
        return Shape(TextToText(text=text, target=answer), _SAID, (text, answer), (text, answer))

    def _question(self) -> Shape:
        found = who_is_asked(self.rows.head(READ))
        guess = dict(zip(("question", "context", "answers"), found, strict=True)) if found else {}
        question, context, answers = (
            self._column(role, guess.get(role)) for role in ("question", "context", "answers")
        )
        start = {"start": name} if (name := self._named("start")) else {}
        task = QuestionAnswering(question=question, context=context, answers=answers, **start)
        return Shape(task, _SAID, (context,), (question, context))

    def _chat(self) -> Shape:
        tools = {"tools": name} if (name := self._named("tools")) else {}
        turns = self.said.get("messages")
        if turns is None and not {"user", "assistant"} & set(self.said):
            lists = [name for name in self.rows.columns if holds_turns(self.rows[name])]
            turns = next(iter(lists), None) or self._named("messages")
        if turns is not None:
            return Shape(Chat(messages=turns, **tools), _SAID, (), (turns,))
        user, assistant = self._column("user"), self._column("assistant")
        columns = [("system", self._named("system")), ("user", user), ("assistant", assistant)]
        each = tuple(Turn.model_validate({"role": role, "column": column}) for role, column in columns if column)
        texts = tuple(turn.column for turn in each)
        return Shape(Chat(turns=each, **tools), _SAID, texts, texts)

    def _table(self) -> Shape:
        role = "label" if self.kind == "tabular_classification" else "target"
        answer = self._column(role)
        features = features_of(self.rows, answer)
        task: Task = (
            TabularClassification(label=answer, features=features)
            if role == "label"
            else TabularRegression(target=answer, features=features)
        )
        return of_table(self.rows, task, answer, _SAID)

    def _text(self) -> str:
        taken = set(self.said.values())
        return self._column("text", next((one for one in self._texts() if one not in taken), None))

    def _texts(self) -> list[str]:
        """Columns of texts, the likeliest first; of pairs in the order of the file: what is read stands before."""
        roles = self.profile.roles
        texts = [one for one in (roles.text, *roles.other_texts) if one]
        return sorted(texts, key=self.rows.columns.index) if self.kind == "text_to_text" else texts

    def _answer(self) -> str:
        """The column that answers a text: what was said, else the only one that could."""
        roles, text = self.profile.roles, self._text()
        role = list(_CALLED[self.kind])[-1]
        match self.kind:
            case "multi_label_classification":
                guess = sets_beside(self.rows, roles)
            case "regression":
                guess = roles.quantities[0] if len(roles.quantities) == 1 else None
            case _:
                texts = [one for one in self._texts() if one != text]
                guess = texts[0] if len(texts) == 1 else None
        return self._column(role, guess, but=text)

    def _named(self, role: str, *, but: str = "") -> str | None:
        """A column that was said, or is called as such columns are."""
        names, taken = by_name(self.rows.columns), {*self.said.values(), but}
        if role in self.said:
            return self.said[role]
        return next((names[one] for one in _CALLED[self.kind][role] if one in names and names[one] not in taken), None)

    def _column(self, role: str, guess: str | None = None, *, but: str = "") -> str:
        found = self.said.get(role) or self._named(role, but=but) or guess
        if found is None or found == but:
            columns = ", ".join(self.rows.columns[:12])
            raise RecipeError(
                f"which column is the {role} does not show",
                at=f"--task {self.kind}",
                hint=f"--column {role}=COLUMN (the columns are {columns})",
            )
        return found


def _refuse(task: Task, rows: pl.DataFrame, path: str) -> None:
    """Say why most rows are none that the task can use.

    Raises:
        DataError: Always.
    """
    refused = rows.select(task.refusal().alias("why")).to_series().drop_nulls()
    why = refused.value_counts(sort=True).row(0) if refused.len() else ("unknown", 0)
    columns = ", ".join(f"{role}: {name}" for role, name in task.roles.items())
    free = [f"--column {role}=COLUMN" for role in _CALLED[task.kind] if role not in _FREE]
    raise DataError(
        f"{things(refused.len(), 'row')} of the {rows.height:,} looked at cannot be used as {task.kind} ({columns}): "
        f"{why[0]} in {why[1]:,}",
        at=path,
        hint=f"name other columns ({', '.join(free)}), or another --task",
    )
