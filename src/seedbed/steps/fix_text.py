"""fix_text: mend broken text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal
from unicodedata import normalize

import polars as pl
from pydantic import Field

from seedbed.core.part import Example, TextColumn
from seedbed.core.step import Map
from seedbed.core.values import text_of

from .mending.forms import out_of_form
from .mending.mangled import mangled_signs
from .mending.mendable import ENTITY, decoded, mendable
from .mending.some_rows import beyond_ascii, changed, matching, rewrite
from .values.in_bytes import with_control

if TYPE_CHECKING:
    from ftfy import TextFixerConfig


class FixText(Map):
    """Mends mis-decoded text (`cafÃ©`), HTML entities, control characters, ligatures and line breaks.

    Rows are given to ftfy (Robyn Speer, https://ftfy.readthedocs.org), which undoes a wrong decoding only where the
    result is certainly better. Before that, signs that went through Mac Roman and Windows-1252 (`I‰Ûªve`, `donäó»t`)
    are put back, which ftfy does not know. Texts in which none of ftfy's patterns is found cannot change; they cost
    little.

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
        return [rewrite(text_of(str(self.column)), self._broken, self._mend)]

    def _broken(self, texts: pl.Series) -> pl.Series:
        """Whether a text can change; some that cannot are taken for such that can."""
        beyond = beyond_ascii(texts)
        # ftfy only looks at entities, control characters and what is not ASCII.
        odd = beyond | with_control(texts) | texts.str.contains_any(["&", "\r", "\v"])
        if not odd.any():
            return odd
        found = matching(texts, self._pattern(), odd)
        return found if self.normalization == "none" else found | out_of_form(texts, self.normalization, beyond)

    def _pattern(self) -> str:
        return mendable(self.unescape_html, mac_roman=self.mac_roman, uncurl_quotes=self.uncurl_quotes)

    def _mend(self, texts: pl.Series) -> pl.Series:
        if self.mac_roman:
            forms = mangled_signs()
            texts = texts.str.replace_many(list(forms), list(forms.values()), leftmost=True)
        for mend in (self._plainly, self._decoded, self._by_ftfy):
            texts = changed(texts, self._broken(texts), mend)
        return texts

    def _plainly(self, texts: pl.Series) -> pl.Series:
        """Texts of which nothing was wrong but entities or the normal form; the others as they were.

        ftfy turns entities into characters first and looks at the normal form last, and then at all again: where its
        patterns are not found in between, nor at the end, that is all it does.
        """
        from ftfy.fixes import unescape_html

        plain = texts
        if self.unescape_html:  # of a text with a `<` it may leave some alone
            escaped = texts.str.contains(ENTITY) & ~texts.str.contains("<", literal=True)
            plain = changed(texts, escaped, lambda some: pl.Series([unescape_html(text) for text in some]))
        form = self.normalization
        done = plain if form == "none" else pl.Series([normalize(form, text) for text in plain], dtype=pl.String)
        odd = (plain != texts) & done.str.contains(ENTITY) | (texts.str.len_chars() > self._config().max_decode_length)
        for stage in (plain, done):
            odd |= stage.str.contains(self._pattern())
        return done.zip_with(~odd, texts)

    def _decoded(self, texts: pl.Series) -> pl.Series:
        """Texts of which nothing was wrong but the encoding; the others as they were.

        To ask ftfy for this alone, and a pattern whether anything is left to do, is several times faster than to have
        it look for all faults again after each that it mends.
        """
        config = self._config()
        pieces = texts.alias("line").str.split("\n", inclusive=True)  # ftfy, too, mends line by line
        lines = pieces.to_frame().with_row_index("text").explode("line")
        mended = changed(lines["line"], self._broken(lines["line"]), partial(decoded, config=config))
        whole = (
            lines.with_columns(mended).group_by("text", maintain_order=True).agg(pl.col("line").str.join(""))["line"]
        )
        others = texts.str.contains(ENTITY) | (texts.str.len_chars() > config.max_decode_length) | self._broken(whole)
        return texts.zip_with(others, whole)

    def _by_ftfy(self, texts: pl.Series) -> pl.Series:
        from ftfy import fix_text

        config = self._config()
        return pl.Series([fix_text(text, config) for text in texts], dtype=pl.String)

    def _config(self) -> TextFixerConfig:
        from ftfy import TextFixerConfig

        return TextFixerConfig(
            unescape_html=self.unescape_html,
            normalization=None if self.normalization == "none" else self.normalization,
            uncurl_quotes=self.uncurl_quotes,
            explain=False,
        )
