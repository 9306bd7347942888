"""The same figures as objects: in a notebook's cell, as SVG files, and as text where there is no notebook."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sample
import sample_hostile
import sample_models

import seedbed
from seedbed.core.errors import DataError
from seedbed.core.metric import Score
from seedbed.flow.finished import Finished, open_run
from seedbed.report.figures import draw
from seedbed.report.notebook import Shown

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = [
    "rows", "classes", "lengths", "ladder", "ladder_closer", "folds", "differences", "differences_simplest",
    "confusion", "roc", "precision_recall", "reliability", "slices", "effects", "learning", "leakage", "timings",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run.json").write_text(sample.whole().model_dump_json(), encoding="utf-8")
    return tmp_path


def test_a_run_folder_is_opened_and_shown(folder: Path) -> None:
    finished = seedbed.open_run(folder)
    assert finished.run == sample.whole() and finished.folder == folder
    assert list(finished.figures) == NAMES
    assert repr(finished) == f"Finished('tweets', passed, folder={str(folder)!r})"
    shown = finished.show()
    assert "Clean by a sample" in shown._repr_html_() and "macro-F1 0.774" in shown._repr_html_()
    assert repr(shown).startswith("tweets: passed in 151.2 s\nrows: 38,158 read = 35,793 kept + 2,365 rejected")
    assert seedbed.open_run(folder / "run.json").run == finished.run


def test_a_failed_run_has_the_figures_that_it_can() -> None:
    assert list(draw(sample.failed())) == ["rows"]
    assert "Failed" in Shown(sample.failed(), Path("x"))._repr_html_()


@pytest.mark.parametrize("run", [sample.whole, sample_hostile.hostile, sample.many_labels])
def test_every_figure_is_a_document_of_its_own(run: object, tmp_path: Path) -> None:
    for name, figure in draw(run()).items():  # type: ignore[operator]
        root = ET.fromstring(figure.svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg" and root.attrib["aria-label"]
        assert "var(" not in figure.svg and "prefers-color-scheme: dark" in figure.svg
        assert figure.save(tmp_path / f"{name}.svg").read_text("utf-8") == figure._repr_svg_()
        html = figure._repr_html_()
        assert "<script" not in html and "<img" not in html and html.startswith('<div class="seedbed">')
        assert repr(figure).startswith(f"Figure({name!r}: ")


def test_hostile_texts_stay_text_in_a_cell() -> None:
    html = Shown(sample_hostile.hostile(), Path("<img src=x>"))._repr_html_()
    assert "<script" not in html and "<img" not in html
    assert not re.search(r"[\x00-\x08\x1b\ud800-\udfff\u202e]", html)


# A cell in a browser -------------------------------------------------------------------------------------------------


def cell(browser: Browser, html: str, attributes: str = "", scheme: str = "light") -> Page:
    """A page that is a notebook: the cell comes in by `innerHTML`, after style sheets of the notebook's own."""
    page = browser.new_page(viewport={"width": 900, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page.set_content(
        f"<!doctype html><body {attributes}><style>.out table {{ border: 5px solid red; color: #abc }}</style>"
        "<h2 id='mine'>mine</h2><div class='out'></div></body>"
    )
    page.evaluate("html => document.querySelector('.out').innerHTML = html", html)
    return page


COLOUR = "node => getComputedStyle(document.querySelector(node)).backgroundColor"


@pytest.mark.browser
@pytest.mark.parametrize(
    ("attributes", "scheme", "dark"),
    [
        ("", "light", False),
        ("", "dark", True),
        ('data-jp-theme-light="false"', "light", True),
        ('data-jp-theme-light="true"', "dark", False),
        ('class="vscode-dark"', "light", True),
    ],
)
def test_a_cell_follows_the_notebook(browser: Browser, attributes: str, scheme: str, dark: bool) -> None:
    page = cell(browser, Shown(sample.whole(), Path("runs/x"))._repr_html_(), attributes, scheme)
    back = page.evaluate(COLOUR, ".seedbed")
    assert (sum(map(int, re.findall(r"\d+", back)[:3])) < 3 * 128) == dark
    assert page.evaluate("getComputedStyle(document.querySelector('#mine')).fontSize") == "24px", (
        "it styles itself only"
    )
    assert page.is_visible(".seedbed svg") and page.locator(".seedbed svg").count() == len(NAMES)
    wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    page.close()


# What is no run ------------------------------------------------------------------------------------------------------


def told(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        open_run(folder)
    assert len(str(caught.value).splitlines()) <= 5
    return str(caught.value)


def test_what_is_no_run_is_told(tmp_path: Path, folder: Path) -> None:
    assert "there is no such folder" in told(tmp_path / "none")
    inside = tmp_path / "runs" / "tweets" / "latest"
    inside.mkdir(parents=True)
    (folder / "run.json").rename(inside / "run.json")
    assert "not the folder of a run" in told(tmp_path) and str(inside) in told(tmp_path)
    assert str(inside) in told(tmp_path / "runs" / "tweets") and str(inside) in told(tmp_path / "runs")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"seedbed": "9.0.0", "novel": 1}, "was written by Seedbed 9.0.0"),
        ({"novel": 1}, "is not the record of a run: novel"),
        ({"rows": "many"}, "is not the record of a run: rows"),
    ],
)
def test_a_record_that_does_not_fit_is_told(folder: Path, change: dict[str, object], expected: str) -> None:
    record = json.loads((folder / "run.json").read_text("utf-8"))
    (folder / "run.json").write_text(json.dumps(record | change), encoding="utf-8")
    assert expected in told(folder)
    (folder / "run.json").write_text("[" * 100_000, encoding="utf-8")
    assert "is not JSON" in told(folder)
    (folder / "run.json").write_text("[]", encoding="utf-8")
    assert "is not the record of a run" in told(folder)


def test_a_score_without_a_value_comes_back(folder: Path) -> None:
    nan = float("nan")
    model = sample_models.tfidf()
    scores = {"test": {"macro_f1": Score(value=nan, low=nan, high=nan, n=3)}}
    run = sample.tweets(models=(model.model_copy(update={"scores": scores}),), comparisons=())
    (folder / "run.json").write_text(run.model_dump_json(), encoding="utf-8")
    found = open_run(folder)
    assert isinstance(found, Finished)
    score = found.run.models[0].scores["test"]["macro_f1"]
    assert score.value != score.value and score.n == 3
    assert "–" in found.show()._repr_html_() and repr(found.show())
