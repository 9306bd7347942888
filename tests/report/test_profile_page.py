"""The page of a profile: what it says, and that it is safe, small and fit for phones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from test_report_browser import Visit

from seedbed.core.profile import DatasetProfile
from seedbed.core.rows import ROW
from seedbed.profile.measuring import Measurer, plan_of
from seedbed.report.profile import render

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = "<script>alert(7*7)</script><img src=x onerror=alert(49)>{{7*7}}\x1b[31m\u202e"
WORD = "unbreakable" * 40


def found(text: str = "fine", width: int = 3) -> DatasetProfile:
    """The profile of a table whose names and values are made of a text."""
    n = 60
    rows = pl.DataFrame({
        ROW: [f"a:{text}.csv#{i}" for i in range(n)],
        "text": [f"{text} {'good' if i % 2 else 'bad'} word{i % 7}" for i in range(n)],
        "label": [f"{text}{i % 2}" for i in range(n)],
        **{f"{text} {i}": [float(i * k % 11) for k in range(n - 1)] + [9e9] for i in range(width)},
        **{f"c {text} {i}": [f"{text}{k % (i + 2)}" for k in range(n)] for i in range(width)},
    })  # fmt: skip
    plan = plan_of(rows.drop(ROW), text="text", label="label")
    whole = Measurer(plan).add(rows).profile()
    return DatasetProfile(seedbed="0", named=f"{text}.csv", found={"read as": text}, whole=whole)


PAGES = {"ordinary": lambda: found(), "hostile": lambda: found(HOSTILE), "long": lambda: found(WORD, 40)}


@pytest.mark.parametrize("name", PAGES)
def test_texts_are_escaped_and_the_page_stays_small(name: str) -> None:
    page = render(PAGES[name]())
    assert not re.search(r"<script|<img|[\x00-\x08\x1b\u202e]", page)
    assert len(page.encode()) < 1_500_000
    assert re.findall(r"(?:src|href)=\"(?!#|data:,)", page) == []


def test_what_stands_out_comes_first_and_the_numbers_after() -> None:
    page = render(found())
    assert page.index("things to look at") < page.index("What it holds") < page.rindex("Columns, closely")
    for words in ("“fine 1” has 1 value far out", "60</b> rows", "a:fine.csv#59", "Rows by label", "word0"):
        assert words in page, words


def test_a_table_without_rows_has_a_page() -> None:
    rows = pl.DataFrame(schema={ROW: pl.String, "a": pl.String, "b": pl.Float64})
    whole = Measurer(plan_of(rows.drop(ROW), label="a")).add(rows).profile()
    page = render(DatasetProfile(seedbed="0", named="empty.csv", whole=whole))
    assert "There are no rows." in page and 'id="label"' not in page


def test_what_says_no_more_than_chance_is_not_listed() -> None:
    rows = pl.DataFrame({
        ROW: [f"a#{i}" for i in range(200)],
        "label": ["yes" if i % 2 else "no" for i in range(200)],
        "noise": [f"c{i // 2 % 5}" for i in range(200)],
    })  # fmt: skip
    whole = Measurer(plan_of(rows.drop(ROW), label="label")).add(rows).profile()
    assert [one.column for one in whole.toward_label] == ["noise"] and whole.associations == ()
    assert "hangs together" not in render(DatasetProfile(seedbed="0", named="a.csv", whole=whole))


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
        for details in visit.page.query_selector_all("details"):
            details.evaluate("node => node.open = true")
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") in (
            "rgb(247, 248, 246)" if scheme == "light" else "rgb(20, 24, 22)"
        )
        assert visit.said == [] and [url for url in visit.asked if url not in (file.as_uri(), "data:,")] == []
