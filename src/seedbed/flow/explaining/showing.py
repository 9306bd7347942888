"""Values of a row as excerpts: short, with what could be personal masked, and plain numbers left as they are."""

from __future__ import annotations

import datetime
import json
import unicodedata
from collections.abc import Iterator
from typing import Any

import polars as pl

from seedbed.core.ledger import EXCERPT_LENGTH, SEVEN_FIGURES, mask, masked
from seedbed.core.rows import data_columns

from .story import Change

#: Characters shown before the first difference of two long texts.
_BEFORE = 60
#: Numbers that are shown of a list of more.
_NUMBERS = 8


def values_of(row: pl.DataFrame) -> dict[str, Any]:
    """The own columns of one row."""
    return row.select(data_columns(row)).row(0, named=True)


def excerpts(row: pl.DataFrame) -> dict[str, str | None]:
    """The values of one row, fit to be shown."""
    return {name: shown(value) for name, value in values_of(row).items()}


def shown(value: Any) -> str | None:
    """A value as text, fit to be shown: at most 200 characters, personal data masked.

    A number is shown as it is, wherever it stands, unless it has seven figures or more before the point: those could be
    a telephone number. Of many numbers in a list those are shown that are not 0.
    """
    if value is None or isinstance(value, bool):
        return None if value is None else str(value).lower()
    if isinstance(value, int | float):
        told = json.dumps(value)
        return mask(told) if abs(value) >= SEVEN_FIGURES else told
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
        return str(value)
    if _is_of_numbers(value):
        return _numbers(list(value))
    return mask(_text(value) or "")


def _is_of_numbers(value: Any) -> bool:
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in value)


def _numbers(values: list[float]) -> str:
    """Numbers of a list: all of few; of many how many there are, and the first that are not 0."""
    if len(values) <= _NUMBERS:
        return f"[{', '.join(shown(one) or '' for one in values)}]"
    others = [one for one in values if one]
    first = ", ".join(f"{one:.4g}" if abs(one) < SEVEN_FIGURES else shown(one) or "" for one in others[:_NUMBERS])
    more = ", …" if len(others) > _NUMBERS else ""
    return f"{len(values):,} numbers, {len(others):,} of them not 0{': ' if others else ''}{first}{more}"


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def differences(part: str, before: pl.DataFrame, after: pl.DataFrame) -> Iterator[Change]:
    """What a part did to a row, column by column."""
    old, new = values_of(before), values_of(after)
    for column, value in new.items():
        if column not in old:
            yield Change(part=part, column=column, before=None, after=shown(value), note="a new column")
        elif not same(old[column], value):
            one, other, note = side_by_side(old[column], value)
            yield Change(part=part, column=column, before=one, after=other, note=note)


def same(one: Any, other: Any) -> bool:
    """Whether two values are of one type and equal, NaN to NaN too."""
    return type(one) is type(other) and (one == other or (one != one and other != other))  # noqa: PLR0124 (NaN)


def side_by_side(before: Any, after: Any) -> tuple[str | None, str | None, str]:
    """Two values as excerpts that show where they first differ, and a note where they cannot."""
    if not isinstance(before, str) or not isinstance(after, str):
        one, other = shown(before), shown(after)
        if one != other:
            return one, other, ""
        return one, other, "only in its type" if type(before) is not type(after) else "only in what is not shown here"
    one, other = (str(pl.select(masked(pl.lit(text))).item()) for text in (before, after))
    if one == other:
        unseen = _visible(before) == _visible(after)
        note = "white space or invisible characters only" if unseen else "only in what is not shown here"
        return shown(before), shown(after), note
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    start = max(start - _BEFORE, 0) if start > _BEFORE and max(len(one), len(other)) > EXCERPT_LENGTH else 0
    return _window(one, start), _window(other, start), ""


def _window(text: str, start: int) -> str:
    end = start + EXCERPT_LENGTH - 2
    return ("…" if start else "") + text[start:end] + ("…" if len(text) > end else "")


def _visible(text: str) -> str:
    return "".join(sign for sign in text if unicodedata.category(sign)[0] not in "ZC")
