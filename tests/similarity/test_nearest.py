from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.similarity import nearest as module
from seedbed.core.similarity.nearest import nearest
from seedbed.core.similarity.shingles import Kind
from seedbed.splits.verify import shingles

TEXTS = st.lists(
    st.text("ab c", max_size=14) | st.sampled_from(["", "Ünïcode text", "the same words again"]), max_size=12
)
KINDS = st.sampled_from(["characters", "words"])


def batches(texts: list[str], size: int) -> Iterator[tuple[range, list[str]]]:
    for start in range(0, len(texts), size):
        some = texts[start : start + size]
        yield range(start, start + len(some)), some


def plainly(query: str, texts: list[str], kind: Kind, most: int) -> list[tuple[int, float]]:
    """Python sets, as the independent check of splits makes them."""
    mine = shingles(query, kind)
    found = []
    for number, text in enumerate(texts):
        theirs = shingles(text, kind)
        if mine & theirs:
            found.append((number, len(mine & theirs) / len(mine | theirs)))
    return sorted(found, key=lambda one: (-one[1], one[0]))[:most]


@given(TEXTS, TEXTS, KINDS, st.integers(1, 4), st.integers(1, 5))
def test_what_is_nearest_is_exact_whatever_the_batches(
    queries: list[str], texts: list[str], kind: Kind, most: int, size: int
) -> None:
    found = nearest(queries, batches(texts, size), kind=kind, most=most)
    assert found == [plainly(query, texts, kind, most) for query in queries]


def test_chunks_within_a_batch(monkeypatch: object) -> None:
    texts = [f"row number {n} of these" for n in range(300)]
    whole = nearest(texts[:5], [(range(300), texts)], kind="characters")
    assert [one[0] for one in whole] == [(n, 1.0) for n in range(5)]
    monkeypatch.setattr(module, "_CHARACTERS", 50)  # type: ignore[attr-defined]
    assert nearest(texts[:5], [(range(300), texts)], kind="characters") == whole


def test_nothing_to_ask_or_to_find() -> None:
    assert nearest([], [([1], ["a text"])], kind="characters") == []
    assert nearest(["a text"], [], kind="characters") == [[]]
    assert nearest(["", "quite different"], [([1], ["nothing alike"])], kind="words") == [[], []]
