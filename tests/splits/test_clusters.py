from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.splits import cluster

NOBODY = np.zeros(0, dtype=np.uint64)


def numbered(rows: int) -> np.ndarray:
    """Numbers with gaps, and rows of a second file."""
    return np.array([3 * row + 1 + (row >= rows // 2) * (1 << 40) for row in range(rows)], dtype=np.uint64)


def by_hand(rows: int, links: list[tuple[int, int]]) -> list[int]:
    """Smallest member of each row's component, by walking."""
    near: dict[int, set[int]] = {row: {row} for row in range(rows)}
    for a, b in links:
        near[a].add(b)
        near[b].add(a)
    found = []
    for row in range(rows):
        seen, todo = {row}, [row]
        while todo:
            new = near[todo.pop()] - seen
            seen |= new
            todo += new
        found.append(min(seen))
    return found


@given(data=st.data())
@settings(deadline=None)
def test_rows_are_joined_through_any_chain(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 20))
    place = st.integers(0, rows - 1)
    pairs = data.draw(st.lists(st.tuples(place, place), max_size=8))
    parents = data.draw(st.lists(st.tuples(place, place), max_size=4))
    group = data.draw(st.lists(st.none() | st.sampled_from("abcdefg"), min_size=rows, max_size=rows))
    floats = data.draw(
        st.lists(st.none() | st.sampled_from([0.0, 1.5, 2.5, float("nan")]), min_size=rows, max_size=rows)
    )
    numbers = numbered(rows)

    def ends(links: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
        left, right = (np.array([link[end] for link in links], dtype=np.int64) for end in (0, 1))
        return numbers[left], numbers[right]

    found = cluster(
        numbers,
        pairs=ends(pairs),
        parents=ends(parents),
        groups=[pl.Series("who", group, dtype=pl.String), np.array(floats, dtype=float)],
    )
    same = [
        (a, b)
        for values in (group, [None if value is None or np.isnan(value) else value for value in floats])
        for a in range(rows)
        for b in range(a)
        if values[a] is not None and values[a] == values[b]
    ]
    expected = by_hand(rows, pairs + parents + same)
    assert found.ids.tolist() == [int(numbers[first]) for first in expected]
    assert found.count == len(set(expected))
    assert found.largest == max(expected.count(one) for one in expected)


def test_the_largest_cluster_says_what_joins_it() -> None:
    numbers = numbered(8)
    found = cluster(
        numbers,
        pairs=(numbers[[0, 1, 6]], numbers[[1, 2, 7]]),
        groups=[pl.Series("author", ["x", None, None, "x", "x", None, None, None])],
    )
    assert found.largest == 5
    assert found.largest_joined_by() == "copies (2 links), group author (2 links)"


def test_nothing_joined() -> None:
    found = cluster(numbered(4), pairs=(NOBODY, NOBODY))
    assert (found.count, found.largest, found.largest_joined_by()) == (4, 1, "")
    assert cluster(NOBODY, pairs=(NOBODY, NOBODY)).largest == 0


@pytest.mark.parametrize("stranger", [0, 2, 1 << 50])
def test_a_pair_of_an_unknown_row_is_refused(stranger: int) -> None:
    numbers = numbered(4)
    with pytest.raises(ValueError, match=f"row number {stranger} "):
        cluster(numbers, pairs=(numbers[:1], np.array([stranger], dtype=np.uint64)))


def test_a_group_column_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="'who' has 3 values for 4 rows"):
        cluster(numbered(4), pairs=(NOBODY, NOBODY), groups=[pl.Series("who", [1, 2, 3])])
