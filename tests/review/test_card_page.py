"""The card's page in a real browser: by keyboard alone, on a telephone, with two people, and with hostile texts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from desk_sample import Reviewed, desk_of, reviewing

import visiting
from seedbed.flow.finished import Finished
from seedbed.flow.papers.answering import CardFile
from seedbed.publish.papers.answers import read_answers
from seedbed.publish.papers.keeping import Lock, kept, write_lock
from seedbed.publish.papers.measured import Measured

sys.path.insert(0, str(Path(__file__).parents[1] / "publish"))
from publish_sample import run_of, source, splits_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

EVIL = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>\u202e'
CARD = "# mine\nlicense: MIT  # as the source\ncollected: by hand\nsummary: tweets\n"

visit = partial(visiting.visit, ready="#card:not([hidden]), #problem:not([hidden])")


@pytest.fixture
def card(tmp_path: Path) -> CardFile:
    """Three answers, two of them about a run with a tenth of the rows."""
    path = tmp_path / "card.yaml"
    path.write_text(CARD)
    splits = splits_of(["a", EVIL])
    run = run_of(splits, sources=(source("MIT", EVIL),))
    rows = run.rows.model_copy(update={"read": 6, "kept": 6, "rejected": {}})
    few = run.dataset.model_copy(update={"splits": {"train": 4, "test": 2}})
    before = Measured(run.model_copy(update={"rows": rows, "dataset": few}))
    write_lock(path, kept(Lock(), read_answers(path), before, "2026-01-01T00:00:00Z"))
    return CardFile(path, Finished(run, tmp_path / "run"))


@pytest.fixture
def server(card: CardFile, tmp_path: Path) -> Iterator[Reviewed]:
    with reviewing(desk_of(tmp_path, ["a text"]), card=card) as found:
        yield found


def page_of(server: Reviewed, who: str = "ana") -> str:
    return server.links[who].replace("/#", "/card#")


def asked(page: Page, text: str) -> None:
    """Wait until a question is shown."""
    page.wait_for_function("told => document.querySelector('#question').textContent.startsWith(told)", arg=text)


def test_the_keyboard_is_enough_and_what_is_typed_is_kept(browser: Browser, server: Reviewed, card: CardFile) -> None:
    with visit(browser, page_of(server)) as (page, said, _):
        asked(page, "Which languages")  # the first that waits
        assert page.locator("#needed").inner_text() == "2 of 6 required, 3 of 34 in all"
        assert "2 answers were" in page.locator("#moved").inner_text()
        page.keyboard.press("e")
        page.keyboard.type("en, no")
        page.keyboard.press("Control+Enter")
        asked(page, "How was the data collected")
        assert "now 60 records read" in page.locator("#changes").inner_text()
        page.keyboard.press("Escape")
        page.keyboard.press("y")
        asked(page, "What is the dataset meant")
        page.keyboard.press("e")
        page.keyboard.type("tests j k n y")  # are letters here
        page.keyboard.press("Enter")
        page.keyboard.type("and more")
        page.keyboard.press("Escape")
        page.keyboard.press("j")  # saves on the way
        asked(page, "Does it hold personal")
        page.keyboard.press("k")
        asked(page, "What is the dataset meant")
        assert page.locator("#answer").input_value() == "tests j k n y\nand more"
        assert page.locator("#needed").inner_text() == "4 of 6 required, 5 of 34 in all"
        assert page.evaluate("document.querySelector('#required').value") == pytest.approx(4 / 6)
        page.keyboard.press("?")
        assert page.locator("#help").is_visible() and "card.yaml" in page.locator("#file").inner_text()
        assert said == []
        page.keyboard.press("Escape")
        page.reload()
        asked(page, "Does it hold personal")
        assert "1 answer was" not in page.locator("#moved").inner_text()
    text = card.path.read_text()
    assert text == CARD + "languages: [en, 'no']\nintended_uses: |-\n  tests j k n y\n  and more\n"
    assert [one.key for one in card.state().stale] == ["summary"]


def test_what_is_no_answer_is_told_and_stays_in_the_field(browser: Browser, server: Reviewed, card: CardFile) -> None:
    with visit(browser, page_of(server)) as (page, _, _):
        asked(page, "Which languages")
        page.keyboard.press("e")
        page.keyboard.type("English")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("#problem:not([hidden])")
        assert "no language code" in page.locator("#problem").inner_text()
        assert page.locator("#answer").input_value() == "English"
    assert card.path.read_text() == CARD


def test_two_people_do_not_overwrite_each_other(server: Reviewed, card: CardFile) -> None:
    body = {"key": "contact", "text": "ana", "was": ""}
    assert server.ask("ana", "/api/answer", body)[0] == 200
    status, told = server.ask("ben", "/api/answer", {**body, "text": "ben"})
    assert status == 422 and "meanwhile" in told["error"]["problem"]
    assert "contact: ana\n" in card.path.read_text()
    assert server.ask("", "/api/card")[0] == 401
    assert server.ask("ana", "/api/answer", {"key": "contact", "text": 3, "was": ""})[0] == 422
    assert server.ask("ana", "/api/answer", {"key": "nothing", "text": "x", "was": ""})[0] == 422
    assert server.ask("ana", "/api/confirm", {"key": "biases"})[0] == 422
    assert server.ask("ana", "/api/about")[1]["card"] is True


def test_texts_of_strangers_run_nothing(browser: Browser, server: Reviewed) -> None:
    with visit(browser, page_of(server)) as (page, said, _):
        asked(page, "Which languages")
        page.keyboard.press("j")  # collected: the source's name is hostile
        asked(page, "How was the data collected")
        shown = page.locator("#measured").inner_text()
        assert "<script>window.hacked" in shown and "⟨U+202E⟩" in shown
        assert page.locator("main script, main img").count() == 0 and page.evaluate("window.hacked") is None
        assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_telephone_and_can_be_read(browser: Browser, server: Reviewed, scheme: str) -> None:
    with visit(browser, page_of(server), 360, color_scheme=scheme) as (page, said, _):
        asked(page, "Which languages")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.locator("#save").is_visible() and page.locator("#answer").bounding_box()["width"] > 250
        page.locator("#where").click()
        page.locator("#list button").nth(2).click()
        asked(page, "How was the data collected")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        colour = "getComputedStyle(document.querySelector('{}')).color"
        current = page.evaluate(colour.format("#list [aria-current] .head"))
        assert current == page.evaluate(colour.format("body")), "the current question can be read"
        assert said == []


def test_without_a_card_there_is_no_link(browser: Browser, tmp_path: Path, server: Reviewed) -> None:
    with visit(browser, server.links["ana"]) as (page, _, _):
        page.wait_for_selector("#tocard:not([hidden])")
        page.click("#tocard")
        asked(page, "Which languages")  # who is known stays known
    (tmp_path / "other").mkdir()
    with reviewing(desk_of(tmp_path / "other", ["a text"])) as bare:
        assert bare.ask("ana", "/api/card")[0] == 404
        with visit(browser, bare.links["ana"]) as (page, _, _):
            assert page.locator("#tocard").is_hidden()
