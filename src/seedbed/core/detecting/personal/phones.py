"""Telephone numbers, by Google's libphonenumber (https://github.com/daviddrysdale/python-phonenumbers)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .kinds import Span

_DATE = re.compile(
    r"(?<![0-9])(?:(?:19|20)[0-9]{2}([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12][0-9]|3[01])"
    r"|(?:0?[1-9]|[12][0-9]|3[01])([-/.])(?:0?[1-9]|[12][0-9]|3[01])\2(?:19|20)[0-9]{2})(?![0-9])"
)
_DECIMAL = re.compile(r"(?<![0-9.])(?:[0-9]{1,2}\.[0-9]{5,}|0\.[0-9]+)")
#: Every number has such a group; tables of small numbers do not.
_GROUP = re.compile(r"\+|[0-9]{3}|(?<![0-9])0[0-9]")
#: Where figures stand closely enough together to be a number, or several.
_STRETCH = re.compile(r"\+?\(?\+?[0-9](?:[^\S\n]{0,2}[-()./]{0,2}[^\S\n]{0,2}[0-9]){6,}")
#: More figures are a table.
_MOST_FIGURES = 45
_NOT_ALONE_BEFORE = re.compile(r"(?:[\w@#$€£¥%=/&]|[0-9][.,:]|\w-)$")
_NOT_ALONE_AFTER = re.compile(r"\A(?:[\w@%$€£¥/]|[-.,:][0-9])")
_SAID = re.compile(
    r"(?i)\b(?:t[eé]l|telefono?|teléfono|tele(?:ph|f)oo?n|phone|call(?:ed|ing)?|mobile?|móvil|cell(?:ulare)?|fax|text|sms"
    r"|whats ?app|ring|handy|rufnummer|contact|portable|bel)\b[^0-9\n]{0,12}$"
)
_SOMETHING_ELSE = re.compile(
    r"(?i)\b(?:issn|isbn|ean|doi|pp?|vol|order|ticket|invoice|flight|id|ref|sku|tracking)\b[^0-9\n]{0,10}$"
)
#: The forms of other numbers, right ones or wrong ones: an address of a machine or a version, a social security number,
#: a payment card.
_OTHERS_FORM = re.compile(
    r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{4}(?:([ -])[0-9]{4})(?:\1[0-9]{4}){2}"
)
#: From one year to another, which may be cut short (1642-49).
_YEARS = re.compile(r"(?:1[0-9]{3}|20[0-9]{2}) ?[-/\u2013] ?(?:1[0-9]{3}|20[0-9]{2}|[0-9]{2,3})")
#: A decimal, and single figures.
_NO_GROUPS = re.compile(r"^[0-9]+\.[0-9]+$|(?:\b[0-9]\b.*){3}")
_ACCOUNT_BEFORE = re.compile(r"\b[A-Z]{2}[0-9]{2}[ -]?(?:[A-Z0-9]{4}[ -]?)*$")


def phones(text: str, regions: Sequence[str]) -> Iterator[Span]:
    """Numbers that can exist: with their country's code (+…), or as they are written within one of the regions.

    Bare figures of a country without a leading zero, as order numbers have them, count only where a word before them
    (`tel`, `call`, …) says so; none counts after a word that says something else (`order`, `ISBN`, …).
    """
    plain = text
    for other in (_DATE, _DECIMAL):
        plain = other.sub(lambda one: "x" * len(one[0]), plain)
    for found in _STRETCH.finditer(plain):
        if sum(map(str.isdigit, found[0])) > _MOST_FIGURES or not _GROUP.search(found[0]):
            continue
        # With what stands beside it, which the library looks at.
        first = max(0, found.start() - 1)
        for start, end in _possible(plain[first : found.end() + 1], regions):
            if _stands_alone(plain, first + start, first + end):
                yield Span("phone", first + start, first + end)


def _possible(stretch: str, regions: Sequence[str]) -> set[tuple[int, int]]:
    import phonenumbers

    places = set()
    # A number with its country's code is found whatever the region.
    for region in regions or ("ZZ",):
        for found in phonenumbers.PhoneNumberMatcher(stretch, region, leniency=phonenumbers.Leniency.VALID):
            number = found.raw_string
            opened = number[:1] in ("(", "[") and number.count("(") != number.count(")")
            places.add((found.start + opened, found.end))
    return places


def _stands_alone(text: str, start: int, end: int) -> bool:
    number = text[start:end]
    before, after = text[max(0, start - 30) : start], text[end : end + 5]
    if _OTHERS_FORM.fullmatch(number) or _NO_GROUPS.search(number) or _NOT_ALONE_AFTER.search(after):
        return False
    if _ACCOUNT_BEFORE.search(before):
        return False
    if " " in number and (re.search(r"[0-9] $", before) or re.match(r" [0-9]{3}", after)):
        return False  # a piece of a longer number in groups
    if number.startswith("+"):
        return not re.search(r"\w$", before)
    said = _SAID.search(before)
    if not said and (_YEARS.fullmatch(number) or _NOT_ALONE_BEFORE.search(before) or _SOMETHING_ELSE.search(before)):
        return False
    return bool(said) or not number.isdigit() or (number.startswith("0") and 10 <= len(number) <= 11)
