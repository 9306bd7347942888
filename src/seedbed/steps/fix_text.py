"""fix_text: mend broken text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.part import Example, TextColumn
from seedbed.core.step import Map
from seedbed.core.values import text_of

from .mangled import mangled_signs
from .some_rows import rewrite

#: ftfy changes no text without one of these: it only looks at entities, control characters and what is not ASCII.
_MAY_CHANGE = r"[^\t\n\x20-\x25\x27-\x7e]"


class FixText(Map):
    """Mends mis-decoded text (`cafÃ©`), HTML entities, control characters, ligatures and line breaks.

    Rows are given to ftfy (Robyn Speer, https://ftfy.readthedocs.org), which undoes a wrong decoding only where the
    result is certainly better. Before that, signs that went through Mac Roman and Windows-1252 (`I‰Ûªve`, `donäó»t`)
    are put back, which ftfy does not know. Rows of plain printable ASCII without `&` cannot change and cost nothing.

    ## Why
    Text that went through a wrong encoding, or was escaped for a web page, spells one word in several ways. A model
    learns each as another word, and duplicates are not found.

    ## Limits
    Works line by line, as ftfy does. Bytes that are gone stay gone: `caf�` is not mended. With `unescape_html: auto`
    entities are left alone from the first `<` of a text on, for that is HTML: `strip_html` mends it. Full-width
    letters become plain ones, and `ﬁ` becomes `fi`. A column of another type is read as text.
    """

    use: Literal["fix_text"] = "fix_text"
    column: TextColumn = Field(None, description="Column to mend; the task's text when left out.")
    unescape_html: Literal["auto"] | bool = Field(
        "auto", description="Turn `&amp;` into `&`: always, never, or (`auto`) unless the text holds a `<`."
    )
    normalization: Literal["NFC", "NFKC", "none"] = Field(
        "NFC", description="Unicode normal form. NFKC also unifies `²` with `2`, which can change what is meant."
    )
    mac_roman: bool = Field(True, description="Also put back signs that went through Mac Roman, once or several times.")
    uncurl_quotes: bool = Field(False, description="Turn curly quotes into straight ones.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Mis-decoded, escaped and decomposed text",
            before={"text": ["cafÃ© âœ”", "salt &amp; pepper", "e\u0301te\u0301", "<b>&amp;</b>", "plain", None]},
            after={"text": ["café ✔", "salt & pepper", "été", "<b>&amp;</b>", "plain", None]},
        ),
        Example(
            title="A spreadsheet's Mac Roman, one round and two",
            before={"text": ["I‰Ûªve seen ‰ÛÏit‰Ûù", "donäó»t"]},
            after={"text": ["I’ve seen “it”", "don’t"]},
        ),
        Example(
            title="Entities also where there are tags, and straight quotes",
            options={"column": "body", "unescape_html": True, "uncurl_quotes": True},
            before={"body": ["<b>&amp;</b>", "“so” they say"]},
            after={"body": ["<b>&</b>", '"so" they say']},
        ),
    )

    def columns(self) -> Sequence[pl.Expr]:
        """The column, mended."""
        return [rewrite(text_of(str(self.column)), lambda texts: texts.str.contains(_MAY_CHANGE), self._mend)]

    def _mend(self, texts: pl.Series) -> pl.Series:
        from ftfy import TextFixerConfig, fix_text

        config = TextFixerConfig(
            unescape_html=self.unescape_html,
            normalization=None if self.normalization == "none" else self.normalization,
            uncurl_quotes=self.uncurl_quotes,
            explain=False,
        )
        if self.mac_roman:
            forms = mangled_signs()
            texts = texts.str.replace_many(list(forms), list(forms.values()), leftmost=True)
        return pl.Series([fix_text(text, config) for text in texts], dtype=pl.String)
