"""Unicode normal forms (UAX #15), asked for only where a text can differ from its own."""

from __future__ import annotations

import unicodedata
from typing import Literal

import polars as pl

from .some_rows import changed, matching

Form = Literal["NFC", "NFKC"]

#: Characters outside these ranges may change, or change what stands before them.
_MAY_MATTER: dict[Form, str] = {
    "NFC": r"[^\x00-\x{2ff}\x{2010}-\x{2027}\x{3041}-\x{3096}\x{30a1}-\x{30fa}\x{4e00}-\x{9fff}\x{1f300}-\x{1faff}]",
    "NFKC": r"[^\x00-\x{9f}]",
}


def out_of_form(texts: pl.Series, form: Form, among: pl.Series) -> pl.Series:
    """Whether a text is not in the form; `among` says which hold anything beyond ASCII (null counts as no)."""
    rows = matching(texts, _MAY_MATTER[form], among).arg_true()
    found = pl.Series([False]).new_from_index(0, texts.len())
    if not rows.len():
        return found
    return found.scatter(
        rows, pl.Series([not unicodedata.is_normalized(form, text) for text in texts.gather(rows)], dtype=pl.Boolean)
    )


def in_form(texts: pl.Series, form: Form, among: pl.Series) -> pl.Series:
    """The texts in the form; `among` as in `out_of_form`."""
    return changed(
        texts,
        out_of_form(texts, form, among),
        lambda some: pl.Series([unicodedata.normalize(form, text) for text in some], dtype=pl.String),
    )
