"""Who does the work of a run. Processes of this machine (`pool`) or a Ray cluster stand behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from seedbed.core.errors import SeedbedError

#: Counts of a unit, which add up, as JSON.
Facts = dict[str, Any]


class LostWorkersError(SeedbedError):
    """Workers died over the work, and could not be replaced."""


class Workers(Protocol):
    """Does many pieces of work, a bounded number at a time."""

    def run(self, work: Callable[[Any], Any], units: Iterable[Any]) -> Iterator[Any]:
        """What `work` returns for each unit, as they come; both pickle.

        Units are taken from their iterator only as workers become free.

        Raises:
            SeedbedError: What the work raised.
            LostWorkersError: Workers died and could not be replaced.
        """


def add_up(total: Facts, more: Facts) -> Facts:
    """Add numbers of nested dictionaries key by key; lists of numbers place by place."""
    result = dict(total)
    for key, value in more.items():
        if key not in result:
            result[key] = value
        elif isinstance(value, dict):
            result[key] = add_up(result[key], value)
        elif isinstance(value, list):
            result[key] = [a + b for a, b in zip(result[key], value, strict=True)]
        else:
            result[key] = result[key] + value
    return result
