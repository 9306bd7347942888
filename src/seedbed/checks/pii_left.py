"""pii_left: no personal data is left."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core import numbers
from seedbed.core.check import Check, Finding, View
from seedbed.core.detecting.personal.finding import found_in
from seedbed.core.detecting.personal.kinds import COUNTRIES, KINDS, Country, Kind, asked
from seedbed.core.numbers import word
from seedbed.core.part import Column, Example, TextColumn
from seedbed.core.rows import ROW
from seedbed.core.values import text_of

from .rows_shown import MOST


class PiiLeft(Check):
    """Is there personal data in the texts: addresses, telephone, card and account numbers, national ids?

    What `redact_pii` finds, this finds: the same detectors, with their check digits, look at the rows that are left.
    The value is the share of rows in which there is something. The finding says how many rows hold which kind and
    names some of them; it never shows a value.

    ## Why
    It is the last look before a dataset leaves the house, also where nobody thought of `redact_pii`, or where a later
    step (`join`, `derive`) brought in what an earlier one had taken out.

    ## Limits
    Those of `redact_pii`: what has no form (names, streets, health) is not found, so a passed check is no proof of
    anonymity.
    """

    use: Literal["pii_left"] = "pii_left"
    column: TextColumn = Field(None, description="Column to look at; the task's text when left out.")
    columns: list[Column] | None = Field(
        None, min_length=1, description="Columns to look at, where there are several; instead of `column`."
    )
    kinds: list[Kind] = Field(list(KINDS), min_length=1, description="What is looked for.")
    countries: list[Country] = Field(
        list(COUNTRIES), description="Whose national ids, and whose ways of writing telephone numbers, are looked for."
    )
    at_most: float = Field(0.0, ge=0, le=1, description="Largest share of rows that may hold any.")

    extra: ClassVar[str] = "pii"
    needs: ClassVar[tuple[str, ...]] = ("phonenumbers", "stdnum")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="An address was left",
            before={"text": ["mail ann.lee@example.com", "order 4711", "on 2024-03-07", None]},
            after={"passed": [False], "value": [0.25], "limit": [0.0]},
        ),
        Example(
            title="Account numbers only, in two columns",
            options={"columns": ["body", "sign"], "kinds": ["card", "iban"]},
            before={"body": ["ann.lee@example.com", "4111 1111 1111 1112"], "sign": ["Ann", "Bob"]},
            after={"passed": [True], "value": [0.0], "limit": [0.0]},
        ),
    )

    def find(self, view: View) -> Finding:
        """Look at each text."""
        columns = self.columns or [str(self.column)]
        kinds = asked(self.kinds, self.countries)
        looked = view.rows.select(ROW, *(text_of(name).alias(name) for name in columns))
        counts: Counter[str] = Counter()
        total, bad, rows = 0, 0, list[str]()
        for batch in looked.collect_batches(chunk_size=50_000, maintain_order=True):
            held = [
                found_in(batch[name], kinds, self.countries).list.eval(pl.element().struct.field("kind"))
                for name in columns
            ]
            told = pl.DataFrame({"row": batch[ROW], "kinds": pl.select(pl.concat_list(held).list.unique()).to_series()})
            hit = told.filter(pl.col("kinds").list.len() > 0)
            counts.update(hit["kinds"].explode())
            total, bad = total + batch.height, bad + hit.height
            rows += hit["row"].head(MOST - len(rows)).to_list()
        share = bad / total if total else 0.0
        which = ", ".join(f"{kind} in {n:,}" for kind, n in counts.most_common())
        part = f" ({numbers.typed(numbers.percent(share))})" if bad else ""
        allowed = f" At most {numbers.typed(numbers.percent(self.at_most))} may." if self.at_most else ""
        return self.finding(
            share <= self.at_most,
            value=round(share, 6),
            limit=self.at_most,
            message=(
                f"{bad:,} of {total:,}{part} {word(total, 'row')} {word(bad, 'holds', 'hold')} personal "
                f"data{f': {which}' if which else ''}.{allowed}"
            ),
            rows=tuple(rows),
        )
