"""What the texts of a sample hold."""

from __future__ import annotations

import polars as pl

from seedbed.core.detecting.personal.finding import found_in
from seedbed.core.detecting.personal.kinds import COUNTRIES, KINDS, asked, findable
from seedbed.core.profile import Estimate

from .numbers import share_of
from .plan import MOST_TEXTS


def personal_in(texts: pl.Series, *, whole: bool, most: int = MOST_TEXTS) -> dict[str, Estimate]:
    """Share of texts in which `pii_left`, as it is, finds personal data, by kind; the most frequent first.

    Without the extra `pii` only some kinds are found (`findable`).

    Args:
        texts: A sample in the order of their hashes.
        whole: Whether it is all texts, and each of them whole.
        most: Texts that are looked at.
    """
    filled = texts.filter((texts.str.len_bytes() > 0).fill_null(False))
    there, whole = filled.head(most), whole and filled.len() <= most
    if not there.len():
        return {}
    found = found_in(there, asked(findable(), COUNTRIES), COUNTRIES)
    kinds = found.list.eval(pl.element().struct.field("kind")).list.unique().explode().drop_nulls()
    counted = kinds.alias("kind").value_counts(name="n").sort("n", "kind", descending=[True, False])
    return {kind: share_of(n, there.len(), whole) for kind, n in counted.iter_rows()}


def personal_not_looked_for() -> tuple[str, ...]:
    """Kinds that nothing installed here finds."""
    return tuple(kind for kind in KINDS if kind not in findable())
