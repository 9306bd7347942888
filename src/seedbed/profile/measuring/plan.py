"""What is measured of each column, settled before the first row: kinds by some rows, sizes by how many columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from seedbed.core.profile import Kind
from seedbed.profile.columns import ColumnProfile, column_profile

#: Columns beyond so many are not looked at.
MOST_COLUMNS = 5_000
#: What all columns together may hold: rows of the sample times columns, different values, values with their counts.
_SAMPLE, _DISTINCT, _FREQUENT = 4_000_000, 2_000_000, 400_000
#: Characters of the texts of the sample, all columns together; and of a text at most.
_CHARACTERS, MOST_CHARACTERS = 24_000_000, 2_000
MOST_TEXTS = 8_192
#: Columns of texts whose words are counted and whose texts are looked at; further ones are measured only.
_MOST_READ = 4
_KINDS: dict[str, Kind] = {"text": "text", "category": "category", "boolean": "boolean", "number": "number",
                           "amount": "amount", "date": "date", "id": "id"}  # fmt: skip


@dataclass(frozen=True)
class ColumnPlan:
    """What is measured of a column."""

    name: str
    kind: Kind
    reads: bool = False
    """Whether its texts are read: words, languages, personal data."""


@dataclass(frozen=True)
class Plan:
    """What is measured of a table. It pickles."""

    columns: tuple[ColumnPlan, ...]
    left_out: tuple[str, ...] = ()
    text: str | None = None
    label: str | None = None
    sample: int = 65_536
    """Rows of the sample of numbers and categories."""
    texts: int = MOST_TEXTS
    """Rows of the sample of texts."""
    distinct: int = 65_536
    frequent: int = 20_000
    tokenizer: str = ""
    """Folder or file of a tokenizer; a rough count of tokens where empty."""
    measures: tuple[tuple[str, pl.Expr], ...] = ()
    """Numbers of a row that the task asks for, by name."""

    @property
    def read(self) -> tuple[str, ...]:
        """Columns whose texts are read."""
        return tuple(one.name for one in self.columns if one.reads)

    @property
    def characters(self) -> int:
        """Characters that are held of each text of the sample."""
        return min(MOST_CHARACTERS, _CHARACTERS // (self.texts * max(len(self.read), 1)))


def kind_of(values: pl.Series, known: ColumnProfile | None = None) -> Kind:
    """The kind of a column: its type where that tells, else what most of its values look like."""
    dtype = values.dtype
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return "nested"
    if dtype.is_numeric() or dtype.is_temporal() or dtype == pl.Boolean:
        return "number" if dtype.is_numeric() else "boolean" if dtype == pl.Boolean else "date"
    told = known or column_profile(values, shown=False)
    if told.looks in _KINDS:
        return _KINDS[told.looks]
    return "number" if told.whole else "category"


def says_text(dtype: pl.DataType) -> bool:
    """Whether a list or an object holds texts that are to be read: the turns of a chat."""
    while isinstance(dtype, pl.List | pl.Array):
        dtype = dtype.inner  # type: ignore[assignment]
    fields = dtype.fields if isinstance(dtype, pl.Struct) else []
    return any(field.name == "content" and field.dtype == pl.String for field in fields)


def plan_of(
    rows: pl.DataFrame,
    *,
    text: str | None = None,
    label: str | None = None,
    tokenizer: str = "",
    only: Sequence[str] = (),
    columns: Mapping[str, ColumnProfile] | None = None,
    measures: Mapping[str, pl.Expr] | None = None,
) -> Plan:
    """Settle what is measured of a table.

    Args:
        rows: Some of its rows, all of its columns, without identity.
        text: The column that is the text.
        label: The column that is the label.
        tokenizer: Folder or file of a tokenizer (`tokenizer.json`).
        only: Columns to look at; all where empty.
        columns: What is known of columns already.
        measures: Numbers of a row that the task asks for; those whose columns are not looked at are left out.
    """
    known = columns or {}
    wanted = [name for name in rows.columns if not only or name in only]
    chosen, plans, read = wanted[:MOST_COLUMNS], [], 0
    for name in sorted(chosen, key=lambda name: name != text):
        values = rows[name]
        kind: Kind = "text" if name == text and values.dtype == pl.String else kind_of(values, known.get(name))
        kind = "category" if name == label and kind in ("text", "id") else kind
        reads = (kind == "text" or says_text(values.dtype)) and read < _MOST_READ
        read += reads
        plans.append(ColumnPlan(name, kind, reads))
    places = {name: place for place, name in enumerate(chosen)}
    plans.sort(key=lambda one: places[one.name])
    width = max(len(plans), 1)
    return Plan(
        columns=tuple(plans),
        left_out=tuple(wanted[MOST_COLUMNS:]),
        text=text,
        label=label,
        sample=_within(_SAMPLE // width, 2_000, 65_536),
        distinct=_within(_DISTINCT // width, 1_000, 65_536),
        frequent=_within(_FREQUENT // width, 200, 20_000),
        tokenizer=tokenizer,
        measures=tuple((what, of) for what, of in (measures or {}).items() if set(of.meta.root_names()) <= {*chosen}),
    )


def _within(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))
