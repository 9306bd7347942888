"""Inline SVG drawn by hand. Widths are shares of the page and heights are pixels, so that text keeps its size."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from markupsafe import Markup

Length = str | float
"""Pixels, or a share of the drawing's width as `at` writes it."""


def at(share: float) -> str:
    """A place or width as a share (0 to 1) of the drawing's width."""
    return f"{100 * share:.2f}%"


class Drawing:
    """A figure. Colours come from the page's style sheet by the class names given as `kind`.

    Args:
        key: A name that no other figure of the page has.
        title: What the figure shows, for those who cannot see it.
        height: Pixels.
        width: Pixels; as wide as the page when left out.
    """

    def __init__(self, key: str, title: str, height: float, width: float | None = None) -> None:
        self._key = key
        size = {"width": "100%" if width is None else f"{width:g}", "height": f"{height:g}"}
        self._root = ET.Element("svg", {**size, "role": "img", "aria-labelledby": f"{key}-title"})
        ET.SubElement(self._root, "title", {"id": f"{key}-title"}).text = title
        self._patterns: set[str] = set()

    def _add(self, tag: str, attributes: dict[str, Length]) -> ET.Element:
        plain = {name: value if isinstance(value, str) else f"{value:g}" for name, value in attributes.items() if value}
        return ET.SubElement(self._root, tag, plain)

    def rect(self, x: Length, y: float, width: Length, height: float, kind: str, tip: str = "") -> None:
        """A rectangle; `tip` shows when a pointer rests on it."""
        drawn = self._add("rect", {"x": x, "y": y, "width": width, "height": height, "class": kind})
        if tip:
            ET.SubElement(drawn, "title").text = tip

    def hatched(self, x: Length, y: float, width: Length, height: float, kind: str, tip: str = "") -> None:
        """A rectangle with stripes, so that it differs from others by more than its colour."""
        name = f"{self._key}-{kind}-stripes"
        if name not in self._patterns:
            self._patterns.add(name)
            self._stripes(name, kind)
        drawn = self._add(
            "rect",
            {"x": x, "y": y, "width": width, "height": height, "class": f"edge-{kind}", "fill": f"url(#{name})"},
        )
        if tip:
            ET.SubElement(drawn, "title").text = tip

    def _stripes(self, name: str, kind: str) -> None:
        pattern = self._add(
            "pattern",
            {"id": name, "width": 5, "height": 5, "patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)"},
        )
        ET.SubElement(pattern, "rect", {"width": "2.5", "height": "5", "class": kind})

    def line(self, x1: Length, y1: float, x2: Length, y2: float, kind: str) -> None:
        """A straight line."""
        self._add("line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "class": kind})

    def text(
        self, x: Length, y: float, words: str, kind: str = "", anchor: str = "", *, turn: float = 0, shift: float = 0
    ) -> None:
        """Words on a base line; `anchor` is `middle` or `end`, `turn` in degrees, `shift` in pixels."""
        turned = f"rotate({turn:g} {x} {y:g})" if turn else ""
        self._add(
            "text", {"x": x, "y": y, "class": kind, "text-anchor": anchor, "transform": turned, "dx": shift}
        ).text = words

    def dot(self, x: Length, y: float, kind: str) -> None:
        """A round mark."""
        self._add("circle", {"cx": x, "cy": y, "r": 5, "class": kind})

    def square(self, x: Length, y: float, kind: str) -> None:
        """A square mark."""
        self._add("rect", {"x": x, "y": y, "width": 10, "height": 10, "class": kind, "transform": "translate(-5 -5)"})

    def markup(self) -> Markup:
        """The figure as HTML, with every text escaped."""
        return Markup(ET.tostring(self._root, encoding="unicode"))
