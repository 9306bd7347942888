"""Confusion matrices as fields of colour."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from seedbed.core.numbers import count, percent, short

from .drawing import Drawing

MOST_CELLS = 40
"""Labels up to which a whole matrix is drawn."""
MOST_CONFUSED = 20
"""Labels that are drawn of a larger one: those that are confused most."""


def heat_map(
    key: str, title: str, labels: Sequence[str], cells: Sequence[Sequence[int]], shown: Sequence[int]
) -> Drawing:
    """A matrix shaded by the share of each true label's rows.

    Args:
        key: The drawing's name.
        title: What it shows, in words.
        labels: All labels.
        cells: Counts, truth by prediction.
        shown: Places of the labels to draw, in order.
    """
    size = 72 if len(shown) <= 5 else 40 if len(shown) <= 12 else 18
    slanted = size < 72
    left = max(64, 20 + 7 * max(len(short(labels[i], 18)) for i in shown))
    top = (100 if size < 40 else 130) if slanted else 44
    drawing = Drawing(key, title, top + size * len(shown) + 2, left + size * len(shown) + (90 if slanted else 2))
    drawing.text(left, 14, "predicted →", "soft")
    drawing.text(left - 10, top - 8, "truth ↓", "soft", "end")
    tiny = "tiny" if size < 40 else ""
    for row, i in enumerate(shown):
        y = top + row * size
        drawing.text(left - 10, y + size / 2 + 4, short(labels[i], 18), tiny, "end")
        if slanted:
            drawing.text(left + (row + 0.6) * size, top - 8, short(labels[i], 18), tiny, turn=-45)
        else:
            drawing.text(left + (row + 0.5) * size, top - 8, short(labels[i], 10), anchor="middle")
        whole = sum(cells[i])
        for column, j in enumerate(shown):
            tip = f"{short(labels[i], 60)} taken for {short(labels[j], 60)}"
            _cell(drawing, (left + column * size, y, size), cells[i][j], whole, tip)
    return drawing


def confused_most(cells: Sequence[Sequence[int]]) -> list[int]:
    """Places of all labels of a small matrix; of a large one, those with the largest counts off the diagonal."""
    if len(cells) <= MOST_CELLS:
        return list(range(len(cells)))
    wrong = ((-n, i, j) for i, row in enumerate(cells) for j, n in enumerate(row) if n and i != j)
    chosen: dict[int, None] = {}
    for _, i, j in heapq.nsmallest(MOST_CONFUSED**2, wrong):
        if len({*chosen, i, j}) > MOST_CONFUSED:
            break
        chosen |= {i: None, j: None}
    return sorted(chosen)


def shade(n: int, of: int) -> int:
    """Step of the heat scale, from 0 (nothing) to 7 (all)."""
    return 0 if not n or not of else 1 + min(6, int(7 * n / of))


def _cell(drawing: Drawing, square: tuple[float, float, float], n: int, of: int, tip: str) -> None:
    x, y, size = square
    step = shade(n, of)
    drawing.rect(x, y, size, size, f"heat h{step}", f"{tip}: {count(n)} of {count(of)}")
    if size >= 40:
        drawing.text(x + size / 2, y + size / 2 + (0 if size >= 72 else 5), count(n), f"t{step} name", "middle")
    if size >= 72:
        drawing.text(x + size / 2, y + size / 2 + 18, percent(n, of), f"t{step}", "middle")
