"""The report in a real browser: it fits, loads nothing, runs nothing that data brings, and works by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from page_reading import RUNS

from seedbed.report.page import render

if TYPE_CHECKING:
    from playwright.sync_api import Browser


pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    for name, run in RUNS.items():
        (folder / f"{name}.html").write_text(render(run()), encoding="utf-8")
    return folder


class Visit:
    """A page in the browser, with what it said and what it asked for."""

    def __init__(self, browser: Browser, file: Path, width: int = 1280, **more: Any) -> None:
        self.page = browser.new_page(viewport={"width": width, "height": 900}, **more)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self.page.close()


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_loads_nothing(browser: Browser, folder: Path, run: str, width: int, scheme: str) -> None:
    file = folder / f"{run}.html"
    with Visit(browser, file, width, color_scheme=scheme) as visit:
        for details in visit.page.query_selector_all("details"):
            details.evaluate("node => node.open = true")
        wide, shown = visit.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= shown == width
        assert visit.page.evaluate("window.hacked") is None
        assert visit.said == []
        assert [url for url in visit.asked if url not in (file.as_uri(), "data:,")] == []
        back = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
        light = sum(int(part) for part in back[4:-1].split(",")) > 3 * 128
        assert light == (scheme == "light")


def test_words_in_figures_stay_inside(browser: Browser, folder: Path) -> None:
    outside = """() => [...document.querySelectorAll('figure > svg text')].filter(text => {
        const box = text.getBoundingClientRect();
        return box.left < 0 || box.right > document.documentElement.clientWidth;
    }).map(text => text.textContent)"""
    for run in RUNS:
        with Visit(browser, folder / f"{run}.html", 390) as visit:
            assert visit.page.evaluate(outside) == [], run


def test_nothing_sticks_out_of_its_section(browser: Browser, folder: Path) -> None:
    outside = """() => [...document.querySelectorAll('section *')].filter(node => {
        if (node.closest('.scroll, svg, .unseen') || !node.getClientRects().length) return false;
        return node.getBoundingClientRect().right > node.closest('section').getBoundingClientRect().right + 1;
    }).map(node => node.outerHTML.slice(0, 200))"""
    for run in RUNS:
        with Visit(browser, folder / f"{run}.html", 390) as visit:
            visit.page.evaluate("document.querySelectorAll('details').forEach(node => node.open = true)")
            assert visit.page.evaluate(outside) == [], run


def test_tab_reaches_everything_in_the_order_of_the_page(browser: Browser, folder: Path) -> None:
    focused = """() => { const node = document.activeElement; return {
        tag: node.tagName, to: node.getAttribute('href'), says: node.innerText.slice(0, 60),
        outlined: getComputedStyle(node).outlineStyle, top: node.getBoundingClientRect().top + scrollY,
        nav: !!node.closest('nav') } }"""
    with Visit(browser, folder / "whole.html") as visit:
        sections = visit.page.evaluate("[...document.querySelectorAll('section')].map(node => node.id)")
        folded = visit.page.evaluate("document.querySelectorAll('section summary').length")
        reached = []
        while not reached or reached[-1]["tag"] != "BODY":
            visit.page.keyboard.press("Tab")
            reached.append(visit.page.evaluate(focused))
            assert len(reached) < 500
        reached.pop()
        assert reached[0]["to"] == "#verdict"
        assert [one["to"] for one in reached if one["nav"]] == [f"#{name}" for name in sections]
        assert {one["outlined"] for one in reached} == {"solid"}
        below = [one["top"] for one in reached if not one["nav"]][1:]
        assert below == sorted(below), "focus never jumps back"
        # What is folded away is reached once it is unfolded, so all that is outside must be here.
        assert len([one for one in reached if one["tag"] == "SUMMARY"]) >= folded / 2
        first = next(i for i, one in enumerate(reached) if one["tag"] == "SUMMARY")
        visit.page.evaluate("document.activeElement.blur()")
        for _ in range(first + 1):
            visit.page.keyboard.press("Tab")
        visit.page.keyboard.press("Enter")
        assert visit.page.evaluate("document.activeElement.parentElement.open")


def test_it_works_without_scripts(browser: Browser, folder: Path) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 900})
    page = context.new_page()
    page.goto((folder / "whole.html").as_uri())
    page.get_by_text("What naive_bayes confuses").click()
    assert page.locator("#confusion details svg").nth(1).is_visible()
    context.close()


def test_it_prints_on_paper_with_everything_unfolded(browser: Browser, folder: Path, tmp_path: Path) -> None:
    with Visit(browser, folder / "whole.html") as visit:
        visit.page.pdf(path=str(tmp_path / "whole.pdf"), format="A4")
        printed = (tmp_path / "whole.pdf").read_bytes()
        assert printed.startswith(b"%PDF") and printed.count(b"/Type /Page\n") >= 8
        visit.page.emulate_media(media="print")
        visit.page.set_viewport_size({"width": 680, "height": 900})
        assert visit.page.is_visible("#curves details table") and visit.page.is_visible("#confusion details svg")
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 680


def test_the_keyboard_reaches_the_sections(browser: Browser, folder: Path) -> None:
    focus = "[document.activeElement.getAttribute('href'), getComputedStyle(document.activeElement).outlineStyle]"
    with Visit(browser, folder / "tweets.html") as visit:
        visit.page.keyboard.press("Tab")
        assert visit.page.evaluate(focus) == ["#verdict", "solid"]
        assert visit.page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0, "the skip link shows"
        visit.page.keyboard.press("Tab")
        visit.page.keyboard.press("Tab")
        assert visit.page.evaluate(focus) == ["#rows", "solid"]
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_url("**#rows")


def test_paper_is_light_and_holds_the_folded_tables(browser: Browser, folder: Path) -> None:
    with Visit(browser, folder / "tweets.html", 720, color_scheme="dark") as visit:
        visit.page.emulate_media(media="print", color_scheme="dark")
        assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not visit.page.is_visible("nav")
        assert visit.page.is_visible("#lengths details table")
