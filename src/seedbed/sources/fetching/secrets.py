"""Keeps secrets out of whatever is shown or stored."""

from __future__ import annotations

import html
import json
import os
import re
from urllib.parse import quote, quote_plus

_NAME = re.compile(r"\$\{env:(\w+)\}")
#: A shorter value is no secret, and would be found in every other word.
_SHORTEST = 4


class Secrets:
    """What the placeholders `${env:NAME}` of a source stand for, and tokens that come later.

    Args:
        sent: Texts with placeholders whose values are sent in a query, header or body. A server may say them again,
            so that they are looked for in its answers, too.
        named: Other texts with placeholders (an address, a user's name): their values are put back in messages only.
    """

    def __init__(self, sent: str, named: str = "") -> None:
        self._shown: dict[str, str] = {}
        self._sent: dict[str, str] = {}
        for name in _NAME.findall(sent):
            self.add(os.environ.get(name, ""), f"${{env:{name}}}")
        for name in _NAME.findall(named):
            for form in _forms(os.environ.get(name, "")):
                self._shown.setdefault(form, f"${{env:{name}}}")

    def add(self, value: str, shown: str) -> None:
        """Another secret, and what stands in its place."""
        for form in _forms(value):
            self._shown.setdefault(form, shown)
            self._sent.setdefault(form, shown)

    def conceal(self, text: str) -> str:
        """The text with placeholders in place of what they stand for."""
        return _replaced(text, self._shown)

    def conceal_sent(self, body: bytes) -> bytes:
        """An answer with placeholders in place of what was sent; the same object where nothing of it is there."""
        if not any(form.encode() in body for form in self._sent):
            return body
        text = body.decode("utf-8", "surrogateescape")
        return _replaced(text, self._sent).encode("utf-8", "surrogateescape")


def _forms(value: str) -> list[str]:
    """The value, and as it may stand in an address, in JSON or in XML."""
    if len(value) < _SHORTEST:
        return []
    in_json = json.dumps(value)[1:-1]
    forms = [value, quote(value), quote(value, safe=""), quote_plus(value), in_json, in_json.replace("/", "\\/")]
    return [*forms, json.dumps(value, ensure_ascii=False)[1:-1], html.escape(value), html.escape(value, quote=False)]


def _replaced(text: str, known: dict[str, str]) -> str:
    if not known:
        return text
    longest_first = sorted(known, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), lambda found: known[found[0]], text)
