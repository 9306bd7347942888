"""The other row of a copy or of a contradiction: what it says, and whether it says so under another label."""

from __future__ import annotations

import polars as pl

from seedbed.core.rows import ROW
from seedbed.review.queue import OTHER

from .rows import RunRows

#: Reasons of rows that went because their labels contradict each other.
CONFLICTS = ("conflicting_labels", "conflicting_near_duplicates")
#: Parts that reject copies of rows that stay.
COPIES = ("exact_duplicates", "near_duplicates", "semantic_duplicates")


def named_in(evidence: pl.Series) -> pl.Series:
    """Names of the rows that the ledger's evidence names: the one that stayed, else the nearest; null for none."""
    found = evidence.to_frame("told").select(pl.coalesce(_word("kept"), _word("of")))
    return found.to_series().alias(ROW)


def _word(key: str) -> pl.Expr:
    found = pl.col("told").str.json_path_match(f"$.{key}")
    return pl.when(found != "null").then(found)


def with_others(rows: RunRows, entries: pl.DataFrame) -> pl.DataFrame:
    """Rejected rows, each with the row that it is a copy of, or that contradicts it.

    Where all rows of a group went, the nearest may carry the same label; one that carries another is shown instead,
    if there is one among those that are near.

    Args:
        rows: Of the run.
        entries: `ROW`, `part`, `kind` (the reason), `told` (the evidence), and `label`, as its source holds it.

    Returns:
        With `other` (`OTHER`; null where none is known) and `torn`, whether labels contradict each other.
    """
    beside = _nearest(entries, _pairs(entries), rows)
    joined = entries.join(beside, on=ROW, how="left", maintain_order="left")
    copy = pl.any_horizontal(pl.col("part").str.starts_with(one) for one in COPIES)
    torn = pl.col("kind").is_in(CONFLICTS) | (copy & pl.col("differs").fill_null(False))
    return joined.with_columns(torn=torn).drop("differs")


def _pairs(entries: pl.DataFrame) -> pl.DataFrame:
    """`ROW`, `of`, `similarity`: each rejected row and the rows that it is near to."""
    pairs = entries.select(
        ROW,
        of=named_in(entries["told"]),
        similarity=_word("similarity").cast(pl.Float64, strict=False),
        both=pl.col("kind").is_in(CONFLICTS),
    ).drop_nulls("of")
    back = pairs.filter("both").select(pl.col("of").alias(ROW), pl.col(ROW).alias("of"), "similarity", "both")
    return pl.concat([pairs, back.join(entries, on=ROW, how="semi")]).drop("both")


def _nearest(entries: pl.DataFrame, pairs: pl.DataFrame, rows: RunRows) -> pl.DataFrame:
    """`ROW`, `other`, `differs`: of the rows near to each, one with another label, else the nearest."""
    known = _known(rows, pairs["of"].unique())
    # A step may write labels otherwise than the source: what others of that label became is what is compared.
    became = pl.col("own").replace_strict(_meant(known), default=None, return_dtype=pl.String)
    raw = entries.select(ROW, own=pl.col("label").str.strip_chars()).filter(pl.col("own") != "")
    mine = raw.select(ROW, own=pl.coalesce(became, "own"))
    both = pairs.join(known.rename({ROW: "of"}), on="of").join(mine, on=ROW, how="left")
    other = pl.struct(pl.col("of").alias(ROW), "split", "label", pl.col("raw").alias("text")).cast(OTHER)
    differs = (pl.col("own") != pl.col("label")).fill_null(False)
    found = both.select(ROW, "of", "similarity", other=other, differs=differs)
    best = found.sort("differs", "similarity", "of", descending=[True, True, False], nulls_last=True)
    return best.unique(ROW, keep="first", maintain_order=True).select(ROW, "other", "differs")


def _known(rows: RunRows, wanted: pl.Series) -> pl.DataFrame:
    """`ROW`, `raw` (the text as read), `raw_label`, `label` (as the dataset has it, else as read), `split`."""
    read = rows.as_read(wanted).select(ROW, "raw", "raw_label")
    there = pl.DataFrame(schema={ROW: pl.String(), "split": pl.String(), "kept": pl.String()})
    if rows.splits:
        kept = rows.kept().join(wanted.alias(ROW).to_frame().lazy(), on=ROW, how="semi")
        there = kept.select(ROW, "split", kept="label").collect()
    joined = read.join(there, on=ROW, how="left", maintain_order="left")
    return joined.with_columns(label=pl.coalesce("kept", "raw_label"))


def _meant(known: pl.DataFrame) -> dict[str, str]:
    """What most rows of each label, as sources hold it, carry in the dataset."""
    counted = known.drop_nulls(["raw_label", "kept"]).group_by(pl.col("raw_label").str.strip_chars(), "kept").len()
    most = counted.sort("len", "kept", descending=[False, True])  # of a label that stands twice the last one holds
    return dict(most.select("raw_label", "kept").iter_rows())
