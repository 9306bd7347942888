"""strip_html: take HTML away and keep its text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.part import Example, TextColumn
from seedbed.core.step import Map
from seedbed.core.values import text_of

from .mending.some_rows import rewrite

# The elements of the HTML standard (https://html.spec.whatwg.org/#elements-3) and the old ones that pages still use.
_BREAKS = (
    "address article aside blockquote body br center dd details dialog dir div dl dt fieldset figcaption figure footer "
    "form frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li main menu nav ol optgroup option p pre "
    "section select summary table tbody tfoot thead title tr ul"
)
_CELLS = "td th"
_INLINE = (
    "a abbr acronym applet area audio b base basefont bdi bdo bgsound big blink button canvas caption cite code col "
    "colgroup data datalist del dfn em embed font frame i iframe img input ins kbd label link map mark marquee math "
    "meta meter nobr noembed noframes noscript object output param picture progress q rp rt ruby s samp script search "
    "slot small source span strike strong style sub sup svg template textarea time track tt u var video wbr xmp"
)

# An attribute's quoted value may hold `>`; where the quotes do not pair up, the next `>` ends the tag.
_ATTRIBUTES = r"""(?:[\s/](?:[^<>"']|"[^"]*"|'[^']*')*|[\s/][^<>]*)?"""


def _tags(names: str) -> str:
    return rf"</?(?:{'|'.join(names.split())}){_ATTRIBUTES}>"


_STEPS = (
    (r"(?s)<!--.*?-->|<!\[CDATA\[|\]\]>", ""),
    (r"(?is)<script\b[^>]*>.*?</script\s*>|<style\b[^>]*>.*?</style\s*>", " "),
    (r"(?i)<!doctype\b[^>]*>|<\?xml\b[^>]*>", ""),
    (rf"(?i)\s*(?:{_tags(_BREAKS)}\s*)+", "\n"),
    (rf"(?i)\s*(?:{_tags(_CELLS)}\s*)+", " "),
    (rf"(?i){_tags(_INLINE)}", ""),
)
_ANY_TAG = rf"</?[A-Za-z][\w:.-]*{_ATTRIBUTES}>"


class StripHtml(Map):
    """Takes tags, comments, scripts and styles away and turns entities into characters.

    Tags that begin a new line on a page (`<p>`, `<br>`, `<li>`) become one line break, table cells become a space,
    others (`<b>`, `<a>`) leave nothing behind. Rows without `<` and `&` stay as they are.

    ## Why
    Markup is not what a person wrote. A model that sees it learns which page a text came from.

    ## Limits
    These are patterns, not a browser: a tag that is cut off before its `>` stays, and so does text that a page would
    hide. `a < b` and `<3` stay, and so does `<user>`, which is no HTML element, unless `tags: any`; `x <b and c> y`
    reads as a tag. Entities need their semicolon, so `?a=1&copy=2` stays. Text that was escaped twice shows its tags
    once; `fix_text` before this part unescapes such text. A column of another type is read as text.
    """

    use: Literal["strip_html"] = "strip_html"
    column: TextColumn = Field(None, description="Column to strip; the task's text when left out.")
    tags: Literal["html", "any"] = Field(
        "html", description="Which tags go: those of HTML, or anything that has the form of one (XML, own elements)."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Tags go, text stays",
            before={
                "text": [
                    "<b>x</b> &amp; y",
                    "<p>One.</p>\n<p>Two<br/>three.</p>",
                    "<script>alert(1)</script>seen<!-- not seen -->",
                    "a < b, I <3 you, <user>",
                    "&lt;b&gt;",
                    None,
                ]
            },
            after={"text": ["x & y", "One.\nTwo\nthree.", "seen", "a < b, I <3 you, <user>", "<b>", None]},
        ),
        Example(
            title="Everything that has the form of a tag",
            options={"column": "body", "tags": "any"},
            before={"body": ["<note id='1'>Dear <to>Ann</to></note>", "1 < 2 > 0"]},
            after={"body": ["Dear Ann", "1 < 2 > 0"]},
        ),
    )

    def columns(self) -> Sequence[pl.Expr]:
        """The column, stripped."""
        return [rewrite(text_of(str(self.column)), lambda texts: texts.str.contains("[<&]"), self._strip)]

    def _strip(self, texts: pl.Series) -> pl.Series:
        marked = texts
        for pattern, instead in (*_STEPS, *([(_ANY_TAG, "")] if self.tags == "any" else [])):
            marked = marked.str.replace_all(pattern, instead)
        return _unescape(marked.zip_with(marked == texts, marked.str.strip_chars()))


def _unescape(texts: pl.Series) -> pl.Series:
    from ftfy.fixes import unescape_html

    rows = texts.str.contains("&", literal=True).arg_true()
    if not rows.len():
        return texts
    return texts.scatter(rows, pl.Series([unescape_html(text) for text in texts.gather(rows)], dtype=pl.String))
