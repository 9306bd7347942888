"""Which texts ftfy (Robyn Speer, https://ftfy.readthedocs.org) can change: its own tables as one pattern for Polars.

ftfy needs a second for a few MB, nearly all of it to see that a text is not broken; its patterns say so a hundred times
faster when Polars searches them. The pattern may hit too much, never too little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Literal

import polars as pl

from .mangled import mangled_signs

if TYPE_CHECKING:
    from ftfy import TextFixerConfig

#: What these classes mean to Python's `re`, whose `\w` and `\s` take more than those of Rust.
_CLASSES = {r"\w": r"\w\p{N}", r"\s": r"\s\x1c-\x1f"}
#: Where entities may stand that ftfy turns into characters.
ENTITY = "&#?[0-9A-Za-z]{1,24};"
#: ASCII signs around others that ftfy's rules for encodings look at, and more: the longest looks at six.
_AROUND = 16
_PLAIN = re.compile(rf"(?<=[\t -~]{{{_AROUND}}})[\t -~]{{48,}}(?=[\t -~]{{{_AROUND}}})")


@cache
def mendable(unescape_html: Literal["auto"] | bool, *, mac_roman: bool, uncurl_quotes: bool) -> str:
    """The pattern that a text holds, unless neither ftfy nor `mangled_signs` changes it but for its normal form."""
    from ftfy.badness import BADNESS_RE
    from ftfy.chardata import CONTROL_CHARS, DOUBLE_QUOTE_RE, LIGATURES, SINGLE_QUOTE_RE, WIDTH_MAP

    signs = {*LIGATURES, *WIDTH_MAP, *CONTROL_CHARS, *map(ord, "\r\u2028\u2029"), *range(0x80, 0xA0)}
    parts = [_without_layout(BADNESS_RE.pattern), _class_of(signs)]
    if unescape_html:
        # With `auto`, a `<` ends the unescaping for good.
        parts.append(rf"\A[^<]*{ENTITY}" if unescape_html == "auto" else ENTITY)
    if mac_roman:
        starts = zip(*(form[:3] for form in mangled_signs()), strict=True)
        parts.append("".join(_class_of(map(ord, set(place))) for place in starts))
    if uncurl_quotes:
        parts += [SINGLE_QUOTE_RE.pattern, DOUBLE_QUOTE_RE.pattern]
    pattern = "|".join(f"(?:{part})" for part in parts)
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.ComputeError:  # another ftfy, with a pattern that only Python understands
        return ""
    return pattern


def decoded(lines: pl.Series, config: TextFixerConfig) -> pl.Series:
    """What ftfy makes of the encoding of lines.

    Long stretches of ASCII are left out meanwhile, a NUL in their place: they take most of ftfy's time, and it looks at
    no more of them than what stands beside other signs.
    """
    from ftfy import fix_encoding

    def one(line: str) -> str:
        plain = _PLAIN.findall(line) if "\0" not in line else []
        if not plain:
            return fix_encoding(line, config)
        around = fix_encoding(_PLAIN.sub("\0", line), config).split("\0")
        if len(around) != len(plain) + 1:
            return fix_encoding(line, config)
        return "".join(map("".join, zip(around, [*plain, ""], strict=True)))

    return pl.Series([one(line) for line in lines], dtype=pl.String)


def _without_layout(pattern: str) -> str:
    """A verbose pattern of Python's as a plain one of Rust's. Without `^`: any stretch of a text may start with it."""
    out, inside = [], False
    for token in re.findall(r"\\.|#[^\n]*|.", pattern, re.DOTALL):
        if token in _CLASSES:
            out.append(_CLASSES[token] if inside else f"[{_CLASSES[token]}]")
        elif inside:
            # To Rust these signs mean something in a class.
            out.append("".join("\\" + sign if sign in "[&~" else sign for sign in token))
            inside = not token.endswith("]")
        elif not token.isspace() and token != "^" and not token.startswith("#"):
            out.append(token)
            inside = token == "["
    return "".join(out)


def _class_of(signs: Iterable[int]) -> str:
    return "[" + "".join(rf"\x{{{sign:x}}}" for sign in sorted(signs)) + "]"
