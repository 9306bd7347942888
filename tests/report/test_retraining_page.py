"""The page of a retraining: what it says, and that it is safe, small and fit for phones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from test_report_browser import Visit

from seedbed.core.champion import Promotion
from seedbed.core.promotion import Contender, Grown, Later, OnSlice, Retrained
from seedbed.core.run import Comparison
from seedbed.report.retraining import render

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = "<script>alert(7*7)</script><img src=x onerror=alert(49)>{{7*7}}\x1b[31m\u202e"
WORD = "unbreakable" * 40
WHEN = "2026-05-04T09:00:00+00:00"


def compared(difference: float, verdict: Any, metric: str = "macro_f1") -> Comparison:
    return Comparison(
        a="champion", b="challenger", split="test", metric=metric, difference=difference, low=difference - 0.02,
        high=difference + 0.02, p=0.01, p_holm=0.03, n=400, verdict=verdict,
    )  # fmt: skip


def found(text: str = "films", many: int = 3, **update: Any) -> Retrained:
    one = Contender(run=text, folder=text, model=text, splits={"train": 700, text: 300}, started=WHEN)
    verdicts = ("worse", "better", "not distinguishable")
    told = Retrained(
        name=text,
        champion=one,
        challenger=one.model_copy(update={"splits": {"train": 1700, text: 310}}),
        frozen=300,
        rows=298,
        relabelled=4,
        comparison=compared(0.05, "better"),
        slices=tuple(
            OnSlice(by=text, value=f"{text} {place}", comparison=compared(0.1 * (place % 3 - 1), verdicts[place % 3]))
            for place in range(many)
        ),
        grown=Grown(added={"train": 1000, text: 10}, gone=2, corrected=5, copies={text: 3}),
        read_before=4,
        read_why="4 times (3 to judge models, 1 to explain a row)",
        against=(f"it is worse on {text}",),
        promoted=False,
        seconds=12.0,
        history=(
            Promotion(run=text, when=WHEN, why=text),
            Promotion(run="rolled", when=WHEN, why="b", undone=WHEN, undone_why=text),
        ),
    )
    return told.model_copy(update=update)


PAGES = {"ordinary": lambda: found(), "hostile": lambda: found(HOSTILE), "long": lambda: found(WORD, 400)}


@pytest.mark.parametrize("name", PAGES)
def test_texts_are_escaped_and_the_page_stays_small(name: str) -> None:
    page = render(PAGES[name]())
    assert not re.search(r"<script|<img|[\x00-\x08\x1b\u202e]", page)
    assert len(page.encode()) < 1_500_000
    assert re.findall(r"(?:src|href)=\"(?!#|data:,)", page) == []


def test_it_says_who_stands_and_why() -> None:
    page = render(found())
    for words in (
        "Not promoted", "it is worse on films", "298 of 300 frozen test rows", "5 rows of both",
        "4 of them among those", "3 new rows in", "rolled back", "+0.050",
        "read before 4 times (3 to judge models, 1 to explain a row)",
    ):  # fmt: skip
        assert words in page, words
    places = [page.index(f'<section id="{key}"') for key in ("verdict", "rows", "differences", "history")]
    assert places == sorted(places)
    later = Later(column="day", after="2026-04-30", until="2026-05-31", seen=2)
    won = render(found(promoted=True, against=(), judges="later", later=later))
    assert "Promoted" in won and "of a later window (day after 2026-04-30)" in won and "had seen word for word" in won
    assert "4 times" not in won
    nothing = render(found(comparison=None, slices=(), grown=None, history=(), against=("their labels differ",)))
    assert "their labels differ" in nothing and 'id="differences"' not in nothing


def test_the_champion_is_the_last_that_was_not_rolled_back() -> None:
    page = render(found())
    assert len(re.findall("✓ champion", page)) == 1
    assert page.index("rolled back") < page.index("✓ champion")


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
        assert visit.said == [] and [url for url in visit.asked if url not in (file.as_uri(), "data:,")] == []
        if width == 390:  # on a phone nothing is read by scrolling sideways, and nothing is cut
            boxes = "[...document.querySelectorAll('.scroll, .state, td, th, figure')]"
            assert visit.page.evaluate(f"{boxes}.filter(box => box.scrollWidth > box.clientWidth + 1).length") == 0
            edges = "[...document.querySelectorAll('td, .state, svg')].map(box => box.getBoundingClientRect().right)"
            assert max(visit.page.evaluate(edges)) <= width
