"""Where personal data stands in texts: Polars finds the few that may hold any, Python looks at these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import polars as pl

from .accounts import cards, ibans
from .addresses import credentials, emails, ips
from .kinds import NATIONAL, SPANS, Span, without_overlaps
from .national import national
from .phones import phones

#: A pattern that every text has in which the kind is found; it hits too much, never too little.
_LIKELY: Mapping[str, str] = {
    "email": r"\w@[\p{L}\p{N}]",
    "url_credentials": r"://[^\s/@:]+:[^\s/@]+@",
    "iban": r"[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11}",
    "card": r"[0-9](?:[ -]?[0-9]){11}",
    "phone": r"[0-9](?:[^\p{L}0-9]{0,6}[0-9]){6}",
    "ip": r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|:[0-9A-Fa-f]{0,4}:",
    "us_ssn": r"[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}",
    "gb_nhs": r"[0-9]{3}[- ]?[0-9]{3}[- ]?[0-9]{4}",
    "gb_nino": r"[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",
    "de_tax_id": r"[0-9]{2}[ /]?[0-9]{3}[ /]?[0-9]{3}[ /]?[0-9]{3}",
    "fr_nir": r"[0-9] ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3}",
    "es_dni": r"[0-9]{7}[ -]?[A-Z]|\.[0-9]{3}-?[A-Z]",
    "it_codice_fiscale": r"(?i)[A-Z]{6}[0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{2}[A-Z]",
    "nl_bsn": r"[0-9]{9}|[0-9]{4}[. ][0-9]{2}[. ][0-9]{3}",
}


def found_in(texts: pl.Series, kinds: Sequence[str], countries: Sequence[str]) -> pl.Series:
    """What stands in each text (`SPANS`), in order and without overlaps; an empty list for a missing text.

    Args:
        texts: Any.
        kinds: As `kinds.asked` gives them.
        countries: Whose ways of writing telephone numbers are known.
    """
    spans: dict[int, list[Span]] = {}
    for kind in kinds:
        look = _looker(kind, countries)
        rows = texts.str.contains(_LIKELY[kind]).fill_null(False).arg_true()
        for row, text in zip(rows, texts.gather(rows), strict=True) if rows.len() else ():
            spans.setdefault(row, []).extend(look(text))
    return as_series({row: without_overlaps(found) for row, found in spans.items()}, texts.len())


def as_series(spans: Mapping[int, Sequence[Span]], rows: int) -> pl.Series:
    """Spans by row as a column of so many rows."""
    flat = [(row, *span) for row in sorted(spans) for span in spans[row]]
    table = pl.DataFrame(
        flat, schema={"row": pl.UInt32, "kind": pl.String, "start": pl.Int64, "end": pl.Int64}, orient="row"
    )
    told = table.group_by("row", maintain_order=True).agg(pl.struct("kind", "start", "end").alias("found"))
    every = pl.DataFrame({"row": pl.int_range(rows, dtype=pl.UInt32, eager=True)})
    return every.join(told, on="row", how="left", maintain_order="left")["found"].fill_null(pl.lit([], SPANS))


def merged(*found: pl.Series) -> pl.Series:
    """What several finders found, without overlaps."""
    rows = zip(*(column.to_list() for column in found), strict=True)
    spans = {row: without_overlaps([Span(**one) for said in told for one in said]) for row, told in enumerate(rows)}
    return as_series(spans, found[0].len())


def at_rows(
    texts: pl.Series, rows: pl.Series, change: Callable[[str, Sequence[Mapping[str, object]]], str], found: pl.Series
) -> pl.Series:
    """The texts, those of some rows replaced by what `change` makes of them and of what was found there."""
    if not rows.len():
        return texts
    new = [change(text, spans) for text, spans in zip(texts.gather(rows), found.gather(rows).to_list(), strict=True)]
    return texts.clone().scatter(rows, pl.Series(new, dtype=pl.String))


def replaced(text: str, found: Sequence[Mapping[str, object]], instead: Callable[[str, str], str]) -> str:
    """A text with something else in place of what was found.

    Args:
        text: Any.
        found: Its spans, in order.
        instead: Given the kind and the value.
    """
    pieces, done = [], 0
    for span in found:
        start, end = int(str(span["start"])), int(str(span["end"]))
        pieces += [text[done:start], instead(str(span["kind"]), text[start:end])]
        done = end
    return "".join([*pieces, text[done:]])


def _looker(kind: str, countries: Sequence[str]) -> Callable[[str], Iterator[Span]]:
    if any(kind in names for names in NATIONAL.values()):
        return partial(national, kind)
    if kind == "phone":
        return partial(phones, regions=countries)
    return {"email": emails, "url_credentials": credentials, "ip": ips, "card": cards, "iban": ibans}[kind]
