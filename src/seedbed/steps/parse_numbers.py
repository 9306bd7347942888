"""parse_numbers: read numbers as people write them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import AfterValidator, Field

from seedbed.core.part import Column, Columns, Example
from seedbed.core.step import Rework

from .values.kinds import DTYPES, NOT_ONE, read_as
from .values.worked import UNREAD, worked

_SIGN = r"[+\-\u2212]"
_SPACES = r"\s\u00a0\u202f\u2009"
#: Digits in groups of three, or as India groups them, between which always the same mark stands.
_GROUPS = r"\d{{1,3}}(?:{0}\d{{2}})*{0}\d{{3}}|\d{{1,3}}(?:{0}\d{{3}})+"
_MARKS = {".": (",", "['\u2019]", f"[{_SPACES}]"), ",": (r"\.", "['\u2019]", f"[{_SPACES}]")}


def _a_word(word: str) -> str:
    if not word.strip() or any(one.isdigit() for one in word) or set(word) & set("+-\u2212.,()"):
        raise ValueError(f"{word!r} must be a sign or a word without digits, points, commas and brackets")
    return word.strip()


class ParseNumbers(Rework):
    """Reads numbers as people write them: `1,234.50`, `$99`, `1.234,50 €`, `12 %`, `(300)`.

    Digits may stand in groups between which there is a comma (a point with `decimal: ","`), an apostrophe or a space:
    of three, or as India groups them (`12,34,567`). What may stand before or after the number is named in `around`;
    anything else makes a value none (`not_a_number`), so that dollars are not taken for euros in silence. A number in
    brackets is negative, as book-keepers write it.

    ## Why
    Prices come as `$1,234`. Whoever strips what is no digit turns `1.234,50 €` into 1.2345, `3-5` into 35 and
    `12 USD` beside `12 EUR` into the same amount.

    ## Limits
    `1,234` is 1234 with the decimal `.` and 1.234 with `,`; which one a column means has to be said. Groups that are
    none (`1,23`) are no number. A percent sign that is named in `around` is dropped: 12 % is 12. Words in `around`
    count as they are written, upper and lower case. Nothing is converted: amounts in two currencies need a column
    that says which, and units `convert_units`. Missing and blank values stay missing.
    """

    use: Literal["parse_numbers"] = "parse_numbers"
    column: Column | Columns = Field(description="Column to read, or several.")
    decimal: Literal[".", ","] = Field(".", description="What stands before the decimals.")
    around: tuple[Annotated[str, AfterValidator(_a_word)], ...] = Field(
        (), description="Signs and words that may stand before or after a number, such as `$`, `USD` or `%`."
    )
    on_error: Literal["reject", "missing"] = Field(
        "reject", description="What becomes of a row with a value that is no number: it goes, or the value does."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Prices, and what is none",
            options={"column": "price", "around": ["$", "USD"]},
            before={"price": ["$1,234.50", "99 USD", "(300)", "-$5", "1,23", "9 EUR", "3-5", " ", None]},
            after={"price": [1234.5, 99.0, -300.0, -5.0, None, None]},
        ),
        Example(
            title="As in Germany and in Switzerland",
            options={"column": "price", "decimal": ",", "around": ["€", "%"]},
            before={"price": ["1.234,50 €", "1'000", "12,5 %", "2 500", "1.5"]},
            after={"price": [1234.5, 1000.0, 12.5, 2500.0]},
        ),
    )
    told: ClassVar[tuple[str, ...]] = ("column", "value")
    stands: ClassVar[str] = UNREAD

    def work(self) -> pl.Expr:
        """The values as numbers, and the first of a row that is none."""
        names, read = self.written(), partial(read_written, decimal=self.decimal, around=self.around)
        dtype = DTYPES["number"]
        return worked(dict.fromkeys(names, read), dict.fromkeys(names, dtype), reject=self.on_error == "reject")

    def written(self) -> Sequence[str]:
        """The same columns."""
        return [self.column] if isinstance(self.column, str) else list(dict.fromkeys(self.column))


def read_written(values: pl.Series, *, decimal: str, around: Sequence[str]) -> tuple[pl.Series, pl.Series]:
    """Values as numbers, and why each is none (null where it is one, or is missing)."""
    if values.dtype in (pl.Categorical, pl.Enum):
        values = values.cast(pl.String)
    known, wrong = read_as("number", values)
    if values.dtype == pl.String:
        missing = known.is_null() & ~wrong
        known, _ = read_as("number", _plain(values, decimal, around))
        wrong = known.is_null() & ~missing
    return known.alias(values.name), pl.Series([NOT_ONE["number"]]).new_from_index(0, wrong.len()).set(~wrong, None)


def _plain(values: pl.Series, decimal: str, around: Sequence[str]) -> pl.Series:
    """Numbers with a point and without groups; null where there is none."""
    words = "|".join(pl.escape_regex(word) for word in sorted(around, key=len, reverse=True))
    beside = f"(?:{words})?" if words else ""
    gap, point = f"[{_SPACES}]*", r"\." if decimal == "." else ","
    digits = "|".join([r"\d+", *(_GROUPS.format(mark) for mark in _MARKS[decimal])])
    sign = f"({_SIGN}?)"
    number = rf"((?:{digits})?)((?:{point}\d*)?(?:[eE]{_SIGN}?\d+)?)"
    whole = f"^{gap}(\\(?){gap}{sign}{gap}{beside}{gap}{sign}{number}{gap}{beside}{gap}(\\)?){gap}$"
    found = values.str.extract_groups(whole).struct.rename_fields(["open", "sign", "second", "whole", "rest", "close"])
    table = found.struct.unnest()
    one = pl.concat_str("sign", "second").str.replace("\u2212", "-", literal=True)
    bare = pl.col("whole").str.replace_all(r"\D", "") + pl.col("rest").str.replace(",", ".", literal=True).str.replace(
        "\u2212", "-", literal=True
    )
    sign_of = pl.when(pl.col("open") == "(").then(pl.lit("-")).otherwise(one)
    fits = (
        pl.col("whole").is_not_null()
        & ((pl.col("open") == "(") == (pl.col("close") == ")"))
        & (one.str.len_chars() <= pl.when(pl.col("open") == "(").then(0).otherwise(1))
    )
    return table.select(pl.when(fits).then(sign_of + bare).alias(values.name)).to_series()
