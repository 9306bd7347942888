"""`hashed`: what a row gets depends on older rows only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.core.errors import DataError
from seedbed.core.similarity import shingle, similar_pairs
from seedbed.splits import Hashed, Rows, Verification, split_in_turn, verify
from seedbed.splits.in_turn import LEFT_OUT, in_turn

THRESHOLD = 0.5


def rows_of(texts: Sequence[str], groups: Sequence[str | None] = (), turns: Any = None) -> Rows:
    left, right, similarity = similar_pairs(shingle(pl.Series(texts, dtype=pl.String), "characters"), THRESHOLD)
    return Rows(
        numbers=np.arange(1, len(texts) + 1, dtype=np.uint64),
        identities=np.array([xxhash.xxh3_64_intdigest(text.encode()) for text in texts], dtype=np.uint64),
        turns=np.arange(len(texts)) if turns is None else np.asarray(turns, dtype=np.int64),
        left=left,
        right=right,
        similarity=similarity,
        groups=[pl.Series("group", groups, dtype=pl.String)] if groups else [],
    )


def similar(one: str, other: str) -> bool:
    a, b = ({text[at : at + 5] for at in range(max(1, len(text) - 4))} if text else set() for text in (one, other))
    return bool(a) and bool(b) and len(a & b) / len(a | b) >= THRESHOLD


def by_hand(splitter: Hashed, texts: Sequence[str], groups: Sequence[str | None], turns: Sequence[int]) -> list[int]:
    """The rule, as one would say it: look at all older rows that are in a split."""
    own = splitter.own(rows_of(texts).identities)
    places: dict[int, int] = {}
    for row in turns:
        older = {
            places[one]
            for one in places
            if places[one] != LEFT_OUT
            and (similar(texts[one], texts[row]) or (groups and groups[one] is not None and groups[one] == groups[row]))
        }
        places[row] = int(own[row]) if not older else older.pop() if len(older) == 1 else LEFT_OUT
    return [places[row] for row in range(len(texts))]


# Words of few letters, so that texts are equal or near now and then, and rows bridge others.
TEXT = st.text("ab ", max_size=9).map(lambda text: " ".join(text.split()))
TEXTS = st.lists(TEXT | st.sampled_from(["abababa b", "bababab b"]), max_size=40)
GROUPS = st.sampled_from([None, "x", "y", "z"])


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.data())
def test_rows_get_what_the_rule_says(texts: list[str], data: st.DataObject) -> None:
    groups = data.draw(st.lists(GROUPS, min_size=len(texts), max_size=len(texts)) | st.just([]))
    turns = data.draw(st.permutations(range(len(texts))))
    splitter = Hashed(train=0.4, validation=0.3, test=0.3, seed=data.draw(st.integers(0, 5)))
    places, bridging = in_turn(splitter, rows_of(texts, groups, turns))
    assert places.tolist() == by_hand(splitter, texts, groups, turns)
    assert sorted(bridging) == np.flatnonzero(places == LEFT_OUT).tolist()
    for row, found in bridging.items():
        assert len({one.split for one in found}) == len(found) > 1, "a neighbour of each split"
        for one in found:
            assert turns.index(one.row) < turns.index(row), "all of them older"
            assert places[one.row] == one.split


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS, st.data())
def test_rows_that_are_added_move_no_old_row(old: list[str], new: list[str], data: st.DataObject) -> None:
    texts = [*old, *new]
    groups = data.draw(st.lists(GROUPS, min_size=len(texts), max_size=len(texts)))
    splitter = Hashed(train=0.4, validation=0.3, test=0.3)
    before, _ = in_turn(splitter, rows_of(old, groups[: len(old)]))
    after, _ = in_turn(splitter, rows_of(texts, groups))
    assert after[: len(old)].tolist() == before.tolist()


def settled(texts: Sequence[str], pairs: Sequence[tuple[int, int]] = (), **options: Any) -> Any:
    """A split, checked for real; `pairs` is all that is known beforehand of what is near."""
    rows = rows_of(texts)
    near = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    rows = Rows(rows.numbers, rows.identities, rows.turns, near[:, 0], near[:, 1], np.full(len(near), 0.9))

    def check(places: np.ndarray, made: int) -> Verification:
        kept = places != LEFT_OUT
        batch = (rows.numbers[kept], [text for text, keep in zip(texts, kept, strict=True) if keep])
        return verify(lambda: [batch], rows.numbers[kept], places[kept], kind="characters", threshold=0.7, seed=made)

    return split_in_turn(Hashed(**options), rows, verify_with=check, method="test")


def distinct(count: int) -> list[str]:
    rng = np.random.default_rng(5)
    return ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz "), 40)) for _ in range(count)]


def test_of_a_pair_that_only_the_check_finds_the_younger_is_left_out_and_nobody_moves() -> None:
    texts = distinct(300)
    apart = settled(texts)
    assert (apart.places != LEFT_OUT).all()
    held_out = next(row for row in range(10, 300) if apart.places[row] > 0)
    texts.append(texts[held_out] + "!")
    places = Hashed().own(rows_of(texts).identities)
    assert places[300] != places[held_out], "else nothing would be found; take another seed"
    found = settled(texts)
    assert found.places[:300].tolist() == apart.places.tolist()
    assert found.places[300] == LEFT_OUT
    assert [(near.row, near.split) for near in found.bridging[300]] == [(held_out, places[held_out])]
    assert found.certificate.rounds == 2
    assert found.certificate.passed
    assert found.certificate.splits == {
        name: int((found.places == place).sum()) for place, name in enumerate(("train", "validation", "test"))
    }


def test_a_row_that_bridges_two_splits_is_left_out_and_joins_nothing() -> None:
    texts = distinct(400)
    places = Hashed().own(rows_of(texts).identities)
    one, other = int(np.flatnonzero(places == 0)[0]), int(np.flatnonzero(places == 2)[0])
    texts.append("a bridge between the two of them, as a join would have it")
    found = settled(texts, [(one, 400), (other, 400)])
    assert found.places[400] == LEFT_OUT
    assert [(near.row, near.split) for near in found.bridging[400]] == sorted([(one, 0), (other, 2)])
    assert found.clusters[one] != found.clusters[other]
    assert found.certificate.clusters == 400
    assert found.certificate.passed


def test_shares_are_met_as_well_as_chance_meets_them() -> None:
    places = Hashed(train=0.7, validation=0.2, test=0.1).own(np.arange(100_000, dtype=np.uint64))
    shares = np.bincount(places) / len(places)
    assert np.abs(shares - [0.7, 0.2, 0.1]).max() < 4 * (0.25 / len(places)) ** 0.5


def test_another_seed_is_another_split() -> None:
    numbers = np.arange(1000, dtype=np.uint64)
    assert (Hashed(seed=1).own(numbers) != Hashed(seed=2).own(numbers)).mean() > 0.2


def test_a_split_that_gets_no_row_is_refused() -> None:
    with pytest.raises(DataError, match="gets no row"):
        settled(["one text", "quite another"])
