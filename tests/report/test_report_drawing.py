"""Axes, lines and colours of the report's figures."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.report import lanes, styles


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_ticks_span_the_range(low: float, span: float) -> None:
    steps = lanes.ticks(low, low + span)
    slack = 1e-9 * max(1.0, abs(low), abs(low + span))
    assert steps[0] <= low + slack and steps[-1] >= low + span - slack
    assert 2 <= len(steps) <= 9 and steps == sorted(set(steps))


# Contrast (WCAG 2.2, success criterion 1.4.3) -----------------------------------------------------------------------


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_are_told_apart(scheme: str) -> None:
    colours = styles.palette(scheme)
    words = [(ink, back) for ink in ("ink", "soft", "accent", "bad", "good", "warn") for back in ("page", "surface")]
    words += [("good", "good-back"), ("bad", "bad-back"), ("warn", "warn-back")]
    words += [("t-low" if step <= 4 else "t-high", f"h{step}") for step in range(8)]
    marks = ["kept", "lost", "made", "whole", "soft", "split-0", "split-1", "split-2", "up", "down"]
    marks += [f"c{place}" for place in range(6)]
    too_weak = [pair for pair in words if contrast(colours[pair[0]], colours[pair[1]]) < 4.5]
    too_weak += [(mark, "surface") for mark in marks if contrast(colours[mark], colours["surface"]) < 3]
    assert too_weak == []


def test_styles_name_only_colours_that_there_are() -> None:
    for scheme in ("light", "dark"):
        used = set(re.findall(r"var\(--([\w-]+)\)", styles.page() + styles.scoped()))
        assert used <= set(styles.palette(scheme))
    assert "var(" not in styles.alone()


def test_dashed_lines_stand_where_dots_are_and_never_in_words() -> None:
    rows = [lanes.Lane("one", "0.5", [lanes.Dot(0.5, 0.4, 0.6)], note="a note"), lanes.Lane("a heading")]
    drawing = lanes.lanes("k", "t", rows, [(0.5, "first"), (0.52, "second")])
    found = re.findall(r"<(line|text) ([^>]*)>", str(drawing.markup()))
    told = [(tag, dict(re.findall(r'([\w-]+)="([^"]*)"', more))) for tag, more in found]
    dashed = [(float(one["y1"]), float(one["y2"])) for tag, one in told if tag == "line" and one["class"] == "mark"]
    base = [float(one["y"]) for tag, one in told if tag == "text" and "middle" not in one.get("text-anchor", "")]
    assert len(dashed) == 4, "beside what each means, and where the dots of the only lane stand"
    headed = [(top, end) for top, end in dashed if end - top == 14]
    for top, end in set(dashed) - set(headed):
        assert not any(top < line - 3 < end for line in base), "no words stand in its way"
    assert headed[0][1] <= headed[1][0], "the first does not run through the meaning of the second"
