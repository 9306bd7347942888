"""normalize: write the same text in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.part import Example, TextColumn
from seedbed.core.step import Map
from seedbed.core.values import text_of

from .mending.forms import in_form
from .mending.some_rows import beyond_ascii, changed, matching
from .values.in_bytes import with_control

_URL = r"(?i)\b(?:https?://|www\.)[^\s<>\"]*[^\s<>\"'.,;:!?)\]}]"
_MENTION = r"\B@\w+"
# Control characters that are no whitespace, the zero-width space and the byte-order mark.
_CONTROL = r"[\x00-\x08\x0e-\x1f\x7f-\x{84}\x{86}-\x{9f}\x{200b}\x{feff}]"
# White space that is no space, in ASCII and beyond. To make spaces of it, and then one space of several, is fourteen
# times faster than one pattern for both.
_ASCII_BLANKS = r"[\t-\r]"
_OTHER_BLANKS = r"[\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]"
_SPACES = " {2,}"

Treatment = Literal["keep", "remove", "token"]


class Normalize(Map):
    """Writes equal texts equally: Unicode form, whitespace, control characters; letter case, URLs, mentions if asked.

    In this order: control characters, Unicode form, URLs, mentions, letter case, whitespace.

    ## Why
    `é` can be one character or two, and a line can end in three ways. Where nobody sees the difference, a model and a
    comparison of texts should not see one either.

    ## Limits
    `whitespace` also removes line breaks: leave it off where lines mean something. NFKC turns `10³` into `103`. URLs
    are found by `http://`, `https://` and `www.`, mentions by an `@` that follows no letter or digit. `lowercase`
    loses what capitals say. A column of another type is read as text.
    """

    use: Literal["normalize"] = "normalize"
    column: TextColumn = Field(None, description="Column to normalise; the task's text when left out.")
    unicode: Literal["NFC", "NFKC", "none"] = Field("NFC", description="Unicode normal form (UAX #15).")
    whitespace: bool = Field(True, description="Make runs of whitespace one space and strip both ends.")
    control: bool = Field(True, description="Remove control characters, zero-width spaces and byte-order marks.")
    lowercase: bool = Field(False, description="Make all letters small.")
    urls: Treatment = Field("keep", description="Keep URLs, remove them, or put `[url]` in their place.")
    mentions: Treatment = Field("keep", description="Keep @mentions, remove them, or put `[user]` in their place.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Whitespace, control characters and Unicode form",
            before={"text": ["  two\n\n lines\t", "cafe\u0301", "nul\x00 byte", "as it was", None]},
            after={"text": ["two lines", "café", "nul byte", "as it was", None]},
        ),
        Example(
            title="Tweets",
            options={"column": "tweet", "lowercase": True, "urls": "token", "mentions": "token"},
            before={"tweet": ["@Ann look: https://t.co/x1!", "mail ann@site.org", "(www.site.org/a_(b))"]},
            after={"tweet": ["[user] look: [url]!", "mail ann@site.org", "([url]))"]},
        ),
    )

    def columns(self) -> Sequence[pl.Expr]:
        """The column, normalised."""
        text = text_of(str(self.column))
        return [text.map_batches(self._written_alike, return_dtype=pl.String, is_elementwise=True)]

    def _written_alike(self, texts: pl.Series) -> pl.Series:
        beyond = beyond_ascii(texts)  # nothing below brings a text beyond ASCII
        if self.control:  # before characters are composed: one may stand between a letter and its accent
            texts = _replaced(texts, with_control(texts) | matching(texts, _CONTROL, beyond), _CONTROL, "")
        if self.unicode != "none":
            texts = in_form(texts, self.unicode, beyond)
        if self.urls != "keep":
            texts = texts.str.replace_all(_URL, "[url]" if self.urls == "token" else "")
        if self.mentions != "keep":
            texts = texts.str.replace_all(_MENTION, "[user]" if self.mentions == "token" else "")
        if self.lowercase:
            texts = texts.str.to_lowercase()
        return _spaced_alike(texts, beyond) if self.whitespace else texts


def _spaced_alike(texts: pl.Series, beyond: pl.Series) -> pl.Series:
    texts = _replaced(texts, texts.str.contains(_ASCII_BLANKS), _ASCII_BLANKS, " ")
    texts = _replaced(texts, matching(texts, _OTHER_BLANKS, beyond), _OTHER_BLANKS, " ")
    texts = _replaced(texts, texts.str.contains("  ", literal=True), _SPACES, " ")
    return texts.str.strip_chars()


def _replaced(texts: pl.Series, touched: pl.Series, pattern: str, instead: str) -> pl.Series:
    return changed(texts, touched, lambda some: some.str.replace_all(pattern, instead))
