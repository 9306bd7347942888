"""Parts that other packages bring, through entry points of the group `seedbed.parts`."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from .errors import RecipeError

GROUP = "seedbed.parts"


@cache
def load_plugins() -> tuple[str, ...]:
    """Import every installed plugin, once; importing registers its parts. Import Seedbed's own parts before.

    Returns:
        The distributions that brought plugins, sorted.

    Raises:
        RecipeError: A plugin cannot be imported, or it brings a part whose name is taken.
    """
    points = sorted(entry_points(group=GROUP), key=lambda point: (_brought_by(point), point.name))
    for point in points:
        try:
            point.load()
        except Exception as error:  # noqa: BLE001 (a plugin may raise anything at import)
            cause = next(iter(str(error).strip().splitlines()), "") or "no message"
            raise RecipeError(
                f"this plugin cannot be loaded: {type(error).__name__}: {cause}",
                at=f"{_brought_by(point)} ({point.value})",
                hint=f"pip install --upgrade {_brought_by(point)}, or pip uninstall it if no recipe of yours needs it",
            ) from None
    return tuple(sorted({_brought_by(point) for point in points}))


def _brought_by(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.value
