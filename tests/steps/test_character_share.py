"""character_share counts what `unicodedata` calls letters, digits, signs …, in every script."""

from __future__ import annotations

import string
import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.steps import CharacterShare

KINDS = {
    "letters": lambda c: unicodedata.category(c)[0] in "LM",
    "ascii_letters": lambda c: c in string.ascii_letters,
    "capitals": lambda c: unicodedata.category(c) == "Lu",
    "digits": lambda c: unicodedata.category(c) == "Nd",
    "whitespace": lambda c: c.isspace() and c not in "\x1c\x1d\x1e\x1f",
    "signs": lambda c: unicodedata.category(c)[0] in "PS",
    "ascii": str.isascii,
}
# Characters that Python's and Polars' tables of Unicode both know.
KNOWN = st.characters(min_codepoint=1, max_codepoint=0x2FFF, exclude_categories=["Cn", "Cs", "Co"])


def shares(texts: list[str | None], kind: str) -> list[float | None]:
    step = CharacterShare(column="text", of=kind, at_least=0.0)
    return pl.DataFrame({"text": texts}, schema={"text": pl.String}).select(**step.evidence())["share"].to_list()


@pytest.mark.parametrize("kind", KINDS)
@given(texts=st.lists(st.none() | st.text(KNOWN, max_size=30), max_size=12))
def test_shares_are_those_of_counting_one_by_one(kind: str, texts: list[str | None]) -> None:
    expected = [round(sum(map(KINDS[kind], text)) / len(text), 4) if text else None for text in texts]
    assert shares(texts, kind) == pytest.approx(expected, abs=1e-4)


def test_a_slice_of_a_column_is_counted_as_if_it_stood_alone() -> None:
    texts = pl.DataFrame({"text": ["aaaa", "1b", None, "ccc ", "dé"]}).slice(1, 3)
    step = CharacterShare(column="text", at_least=0.6)
    assert texts.select(step.keep().alias("keep"))["keep"].to_list() == [False, None, True]
    found = texts.select(step.reason().alias("reason"), **step.evidence())
    assert found.row(0) == ("too_few", "letters", 0.5)


def test_limits_on_both_sides_tell_which_was_missed() -> None:
    texts = pl.DataFrame({"text": ["a1", "aa", "11"]})
    step = CharacterShare(column="text", at_least=0.4, at_most=0.6)
    assert texts.select(step.keep().alias("keep"))["keep"].to_list() == [True, False, False]
    assert texts.select(step.reason().alias("why"))["why"].to_list()[1:] == ["too_many", "too_few"]
