"""Wires the stages: passes values from one to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .explaining.story import Story
from .finished import Finished, open_run

if TYPE_CHECKING:
    from .explaining.explain import explain
    from .previewing import preview
    from .running import run

__all__ = ["Finished", "Story", "explain", "open_run", "preview", "run"]


def __getattr__(name: str) -> Any:
    # Looking at a run needs nothing of what makes one: the stages are loaded when one is made.
    if name == "run":
        from .running import run

        return run
    if name == "preview":
        from .previewing import preview

        return preview
    if name == "explain":
        from .explaining.explain import explain

        return explain
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
