"""What the records of one delimited file have in common, so that a line can be told to be one of them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .records import Record

#: Records of the start of a file that are looked at.
_SAMPLE = 2000
#: Values of a column that names a kind; more are no closed set.
_MOST_KINDS = 20
_LONGEST_KIND = 40
_FEWEST = 5
#: A longer name of a column is a text, more likely.
_LONGEST_NAME = 80
_ENOUGH = 0.95
#: Of the steps of a counter; what a quote swallowed is missing from it.
_STEADY = 0.8
_NUMBER = re.compile(rb"\s*[-+]?\d+([.,]\d+)*([eE][-+]?\d+)?\s*")


@dataclass(frozen=True)
class Column:
    """What tells a column's values from others: they are numbers, or of a few kinds. Neither tells nothing."""

    number: bool = False
    kinds: tuple[str, ...] = ()

    @property
    def telling(self) -> bool:
        """Whether a value can be told not to belong here."""
        return self.number or bool(self.kinds)

    def takes(self, value: bytes) -> bool:
        """Whether a value may stand here; one that is missing may."""
        if not value or not self.telling:
            return True
        return bool(_NUMBER.fullmatch(value)) if self.number else value.decode("latin-1") in self.kinds


@dataclass(frozen=True)
class Shape:
    """What the records of a file have in common; plain data.

    Attributes:
        columns: What is known of each column.
        counter: Place of a column that counts the records up by one.
        index: Whether the first column is such a counter without a name, as pandas writes one.
    """

    columns: tuple[Column, ...]
    counter: int | None = None
    index: bool = False

    @property
    def width(self) -> int:
        """Fields of a record."""
        return len(self.columns)

    @property
    def telling(self) -> bool:
        """Whether a line with the right number of fields can be told to be no record."""
        return any(column.telling for column in self.columns)

    def takes(self, fields: Sequence[bytes] | None) -> bool:
        """Whether fields are those of a record of this file, and a column tells that they are."""
        return fields is not None and len(fields) == self.width and self._fit(fields)

    def begins(self, fields: Sequence[bytes] | None) -> bool:
        """Whether fields are at least those of a record, and a column before the last tells that they are."""
        return fields is not None and len(fields) >= self.width and self._fit(fields[: self.width - 1])

    def count(self, fields: Sequence[bytes]) -> int | None:
        """What the counter says in a record."""
        place = self.counter
        if place is None or place >= len(fields) - 1 or not fields[place].isdigit():
            return None
        return int(fields[place])

    def _fit(self, fields: Sequence[bytes]) -> bool:
        pairs = list(zip(self.columns, fields, strict=False))
        tells = any(column.telling and value for column, value in pairs)
        return tells and all(column.takes(value) for column, value in pairs)


def shape_of(records: Sequence[Record], names: Sequence[str]) -> Shape:
    """The shape of the first records of a file.

    Args:
        records: They, without the header.
        names: What the header calls the columns; empty where it leaves a name out or is missing.
    """
    width = len(names)
    rows = [record.fields for record in records[:_SAMPLE] if record.fields and len(record.fields) == width]
    by_column: list[list[bytes]] = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
    counter = next((place for place, values in enumerate(by_column) if _counts(values)), None)
    return Shape(tuple(_column(values) for values in by_column), counter, counter == 0 and not names[0].strip())


def _column(values: Sequence[bytes]) -> Column:
    given = [value for value in values if value]
    if len(given) < _FEWEST:
        return Column()
    kinds = set(given)
    # A column of one value, or of hardly any repeated, is no set that another value could be missing from.
    if 2 <= len(kinds) <= min(_MOST_KINDS, len(given) // 5) and max(map(len, kinds)) <= _LONGEST_KIND:
        return Column(kinds=tuple(sorted(kind.decode("latin-1") for kind in kinds)))
    return Column(number=sum(bool(_NUMBER.fullmatch(value)) for value in given) >= _ENOUGH * len(given))


def _counts(values: Sequence[bytes]) -> bool:
    """Whether values are whole numbers, each one more than the one before, but for a few."""
    if len(values) < _FEWEST or not all(value.isdigit() and len(value) < 19 for value in values):
        return False
    steps = [int(b) - int(a) == 1 for a, b in itertools.pairwise(values)]
    return sum(steps) >= _STEADY * len(steps)


def header_is_a_row(header: Sequence[bytes], shape: Shape) -> str:
    """Why the first line of a file seems to be a row, in words; empty where it may well name the columns.

    Numbers that count up, or that are years, are taken for names: tables are written so.
    """
    kinds = [v for v, column in zip(header, shape.columns, strict=True) if v.decode("latin-1") in column.kinds]
    if kinds:
        return f"{kinds[0].decode('latin-1')!r} is a value of its column"
    numbers = [value for value in header if _NUMBER.fullmatch(value)]
    whole = [int(value) for value in numbers if value.isdigit() and len(value) < 19]
    up = len(numbers) > 1 and [value - whole[0] for value in whole] == list(range(len(numbers)))
    if numbers and not up and not (len(whole) == len(numbers) and all(1800 <= value <= 2200 for value in whole)):
        return f"{numbers[0].decode('latin-1').strip()!r} is a number"
    long = next((value for value in header if len(value) > _LONGEST_NAME), b"")
    return f"it holds a text of {len(long)} characters" if long else ""
