"""What happened to every row: the ledger's columns, and the books that must balance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from .errors import BooksError
from .rows import NUMBER, ROW

#: The ledger of a run. `evidence` is a JSON object; `excerpt` has at most 200 characters with personal data masked.
LEDGER_SCHEMA: dict[str, pl.DataType] = {
    ROW: pl.String(),
    "action": pl.String(),
    "part": pl.String(),
    "reason": pl.String(),
    "evidence": pl.String(),
    "excerpt": pl.String(),
    "source": pl.String(),
}
#: The ledger as passes write it into the store: sortable, and with the rejected row whole, as JSON.
STORED_LEDGER_SCHEMA: dict[str, pl.DataType] = {NUMBER: pl.UInt64(), **LEDGER_SCHEMA, "record": pl.String()}

EXCERPT_LENGTH = 200
#: A number of so many figures before the point could be a telephone number; a smaller one is shown as it is.
SEVEN_FIGURES = 1_000_000

_MASKS = (
    (r"://[^\s/@:]+:[^\s/@]+@", "://[password]@"),
    (r"\w[\w.+'%&-]*@[\w-]+(?:\.[\w-]+)+", "[e-mail]"),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}\b", "[ip]"),
    (r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b", "[iban]"),
    # Numbers that hold letters: IPv6, the codice fiscale, the national insurance number, the DNI and the NIE.
    (r"(?i)\b(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}\b", "[ip]"),
    (r"(?i)\b[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,5}::[0-9a-f:]*\d[0-9a-f:]*", "[ip]"),
    (r"(?i)\b[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]\b", "[number]"),
    (r"\b[A-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D]\b|\b[XYZ]?[ -]?\d{7,8}[ -]?[A-Z]\b", "[number]"),
    (r"\+?\d(?:[ ()./-]{0,2}\d){6,18}", "[number]"),
)
# What is nothing but a decimal number is a measurement, unless it is dotted as telephone numbers are.
_DECIMAL = r"^\s*[-+]?(?:0|[1-9]\d{0,5})\.\d+(?:[eE][-+]?\d+)?\s*$"
_DOTTED = r"^\s*[-+]?\d{3}\.(?:\d{4}|\d{7})\s*$"
# A date is no telephone number: a sign that stands in no text keeps its figures apart while numbers are looked for.
_APART = "\ue0ff"
_YEAR, _MONTH, _DAY = r"((?:19|20)\d\d)", r"(0[1-9]|1[0-2]|[1-9])", r"(0[1-9]|[12]\d|3[01]|[1-9])"
_TAKEN_APART = f"${{1}}{_APART}${{2}}${{3}}{_APART}${{4}}${{5}}{_APART}"
_DATES = (
    (rf"\b{_YEAR}([-/.]){_MONTH}([-/.]){_DAY}", _TAKEN_APART),
    (rf"\b{_DAY}([-/.]){_MONTH}([-/.]){_YEAR}\b", _TAKEN_APART),
)


def excerpt_of(text: pl.Expr, most: int = EXCERPT_LENGTH) -> pl.Expr:
    """The start of a text, fit to be shown: personal data masked, control characters gone, at most 200 characters."""
    # A longer head is masked first, so that a number cut at the end is not shown in part.
    return masked(text.str.slice(0, most + EXCERPT_LENGTH)).str.slice(0, most)


def masked(text: pl.Expr) -> pl.Expr:
    """A whole text with personal data masked and control characters gone."""
    return text.map_batches(_masked, return_dtype=pl.String, is_elementwise=True)


def _masked(texts: pl.Series) -> pl.Series:
    shown = texts.str.replace_all(r"[\x00-\x1f\x7f]", " ")
    # All that is masked has one of these, and most texts have none.
    bare = shown.str.contains(_DECIMAL) & ~shown.str.contains(_DOTTED)
    rows = (shown.str.contains(r"[@\d]") & ~bare).fill_null(False).arg_true()
    if not rows.len():
        return shown
    some = shown.gather(rows)
    for pattern, name in (*_DATES, *_MASKS):
        some = some.str.replace_all(pattern, name)
    return shown.scatter(rows, some.str.replace_all(_APART, "", literal=True))


def holds_personal_data(text: pl.Expr) -> pl.Expr:
    """Whether `masked` finds something to mask."""
    return masked(text) != text.str.replace_all(r"[\x00-\x1f\x7f]", " ")


def mask(text: str) -> str:
    """`excerpt_of` of one text: fit to stand in a message, a finding or a report."""
    return str(pl.select(excerpt_of(pl.lit(text))).item())


class Books(BaseModel):
    """Counts of what happened to rows. Those of two disjoint sets of rows add up with `+`."""

    model_config = ConfigDict(frozen=True)

    read: int = Field(0, ge=0, description="Rows read from sources, malformed ones included.")
    made: int = Field(0, ge=0, description="Rows made by augmenting, oversampling or generating.")
    kept: int = Field(0, ge=0, description="Rows in the dataset.")
    changed: dict[str, int] = Field(default_factory=dict, description="Rows whose values a part changed, by part.")
    rejected: dict[str, dict[str, int]] = Field(default_factory=dict, description="Rows rejected, by part and reason.")

    @property
    def rejected_rows(self) -> int:
        """All rejected rows."""
        return sum(sum(reasons.values()) for reasons in self.rejected.values())

    @property
    def balanced(self) -> bool:
        """Whether rows read and made are rows kept and rejected."""
        return self.read + self.made == self.kept + self.rejected_rows

    def __add__(self, other: Books) -> Books:
        rejected = {part: Counter(reasons) for part, reasons in self.rejected.items()}
        for part, reasons in other.rejected.items():
            rejected.setdefault(part, Counter()).update(reasons)
        return Books(
            read=self.read + other.read,
            made=self.made + other.made,
            kept=self.kept + other.kept,
            changed=dict(Counter(self.changed) + Counter(other.changed)),
            rejected={part: dict(reasons) for part, reasons in rejected.items()},
        )

    def then(self, later: Books) -> Books:
        """These books and those of a later pass over the rows that these kept."""
        return (self + later).model_copy(update={"kept": later.kept, "read": self.read})

    def check(self, *, at: str) -> Books:
        """These books, if they balance.

        Raises:
            BooksError: Rows read and made are not rows kept and rejected.
        """
        if not self.balanced:
            raise BooksError(
                f"{self.read} rows read + {self.made} made are not {self.kept} kept + {self.rejected_rows} rejected",
                at=at,
                hint="this is a fault in a part or in Seedbed; please report it with the recipe",
            )
        return self


def count_rejected(entries: pl.DataFrame) -> Mapping[str, Mapping[str, int]]:
    """Rejected rows of ledger entries, by part and reason."""
    counted = entries.filter(pl.col("action") == "rejected").group_by("part", "reason").len().sort("part", "reason")
    found: dict[str, dict[str, int]] = {}
    for part, reason, n in counted.iter_rows():
        found.setdefault(part, {})[reason] = n
    return found
