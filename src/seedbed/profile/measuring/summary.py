"""A column in a line."""

from __future__ import annotations

from seedbed.core.numbers import amount, count, percent, short
from seedbed.core.profile import ColumnFacts, Measured, Spread

_SHOWN = 3
#: Numbers from which on a rank is told without what follows the point.
_LARGE = 10


def line_of(one: ColumnFacts) -> str:
    """What a column's values are like; empty where that would say nothing."""
    if one.numbers and one.numbers.spread:
        spread = one.numbers.spread
        return f"{number(spread.low)} to {number(spread.high)}, median {number(spread.median)}"
    if one.text and one.text.characters:
        characters, words = one.text.characters, one.text.words
        items = f"{_items(one.nested.lengths)}; " if one.nested and one.nested.lengths else ""
        ends = f"{count(characters.low)} to {count(characters.high)}"
        return f"{items}{ends} characters, median {count(characters.median)}" + (
            f" ({count(words.median)} {'word' if words.median == 1 else 'words'})" if words else ""
        )
    if one.dates and one.dates.first:
        return f"{one.dates.first} to {one.dates.last}"
    if one.nested and one.nested.lengths:
        return _items(one.nested.lengths)
    return ", ".join(f"{what} {percent(rows, one.filled)}" for what, rows in _shares(one))


def _items(lengths: Spread) -> str:
    return f"{count(lengths.low)} to {count(lengths.high)} items, median {count(lengths.median)}"


def line_of_measure(one: Measured, rows: int) -> str:
    """What the task asks of rows, in a line; empty where no row has it."""
    if one.spread is None:
        return ""
    spread, none = one.spread, f"; 0 in {percent(one.zeros, rows)} of the rows" if one.zeros else ""
    if spread.low == spread.high:
        return f"{number(spread.low)} in each row"
    return (
        f"{number(spread.low)} to {number(spread.high)}, median {number(spread.median)}, "
        f"5 % above {number(round(spread.at(0.95)) if spread.at(0.95) >= _LARGE else spread.at(0.95))}{none}"
    )


def _shares(one: ColumnFacts) -> list[tuple[str, int]]:
    """What stands in how many rows: units of amounts, the most frequent values of categories."""
    if one.amounts:
        return [*one.amounts.units.items(), *([("no unit", one.amounts.bare)] if one.amounts.bare else [])]
    if one.kind not in ("category", "boolean"):
        return []
    return [(short(value.value, 24), value.rows) for value in one.values.top[:_SHOWN]]


def number(value: float) -> str:
    """A number of unknown size, short."""
    if value == int(value) and abs(value) < 1e12:
        return count(value)
    return amount(value)
