"""What texts hold, which are copies, and labels that are written in several ways."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.context import Context
from seedbed.profile import label_profile, sample_of, sampling, text_profile
from seedbed.profile.spellings import same_spelling, synonyms
from seedbed.sources import Csv


def test_what_texts_hold() -> None:
    told = text_profile(
        pl.Series(
            [
                "cafÃ© au lait, she said",
                "salt &amp; pepper",
                "<p>some <b>markup</b></p>",
                "a < b and b > c",
                "two  blanks",
                "ok",
                None,
                " ",
                "lost \ufffd here",
                "mail me at ann@example.org or www.example.org, @bob",
                "call +49 170 1234567",
                "plain",
            ]
        )
    )
    assert (told.rows, told.mangled, told.entities, told.tags, told.lost, told.short) == (10, 1, 1, 1, 1, 1)
    assert (told.spaces, told.urls, told.mentions) == (1, 1, 1)
    assert told.personal == {"email": 1, "phone": 1}
    assert (told.shortest, told.longest) == (2, 51)


def test_copies_are_counted_once() -> None:
    base = "the quick brown fox jumps over the lazy dog and runs away into the wood"
    texts = [
        base,
        base.upper(),
        f"{base}  ",
        f"{base}!!",
        "something else entirely, with other words",
        "and a third one",
    ]
    told = text_profile(pl.Series(texts), pl.Series(["a", "a", "b", "a", "a", "b"]))
    assert (told.compared, told.exact_copies, told.near_copies, told.conflicts) == (6, 2, 1, 3)


def test_only_so_many_texts_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedbed.profile.texts.MOST_COMPARED", 10)
    told = text_profile(pl.Series([f"text number {n % 20} stands here {'again ' * (n % 20)}" for n in range(60)]))
    assert (told.rows, told.exact_copies, told.compared) == (60, 40, 10)


@given(texts=st.lists(st.none() | st.text(max_size=40), max_size=20))
def test_any_texts(texts: list[str | None]) -> None:
    told = text_profile(pl.Series(texts, dtype=pl.String), pl.Series(["x"] * len(texts), dtype=pl.String))
    assert told.exact_copies + told.near_copies <= max(told.rows - 1, 0)
    assert told.compared == told.rows
    assert told.conflicts == 0


def test_spellings() -> None:
    values = (
        ["Spam"] * 40 + ["spam "] * 9 + ["SPAM"] * 3 + ["not-spam"] * 30 + ["Not spam"] * 2 + ["n/a"] * 4 + ["not-spm"]
    )
    told = label_profile(pl.Series([*values, None, " "]))
    assert told.respelt == {"Not spam": "not-spam", "SPAM": "Spam", "spam ": "Spam"}
    assert told.merged == {"Spam": 52, "not-spam": 32, "n/a": 4, "not-spm": 1}
    assert told.slips == {"not-spm": "not-spam"}
    assert told.nothings == ("n/a",)
    assert told.missing == 2


@given(labels=st.lists(st.text(min_size=1, max_size=8).filter(str.strip), min_size=1, max_size=20))
def test_renaming_leaves_one_spelling_of_each(labels: list[str]) -> None:
    told = label_profile(pl.Series(labels, dtype=pl.String))
    assert sum(told.merged.values()) == sum(told.counts.values())
    assert len({same_spelling(label) for label in told.merged}) == len(told.merged)
    assert not set(told.renamed.values()) & set(told.renamed)


def test_levels_are_no_slips() -> None:
    told = label_profile(pl.Series(["level 1"] * 100 + ["level 2"] * 3))
    assert (told.slips, told.respelt) == ({}, {})


def test_several_labels_in_one() -> None:
    assert (
        label_profile(pl.Series(["war", "drama", "war|drama", "love", "love|war", "love|drama", "war|love"])).several
        == "|"
    )
    assert label_profile(pl.Series(["war, drama", "love"] * 5)).several == ""


def test_numbers_and_words_that_mean_the_same() -> None:
    texts = [f"message {n % 30}" for n in range(60)]
    labels = [("0", "1")[n % 2] for n in range(30)] + [("ham", "spam")[n % 2] for n in range(30)]
    assert synonyms(pl.Series(texts), pl.Series(labels)) == {"0": "ham", "1": "spam"}
    unclear = [*labels[:30], *(("ham", "spam")[n // 2 % 2] for n in range(30))]
    assert synonyms(pl.Series(texts), pl.Series(unclear)) == {}
    assert label_profile(pl.Series(labels)).mixed
    assert not label_profile(pl.Series(["a", "b"])).mixed


def big(folder: Path, rows: int) -> Csv:
    half = rows // 2
    lines = [f"{n},text number {n},{'first' if n < half else 'second'}" for n in range(rows)]
    (folder / "big.csv").write_text("\n".join(["n,text,label", *lines, "a,b,c,d"]))
    return Csv(path=str(folder / "big.csv"))


def test_a_small_file_is_looked_at_whole(tmp_path: Path) -> None:
    source = big(tmp_path, 500)
    scan = source.scan(Context())
    sample = sample_of(source, scan, {"new": "n", "label": "label"}, Context())
    assert (sample.whole, sample.records, sample.rows.columns) == (True, 501, ["new", "label"])
    assert dict(sample.malformed) == {"too_many_fields": 1}


def test_a_sample_of_a_big_file_comes_from_all_over_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Csv, "block_bytes", 1 << 20)
    monkeypatch.setattr(sampling, "MOST_ROWS", 100_000)
    source = big(tmp_path, 500_000)
    scan = source.scan(Context())
    sample = sample_of(source, scan, {name: name for name in scan.schema}, Context())
    assert not sample.whole
    assert 80_000 < sample.rows.height < 160_000
    counts = dict(sample.rows["label"].value_counts().iter_rows())
    assert min(counts.values()) > 0.3 * sample.rows.height
    assert 450_000 < sample.records < 550_000
