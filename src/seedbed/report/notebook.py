"""A run in a notebook: the verdict and the figures in a cell, a page of text where there is no notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from seedbed.core.run import Run

from . import styles
from .figure import Figure, showable
from .figures import draw
from .page import filled_in
from .told import plain


@dataclass(frozen=True)
class Shown:
    """What a run came to, to look at. `figures` are the same that the page has, one by one."""

    run: Run
    folder: Path

    @cached_property
    def figures(self) -> Mapping[str, Figure]:
        """Figures by name, in the order of the page."""
        return draw(self.run)

    def _repr_html_(self) -> str:
        page = filled_in(
            "notebook.html",
            self.run,
            figures=self.figures,
            scoped=styles.scoped(),
            page=str(self.folder / "report.html"),
        )
        return showable(page)

    def __repr__(self) -> str:
        return plain(self.run, self.folder)
