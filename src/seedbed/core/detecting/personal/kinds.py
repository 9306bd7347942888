"""The kinds of personal data, and which of them are looked for."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Literal, NamedTuple

import polars as pl

#: What a recipe may name. `national_id` stands for those of the countries.
Kind = Literal["email", "phone", "card", "iban", "ip", "url_credentials", "national_id"]
KINDS: tuple[Kind, ...] = ("email", "phone", "card", "iban", "ip", "url_credentials", "national_id")
#: What only a model of the language finds (Presidio).
Name = Literal["person", "place"]
Country = Literal["US", "GB", "DE", "FR", "ES", "IT", "NL"]
COUNTRIES: tuple[Country, ...] = ("US", "GB", "DE", "FR", "ES", "IT", "NL")

#: National numbers by country, as they are named where they were found.
NATIONAL: dict[str, tuple[str, ...]] = {
    "US": ("us_ssn",),
    "GB": ("gb_nhs", "gb_nino"),
    "DE": ("de_tax_id",),
    "FR": ("fr_nir",),
    "ES": ("es_dni",),
    "IT": ("it_codice_fiscale",),
    "NL": ("nl_bsn",),
}
#: Where two kinds overlap, the one that stands first here holds: the one that more speaks for.
ORDER = (
    "url_credentials",
    "email",
    "iban",
    "it_codice_fiscale",
    "fr_nir",
    "card",
    "us_ssn",
    "gb_nhs",
    "gb_nino",
    "de_tax_id",
    "es_dni",
    "nl_bsn",
    "ip",
    "phone",
    "person",
    "place",
)
#: What finding a kind takes, besides patterns: the extra `pii` has all of it.
_PACKAGES: dict[Kind, str] = {"phone": "phonenumbers", "card": "stdnum", "iban": "stdnum", "national_id": "stdnum"}
#: What is told of each text.
SPANS = pl.List(pl.Struct({"kind": pl.String(), "start": pl.Int64(), "end": pl.Int64()}))


class Span(NamedTuple):
    """A stretch of a text, in characters from its start; `end` is the first that is not of it."""

    kind: str
    start: int
    end: int


def findable() -> tuple[Kind, ...]:
    """The kinds that can be found with what is installed; all of `KINDS` with the extra `pii`."""
    return tuple(kind for kind in KINDS if kind not in _PACKAGES or importlib.util.find_spec(_PACKAGES[kind]))


def asked(kinds: Sequence[str], countries: Sequence[str]) -> tuple[str, ...]:
    """The kinds that are looked for, with `national_id` as what it stands for in those countries."""
    named = {kind for kind in kinds if kind != "national_id"}
    if "national_id" in kinds:
        named |= {name for country in countries for name in NATIONAL[country]}
    return tuple(kind for kind in ORDER if kind in named)


def without_overlaps(spans: Sequence[Span]) -> list[Span]:
    """Spans in order of the text. Those that overlap become one: of the kind that comes first, over all of them.

    Were the rest of the others left, a part of a number would stay.
    """
    kept: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, one.end)):
        last = kept[-1] if kept else None
        if last is None or last.end <= span.start:
            kept.append(span)
        else:
            kind = min(last.kind, span.kind, key=ORDER.index)
            kept[-1] = Span(kind, last.start, max(last.end, span.end))
    return kept
