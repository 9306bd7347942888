"""What a column of texts holds that a model should not see, and which texts are copies."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.profile import Language
from seedbed.core.similarity import choose_kind, components, normalise, shingle, similar_pairs
from seedbed.core.similarity.shingles import SHORT

from .measuring.copies import AT_LEAST
from .measuring.languages import MOST as MOST_TOLD
from .measuring.languages import languages_of
from .measuring.plan import MOST_CHARACTERS, MOST_TEXTS
from .measuring.texts import personal_in

#: Different texts that are compared with each other.
MOST_COMPARED = 20_000
#: Characters of the texts that are compared with each other.
_MOST_CHARACTERS = 20_000_000
#: Texts that are not plain ASCII and are tried for a wrong decoding.
_MOST_TRIED = 5_000

_TAG = (
    r"(?i)</?(?:a|b|i|u|p|br|hr|em|li|ol|ul|td|tr|th|h[1-6]|div|img|span|font|code|table|strong|center)(?:\s[^<>]*)?/?>"
)
_ENTITY = r"&(?:#\d{2,7}|#[xX][0-9a-fA-F]{2,6}|[a-zA-Z]{2,8}\d{0,2});"
_SPACES = r"\s{2,}|[^\S ]|^\s|\s$|[\x00-\x08\x0e-\x1f\x7f\x{200b}\x{feff}]"


class TextProfile(BaseModel):
    """A column of texts in numbers; all of them count rows."""

    model_config = ConfigDict(frozen=True)

    rows: int = Field(description="Rows with a text.")
    characters: float = Field(0, description="Median length.")
    shortest: int = 0
    longest: int = 0
    short: int = Field(0, description="Texts of fewer than three characters.")
    mangled: int = Field(0, description="Texts that were decoded wrongly (`cafÃ©`); an estimate for many texts.")
    lost: int = Field(0, description="Texts with U+FFFD, where characters are gone.")
    entities: int = Field(0, description="Texts with HTML entities.")
    tags: int = Field(0, description="Texts with HTML tags.")
    spaces: int = Field(0, description="Texts with line breaks, runs of white space or control characters.")
    urls: int = 0
    mentions: int = 0
    personal: dict[str, int] = Field(
        default_factory=dict,
        description="Texts in which `pii_left` finds personal data, by kind; an estimate for many texts.",
    )
    languages: tuple[Language, ...] = Field((), description="Of a sample; empty where no detector is installed.")
    exact_copies: int = Field(0, description="Rows whose text, but for case and white space, stood before.")
    compared: int = Field(0, description="Rows that were looked through for near copies, from the first.")
    near_copies: int = Field(0, description="Of those, further rows whose text is similar to one before.")
    conflicts: int = Field(0, description="Rows whose text also stands with another label.")


def text_profile(texts: pl.Series, labels: pl.Series | None = None) -> TextProfile:
    """Look at texts.

    Args:
        texts: Of any type; missing and blank ones are passed over.
        labels: Label of each text, where there are any.
    """
    given = texts.cast(pl.String)
    there = given.str.strip_chars().str.len_bytes() > 0
    rows = pl.DataFrame({"text": given, "label": pl.Series(labels).cast(pl.String) if labels is not None else None})
    rows = rows.filter(there)
    if rows.is_empty():
        return TextProfile(rows=0)
    text, length = pl.col("text"), pl.col("text").str.len_chars()
    counted = rows.select(
        characters=length.median(),
        shortest=length.min(),
        longest=length.max(),
        short=(text.str.strip_chars().str.len_chars() < 3).sum(),
        lost=text.str.contains("\ufffd", literal=True).sum(),
        entities=text.str.contains(_ENTITY).sum(),
        tags=text.str.contains(_TAG).sum(),
        spaces=text.str.contains(_SPACES).sum(),
        urls=text.str.contains(r"(?i)\b(?:https?://|www\.)\S").sum(),
        mentions=text.str.contains(r"\B@\w").sum(),
    ).row(0, named=True)
    copies = copies_in(rows["text"], rows["label"])
    return TextProfile(
        rows=rows.height,
        mangled=_mangled(rows["text"]),
        personal=_personal(rows["text"]),
        languages=languages_of(_some(rows["text"], MOST_TOLD), whole=rows.height <= MOST_TOLD),
        **counted,
        **copies,
    )


def copies_in(texts: pl.Series, labels: pl.Series) -> dict[str, int]:
    """How many of some texts are copies: the fields of `TextProfile` that say so.

    Args:
        texts: None of them missing.
        labels: Of each text; null where there is none.
    """
    rows = pl.DataFrame({"text": normalise(texts.cast(pl.String)), "label": labels.cast(pl.String)})
    first = rows.select(pl.col("text").is_first_distinct()).to_series()
    unique = rows["text"].filter(first)
    fitting = int((unique.str.len_chars().cum_sum() <= _MOST_CHARACTERS).sum()) or 1
    tried = unique.head(min(fitting, MOST_COMPARED))
    left = first.arg_true()[tried.len() :]  # the first text that is not compared ends the rows that are
    height = int(left[0]) if left.len() else rows.height
    kind = choose_kind(int((tried.str.len_chars() < SHORT).sum()), tried.len())
    one, other, _ = similar_pairs(shingle(tried, kind), AT_LEAST, spanning=True)
    groups = components(tried.len(), one, other)
    labelled = pl.col("label").str.strip_chars().str.to_lowercase()
    conflicts = rows.select((labelled.drop_nulls().n_unique().over("text") > 1).sum()).item()
    return {
        "exact_copies": rows.height - unique.len(),
        "compared": height,
        "near_copies": int((groups != np.arange(tried.len())).sum()),
        "conflicts": int(conflicts),
    }


def _mangled(texts: pl.Series) -> int:
    from ftfy import badness

    foreign = texts.filter(texts.str.contains(r"[^\x00-\x7f]"))
    tried = foreign.head(_MOST_TRIED)
    bad = sum(badness.is_bad(text[:2_000]) for text in tried)
    return round(bad * foreign.len() / tried.len()) if tried.len() else 0


def _personal(texts: pl.Series) -> dict[str, int]:
    tried = _some(texts, MOST_TEXTS).str.slice(0, MOST_CHARACTERS)
    found = personal_in(tried, whole=tried.len() == texts.len())
    return {kind: max(1, round(share.value * texts.len())) for kind, share in found.items()}


def _some(texts: pl.Series, most: int) -> pl.Series:
    """So many texts at most, from all over."""
    return texts.gather_every(max(1, math.ceil(texts.len() / most)))
