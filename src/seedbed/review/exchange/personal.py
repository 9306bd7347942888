"""Whether an export holds personal data: how many rows hold which kind, and never a value."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from importlib.util import find_spec

import polars as pl

from seedbed.core.detecting.personal.finding import found_in
from seedbed.core.detecting.personal.kinds import COUNTRIES, KINDS, asked
from seedbed.core.numbers import things, word
from seedbed.review.desk import Desk

from .answers import exported

_NEEDS = ("phonenumbers", "stdnum")
_AT_ONCE = 50_000


@dataclass(frozen=True)
class Personal:
    """What was found in the texts of an export, by the detectors of `redact_pii`."""

    rows: int = 0
    """Rows that hold any."""
    of: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    """Rows by kind, the most frequent first."""
    looked: bool = True
    """Whether what knows telephone and national numbers is installed."""

    @property
    def told(self) -> str:
        """A sentence for whoever passes the file on; empty where nothing was found."""
        if not self.looked:
            return (
                "this file holds whole texts, and whether there is personal data in them could not be looked at: "
                "pip install 'seedbed[pii]'"
            )
        if not self.rows:
            return ""
        kinds = ", ".join(f"{kind} in {n:,}" for kind, n in self.kinds.items())
        rows = (
            f"{self.rows:,} of {things(self.of, 'row')} of this file {word(self.rows, 'holds', 'hold')} "
            f"personal data ({kinds})"
        )
        return f"{rows}: whoever judges must see them whole, so pass it on as you would the data itself"


def personal_in(desk: Desk) -> Personal:
    """Look at all texts that an export of the queues holds."""
    if any(find_spec(name) is None for name in _NEEDS):
        return Personal(looked=False)
    kinds = asked(KINDS, COUNTRIES)
    counts: Counter[str] = Counter()
    rows = of = 0
    for queue in exported(desk):
        texts = queue.items.select("text", "left", "right", other=pl.col("other").struct.field("text"))
        for some in texts.iter_slices(_AT_ONCE):
            found = [
                found_in(some[name], kinds, COUNTRIES).list.eval(pl.element().struct.field("kind"))
                for name in some.columns
            ]
            held = pl.select(pl.concat_list(found).list.unique()).to_series()
            rows, of = rows + int((held.list.len() > 0).sum()), of + held.len()
            counts.update(held.explode().drop_nulls())
    return Personal(rows, of, dict(counts.most_common()))
