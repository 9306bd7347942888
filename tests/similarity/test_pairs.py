"""Banded pairs: as good as the exact join, whatever the pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pytest

from seedbed.core.rows import NUMBER, ROW
from seedbed.core.similarity import (
    band_table,
    bands_for,
    candidates,
    components,
    jaccard,
    one_key_table,
    pairs,
    shingle,
    similar_pairs,
    verified_pairs,
)
from seedbed.core.step import UNIT


@dataclass
class InMemory:
    """Keys in pieces by `key`; remembers what was asked for."""

    keys: pl.DataFrame
    rows: pl.DataFrame
    pieces: int = 3
    survey: Mapping[str, int] = field(default_factory=dict)
    most_fetched: int = 0

    def partitions(self) -> Iterator[pl.DataFrame]:
        for piece in range(self.pieces):
            yield self.keys.filter(pl.col("key") % self.pieces == piece)

    def lookup(self, numbers: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
        return self.rows.filter(pl.col(NUMBER).is_in(numbers.implode())).select(NUMBER, ROW, *columns).sort(NUMBER)

    def over(
        self, work: Callable[[pl.DataFrame], pl.DataFrame], units: pl.DataFrame, columns: Sequence[str]
    ) -> Iterator[pl.DataFrame]:
        assert units.equals(units.sort(NUMBER, UNIT))
        for unit in units[UNIT].unique().sort():
            rows = self.lookup(units.filter(pl.col(UNIT) == unit)[NUMBER], columns).select(NUMBER, *columns)
            self.most_fetched = max(self.most_fetched, rows.height)
            yield work(rows)


def rows_of(texts: list[str | None]) -> pl.DataFrame:
    # Numbers are not places: there are gaps.
    numbers = pl.Series(range(len(texts)), dtype=pl.UInt64) * 3 + 7
    return pl.DataFrame({NUMBER: numbers, ROW: [f"0:f#{i}" for i in range(len(texts))], "text": texts})


def found(rows: pl.DataFrame, threshold: float, *, pieces: int = 3, batch: int = 1_000) -> pl.DataFrame:
    bands = bands_for(threshold)
    batches = rows.iter_slices(batch) if rows.height else [rows]
    keys = pl.concat([band_table(batch, "text", "characters", *bands) for batch in batches])
    frames = list(verified_pairs(InMemory(keys, rows, pieces), "text", "characters", threshold))
    return pl.concat([pl.DataFrame(schema=pairs.PAIR_SCHEMA), *frames])


def once(pairs: pl.DataFrame) -> set[tuple[int, int, float]]:
    return set(pairs.unique().iter_rows())


def exact(rows: pl.DataFrame, threshold: float) -> set[tuple[int, int, float]]:
    left, right, similarity = similar_pairs(shingle(rows["text"], "characters"), threshold)
    numbers = rows[NUMBER].to_numpy()
    return set(zip(numbers[left].tolist(), numbers[right].tolist(), similarity.tolist(), strict=True))


def near_copies(groups: int, each: int, seed: int) -> list[str | None]:
    """Texts of random words in groups that differ in a word or two, some equal, in random order."""
    draw = np.random.default_rng(seed)
    words = [f"{a}{b}{c}" for a in "klmnprst" for b in "aeiou" for c in ("rit", "no", "stan", "vel", "gu")]
    texts: list[str | None] = [None, "", " "]
    for _ in range(groups):
        text = draw.choice(words, 25)
        for _ in range(each):
            copy = text.copy()
            copy[draw.integers(25, size=draw.integers(0, 3))] = draw.choice(words)
            texts.append(" ".join(copy))
    return [texts[i] for i in draw.permutation(len(texts))]


@pytest.mark.parametrize("threshold", [0.7, 0.8, 0.9, 1.0])
def test_almost_every_pair_is_found_and_each_is_true(threshold: float) -> None:
    rows = rows_of(near_copies(200, 4, seed=1))
    expected, got = exact(rows, threshold), once(found(rows, threshold))
    assert got <= expected
    assert len(expected) > 50
    assert len(got) >= 0.998 * len(expected)


def test_pieces_and_batches_do_not_matter() -> None:
    rows = rows_of(near_copies(40, 5, seed=2))
    reference = once(found(rows, 0.8, pieces=1))
    assert reference
    for pieces, batch in [(2, 7), (11, 1_000), (97, 50)]:
        assert once(found(rows, 0.8, pieces=pieces, batch=batch)) == reference


def test_copies_are_paired_with_the_first_and_no_other() -> None:
    text = "we waited for an hour and then the food was cold"
    near = "we waited for an hour and then the food was old!"
    rows = rows_of([text, None, near, text.upper(), text, "something else altogether"])
    similarity = float(jaccard(shingle(rows["text"], "characters"), np.array([0]), np.array([2]))[0])
    assert once(found(rows, 0.7)) == {(7, 13, similarity), (7, 16, 1.0), (7, 19, 1.0)}


def test_a_text_within_a_longer_one_is_found_up_to_the_threshold() -> None:
    draw = np.random.default_rng(5)
    letters = list("abcdefghijklmnopqrstuvwxyz")
    texts: list[str | None] = []
    for _ in range(40):
        long = "".join(draw.choice(letters, 104))  # 100 shingles
        texts += [long, long[:84], long[:83]]  # 80 and 79 of them
    got = once(found(rows_of(texts), 0.8))
    sizes_are_told = shingle(pl.Series(texts[:3]), "characters").sizes.tolist()
    assert sizes_are_told == [100, 80, 79]
    assert len([pair for pair in got if pair[2] == 0.8]) >= 39
    assert all(similarity >= 0.8 for _, _, similarity in got)


def test_small_units_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(near_copies(40, 5, seed=3))
    reference = once(found(rows, 0.8))
    monkeypatch.setattr(candidates, "_WAITING", 10)
    for shingles in (20, 500, 5_000):  # less than a text, less than a group, a few groups
        monkeypatch.setattr(candidates, "UNIT_SHINGLES", shingles)
        keys = band_table(rows, "text", "characters", *bands_for(0.8))
        groups = InMemory(keys, rows)
        assert once(pl.concat(verified_pairs(groups, "text", "characters", 0.8))) == reference
        assert groups.most_fetched < rows.height / 2


def test_a_group_too_large_for_memory_is_joined_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes from 100 to 300 shingles: blocks whose sizes are too far apart are not even read together."""
    text = " ".join(f"word{i:03}" for i in range(60))
    rows = rows_of([text[: 100 + 2 * i] for i in range(150)])
    reference = once(found(rows, 0.8))
    assert reference == exact(rows, 0.8)
    monkeypatch.setattr(candidates, "UNIT_SHINGLES", 5_000)
    assert once(found(rows, 0.8)) == reference
    units = candidates.Candidates.of(InMemory(band_table(rows, "text", "characters", 10, 1), rows)).units(0.8)
    blocks = units.group_by("unit").agg(pl.col(NUMBER).sort()).sort("unit")[NUMBER].to_list()
    assert len(blocks) > 3
    assert max(map(len, blocks)) <= 60
    together = {frozenset((a, b)) for block in blocks for a in block for b in block}
    first, last = rows[NUMBER][0], rows[NUMBER][-1]
    assert frozenset((first, last)) not in together
    assert {frozenset((a, b)) for a, b, alike in reference if alike < 1} <= together


@pytest.mark.parametrize("crowd", [0, 20, None])
def test_a_crowd_of_one_template_is_joined(crowd: int | None) -> None:
    texts = [f"Your code is {i:04}. Do not give this code to anyone, not even to us. Thank you." for i in range(500)]
    rows = rows_of(texts)
    keys = band_table(rows, "text", "characters", *bands_for(0.8))
    result = pl.concat(verified_pairs(InMemory(keys, rows), "text", "characters", 0.8, crowd=crowd))
    numbers = rows[NUMBER].to_numpy()
    left, right = (np.searchsorted(numbers, result[name].to_numpy()) for name in ("a", "b"))
    assert not components(len(numbers), left, right).any()
    every = exact(rows, 0.8)
    assert once(result) <= every
    if crowd is None:
        assert once(result) == every
    else:
        assert len(result) < len(every) / 2


def test_every_pair_among_thousands_that_share_a_template_is_found() -> None:
    """A crowd whose texts agree in most bands though most of them are not near: bands alone cannot tell them apart."""
    draw = np.random.default_rng(9)
    form = (
        "Dear customer, your order of {} has left our house today and will be with you soon, if nobody loses it. "
        "Should it not arrive, please write to {} in our office. We are yours, faithfully, {}, and wish you well."
    )
    names = ["".join(draw.choice(list("abcdefghij"), 9)) for _ in range(50)]
    texts = [form.format(*draw.choice(names, 3)) for _ in range(1_500)]
    rows = rows_of(texts)
    every = exact(rows, 0.8)
    assert 1_000 < len(every) < 1_500 * 1_499 / 2 / 50
    assert once(found(rows, 0.8)) == every


def test_one_key_compares_all_with_all() -> None:
    rows = rows_of(near_copies(60, 5, seed=11))
    groups = InMemory(one_key_table(rows, "text"), rows)
    assert once(pl.concat(verified_pairs(groups, "text", "characters", 0.7))) == exact(rows, 0.7)


def test_no_rows_and_no_texts() -> None:
    for texts in ([], [None, ""]):
        rows = rows_of(texts).cast({"text": pl.String})
        assert found(rows, 0.8).is_empty()
        groups = InMemory(one_key_table(rows, "text"), rows)
        assert pl.concat(verified_pairs(groups, "text", "characters", 0.8)).is_empty()
