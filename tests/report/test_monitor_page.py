"""The page of a model that is watched: what it says, and that it is safe, small and fit for phones."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from test_report_browser import Visit

from seedbed.cli.monitor import facts, summary
from seedbed.core.metric import Score
from seedbed.core.monitoring import Estimated, Measured, Side, Signal, Watch
from seedbed.report.monitoring import render

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = "<script>alert(7*7)</script><img src=x onerror=alert(49)>{{7*7}}\x1b[31m\u202e"
WORD = "unbreakable" * 40
NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)


def score(value: float) -> Score:
    return Score(value=value, low=value - 0.02, high=value + 0.02, n=400)


def found(text: str = "stars", signals: int = 4) -> Watch:
    told = [
        Signal(
            monitor="numbers", what=f"{text} {place}", measure="distance", effect=0.5 - 0.01 * place, p=0.001,
            p_holm=0.002, alarm=place < 2, told=f"{text} before, {text} now",
        )
        for place in range(signals)
    ]  # fmt: skip
    gone = Signal(monitor="schema", what=text, measure="the column is not there", effect=1.0, alarm=True)
    return Watch(
        seedbed="0",
        model=text,
        digest="ab" * 32,
        when=NOON,
        window=Side(named=text, rows=30_000, looked_at=20_000, since=NOON, until=NOON),
        reference=Side(named=text, rows=1000, looked_at=1000),
        level=0.05,
        at_least=0.02,
        signals=(gone, *told),
        performance=(
            Measured(metric="r2", before=score(0.8), of="test", now=score(0.7), difference=-0.1, low=-0.2, high=0.0),
            Measured(metric="accuracy", now=score(0.7)),
        ),
        labelled=400,
        estimated=(Estimated(metric="accuracy", before=score(0.8), now=score(0.75), assumes=f"{text} is right"),),
        notes=(text,),
    )  # fmt: skip


PAGES = {"ordinary": lambda: found(), "hostile": lambda: found(HOSTILE), "long": lambda: found(WORD, 400)}


@pytest.mark.parametrize("name", PAGES)
def test_texts_are_escaped_and_the_page_stays_small(name: str) -> None:
    page = render(PAGES[name]())
    assert not re.search(r"<script|<img|[\x00-\x08\x1b\u202e]", page)
    assert len(page.encode()) < 1_500_000
    assert re.findall(r"(?:src|href)=\"(?!#|data:,)", page) == []


def test_alarms_come_first() -> None:
    page = render(found())
    for words in (
        "3 alarms",
        "20,000 of them, drawn by their places",
        "−0.100",
        "stars is right",
        "stars before, stars now",
    ):
        assert words in page, words
    places = [page.index(f'<section id="{key}"') for key in ("verdict", "signals", "performance", "estimated", "notes")]
    assert places == sorted(places)
    assert places[0] < page.index("3 alarms") < places[1]


def test_page_terminal_and_json_say_the_same() -> None:
    """Of what got better, of what is beyond chance and too small, and of what is large enough."""
    better = Signal(
        monitor="performance", what="accuracy", measure="change", effect=0.0, change=0.233, way="better", p=0.0001,
        p_holm=0.0002, why_not="better is no alarm", told="0.584 on test rows, 0.817 now",
    )  # fmt: skip
    small = better.model_copy(
        update={"what": "speed", "change": None, "way": "", "effect": 0.013, "p_holm": 0.044, "why_not": "only 0.013"}
    )
    told = found().model_copy(update={"signals": (found().signals[1], better, small)})
    page, lines, json = render(told), "\n".join(summary(told)), str(facts(told))
    assert "worse" not in page + lines
    for signal, size in zip(told.signals, ("0.500", "+0.233, better", "0.013"), strict=True):
        assert f'<span class="figure">{size}</span>' in page and f"{signal.measure} {size}" in lines
        assert signal.why_not in page and (not signal.why_not or f", but {signal.why_not};" in lines)
        assert repr(signal.why_not) in json and f"'change': {signal.change}" in json


def test_a_window_without_anything_to_say() -> None:
    quiet = found().model_copy(update={"signals": (), "performance": (), "estimated": (), "notes": ()})
    page = render(quiet)
    assert "No alarm" in page
    assert "Where labels came" not in page


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_fits_and_asks_for_nothing(
    browser: Browser, tmp_path: Path, name: str, width: int, scheme: str
) -> None:
    file = tmp_path / "page.html"
    file.write_text(render(PAGES[name]()), "utf-8")
    with Visit(browser, file, width, color_scheme=scheme) as visit:
        visit.page.keyboard.press("Tab")
        assert visit.page.evaluate("document.activeElement.className") == "skip"
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") in (
            "rgb(247, 248, 246)" if scheme == "light" else "rgb(20, 24, 22)"
        )
        assert visit.said == [] and [url for url in visit.asked if url not in (file.as_uri(), "data:,")] == []
        if width == 390:  # on a phone nothing is read by scrolling sideways, and nothing is cut
            boxes = "[...document.querySelectorAll('.scroll, .state, td, th, figure')]"
            assert visit.page.evaluate(f"{boxes}.filter(box => box.scrollWidth > box.clientWidth + 1).length") == 0
            edges = "[...document.querySelectorAll('td, .state, svg')].map(box => box.getBoundingClientRect().right)"
            assert max(visit.page.evaluate(edges)) <= width
