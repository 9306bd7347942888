"""Intervals of shares that were counted, and of their differences."""

from __future__ import annotations

import math

_Z = 1.959964


def wilson(found: int, of: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson, 1927); the whole range of nothing."""
    if not of:
        return 0.0, 1.0
    share, more = found / of, _Z * _Z / of
    middle = (share + more / 2) / (1 + more)
    half = _Z / (1 + more) * math.sqrt(share * (1 - share) / of + more / of / 4)
    return (0.0 if not found else max(0.0, middle - half)), (1.0 if found == of else min(1.0, middle + half))


def difference(a: tuple[int, int], b: tuple[int, int]) -> tuple[float, float, float]:
    """Share `a` less share `b` (found, of), and its 95 % interval (Newcombe, 1998, method 10)."""
    p, q = a[0] / a[1], b[0] / b[1]
    (low_p, high_p), (low_q, high_q) = wilson(*a), wilson(*b)
    low = p - q - math.hypot(p - low_p, high_q - q)
    high = p - q + math.hypot(high_p - p, q - low_q)
    return p - q, low, high
