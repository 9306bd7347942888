"""One figure, wherever it is shown: on the page, in a notebook, in a file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from .drawing import Drawing
from .styles import alone, scoped

# Not allowed in HTML, or (the bidirectional marks) able to disorder what stands around them.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def showable(html: str) -> str:
    """Text with U+FFFD where a character may not be shown."""
    return _UNSHOWABLE.sub("\ufffd", html)


@dataclass(frozen=True)
class Figure:
    """A drawing with its words."""

    name: str
    caption: str
    drawing: Drawing

    @property
    def svg(self) -> str:
        """The figure as an SVG document of its own, in light or dark as its reader prefers."""
        return showable(self.drawing.alone(alone()))

    def markup(self) -> Markup:
        """The figure as HTML, for a page that has the style sheet."""
        return self.drawing.markup()

    def save(self, path: str | Path) -> Path:
        """Write the figure as an SVG file; its path."""
        path = Path(path)
        path.write_text(self.svg, "utf-8")
        return path

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        words = Markup("<figure><figcaption>{}</figcaption>{}</figure>").format(self.caption, self.markup())
        return showable(Markup('<div class="seedbed"><style>{}</style>{}</div>').format(scoped(), words))

    def __repr__(self) -> str:
        return f"Figure({self.name!r}: {self.caption})"
