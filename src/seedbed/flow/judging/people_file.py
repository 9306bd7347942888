"""What people answered to rows of a dataset, from a file that somebody else made, or from decisions of a review.

A line (JSON lines) or a row (CSV) names the row by `row` (its id) or by the text that the model reads, says `answer`,
and may say `who`. A file of `seedbed review` is read for the labels that people accepted or gave.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from seedbed.core.decision import Decision, standing_of
from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.numbers import things
from seedbed.core.rows import ROW
from seedbed.core.task import MultiLabelClassification, Task, rows_said
from seedbed.evaluate.forms import Form, LabelSets, Number, OneLabel
from seedbed.evaluate.people import Said

from .judge import Rows

#: Bytes that a file of answers has at most.
MOST_BYTES = 256 << 20
_WHO = "somebody"
#: A number that is larger is a slip: what is averaged here is its square.
_LARGEST = 1e100


@dataclass(frozen=True)
class Line:
    """What somebody answered to a row, as the file says it."""

    who: str
    row: str | None
    text: str | None
    answer: Any
    reviewed: bool = False
    """Whether it is a decision of a review."""


def refuse_missing(path: Path) -> None:
    """Say now that a file is not there, and not after hours.

    Raises:
        RecipeError: It is not.
    """
    if not path.is_file():
        near = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
        raise RecipeError(f"there is no file {str(path)!r}", at="evaluate.people", hint=did_you_mean(path.name, near))


def read_lines(path: Path, task: Task) -> list[Line]:
    """The answers in a file, in its order.

    Raises:
        DataError: It cannot be read, or does not say which rows or answers it means; with the line.
    """
    records = read_records(path)
    if any("action" in one for _, one in records):
        return _decided(records)
    return [_line(one, task, at) for at, one in records]


def read_records(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Where each line of a file of answers stands, and what it holds, by name.

    Raises:
        DataError: It cannot be read.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(
                f"the file has more than {MOST_BYTES >> 20} MB", at=str(path), hint="keep what was answered"
            )
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"people's answers cannot be read ({type(error).__name__})", at=str(path)) from None
    return list(_records(path, text))


def _records(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if path.suffix.lower() == ".csv":
        yield from _of_csv(path, text)
        return
    for place, line in enumerate(text.split("\n"), 1):  # other ends of lines may stand in a text
        if not line.strip():
            continue
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise DataError("this line is no JSON object", at=f"{path}:{place}", hint="write one object a line")
        yield f"{path}:{place}", found


def _of_csv(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of a CSV whose first line names the columns; an empty cell is null. A row's place is its last line."""
    before = csv.field_size_limit(MOST_BYTES)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if not header:
            raise DataError("this is no CSV: it has no first line that names columns", at=str(path))
        for cells in reader:
            at = f"{path}:{reader.line_num}"
            if len(cells) > len(header):
                raise DataError(
                    f"this row has {things(len(cells), 'cell')}, and the header {len(header):,}",
                    at=at,
                    hint="a cell that holds a comma or a line break stands in double quotes",
                )
            if cells:
                yield at, {name: cell or None for name, cell in zip_longest(header, cells)}
    except csv.Error as error:
        raise DataError(f"this is no CSV ({str(error)[:100]})", at=f"{path}:{reader.line_num}") from None
    finally:
        csv.field_size_limit(before)


def _decided(records: Sequence[tuple[str, dict[str, Any]]]) -> list[Line]:
    """Each reviewer's last word on each row, where it is a label."""
    decisions = []
    for at, one in records:
        try:
            decisions.append(Decision.model_validate(one))
        except ValueError:
            raise DataError("this decision of a review cannot be read", at=at) from None
    standing = standing_of(decisions)
    return [
        Line(one.who, row, None, one.verdict[1], reviewed=True)
        for row in standing.rows()
        for one in standing.words_on(row)
        if one.verdict[0] == "label"
    ]


def _line(record: dict[str, Any], task: Task, at: str) -> Line:
    answer = next((record[name] for name in ("answer", task.answer) if name and name in record), None)
    row, text = record.get("row"), next((record[n] for n in (task.shown, "text") if n and n in record), None)
    if answer is None and not any(name in record for name in ("answer", task.answer)):
        hint = f"call it `answer`{f' or {task.answer!r}' if task.answer else ''}"
        raise DataError("people's answers have no column that says the answer", at=at, hint=hint)
    if row is None and text is None:
        hint = f"`row` holds the row's id, or {task.shown or 'text'!r} what it says"
        raise DataError("this answer of a person does not say which row it is about", at=at, hint=hint)
    who = record.get("who")
    told = None if text is None else str(text)
    return Line(str(who) if who not in (None, "") else _WHO, None if row is None else str(row), told, answer)


@dataclass(frozen=True)
class Matched:
    """What people said of the rows of one split."""

    said: list[Said]
    notes: list[str]


def matched(lines: Sequence[Line], rows: Rows, task: Task, form: Form) -> Matched:
    """The answers that are about rows of a split, as the form of its answers holds them.

    Args:
        lines: As the file has them.
        rows: The split's.
        task: Says what rows say.
        form: How answers are held.
    """
    ids = {row: place for place, row in enumerate(rows.frame[ROW].to_list())}
    texts = [None if one is None else one.strip() for one in rows_said(task, task.as_asked(rows.frame)).to_list()]
    counted = Counter(texts)
    by_text = {text: place for place, text in reversed(list(enumerate(texts))) if text and counted[text] == 1}
    read = _Reader(form, task)
    said, unknown, twice = [], 0, 0
    for line in lines:
        place = ids.get(line.row) if line.row is not None else by_text.get((line.text or "").strip())
        if place is None:
            twice += line.row is None and counted[(line.text or "").strip()] > 1
            continue
        answer = read(line.answer)
        if answer is None:
            unknown += 1
        else:
            said.append(Said(line.who, place, answer if answer is not _NO_ANSWER else None))
    notes = []
    if said and any(line.reviewed for line in lines):
        notes.append("these are decisions of a review: where `apply_review` heeds them, they are judged by themselves")
    if unknown:
        notes.append(f"{things(unknown, 'answer')} on {rows.name} rows are none that the task knows")
    if twice:
        notes.append(f"{things(twice, 'answer')} name a text that several {rows.name} rows have")
    return Matched(said, notes)


_NO_ANSWER = object()


class _Reader:
    """Reads an answer of a person as the form holds it; none where it is none that the task knows."""

    def __init__(self, form: Form, task: Task) -> None:
        self.form = form
        self.separator = task.separator if isinstance(task, MultiLabelClassification) else None
        self.codes = {label: code for code, label in enumerate(form.labels)}
        loose = Counter(label.strip().casefold() for label in form.labels)
        self.loose = {
            label.strip().casefold(): code for label, code in self.codes.items() if loose[label.strip().casefold()] == 1
        }

    def __call__(self, answer: Any) -> Any:
        if isinstance(self.form, OneLabel):
            return self._code(answer)
        if isinstance(self.form, LabelSets):
            return self._set(answer)
        if isinstance(self.form, Number):
            return _number(answer)
        return _NO_ANSWER if answer in (None, "") else str(answer)

    def _code(self, label: Any) -> int | None:
        if label is None:
            return None
        found = self.codes.get(str(label))
        return self.loose.get(str(label).strip().casefold()) if found is None else found

    def _parted(self, answer: str) -> list[str]:
        if self._code(answer) is not None:  # a label may hold what stands between others
            return [answer]
        between = self.separator if self.separator and self.separator in answer else "|"
        return [one for one in answer.split(between) if one.strip()]

    def _set(self, answer: Any) -> Any:
        """Which labels are given: a list, one in JSON, or names with the task's separator (or `|`) between them."""
        if isinstance(answer, str):
            try:
                answer = orjson.loads(answer) if answer.lstrip().startswith("[") else self._parted(answer)
            except orjson.JSONDecodeError:
                return None
        codes = [self._code(one) for one in answer or ()] if isinstance(answer, list) or answer is None else [None]
        if None in codes:
            return None
        given = np.zeros(len(self.codes), dtype=bool)
        given[[code for code in codes if code is not None]] = True
        return given


def _number(answer: Any) -> float | None:
    try:
        found = float(answer)
    except (TypeError, ValueError):
        return None
    return found if abs(found) < _LARGEST else None
