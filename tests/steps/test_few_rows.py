"""Shortcuts of the row-wise steps: rows that are passed over must be those that nothing would change."""

from __future__ import annotations

import random
import re
import sys
import unicodedata
from typing import Literal

import ftfy
import polars as pl
import pytest
from ftfy.badness import BADNESS_RE, MOJIBAKE_CATEGORIES
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seedbed.steps import FixText, Normalize, TextLength
from seedbed.steps.mending.forms import _MAY_MATTER, in_form
from seedbed.steps.mending.mendable import _CLASSES, mendable
from seedbed.steps.mending.some_rows import beyond_ascii, matching
from seedbed.steps.values.in_bytes import with_control

ANY = st.characters(exclude_categories=["Cs"])
SOUND = [
    "naïve",
    "“so”",
    "Zürich",
    "déjà",
    "à la",
    "日本語",
    "😀",
    "e\u0301",
    "ﬁne",
    "Ａ",
    "Ã mas",
    "Â",
    "salt &amp; pepper",
    "&lt;b&gt; &amp;amp;",
    "A\u0303\u00a9",
]


def mojibake(text: str, through: str) -> str:
    return text.encode().decode(through, errors="replace")


PIECES = (
    st.builds(mojibake, st.sampled_from(SOUND), st.sampled_from(["cp1252", "latin-1", "mac_roman", "cp1251", "cp437"]))
    | st.sampled_from([*SOUND, " ", "\n", "\0", "\x1a", "<b>", "&eacute;", "\x85", "\r\n", "\ufffd"])
    | st.builds("plain words ".__mul__, st.integers(1, 12))
    | st.text(ANY, max_size=3)
)


@given(
    st.lists(st.lists(PIECES, max_size=10).map("".join), min_size=1, max_size=4),
    st.sampled_from(["auto", True, False]),
    st.sampled_from(["NFC", "none"]),
)
@settings(max_examples=200, deadline=None)
@example(["&lt;b&gt; &amp;amp;", "A\u0303\u00a9", "&eacute; e\u0301", "<b> &amp; e\u0301"], "auto", "NFC")  # in stages
@example(
    ["voilÃ " + "plain words " * 9 + "Ã quele " + "plain words " * 9 + "cafÃ©"], "auto", "NFC"
)  # signs beside what is left out
def test_fix_text_is_ftfy_on_broken_text_too(
    texts: list[str], unescape: Literal["auto"] | bool, form: Literal["NFC", "none"]
) -> None:
    step = FixText(column="t", mac_roman=False, unescape_html=unescape, normalization=form)
    config = ftfy.TextFixerConfig(
        unescape_html=unescape, normalization=None if form == "none" else form, uncurl_quotes=False
    )
    wanted = [ftfy.fix_text(text, config) for text in texts]
    assert pl.DataFrame({"t": texts}).select(step.columns())["t"].to_list() == wanted


def test_the_pattern_hits_whatever_ftfy_finds_bad() -> None:
    rng = random.Random(3)
    signs = sorted({c for found in MOJIBAKE_CATEGORIES.values() for c in found} | set("aZ .,-°ÂÃà²œ€™"))
    texts = ["".join(rng.choices(signs, k=rng.randint(1, 4))) for _ in range(30_000)]
    pattern = mendable(False, mac_roman=False, uncurl_quotes=False)
    hit = pl.Series(texts).str.contains(pattern).to_list()
    bad = [bool(BADNESS_RE.search(text)) for text in texts]
    assert [text for text, one, other in zip(texts, hit, bad, strict=True) if other and not one] == []
    assert 0.2 < sum(bad) / len(bad) < sum(hit) / len(hit) < 0.95


@pytest.mark.parametrize("kind", [r"\w", r"\s"])
def test_classes_take_what_python_takes(kind: str) -> None:
    signs = [chr(sign) for sign in range(sys.maxunicode + 1) if not 0xD800 <= sign < 0xE000]
    here = pl.Series(signs).str.contains(f"[{_CLASSES[kind]}]").to_list()
    known = re.compile(kind)
    # Python knows signs that Rust's tables of another Unicode version may not; there are none today.
    assert [sign for sign, found in zip(signs, here, strict=True) if known.match(sign) and not found] == []


def test_signs_that_no_normal_form_changes() -> None:
    signs = [chr(sign) for sign in range(sys.maxunicode + 1) if not 0xD800 <= sign < 0xE000]
    seconds = {unicodedata.normalize("NFD", sign)[1:2] for sign in signs}
    for form, pattern in _MAY_MATTER.items():
        passed_over = pl.Series(signs).filter(~pl.Series(signs).str.contains(pattern))
        assert len(passed_over) > 100
        assert [s for s in passed_over if unicodedata.normalize(form, s) != s or unicodedata.combining(s)] == []
        assert seconds.isdisjoint(set(passed_over))


@given(st.lists(st.text(st.sampled_from("aéA\u0301\u030a가가ﬁ ³"), max_size=6) | st.none(), max_size=6))
@settings(deadline=None)
def test_in_form(texts: list[str | None]) -> None:
    for form in ("NFC", "NFKC"):
        series = pl.Series(texts, dtype=pl.String)
        wanted = [None if text is None else unicodedata.normalize(form, text) for text in texts]
        assert in_form(series, form, beyond_ascii(series)).to_list() == wanted


@given(
    st.lists(st.text(st.sampled_from("ab\t\n\r\x00\x08\x0e\x1f\x7f é"), max_size=5) | st.none(), max_size=12), st.data()
)
@settings(max_examples=200, deadline=None)
def test_with_control(texts: list[str | None], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(texts)))
    series = pl.Series(texts, dtype=pl.String).slice(start)
    wanted = [text is not None and bool(re.search(r"[\x00-\x08\x0e-\x1f\x7f]", text)) for text in texts[start:]]
    assert with_control(series).to_list() == wanted


def test_with_control_finds_signs_at_the_edges_of_what_is_looked_at_together() -> None:
    long = "x" * ((1 << 17) - 1)
    texts = pl.Series([long + "\x00", "\x01", long, "\x7f" + long, None, ""])
    assert with_control(texts).to_list() == [True, True, False, True, False, False]


def test_matching_looks_only_where_it_is_told_to() -> None:
    found = matching(pl.Series(["ab", "a", None, "b"]), "b", pl.Series([True, True, None, False]))
    assert found.to_list() == [True, False, False, False]


BLANKS = st.text(st.sampled_from(" \t\n\r\x0b\x0c\x85\xa0\u1680\u2003\u2028\u3000ab\u200b"), max_size=12)


@given(st.lists(BLANKS | st.none(), max_size=8))
@settings(max_examples=200, deadline=None)
def test_white_space_is_what_unicode_says(texts: list[str | None]) -> None:
    step = Normalize(column="t", control=False)
    found = pl.DataFrame({"t": texts}, schema={"t": pl.String}).select(step.columns())["t"].to_list()
    assert found == [None if text is None else " ".join(re.split(r"[^\S\x1c-\x1f]+", text)).strip() for text in texts]


@given(st.lists(BLANKS | st.none(), max_size=8), st.integers(0, 5), st.integers(0, 70))
@settings(max_examples=200, deadline=None)
def test_words_are_counted_as_far_as_it_takes(texts: list[str | None], least: int, more: int) -> None:
    texts = [text and text * (1 + more) for text in texts]
    step = TextLength(column="t", unit="words", at_least=least, at_most=least + more)
    table = pl.DataFrame({"t": texts}, schema={"t": pl.String})
    counted = table["t"].str.count_matches(r"\S+").is_between(least, least + more).to_list()
    assert table.select(step.keep().alias("keep"))["keep"].to_list() == counted
