"""Wires the stages: passes values from one to the next."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .explaining.explain import explain
    from .explaining.story import Story
    from .finished import Finished, open_run
    from .previewing import preview
    from .running import run

__all__ = ["Finished", "Story", "explain", "open_run", "preview", "run"]

#: Where each stands. Naming a run needs no record of one, and looking at one nothing of what makes it.
_STAND = {
    "Finished": ".finished",
    "open_run": ".finished",
    "Story": ".explaining.story",
    "explain": ".explaining.explain",
    "preview": ".previewing",
    "run": ".running",
}


def __getattr__(name: str) -> Any:
    if name not in _STAND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_STAND[name], __name__), name)
