"""National numbers of persons: their form, their check digits, and for weak forms a word that says what they are."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .kinds import Span

#: How far before a number the word may stand that says what it is.
_NEAR = 40


@dataclass(frozen=True)
class _Form:
    """How a number is written."""

    pattern: re.Pattern[str]
    stdnum: tuple[str, ...]
    """Modules of python-stdnum of which one must find it valid; none where there is no check digit."""
    said: re.Pattern[str] | None = None
    """What must stand before it: one such number in ten or so has right check digits by chance."""


def _form(pattern: str, *stdnum: str, said: str = "") -> _Form:
    return _Form(
        re.compile(rf"(?<![\w.,+-]){pattern}(?![\w]|[-.,][0-9])"),
        stdnum,
        re.compile(rf"(?i)(?:{said})[^0-9\n]{{0,{_NEAR}}}$") if said else None,
    )


_SSN = r"\bSSN\b|social[ -]security"
_TAX = r"\bIdNr\b|steuer|\bTIN\b|tax[ -]?id"
#: Of birth; from 20 on where it is not known.
_MONTH = "(?:0[1-9]|1[0-2]|[2-9][0-9])"
_FORMS: dict[str, tuple[_Form, ...]] = {
    "us_ssn": (
        _form("[0-9]{3}-[0-9]{2}-[0-9]{4}", "us.ssn"),
        _form("[0-9]{3} ?[0-9]{2} ?[0-9]{4}", "us.ssn", said=_SSN),
    ),
    # Ten figures in the groups of an American telephone number.
    "gb_nhs": (_form("[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}", "gb.nhs", said=r"\bNHS\b"),),
    "gb_nino": (
        _form(
            "(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
            r"(?:[0-9]{6}[A-D]| [0-9]{2} [0-9]{2} [0-9]{2} [A-D])"
        ),
    ),
    "de_tax_id": (
        _form("[0-9]{2} [0-9]{3} [0-9]{3} [0-9]{3}", "de.idnr"),
        _form("[0-9]{11}|[0-9]{2}[ /][0-9]{3}[ /][0-9]{3}[ /][0-9]{3}", "de.idnr", said=_TAX),
    ),
    "fr_nir": (
        _form(f"[12][0-9]{{2}}{_MONTH}(?:[0-9]{{2}}|2[AB])[0-9]{{8}}", "fr.nir"),
        _form(f"[12] [0-9]{{2}} {_MONTH} (?:[0-9]{{2}}|2[AB]) [0-9]{{3}} [0-9]{{3}} ?[0-9]{{2}}", "fr.nir"),
    ),
    "es_dni": (
        _form("[0-9]{8}[ -]?[A-Z]|[0-9]{1,2}\\.[0-9]{3}\\.[0-9]{3}-?[A-Z]", "es.dni"),
        _form("[XYZ][ -]?[0-9]{7}[ -]?[A-Z]", "es.nie"),
    ),
    "it_codice_fiscale": (
        _form("(?i:[A-Z]{6}[0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z])", "it.codicefiscale"),
    ),
    "nl_bsn": (_form(r"[0-9]{9}|[0-9]{4}[. ][0-9]{2}[. ][0-9]{3}", "nl.bsn", said=r"\bBSN\b|burgerservice|\bsofi"),),
}


def national(kind: str, text: str) -> Iterator[Span]:
    """Numbers of a kind (a value of `kinds.NATIONAL`)."""
    for form in _FORMS[kind]:
        for found in form.pattern.finditer(text):
            before = text[max(0, found.start() - 2 * _NEAR) : found.start()]
            if (form.said is None or form.said.search(before)) and _valid(form, found[0]):
                yield Span(kind, found.start(), found.end())


def _valid(form: _Form, number: str) -> bool:
    bare = re.sub(r"[ ./-]", "", number)
    return not form.stdnum or any(importlib.import_module(f"stdnum.{one}").is_valid(bare) for one in form.stdnum)
