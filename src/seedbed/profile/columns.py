"""What a column holds, told from its values alone: texts, categories, numbers, dates, ids."""

from __future__ import annotations

from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.detecting.units import units_in
from seedbed.core.ledger import excerpt_of

Looks = Literal[
    "text", "category", "boolean", "number", "amount", "date", "id", "constant", "empty", "nested"
]  # fmt: skip

#: A category has at most so many values.
MOST_VALUES = 1_000
#: A category's values are short, and most of them come up several times.
_LONGEST_VALUE = 60
_FEWEST_REPEATS = 5
#: Share of the values that must be of a kind; the others are slips.
_NEARLY_ALL = 0.98
#: Share that must be dates, or numbers with a unit: what is none among these is told.
_MOSTLY = 0.8
#: Share that must have a unit where the others are bare numbers.
_WITH_UNIT = 0.05

_NUMBER = r"^[+\-−]?(?:\d+|\d{1,3}(?:[ ,.'\u00a0]\d{3})+)?(?:[.,]\d+)?(?:[eE][+-]?\d+)?\s?%?$"
_WHOLE = r"^[+\-−]?\d{1,18}(?:\.0+)?$"
_DATES = (
    r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ]\d.*)?$",
    r"^\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})(?:[T ,].*)?$",
    r"^(?:[A-Za-z]{3},? )?(?:\d{1,2} [A-Za-z]{3,9},?|[A-Za-z]{3,9} \d{1,2},?) (?:\d{4}|\d{1,2}:\d{2}).*$",
    r"^\d{1,2}:\d{2}(?::\d{2})?(?: ?[AaPp][Mm])?$",
)
#: What a date, or a time of day, that is written as text looks like.
DATE = "|".join(f"(?:{pattern})" for pattern in _DATES)
_JSON = r"^\s*(?:\[.*\]|\{.*\})\s*$"
_POINTER = (
    r"^(?:(?:https?|ftp|file)://\S+|www\.\S+|[\w.+%-]+@[\w-]+(?:\.[\w-]+)+|(?:[A-Za-z]:)?[\w.-]*(?:[/\\][\w.-]+)+)$"
)
_TRUTH = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"})


class ColumnProfile(BaseModel):
    """One column in numbers, and what it looks like."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: str = Field(description="The type that the source gives it.")
    looks: Looks = Field(description="What its values are, told from the values alone.")
    rows: int
    missing: int = Field(description="Rows without a value; blank texts count.")
    unique: int = Field(description="Different values.")
    whole: bool = Field(False, description="Whether its numbers are whole.")
    pointers: bool = Field(False, description="Whether its values are addresses: web, mail or file.")
    characters: float = Field(0, description="Mean length of a value.")
    words: float = Field(0, description="Mean number of words of a value.")
    longest: int = Field(0, description="Characters of the longest value.")
    examples: tuple[str, ...] = Field((), description="Some values, short and with personal data masked.")
    frequent: int = Field(0, exclude=True, description="Rows with the most frequent value.")
    values: dict[str, int] = Field(
        default_factory=dict, exclude=True, description="Rows by value, the most frequent first, where values repeat."
    )

    @property
    def filled(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing

    @property
    def distinct(self) -> float:
        """Different values per value: 1 where none comes twice."""
        return self.unique / self.filled if self.filled else 0.0


def column_profile(column: pl.Series, *, shown: bool = True) -> ColumnProfile:
    """Look at a column.

    Args:
        column: The values, of any type.
        shown: Whether some of its values are to be shown.
    """
    told = {"name": column.name, "type": str(column.dtype), "rows": column.len()}
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        return ColumnProfile(**told, looks="nested", missing=column.null_count(), unique=0)
    column = column.alias("v")  # to Polars some names mean several columns
    texts = column.cast(pl.String)
    filled = texts.filter(texts.str.strip_chars().str.len_bytes() > 0)
    if column.dtype.is_float():
        filled = filled.filter(filled != "NaN")
    counts = filled.value_counts(sort=True, name="n")
    measured = pl.DataFrame({"v": filled}).select(
        characters=pl.col("v").str.len_chars().mean(),
        words=pl.col("v").str.count_matches(r"\S+").mean(),
        longest=pl.col("v").str.len_chars().max(),
    )
    numbers = {name: value or 0 for name, value in measured.row(0, named=True).items()}
    examples: list[str] = []
    if shown:
        examples = counts.head(3).select(excerpt_of(pl.nth(0).cast(pl.String)).str.slice(0, 60)).to_series().to_list()
    profile = ColumnProfile(
        **told,
        **numbers,
        looks="empty",
        missing=column.len() - filled.len(),
        unique=counts.height,
        frequent=int(counts["n"][0]) if counts.height else 0,
        whole=_share(filled, _WHOLE) == 1 if filled.len() else False,
        pointers=_share(filled.head(1_000), _POINTER) > 0.5,
        examples=tuple(examples),
    )
    looks = _looks(column, filled.str.strip_chars(), profile)
    repeats = counts.height <= MOST_VALUES and looks not in ("text", "id")
    values = {str(value): int(n) for value, n in counts.iter_rows()} if repeats else {}
    return profile.model_copy(update={"looks": looks, "values": values})


def _share(values: pl.Series, pattern: str) -> float:
    return float(values.str.contains(pattern).sum()) / values.len() if values.len() else 0.0


def _has_units(values: pl.Series) -> bool:
    """Whether they are numbers, and some of them have a unit."""
    if _share(values, r"^\W?\d") < _MOSTLY:
        return False
    named = 1 - units_in(values).null_count() / values.len()
    return named >= _WITH_UNIT and named + _share(values, _NUMBER) >= _MOSTLY


def _looks(column: pl.Series, filled: pl.Series, told: ColumnProfile) -> Looks:  # noqa: PLR0911 (a list of cases)
    if not told.filled:
        return "empty"
    if told.unique == 1:
        return "constant"
    if column.dtype == pl.Boolean or set(filled.str.to_lowercase().unique().head(3)) in _TRUTH:
        return "boolean"
    if column.dtype.is_numeric() or _share(filled, _NUMBER) >= _NEARLY_ALL:
        return "id" if told.whole and told.distinct == 1 and told.filled > 20 else "number"
    if column.dtype.is_temporal() or _share(filled, DATE) >= _MOSTLY:
        return "date"
    if _has_units(filled.head(1_000)):
        return "amount"
    if _share(filled.head(1_000), _JSON) >= _NEARLY_ALL:
        return "nested"
    one_word = 1 - _share(filled, r"\s") >= _NEARLY_ALL
    if one_word and told.distinct >= _NEARLY_ALL and told.filled > 5 and _share(filled, r"[0-9]") > 0.8:
        return "id"
    few = told.unique <= max(told.filled / _FEWEST_REPEATS, min(20, told.filled / 2))
    if few and told.unique <= MOST_VALUES and told.characters <= _LONGEST_VALUE:
        return "category"
    return "text"
