"""What a table looks like, in numbers: one record for pages, checks, the card and later comparisons.

Everything is plain JSON and holds no row: values are shown as excerpts with personal data masked. What was counted on
all rows is exact; what was estimated is an `Estimate` with its interval and says of how many rows it was told.
Quantiles stand on a fixed grid (`GRID`) and categories with what is left over (`other`), so that two profiles, of
another month or another split, can be compared later without their rows.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .errors import RecipeError, did_you_mean
from .record import Record

Kind = Literal["number", "amount", "text", "category", "boolean", "date", "id", "nested"]
Severity = Literal["look", "note"]

VERSION = 2
#: Ranks of the quantiles of every profile.
GRID: tuple[float, ...] = (0, 0.01, *(round(0.05 * place, 2) for place in range(1, 20)), 0.99, 1)


class Estimate(Record):
    """A number; between `low` and `high` with 95 % confidence (99 % for distinct values), equal to both where exact."""

    value: float
    low: float
    high: float
    of: int = Field(description="Rows or values that it was told of.")

    @property
    def exact(self) -> bool:
        """Whether it was counted."""
        return self.low == self.high

    @classmethod
    def counted(cls, value: float, of: int) -> Estimate:
        """A number that is no estimate."""
        return cls(value=value, low=value, high=value, of=of)


class Value(Record):
    """A value and its rows."""

    value: str = Field(description="Excerpt of at most 80 characters, personal data masked.")
    rows: int


class Values(Record):
    """The most frequent values of a column."""

    top: tuple[Value, ...] = Field((), description="The most frequent first, at most 50.")
    other: int = Field(0, description="Rows of all other values together.")
    within: int = Field(
        0, description="Rows by which a count may be too low, where there were too many values to hold; 0 is exact."
    )


class Spread(Record):
    """How numbers are spread: a column's, or the lengths of its texts."""

    n: int = Field(description="Values.")
    mean: float
    sd: float = Field(description="Standard deviation (of a sample, n - 1).")
    skew: float = Field(0, description="Skewness (third standardised moment).")
    quantiles: tuple[float, ...] = Field(description="At the ranks of `GRID`; the first and last are exact.")
    within: float = Field(0, description="Error of a quantile's rank, with 99 % confidence; 0 is exact.")
    edges: tuple[float, ...] = Field((), description="Edges of the bins of `counts`, each of the same width.")
    counts: tuple[int, ...] = Field((), description="Values by bin, of the rows that quantiles were told of.")

    @property
    def low(self) -> float:
        """The smallest."""
        return self.quantiles[0]

    @property
    def high(self) -> float:
        """The largest."""
        return self.quantiles[-1]

    @property
    def median(self) -> float:
        """The middle."""
        return self.at(0.5)

    def at(self, rank: float) -> float:
        """The quantile of a rank of `GRID`."""
        return self.quantiles[GRID.index(rank)]


class Extreme(Record):
    """A value at an end, and where it stands."""

    value: float
    row: str


class NumberFacts(Record):
    """A column of numbers."""

    spread: Spread | None = Field(None, description="None where there is no number.")
    unparsed: int = Field(0, description="Values that are no number, where numbers are written as text.")
    not_finite: int = Field(0, description="NaN and infinities.")
    zeros: int = 0
    negative: int = 0
    whole: bool = Field(False, description="Whether all are whole.")
    outliers: Estimate | None = Field(
        None, description="Values outside of `fences`: three interquartile ranges beyond the quartiles (Tukey 1977)."
    )
    fences: tuple[float, float] | None = None
    lowest: tuple[Extreme, ...] = Field((), description="The smallest values outside of the fences, with their rows.")
    highest: tuple[Extreme, ...] = Field((), description="The largest values outside of the fences, with their rows.")


class Language(Record):
    """A language and its share of the texts."""

    language: str = Field(description="ISO 639 code; `unknown` where nothing could be told.")
    share: Estimate


class TextFacts(Record):
    """A column of texts."""

    characters: Spread | None = None
    words: Spread | None = Field(None, description="Words: what stands between white space.")
    tokens: Spread | None = None
    tokenizer: str = Field("", description="What a token is.")
    total_characters: int = 0
    total_words: int = 0
    total_tokens: int = 0
    rows: dict[str, int] = Field(default_factory=dict, description="Texts that hold something, by what it is; exact.")
    vocabulary: Estimate | None = Field(None, description="Different words: lower case, marks at the ends taken off.")
    once: Estimate | None = Field(None, description="Share of the vocabulary that comes once.")
    top_words: tuple[Value, ...] = Field((), description="The most frequent words, at most 30.")
    words_within: int = Field(0, description="As `within` of values, for words.")
    personal: dict[str, Estimate] = Field(
        default_factory=dict,
        description="Share of texts that hold personal data as `pii_left` finds it, by kind, of a sample.",
    )
    languages: tuple[Language, ...] = Field((), description="Of a sample; empty where no detector is installed.")


class DateFacts(Record):
    """A column of dates."""

    unparsed: int = Field(0, description="Values that no form of dates fits, where dates are written as text.")
    first: str | None = None
    last: str | None = None
    years: dict[str, int] = Field(default_factory=dict, description="Rows by year; at most 200 of them.")
    future: int = Field(0, description="Rows after the day of the profile.")


class AmountFacts(Record):
    """A column of numbers that are written with a unit, such as `12 kg`."""

    units: dict[str, int] = Field(description="Rows by unit, the most frequent first.")
    bare: int = Field(0, description="Numbers without a unit.")
    unparsed: int = Field(0, description="Values that are no number with a unit, or with one that is not known.")


class NestedFacts(Record):
    """A column of lists or objects."""

    lengths: Spread | None = Field(None, description="Items of lists; none for objects.")
    empty: int = 0


class ColumnFacts(Record):
    """One column."""

    name: str
    type: str = Field(description="The type that the source gives it.")
    kind: Kind = Field(description="What its values are, told from some of them.")
    rows: int
    missing: int = Field(description="Rows without a value; blank texts count.")
    blank: int = Field(0, description="Of those, rows with a text of nothing but white space.")
    distinct: Estimate = Field(description="Different values.")
    once: Estimate = Field(description="Values that come once.")
    values: Values = Values()
    numbers: NumberFacts | None = None
    text: TextFacts | None = None
    dates: DateFacts | None = None
    nested: NestedFacts | None = None
    amounts: AmountFacts | None = None

    @property
    def filled(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing

    @property
    def unique(self) -> bool:
        """Whether no value was found twice."""
        return self.filled > 1 and self.once.value == self.distinct.value and self.distinct.high >= self.filled

    @property
    def constant(self) -> bool:
        """Whether there is one value only."""
        return self.distinct.exact and self.distinct.value == 1


class Copies(Record):
    """Rows that are there more than once."""

    rows: Estimate = Field(description="Rows that are equal in all columns to one before.")
    texts: Estimate | None = Field(
        None, description="Rows whose text, but for case and white space, stood before, in the column `text`."
    )
    near: int | None = Field(
        None, description="Of the different texts that were compared, those that are similar to one before."
    )
    near_of: int = Field(0, description="Different texts that were compared with each other.")
    near_whole: bool = Field(True, description="Whether these are all; else there are more near copies.")
    conflicts: Estimate | None = Field(
        None, description="Rows whose text also stands with another label, among those that were compared."
    )


class LabelFacts(Record):
    """The label."""

    column: str
    missing: int
    counts: tuple[Value, ...] = Field(description="Rows by label, the most frequent first; at most 200.")
    other: int = Field(0, description="Rows with other labels.")
    labels: int = Field(description="Different labels.")
    ratio: float = Field(description="Rows of the largest label over those of the smallest.")
    evenness: float = Field(description="Entropy over that of equal shares: 1 is balanced, 0 is one label.")


class Association(Record):
    """How two columns hang together."""

    a: str
    b: str
    measure: Literal["pearson", "cramers_v"]
    value: float
    low: float | None = Field(None, description="95 % interval (Fisher's z), of Pearson's r.")
    high: float | None = None
    spearman: float | None = Field(None, description="Correlation of ranks.")
    n: int = Field(description="Rows that have both, of the sample.")


class TowardLabel(Record):
    """What a column says about the label."""

    column: str
    information: float = Field(description="Mutual information in bits, less what chance would show (Miller-Madow).")
    share: float = Field(description="Of the label's entropy.")
    chi2: float
    p_holm: float = Field(description="Chi-square test of independence, Holm-corrected over the columns.")
    n: int
    cut: str = Field(description="How the column was cut into classes.")

    @property
    def beyond_chance(self) -> bool:
        """Whether it says more than chance would, at 5 %."""
        return self.p_holm < 0.05 and self.information > 0


class LabelWord(Record):
    """A word that stands with one label more than with the others."""

    word: str
    here: int = Field(description="Texts of the label with the word, of the sample.")
    elsewhere: int
    z: float = Field(description="Log odds with an informative Dirichlet prior, over its standard error.")


class Remark(Record):
    """What a person should know, in a sentence."""

    kind: str = Field(description="What it is about, in a word, such as `constant` or `outliers`.")
    severity: Severity = Field(description="`look` where something may be wrong, `note` where it is good to know.")
    columns: tuple[str, ...] = ()
    rows: int | None = Field(None, description="Rows that it is about, or about so many.")
    text: str


class Measured(Record):
    """A number of each row that the task asks for."""

    name: str = Field(description="What it is, such as `turns` or `answers`.")
    spread: Spread | None = Field(None, description="None where no row has one.")
    zeros: int = Field(0, description="Rows where it is 0.")


class TableProfile(Record):
    """A table in numbers."""

    version: int = VERSION
    rows: int
    looked_at: int = Field(description="Rows of the sample that ranks, languages and associations were told of.")
    malformed: dict[str, int] = Field(default_factory=dict, description="Records that are no rows, by reason.")
    columns: tuple[ColumnFacts, ...]
    left_out: tuple[str, ...] = Field((), description="Columns that were not looked at.")
    text: str | None = Field(None, description="The column that is the text.")
    measures: tuple[Measured, ...] = Field((), description="What the task asks of each row: turns, answers, lengths.")
    copies: Copies | None = None
    label: LabelFacts | None = None
    associations: tuple[Association, ...] = Field(
        (), description="The strongest first, at most 100: those beyond chance, and no weaker than 0.1."
    )
    toward_label: tuple[TowardLabel, ...] = Field((), description="The strongest first.")
    label_words: dict[str, tuple[LabelWord, ...]] = Field(default_factory=dict, description="By label; 12 each.")
    remarks: tuple[Remark, ...] = ()
    notes: tuple[str, ...] = Field((), description="How it was measured, where that matters.")

    def column(self, name: str) -> ColumnFacts:
        """The column of that name.

        Raises:
            KeyError: There is none.
        """
        for one in self.columns:
            if one.name == name:
                return one
        raise KeyError(name)


class DatasetProfile(Record):
    """A dataset in numbers, as a whole and by split: what `profile.json` of a run holds."""

    version: int = VERSION
    seedbed: str = Field(description="Version of Seedbed.")
    named: str = Field("", description="What was profiled, as a person named it.")
    found: dict[str, str] = Field(default_factory=dict, description="How the file was read.")
    digest: str = Field("", description="Of the dataset.")
    whole: TableProfile
    splits: dict[str, TableProfile] = Field(default_factory=dict)

    def only(self, split: str) -> DatasetProfile:
        """The profile of one split.

        Raises:
            RecipeError: There is none of that name.
        """
        if split not in self.splits:
            hint = did_you_mean(split, self.splits) or "this is no dataset with splits"
            raise RecipeError(f"there is no split {split!r}", at="--split", hint=hint)
        named = f"{self.named}, {split}"
        return self.model_copy(update={"named": named, "whole": self.splits[split], "splits": {}})
