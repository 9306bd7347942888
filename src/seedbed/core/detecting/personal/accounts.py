"""Payment cards and bank accounts: what has their form, and whose check digits are right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .kinds import Span

_CARD = re.compile(r"(?<![\w.,+-])[0-9](?:[ -]?[0-9]){11,30}(?!\w)")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,40}(?![A-Za-z0-9])")
#: How the numbers of each network begin, and how many figures they have (ISO/IEC 7812, the networks' own pages).
_NETWORKS = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})"  # Visa
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"  # Mastercard
    r"|3[47][0-9]{13}"  # American Express
    r"|(?:6011|65[0-9]{2}|64[4-9][0-9])[0-9]{12}"  # Discover
    r"|3(?:0[0-5]|[68][0-9])[0-9]{11}"  # Diners Club
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12}"  # JCB
    r"|62[0-9]{14,17}"  # UnionPay
    r"|(?:5018|5020|5038|6304|6759|676[1-3])[0-9]{8,15}"  # Maestro
)


def cards(text: str) -> Iterator[Span]:
    """Numbers of payment cards: of a known network, and right by Luhn's check."""
    from stdnum import luhn

    def is_card(number: str) -> bool:
        return bool(_NETWORKS.fullmatch(number)) and bool(luhn.is_valid(number))

    yield from _among_groups("card", _CARD, text, is_card, least=3)


def ibans(text: str) -> Iterator[Span]:
    """International bank account numbers (ISO 13616): right by their country's form and by MOD 97."""
    from stdnum import iban

    yield from _among_groups("iban", _IBAN, text, iban.is_valid, least=1)


def _among_groups(
    kind: str, pattern: re.Pattern[str], text: str, holds: Callable[[str], bool], *, least: int
) -> Iterator[Span]:
    """Runs of groups of signs that hold, the longest first: what stands beside a number may have its form, too.

    Groups of fewer than `least` signs are of no number: tables of small numbers hold some run that fits by chance.
    """
    for found in pattern.finditer(text):
        groups = [(m.start(), m.end()) for m in re.finditer(r"[^ -]+", found[0])]
        first = 0
        while first < len(groups):
            for last in range(len(groups) - 1, first - 1, -1):
                start, end = groups[first][0], groups[last][1]
                small = min(b - a for a, b in groups[first : last + 1]) < least
                if not small and holds(re.sub("[ -]", "", found[0][start:end])):
                    yield Span(kind, found.start() + start, found.start() + end)
                    first = last
                    break
            first += 1
