"""What somebody says is right, in the model's own words: what training made of labels is made of those that come later.

Rows of a source say it as the source does, so they pass the steps that wrote the answer in training (`truth` in
`preprocess.json`). People who answer say it as the model does, in `answer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson
import polars as pl

from seedbed.core.errors import DataError, RecipeError, SeedbedError, did_you_mean
from seedbed.core.numbers import things
from seedbed.core.task import MultiLabelClassification
from seedbed.core.task.question_answering import told_answers
from seedbed.core.task.reading import Unreadable
from seedbed.evaluate.forms import Form
from seedbed.monitor.columns import as_text, numeric
from seedbed.serve.predictor import Predictor
from seedbed.serve.preparation import Preparation

#: What is right, as forms take it from files of predictions.
_KINDS: Mapping[str, pl.DataType] = {
    "label": pl.String(),
    "labels": pl.List(pl.String()),
    "number": pl.Float64(),
    "spans": pl.List(pl.Struct({"text": pl.String(), "start": pl.Int64()})),
    "text": pl.String(),
    "turns": pl.String(),
}
#: Where an empty text says something: none of the labels, no answer.
_EMPTY = ("labels", "spans")
_REVIEWED = "decisions of a review are of rows that somebody doubted, where the model does worse than on all"


@dataclass(frozen=True)
class Truth:
    """What is right of each row of a window."""

    told: pl.Series
    """Null where nobody says it, or says what the model does not know."""
    given: pl.Series
    """Whether somebody said something of a row that training would not have left out for it."""
    notes: tuple[str, ...] = ()

    def kept(self, rows: pl.Series) -> Truth:
        """Of some of the rows."""
        return Truth(self.told.filter(rows), self.given.filter(rows), self.notes)


@dataclass(frozen=True)
class InWords:
    """Brings what is right into the model's own words."""

    form: Form
    answer: str | None
    """The task's column; none where the answer is no column of its own."""
    steps: Preparation | None
    """What it passes; none where that is not known, or would run code that is not trusted."""
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, predictor: Predictor, *, trust: bool = False) -> Self:
        """Those of a model.

        Args:
            predictor: The model.
            trust: Whether steps may run functions of whoever made it.
        """
        bundle, form = predictor.bundle, predictor.form
        task, carried = bundle.task, bundle.preprocess.truth
        answer = None if task.says in ("turns", "itself") else task.answer
        if carried is None or answer is None:
            return cls(form, answer, None)
        try:
            return cls(form, answer, Preparation.of(carried, task, at=str(predictor.folder), trust=trust))
        except SeedbedError as error:
            return cls(form, answer, None, (f"labels are taken as they are: {error.problem}",))

    def of_source(self, rows: pl.DataFrame) -> Truth | None:
        """What rows of a source say is right, after the steps; none where they do not say it.

        Raises:
            ModelError: A step failed.
        """
        if self.answer is None:
            return None
        plain = rows[self.answer] if self.answer in rows.columns else None
        if self.steps is None or any(not {one.name, *one.known_as} & set(rows.columns) for one in self.steps.inputs):
            return None if plain is None else self._read(plain, self.notes)
        table, why = self.steps.passed(rows)
        found = self._read(table[self.answer], self.notes)
        gone = why.is_not_null()
        told, given = found.told, found.given
        if plain is not None and self.form.task.says == "label":  # what is a label already stays one
            same = self._read(plain, ())
            told, given = told.zip_with(told.is_not_null(), same.told), given | same.given
        notes = list(self.notes)
        if gone.any():
            left = things(int(gone.sum()), "label is such as training left out", "labels are such as training left out")
            notes.append(f"{left}, and not compared")
        nothing = told.clear(len(told))
        return Truth(nothing.zip_with(gone, told), given & ~gone, tuple(notes))

    def of_file(self, path: Path, ids: pl.Series) -> Truth:
        """What a file says is right of the rows of a window.

        Args:
            path: JSON lines or CSV with `row`, and `answer` (as the model says it) or the columns of the source that
                say it; or decisions of a review. The last word on a row counts.
            ids: Names of the window's rows.

        Raises:
            RecipeError: There is no such file.
            DataError: It cannot be read, or does not say which rows or answers it means.
            ModelError: A step failed.
        """
        # Processes that label files import this module, and know no recipes.
        from seedbed.flow.judging.people_file import read_lines, read_records

        if not path.is_file():
            near = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
            raise RecipeError("there is no such file", at=f"--labels {path}", hint=did_you_mean(path.name, near))
        records = [one for _, one in read_records(path)]
        notes: list[str] = []
        if any("action" in one for one in records):
            notes.append(_REVIEWED)
            lines = read_lines(path, self.form.task)
            rows, said = [one.row for one in lines], self._read(_series([one.answer for one in lines]), ())
        else:
            rows = [None if one.get("row") in (None, "") else str(one["row"]) for one in records]
            said = self._said(records, path)
        there = {row: place for place, row in enumerate(rows) if row is not None}
        if nameless := sum(row is None for row in rows):
            notes.insert(0, f"{things(nameless, 'label names', 'labels name')} no row by its id")
        if gone := len(there.keys() - set(ids.to_list())):
            notes.insert(0, f"{things(gone, 'label is', 'labels are')} of rows that are not in the window")
        places = pl.Series([there.get(row) for row in ids.to_list()], dtype=pl.UInt32)
        given = said.given.gather(places).fill_null(False)
        return Truth(said.told.gather(places), given, (*notes, *said.notes))

    def _said(self, records: Sequence[Mapping[str, Any]], path: Path) -> Truth:
        """What each line says is right."""
        if records and not any("row" in one for one in records):
            raise DataError("labels do not say which row they are about", at=str(path), hint="`row` holds the row's id")
        if any("answer" in one for one in records) or not records:
            return self._read(_series([one.get("answer") for one in records]), ())
        names = dict.fromkeys(name for one in records for name in one)
        found = self.of_source(pl.DataFrame({name: _series([one.get(name) for one in records]) for name in names}))
        if found is None:
            inputs = [one.name for one in self.steps.inputs] if self.steps else [self.answer] if self.answer else []
            hint = f"call it `answer`{f', or give {inputs[0]!r} as the source does' if inputs else ''}"
            raise DataError("no column of these labels says what is right", at=str(path), hint=hint)
        return found

    def _read(self, values: pl.Series, notes: tuple[str, ...]) -> Truth:
        """Values as the form has them in files of predictions."""
        task, says = self.form.task, self.form.task.says
        given = values.is_not_null()
        if values.dtype == pl.String and says not in _EMPTY:
            given &= (values.str.strip_chars() != "").fill_null(False)
        match says:
            case "label":
                told = values.cast(pl.String, strict=False)
                told = told.set(~told.is_in(list(self.form.labels)).fill_null(False), None)
            case "number":
                told = numeric(values)
            case "labels":
                assert isinstance(task, MultiLabelClassification)
                texts = pl.Series(task.text, ["."]).new_from_index(0, len(values))  # who has none is not asked here
                frame = pl.DataFrame([texts, values.alias(task.label)])
                told = frame.select(task.work().struct.field("columns").struct.field(task.label)).to_series()
            case "spans":
                told = pl.Series([_spans(one) for one in values.to_list()], dtype=_KINDS[says])
            case _:
                told = as_text(values)
        return Truth(told.cast(_KINDS[says]).alias("truth"), given, notes)


def _spans(value: Any) -> list[dict[str, Any]] | None:
    """Texts that answer a question; none where they cannot be read."""
    if value is None:
        return None
    try:
        return [{"text": text, "start": start} for text, start in told_answers(value)]
    except Unreadable:
        return None


def _series(values: Sequence[Any]) -> pl.Series:
    """Values of JSON as a column: as they are where they are of one kind, lists and objects as JSON."""
    kinds = {type(one) for one in values} - {type(None)}
    if kinds <= {int, float} or kinds <= {bool}:
        return pl.Series("answer", values, strict=False)
    texts = [one if one is None or isinstance(one, str) else orjson.dumps(one).decode() for one in values]
    return pl.Series("answer", texts, dtype=pl.String)
