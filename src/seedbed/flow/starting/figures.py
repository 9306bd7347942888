"""Figures of a first recipe: how many rows will be left, and numbers rounded as a person would write them."""

from __future__ import annotations

from seedbed.profile import Profile


def rows_left(profile: Profile) -> int:
    """About how many rows the drafted steps leave."""
    if not profile.rows:
        return 0
    found = profile.text
    gone = 0.0
    if found and found.rows:
        gone = (found.exact_copies + found.conflicts) / found.rows + found.near_copies / max(found.compared, 1)
    columns = [profile.column(name) for name in (profile.roles.text, profile.roles.label) if name]
    whole = 1.0
    for column in columns:
        whole *= column.filled / column.rows
    rows = profile.records * profile.rows / max(profile.rows + sum(profile.malformed.values()), 1)
    return max(int(rows * whole * (1 - min(gone, 1))), 0)


def rounded_down(value: float) -> int:
    """A count with two digits that mean something."""
    whole = max(int(value), 1)
    step = int(10 ** max(len(str(whole)) - 2, 0))
    return whole // step * step


def rounded_share(value: float) -> str:
    """A share with one significant digit, rounded down."""
    for digits in range(1, 7):
        shown = int(value * 10**digits) / 10**digits
        if shown:
            return f"{shown:.{digits}f}"
    return "0.0"
