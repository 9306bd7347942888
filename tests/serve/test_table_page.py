"""The page of a model that reads a table, in a real browser: fields, what is odd, why, and what is like it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from listening import Site, listening

import visiting
from seedbed.flow.offering import near_of
from seedbed.flow.predicting.opening import open_model
from seedbed.serve.api import make_app
from seedbed.serve.service import Service, Version
from table_sample import FEATURES, HOSTILE, LIKE, MAKERS, SOURCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
visit = partial(visiting.visit, ready="#ask:enabled")


@pytest.fixture(scope="module")
def site(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    model = open_model(table)
    near = near_of(model, "auto", "127.0.0.1", tmp_path_factory.mktemp("store"))
    with listening(make_app(Service(Version(model, near=near)))) as found:
        yield found


def fill(page: Page, **given: str) -> None:
    """Fill the fields in as in `LIKE`, but for some; a value that no list has goes beside it."""
    for place, name in enumerate(FEATURES):
        node, value = page.locator(f"#input-{place}"), {**LIKE, **given}[name]
        if node.evaluate("node => node.tagName") != "SELECT":
            node.fill(value)
        elif value in node.locator("option").all_inner_texts():
            node.select_option(value)
        else:
            node.select_option(label="another value …")
            page.locator(f"#input-{place}-other").fill(value)


def ask(page: Page) -> None:
    with page.expect_response("**/api/predict"):
        page.locator("#input-0").press("Enter")
    page.wait_for_selector("#values:not([hidden])")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_row_is_typed_and_answered(browser: Browser, site: Site, width: int, scheme: str) -> None:
    with visit(browser, site.url, width, color_scheme=scheme) as (page, said, _):
        assert page.locator("#does").inner_text() == "Reads 6 columns and tells price, a number."
        modes = page.locator("#fields [name]").evaluate_all("all => all.map((one) => one.inputMode || one.tagName)")
        assert modes == ["decimal", "decimal", "SELECT", "decimal", "SELECT", "text"], "no number pad has a minus"
        listed = page.locator("#input-4 option").all_inner_texts()
        assert listed == ["not known", *sorted(MAKERS), "another value …"]
        assert "81 to 2089 in training" in page.locator("#fields").inner_text()

        fill(page)
        ask(page)
        [told] = site.ask("/predict", {"rows": [LIKE]})[1]["predictions"]
        assert page.locator("#answer").inner_text() == f"price: {told['predicted']:,.6g}"
        heard = page.locator("#heard").inner_text()
        assert heard == f"{page.locator('#answer').inner_text()}. {page.locator('#sure').inner_text()}"
        assert page.is_hidden("#warnings") and page.locator("#whytitle").inner_text() == "The columns that mattered"
        assert "How much higher (+) or lower (−) price is" in page.locator("#whynote").inner_text()

        fill(page, speed="x", cd="maybe", hd="340000", maker=HOSTILE)
        ask(page)
        odd = page.locator("#warnings").inner_text()
        for sentence in (
            "speed: 'x' is no integer: taken as missing.",
            "cd: 'maybe' is not known",
            "hd: '340000' is beyond",
        ):
            assert sentence in odd

        page.locator("#tries button").first.click()
        page.locator("#tries button", has_text="hd: ").first.wait_for()
        page.wait_for_selector("#result:not([hidden]):not([aria-busy])")
        page.locator("#alike summary").click()
        page.locator("#near li").first.wait_for()
        assert page.locator("#near li").first.inner_text().startswith("price: ")
        assert "hd: " in page.locator("#near li").first.inner_text()
        wide, shown = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= shown and page.evaluate("window.hacked") is None and said == []


def test_a_file_as_the_source_has_it_is_read_at_once(browser: Browser, site: Site) -> None:
    names = [SOURCE.get(name, name) for name in LIKE]
    head, body = (",".join(f'"{one}"' for one in line) for line in (names, LIKE.values()))
    with visit(browser, site.url) as (page, said, _):
        file = {"name": "rows.csv", "mimeType": "text/csv", "buffer": f"{head}\n{body}\n".encode()}
        page.set_input_files("#file", file)  # type: ignore[arg-type]
        page.wait_for_selector("#batch:not([hidden])")
        assert page.locator("#columns select").evaluate_all("all => all.map((one) => one.value)") == names
        page.locator("#start:enabled").click()
        page.wait_for_selector("#downloads:not([hidden])")
        assert page.locator("#done").inner_text() == "1 row." and said == []


def test_it_says_what_is_kept_and_writes_years_as_years(browser: Browser, site: Site) -> None:
    with visit(browser, site.url) as (page, _, _):
        kept = page.evaluate('model.offers = { ...model.offers, log: "sketches" }, keeps()')
        assert kept.startswith("Numbers and categories that you type are kept") and "the text itself" not in kept
        assert page.evaluate("[1998, -4.5, 12500].map(valued)") == ["1998", "-4.5", "12,500"]
