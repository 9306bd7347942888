"""Components against a walk over the graph."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.similarity import components

GRAPHS = st.integers(1, 30).flatmap(
    lambda n: st.tuples(st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=40))
)


def walked(n: int, pairs: list[tuple[int, int]]) -> list[int]:
    label = list(range(n))
    for _ in range(n):
        for a, b in pairs:
            label[a] = label[b] = min(label[a], label[b])
    return label


@given(GRAPHS)
def test_label_is_the_smallest_member(graph: tuple[int, list[tuple[int, int]]]) -> None:
    n, pairs = graph
    assert components(n, [a for a, _ in pairs], [b for _, b in pairs]).tolist() == walked(n, pairs)


@pytest.mark.parametrize("order", ["forward", "backward", "shuffled"])
def test_a_long_chain(order: str) -> None:
    n = 200_000
    links = np.arange(n - 1)
    names = np.arange(n) if order == "forward" else np.arange(n)[::-1]
    if order == "shuffled":
        names = np.random.default_rng(1).permutation(n)
    assert not components(n, names[links], names[links + 1]).any()


def test_nobody_and_nothing() -> None:
    assert components(0, [], []).tolist() == []
    assert components(3, [], []).tolist() == [0, 1, 2]
