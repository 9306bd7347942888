"""Inline SVG drawn by hand. Widths are shares of the page and heights are pixels, so that text keeps its size."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from markupsafe import Markup

Length = str | float
"""Pixels, or a share of the drawing's width as `at` writes it."""

ALONE = 760
"""Pixels that a drawing as wide as its page gets where it stands alone."""
_LEGEND_LINE = 20
_MARGIN = 14


def at(share: float) -> str:
    """A place or width as a share (0 to 1) of the drawing's width."""
    return f"{100 * share:.2f}%"


class Drawing:
    """A figure. Colours come from a style sheet by the class names given as `kind`.

    Args:
        key: A name that no other figure of the page has.
        title: What the figure shows, for those who cannot see it.
        height: Pixels.
        width: Pixels; as wide as the page when left out.
    """

    def __init__(self, key: str, title: str, height: float, width: float | None = None) -> None:
        self._key = key
        self._size = (width or ALONE, height)
        size = {"width": "100%" if width is None else f"{width:g}", "height": f"{height:g}"}
        self._root = ET.Element("svg", {**size, "role": "img", "aria-label": title})
        self._patterns: set[str] = set()

    def _add(self, tag: str, attributes: dict[str, Length], tip: str = "") -> ET.Element:
        plain = {name: value if isinstance(value, str) else f"{value:g}" for name, value in attributes.items() if value}
        drawn = ET.SubElement(self._root, tag, plain)
        if tip:
            ET.SubElement(drawn, "title").text = tip
        return drawn

    def rect(self, x: Length, y: float, width: Length, height: float, kind: str, tip: str = "") -> None:
        """A rectangle; `tip` shows when a pointer rests on it."""
        self._add("rect", {"x": x, "y": y, "width": width, "height": height, "class": kind}, tip)

    def hatched(self, x: Length, y: float, width: Length, height: float, kind: str, tip: str = "") -> None:
        """A rectangle with stripes, so that it differs from others by more than its colour."""
        name = f"{self._key}-{kind}-stripes"
        if name not in self._patterns:
            self._patterns.add(name)
            self._stripes(name, kind)
        place: dict[str, Length] = {"x": x, "y": y, "width": width, "height": height}
        self._add("rect", {**place, "class": f"edge-{kind}", "fill": f"url(#{name})"}, tip)

    def _stripes(self, name: str, kind: str) -> None:
        pattern = self._add(
            "pattern",
            {"id": name, "width": 5, "height": 5, "patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)"},
        )
        ET.SubElement(pattern, "rect", {"width": "2.5", "height": "5", "class": kind})

    def line(self, x1: Length, y1: float, x2: Length, y2: float, kind: str) -> None:
        """A straight line."""
        self._add("line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "class": kind})

    def path(self, points: Sequence[tuple[float, float]], kind: str, tip: str = "") -> None:
        """A line through points, in pixels."""
        self._add("polyline", {"points": " ".join(f"{x:.1f},{y:.1f}" for x, y in points), "class": kind}, tip)

    def text(
        self, x: Length, y: float, words: str, kind: str = "", anchor: str = "", *, turn: float = 0, shift: float = 0
    ) -> None:
        """Words on a base line; `anchor` is `middle` or `end`, `turn` in degrees, `shift` in pixels."""
        turned = f"rotate({turn:g} {x} {y:g})" if turn else ""
        self._add(
            "text", {"x": x, "y": y, "class": kind, "text-anchor": anchor, "transform": turned, "dx": shift}
        ).text = words

    def dot(self, x: Length, y: float, kind: str, tip: str = "", size: float = 5) -> None:
        """A round mark."""
        self._add("circle", {"cx": x, "cy": y, "r": size, "class": kind}, tip)

    def square(self, x: Length, y: float, kind: str, tip: str = "") -> None:
        """A square mark."""
        place: dict[str, Length] = {"x": x, "y": y, "width": 10, "height": 10}
        self._add("rect", {**place, "class": kind, "transform": "translate(-5 -5)"}, tip)

    def legend(self, y: float, entries: Sequence[tuple[str, str]]) -> None:
        """What colours mean, two to a line: the class names of a swatch, and words."""
        for place, (kind, words) in enumerate(entries):
            x, line = at(place % 2 / 2), y + _LEGEND_LINE * (place // 2)
            # The page's width is not known here: a shift in pixels keeps words beside their swatch.
            self._add(
                "rect", {"x": x, "y": line, "width": 14, "height": 10, "class": kind, "transform": "translate(1 0)"}
            )
            self.text(x, line + 10, words, "soft", shift=22)

    @staticmethod
    def legend_height(entries: Sequence[tuple[str, str]]) -> float:
        """Pixels that a legend takes."""
        return _LEGEND_LINE * ((len(entries) + 1) // 2)

    def markup(self) -> Markup:
        """The figure as HTML, with every text escaped."""
        return Markup(ET.tostring(self._root, encoding="unicode"))

    def alone(self, style: str) -> str:
        """The figure as an SVG document of its own, with the style sheet that it needs and a margin."""
        inner = copy.deepcopy(self._root)
        width, height = self._size
        size = {"width": f"{width:g}", "height": f"{height:g}"}
        inner.attrib |= {**size, "x": f"{_MARGIN}", "y": f"{_MARGIN}"}
        outer = ET.Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "width": f"{width + 2 * _MARGIN:g}",
                "height": f"{height + 2 * _MARGIN:g}",
                "role": "img",
                "aria-label": inner.attrib.pop("aria-label"),
            },
        )
        ET.SubElement(outer, "style").text = style
        ET.SubElement(outer, "rect", {"width": "100%", "height": "100%", "class": "paper"})
        outer.append(inner)
        return ET.tostring(outer, encoding="unicode")
