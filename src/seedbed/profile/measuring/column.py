"""One column, batch by batch."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from seedbed.core.profile import ColumnFacts, DateFacts, Kind, NestedFacts, NumberFacts, Spread, TextFacts, Values
from seedbed.core.values import said
from seedbed.profile.columns import DATE

from .amounts import AmountPart
from .distinct import Distinct
from .frequent import Frequent
from .hashed import Hashes, hashes_of
from .moments import Moments
from .numbers import NumberPart, spread_of
from .plan import ColumnPlan, Plan
from .words import LENGTHS, TextPart

#: Characters of a value that are held.
_LONGEST = 200
_ISO = r"^\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"
_YEAR = r"\b(1[5-9]\d\d|2[0-2]\d\d)\b"
_MOST_YEARS = 200
#: Texts that may be the most frequent.
_MOST_TEXTS = 2_000


@dataclass
class DatePart:
    """What is known of a column of dates."""

    unparsed: int = 0
    first: datetime.date | None = None
    last: datetime.date | None = None
    years: dict[int, int] = field(default_factory=dict)
    future: int = 0

    def add(self, values: pl.Series, filled: pl.Series, today: datetime.date) -> None:
        """Take in a batch."""
        there = values.filter(filled)
        if values.dtype == pl.String:
            days = _iso_days(there)
            years = days.dt.year().zip_with(
                days.is_not_null(), there.str.extract(_YEAR, 1).cast(pl.Int32, strict=False)
            )
            self.unparsed += int((~there.str.strip_chars().str.contains(DATE)).sum())
        elif values.dtype in (pl.Date, pl.Datetime):
            days = there.cast(pl.Date)
            years = days.dt.year()
        else:  # times and durations have no day
            return
        self._count(dict(years.drop_nulls().alias("year").value_counts(name="n").iter_rows()))
        self._ends(days.min(), days.max())
        self.future += int((days > today).sum() or 0)

    def merge(self, other: DatePart) -> None:
        """Take in that of another part of the table."""
        self.unparsed += other.unparsed
        self.future += other.future
        self._count(other.years)
        self._ends(other.first, other.last)

    def _count(self, years: dict[int, int]) -> None:
        for year, rows in years.items():
            self.years[year] = self.years.get(year, 0) + rows

    def _ends(self, first: object, last: object) -> None:
        self.first = min((day for day in (self.first, first) if isinstance(day, datetime.date)), default=None)
        self.last = max((day for day in (self.last, last) if isinstance(day, datetime.date)), default=None)

    def facts(self) -> DateFacts:
        """What was found."""
        most = sorted(sorted(self.years, key=lambda year: -self.years[year])[:_MOST_YEARS])
        return DateFacts(
            unparsed=self.unparsed,
            first=self.first.isoformat() if self.first else None,
            last=self.last.isoformat() if self.last else None,
            years={str(year): self.years[year] for year in most},
            future=self.future,
        )


def _iso_days(texts: pl.Series) -> pl.Series:
    parts = texts.str.extract_groups(_ISO).struct.unnest()
    year, month, day = (parts.to_series(place).cast(pl.Int32, strict=False) for place in range(3))
    written = pl.DataFrame({"y": year, "m": month, "d": day})
    padded = written.select(
        pl.format(
            "{}-{}-{}", "y", pl.col("m").cast(pl.String).str.zfill(2), pl.col("d").cast(pl.String).str.zfill(2)
        ).str.to_date("%Y-%m-%d", strict=False)
    )
    return padded.to_series()


@dataclass
class NestedPart:
    """What is known of a column of lists or objects."""

    text: TextPart | None = None
    """What its texts say together, where they are read."""
    lengths: Moments = field(default_factory=Moments)
    empty: int = 0

    def add(self, values: pl.Series, filled: pl.Series) -> dict[str, pl.Series]:
        """Take in a batch; returns the lengths of lists, and of texts."""
        found = self.text.add(said(values), filled) if self.text else {}
        lengths = self._items(values)
        return found if lengths is None else {"": lengths.cast(pl.Float64), **found}

    def _items(self, values: pl.Series) -> pl.Series | None:
        if values.dtype == pl.Binary:
            lengths = values.bin.size()
        elif isinstance(values.dtype, pl.List):
            lengths = values.list.len()
        else:
            return None
        there = lengths.drop_nulls().cast(pl.Float64)
        self.lengths.add(there.to_numpy())
        self.empty += int((there == 0).sum())
        return lengths

    def merge(self, other: NestedPart) -> None:
        """Take in that of another part of the table."""
        self.lengths.merge(other.lengths)
        self.empty += other.empty
        if self.text and other.text:
            self.text.merge(other.text)


Part = NumberPart | TextPart | DatePart | NestedPart | AmountPart | None


@dataclass
class ColumnPart:
    """What is known of a column."""

    plan: ColumnPlan
    type: str
    distinct: Distinct
    frequent: Frequent
    part: Part
    rows: int = 0
    missing: int = 0
    blank: int = 0

    @classmethod
    def of(cls, plan: ColumnPlan, dtype: pl.DataType, whole: Plan) -> ColumnPart:
        """Nothing yet."""
        distinct, frequent = (
            Distinct(whole.distinct),
            Frequent(min(whole.frequent, 2_000 if plan.kind == "text" else 10**9)),
        )
        return cls(plan, str(dtype), distinct, frequent, _part_of(plan, whole))

    @property
    def filled(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing

    @property
    def kind(self) -> Kind:
        """Of the column."""
        return self.plan.kind

    def add(self, values: pl.Series, names: pl.Series, today: datetime.date) -> tuple[Hashes, dict[str, pl.Series]]:
        """Take in a batch; returns the hash of each row's value, and what is held of the sample's rows, by suffix."""
        if values.dtype == pl.Object:
            values = pl.Series([None if one is None else str(one) for one in values], dtype=pl.String)
        if values.dtype in (pl.Categorical, pl.Enum):
            values = values.cast(pl.String)
        hashes = hashes_of(values)
        filled = values.is_not_null()
        if values.dtype == pl.String:
            inked = values.str.contains(r"\S").fill_null(False)
            self.blank += int((filled & ~inked).sum())
            filled = inked
        elif values.dtype.is_float():
            filled &= values.is_not_nan()
        self.rows += values.len()
        self.missing += int((~filled).sum())
        self._count(values, hashes, filled)
        return hashes, self._look(values, names, filled, today)

    def _count(self, values: pl.Series, hashes: Hashes, filled: pl.Series) -> None:
        there = filled.arg_true().to_numpy()
        found, first, counts = np.unique(hashes[there], return_index=True, return_counts=True)
        counts = counts.astype(np.int64)
        self.distinct.add(found, counts)
        if self.kind == "id" or (self.kind == "number" and self.distinct.full):
            return
        if len(found) > self.frequent.most:  # before their texts are taken, which costs most
            counts = counts - self.frequent.cut(counts)
            held = counts > 0
            found, first, counts = found[held], first[held], counts[held]
        shown = _shown(values.gather(pl.Series(there[first])))
        self.frequent.add(pl.Series(found), shown, pl.Series(counts))

    def _look(
        self, values: pl.Series, names: pl.Series, filled: pl.Series, today: datetime.date
    ) -> dict[str, pl.Series]:
        match self.part:
            case NumberPart():
                return {"": self.part.add(values, names, filled)}
            case TextPart():
                return self.part.add(values.cast(pl.String), filled)
            case DatePart():
                self.part.add(values, filled, today)
                return {}
            case NestedPart():
                return self.part.add(values, filled)
            case AmountPart():
                self.part.add(values, filled)
                return {"": _shown(values).set(~filled, None)}
            case _:
                return {"": _shown(values).set(~filled, None)} if self.kind != "id" else {}

    def merge(self, other: ColumnPart) -> None:
        """Take in that of another part of the table."""
        self.rows += other.rows
        self.missing += other.missing
        self.blank += other.blank
        self.distinct.merge(other.distinct)
        self.frequent.merge(other.frequent)
        if self.part is not None:
            self.part.merge(other.part)  # type: ignore[arg-type]  # parts of a column are of one kind

    def facts(self, sample: dict[str, pl.Series], whole: bool, top: Values) -> ColumnFacts:
        """What was found.

        Args:
            sample: What is held of the sample's rows, by suffix.
            whole: Whether that is all rows.
            top: Its most frequent values, fit to be shown.
        """
        numbers: NumberFacts | None = None
        text: TextFacts | None = None
        nested: NestedFacts | None = None
        match self.part:
            case NumberPart():
                numbers = self.part.facts(sample[""].drop_nulls().to_numpy(), whole)
            case TextPart():
                text = self.part.facts({name: sample[name] for name in LENGTHS if name in sample}, whole)
            case NestedPart():
                lengths: Spread | None = None
                if "" in sample:
                    lengths = spread_of(self.part.lengths, sample[""].drop_nulls().to_numpy(), whole)
                nested = NestedFacts(lengths=lengths, empty=self.part.empty)
                if self.part.text:
                    text = self.part.text.facts({name: sample[name] for name in LENGTHS if name in sample}, whole)
        return ColumnFacts(
            name=self.plan.name,
            type=self.type,
            kind=self.kind,
            rows=self.rows,
            missing=self.missing,
            blank=self.blank,
            distinct=self.distinct.distinct(),
            once=self.distinct.once(),
            values=top,
            numbers=numbers,
            text=text,
            dates=self.part.facts() if isinstance(self.part, DatePart) else None,
            nested=nested,
            amounts=self.part.facts() if isinstance(self.part, AmountPart) else None,
        )


def _part_of(plan: ColumnPlan, whole: Plan) -> Part:
    match plan.kind:
        case "number":
            return NumberPart()
        case "text":
            return _text_part(plan, whole)
        case "date":
            return DatePart()
        case "nested":
            return NestedPart(_text_part(plan, whole) if plan.reads else None)
        case "amount":
            return AmountPart()
    return None


def _text_part(plan: ColumnPlan, whole: Plan) -> TextPart:
    return TextPart(plan.reads, Distinct(65_536), Frequent(20_000), whole.tokenizer)


def _shown(values: pl.Series) -> pl.Series:
    """The start of each value as text."""
    if values.dtype.is_nested():
        values = values.to_frame("v").select(pl.struct("v").struct.json_encode().str.slice(5, _LONGEST)).to_series()
    elif values.dtype == pl.Binary:
        return values.bin.slice(0, _LONGEST // 4).bin.encode("hex")
    elif values.dtype == pl.Duration:
        values = values.dt.to_string("polars")
    return values.cast(pl.String, strict=False).str.slice(0, _LONGEST)
