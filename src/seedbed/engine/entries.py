"""What the ledger says of rows that were rejected, changed, made or spared."""

from __future__ import annotations

import numpy as np
import polars as pl

from seedbed.core.ledger import EXCERPT_LENGTH, SEVEN_FIGURES, STORED_LEDGER_SCHEMA, excerpt_of
from seedbed.core.rows import NUMBER, PARENTS, ROW, as_json, data_columns

from .sparing import Spared


def fit_to_show(facts: pl.Series) -> pl.Series:
    """Evidence with every text in it as an excerpt, so that no part can forget to."""
    if facts.dtype in (pl.String, pl.Categorical, pl.Enum):
        return facts.to_frame("fact").select(excerpt_of(pl.col("fact").cast(pl.String))).to_series()
    if facts.dtype == pl.List(pl.String):
        return facts.to_frame("fact").select(pl.col("fact").list.eval(excerpt_of(pl.element()))).to_series()
    if facts.dtype == pl.Binary:  # JSON has no word for it
        return facts.bin.slice(0, EXCERPT_LENGTH // 2).bin.encode("hex")
    return facts


def rescued(rows: pl.DataFrame, reasons: pl.Series, name: str, spared: Spared) -> pl.DataFrame:
    """Ledger entries of rows that a part would have rejected, were they not spared; each says by whom and for what.

    Args:
        rows: They, sorted.
        reasons: Why they would have been.
        name: The part.
        spared: Counts them.
    """
    if not rows.height:
        return pl.DataFrame(schema=STORED_LEDGER_SCHEMA)
    spared.lifted[name] = spared.lifted.get(name, 0) + rows.height
    of = {number: (part, said) for number, _, part, said in spared.by(name).iter_rows()}
    told = [of[number] for number in rows[NUMBER]]
    lifted = pl.DataFrame({"lifted": pl.Series([name]).new_from_index(0, rows.height), "reason": reasons})
    entries = entries_of(
        rows,
        action="changed",
        part=pl.Series([part for part, _ in told]),
        reason=pl.Series(["rescued"]).new_from_index(0, rows.height),
        evidence=pl.Series([merged(a, said) for a, (_, said) in zip(as_json(lifted), told, strict=True)]),
        excerpt=excerpt(rows, None),
        record=None,
    )
    return entries


def reject(
    rows: pl.DataFrame, verdicts: pl.DataFrame, name: str, shown: str | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Apply verdicts (`NUMBER`, `reason`, `evidence`) to rows: those that stay, and ledger entries for the others."""
    verdicts = verdicts.sort(NUMBER)  # as rows are; a join of columns could meet the user's own names
    numbers, judged = rows[NUMBER].to_numpy(), verdicts[NUMBER].to_numpy()
    places = np.searchsorted(numbers, judged)
    here = places < len(numbers)
    here[here] = numbers[places[here]] == judged[here]
    stays = np.ones(len(numbers), bool)
    stays[places[here]] = False
    gone, verdicts = rows[places[here]], verdicts.filter(pl.Series(here))
    reason, evidence = verdicts["reason"], verdicts["evidence"]
    return rows.filter(pl.Series(stays)), entries_of(
        gone,
        action="rejected",
        part=name,
        reason=reason,
        evidence=evidence,
        excerpt=excerpt(gone, None, shown),
        record=whole_rows(gone),
    )


def malformed_entries(bad: pl.DataFrame, numbered: pl.DataFrame, part: str) -> pl.DataFrame:
    """Ledger entries for records that a source could not parse.

    Args:
        bad: `MALFORMED_SCHEMA`.
        numbered: `NUMBER` and `ROW` of the same records.
        part: The source's name in the ledger.
    """
    line = bad.select(pl.struct("line").struct.json_encode()).to_series()
    evidence = pl.Series([merged(a, b) for a, b in zip(line, bad["evidence"], strict=True)], dtype=pl.String)
    return entries_of(
        numbered,
        action="rejected",
        part=part,
        reason=bad["reason"],
        evidence=evidence,
        excerpt=bad.select(excerpt_of(pl.col("raw"))).to_series(),
        record=bad["raw"],
    )


def made_entries(rows: pl.DataFrame, part: str, shown: str | None) -> pl.DataFrame:
    """Ledger entries for rows that a part made.

    Args:
        rows: With `NUMBER`, `ROW` and `PARENTS`.
        part: The part's name in the ledger.
        shown: Column whose excerpt stands there.
    """
    return entries_of(
        rows,
        action="made",
        part=part,
        reason=pl.Series([part]).new_from_index(0, rows.height),
        evidence=rows.select(pl.struct(PARENTS).struct.json_encode()).to_series(),
        excerpt=excerpt(rows.drop(PARENTS), shown),
        record=None,
    )


def excerpt(rows: pl.DataFrame, *candidates: str | None) -> pl.Series:
    """Excerpts of the first of the columns that is there, else of the first column of text."""
    strings = [name for name in data_columns(rows) if rows.schema[name] == pl.String]
    column = next((name for name in (*candidates, *strings) if name and name in rows.columns), None)
    if column is None:
        return pl.Series([""]).new_from_index(0, rows.height)
    return as_text(rows[column]).to_frame(column).select(excerpt_of(pl.col(column)).fill_null("")).to_series()


def extent(rows: pl.DataFrame) -> str:
    """The first and the last of some rows, for messages."""
    return f"rows {rows[ROW][0]} to {rows[ROW][-1]}" if rows.height and ROW in rows.columns else ""


def whole_rows(rows: pl.DataFrame) -> pl.Series:
    """Each row's own columns as a JSON object."""
    return as_json(rows.select(data_columns(rows)))


def merged(a: str, b: str | None) -> str:
    """Two JSON objects as one."""
    return a if not b or b == "{}" else f"{a[:-1]},{b[1:]}"


def excerpts_of(rows: pl.DataFrame, columns: list[str]) -> list[pl.Series]:
    """Excerpts of the values of some columns."""
    return [_excerpted(rows[column]) for column in columns]


def _excerpted(values: pl.Series) -> pl.Series:
    """Values as excerpts; of numbers with a point the figures after it are no telephone number."""
    told = as_text(values)
    excerpts = told.to_frame("x").select(excerpt_of(pl.col("x")).alias(values.name)).to_series()
    if not values.dtype.is_float():
        return excerpts
    return told.zip_with((values.abs() < SEVEN_FIGURES).fill_null(False), excerpts)


def as_text(values: pl.Series) -> pl.Series:
    """Values as the ledger shows them."""
    if not isinstance(values.dtype, pl.List | pl.Array):
        return values.cast(pl.String, strict=False)
    # A list is no text to Polars: as JSON it is one.
    told = as_json(values.alias("value").to_frame()).str.slice(len('{"value":')).str.strip_suffix("}")
    return told.set(values.is_null(), None).alias(values.name)


def entries_of(
    rows: pl.DataFrame,
    *,
    action: str,
    part: str | pl.Series,
    reason: pl.Series,
    evidence: pl.Series,
    excerpt: pl.Series,
    record: pl.Series | None,
) -> pl.DataFrame:
    """Ledger entries (`STORED_LEDGER_SCHEMA`) of some rows, with what each column of the ledger says of them."""
    named = rows.select(
        NUMBER,
        ROW,
        action=pl.lit(action),
        part=part if isinstance(part, pl.Series) else pl.lit(part),
        reason=reason.cast(pl.String),
        evidence=evidence,
        excerpt=excerpt,
        source=pl.col(ROW).str.replace(r"(?s):.*$", ""),
        record=pl.lit(None, pl.String) if record is None else record,
    )
    return named.select(pl.col(name).cast(kind) for name, kind in STORED_LEDGER_SCHEMA.items())
