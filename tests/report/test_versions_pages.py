"""Pages of differences, comparisons and lineages: what they say, and that they are safe, small and fit for phones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import versions_sample as sample
from test_report_browser import Visit

from seedbed.report import compared, difference, lineage

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGES = {
    "ordinary": lambda: difference.render(sample.difference()),
    "hostile": lambda: difference.render(sample.difference(sample.HOSTILE)),
    "long": lambda: difference.render(sample.difference(sample.WORD, 150)),
    "alike": lambda: difference.render(sample.alike()),
    "compared": lambda: compared.render(sample.compared()),
    "compared-hostile": lambda: compared.render(sample.compared(sample.HOSTILE)),
    "compared-long": lambda: compared.render(sample.compared(sample.WORD, 150)),
    "compared-apart": lambda: compared.render(sample.compared(judged=False)),
    "lineage": lambda: lineage.render(sample.lineage()),
    "lineage-hostile": lambda: lineage.render(sample.lineage(sample.HOSTILE), sample.HOSTILE),
    "lineage-long": lambda: lineage.render(sample.lineage(sample.WORD, 150)),
    "lineage-empty": lambda: lineage.render(sample.lineage(runs=0).model_copy(update={"nodes": ()})),
}


@pytest.mark.parametrize("name", PAGES)
def test_texts_are_escaped_and_the_page_stays_small(name: str) -> None:
    page = PAGES[name]()
    assert not re.search(r"<script|<img|[\x00-\x08\x1b\u202e]", page)
    shown = re.sub(r'"[^"]*"', '""', page.partition("</style>")[2])  # numbers in quotes say where something is drawn
    assert "49" not in shown or "hostile" not in name
    assert len(page.encode()) < 1_500_000
    assert re.findall(r"(?:src|href)=\"(?!#|data:,)", page) == []


def test_a_difference_says_what_it_found() -> None:
    page = PAGES["ordinary"]()
    for words in (
        "They differ",
        "in rows, labels",
        "of the rows that both have",
        "better",
        "chi-square",
        "90 rows that",
    ):
        assert words in page, words
    assert "Nothing differs" in PAGES["alike"]() and 'id="scores"' not in PAGES["alike"]()


def test_a_comparison_says_which_models_are_better() -> None:
    page = PAGES["compared"]()
    for words in (
        "They differ",
        "in 2 of 3 comparisons",
        "<bdi>model1 of b</bdi> is <b>better</b> than <bdi>model1 of a</bdi>",
        "90 of a and b",
        "macro-F1",
    ):
        assert words in page, words
    assert page.count('class="tag">best') == 2 and 'id="apart"' not in page
    apart = PAGES["compared-apart"]()
    assert "Not comparable" in apart and "model changed" in apart and 'id="differences"' not in apart


def test_a_lineage_is_drawn_from_left_to_right_and_always_alike() -> None:
    found = sample.lineage()
    drawn = lineage.draw(found).svg
    assert drawn == lineage.draw(found).svg and drawn.count("<polyline") == len(found.edges)
    boxes = [float(x) for x in re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="236"', drawn)]
    assert len(boxes) == 2 * len(found.nodes) and len(set(boxes)) == 7
    for line in re.findall(r'points="([^"]+)"', drawn):
        ends = [float(point.partition(",")[0]) for point in line.split()]
        assert ends[0] < ends[-1] and ends == sorted(ends)


def test_of_a_long_lineage_the_newest_is_drawn() -> None:
    page = PAGES["lineage-long"]()
    assert "older ones are left out" in page and page.count("<polyline") < lineage.MOST_DRAWN * 2


class TestInABrowser:
    pytestmark = pytest.mark.browser

    @pytest.mark.parametrize("name", PAGES)
    def test_it_fits_a_phone_and_a_desk_and_runs_nothing(self, browser: Browser, tmp_path: Path, name: str) -> None:
        file = tmp_path / f"{name}.html"
        file.write_text(PAGES[name](), encoding="utf-8")
        outside = """() => [...document.querySelectorAll('section *')].filter(node => {
            if (node.closest('.scroll, svg, .unseen') || !node.getClientRects().length) return false;
            return node.getBoundingClientRect().right > node.closest('section').getBoundingClientRect().right + 1;
        }).map(node => node.outerHTML.slice(0, 200))"""
        for width, scheme in ((1280, "light"), (390, "dark")):
            with Visit(browser, file, width, color_scheme=scheme) as visit:
                wide = visit.page.evaluate("document.documentElement.scrollWidth")
                assert wide == width and visit.page.evaluate("window.hacked") is None
                assert visit.page.evaluate(outside) == [] and visit.said == []
                assert [url for url in visit.asked if url not in (file.as_uri(), "data:,")] == []

    def test_a_lineage_is_read_on_a_phone_without_scrolling_sideways(self, browser: Browser, tmp_path: Path) -> None:
        found = sample.lineage()
        extra = found.nodes[0].model_copy(update={"key": "s2", "title": "more.csv", "detail": "9 kB, SHA-256 abc"})
        edge = found.edges[0].model_copy(update={"start": "s2", "end": "r1"})
        file = tmp_path / "lineage.html"
        both = found.model_copy(
            update={"nodes": (*found.nodes[:1], extra, *found.nodes[1:]), "edges": (*found.edges, edge)}
        )
        file.write_text(lineage.render(both), encoding="utf-8")
        with Visit(browser, file, 390) as visit:
            assert visit.page.is_hidden("figure svg") and visit.page.is_hidden("thead")
            lines = visit.page.locator(".made-of li").all_inner_texts()
            assert len(lines) == len(both.nodes) + 1 and "id-2" in lines[5] and "more.csv" in lines[-2]
            assert lines[-1] == "rows.csv (shown above)"
            sides = visit.page.evaluate(
                "[...document.querySelectorAll('.scroll')].filter(one => one.getClientRects().length)"
                ".map(one => one.scrollWidth - one.clientWidth)"
            )
            assert sides == [0]
            assert "Made" in visit.page.locator("#runs tr td").last.evaluate(
                "td => getComputedStyle(td, '::before').content"
            )
        with Visit(browser, file, 1280) as visit:
            assert visit.page.is_visible("figure svg") and visit.page.is_hidden(".made-of")

    def test_the_keyboard_reaches_everything(self, browser: Browser, tmp_path: Path) -> None:
        file = tmp_path / "page.html"
        file.write_text(PAGES["ordinary"](), encoding="utf-8")
        focus = "[document.activeElement.getAttribute('href'), getComputedStyle(document.activeElement).outlineStyle]"
        with Visit(browser, file) as visit:
            visit.page.keyboard.press("Tab")
            assert visit.page.evaluate(focus) == ["#verdict", "solid"]
            for link in ("#verdict", "#rows", "#labels"):
                visit.page.keyboard.press("Tab")
                assert visit.page.evaluate(focus) == [link, "solid"]
            regions = visit.page.evaluate("document.querySelectorAll('[role=region][tabindex=\"0\"]').length")
            assert regions == visit.page.evaluate("document.querySelectorAll('.scroll').length") > 8
