"""The review page in a real browser: by keyboard alone, on a telephone, with two people, and with hostile texts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from desk_sample import HOSTILE, LABELS, Reviewed, desk_of, items, lines, reviewing

import visiting
from seedbed.review.desk import Desk, overlay_at
from seedbed.review.queue import OTHER, Answers, Queue, write_queue

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

TEXTS = [f"No. {n}: {word} film about people who sing in town at night" for n in range(60) for word in ("good", "bad")]


visit = partial(visiting.visit, ready="#card:not([hidden]), #problem:not([hidden])")


def at(page: Page, place: int, of: int) -> None:
    """Wait until a row is shown."""
    page.wait_for_function("told => document.querySelector('#place').textContent === told", arg=f"{place} of {of}")


def settle(page: Page) -> None:
    """Wait until all that was typed is done."""
    page.evaluate("chain")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return desk_of(tmp_path, TEXTS)


@pytest.fixture
def server(desk: Desk) -> Iterator[Reviewed]:
    with reviewing(desk) as found:
        yield found


def test_the_keyboard_is_enough_and_loses_nothing_of_fast_typing(
    browser: Browser, server: Reviewed, desk: Desk
) -> None:
    n = len(TEXTS)
    with visit(browser, server.links["ana"]) as (page, said, asked):
        at(page, 1, n)
        assert page.locator("#text").inner_text() == TEXTS[0]
        for key in ("a", "3", "r", "s", "j", "k"):  # at once, without waiting for answers
            page.keyboard.press(key)
        at(page, 5, n)
        settle(page)
        found = [(one["row"].partition("#")[2], one["action"], one.get("label")) for one in lines(desk)]
        assert found == [
            ("1", "accept", None),
            ("2", "relabel", "positive"),
            ("3", "reject", None),
            ("4", "skip", None),
        ]
        page.keyboard.press("u")  # back to the row, and it is open again
        at(page, 4, n)
        page.keyboard.press("w")
        page.keyboard.type("a j in a reason is no key")
        page.keyboard.press("Enter")
        page.keyboard.press("r")
        at(page, 5, n)
        settle(page)
        assert [one["action"] for one in lines(desk)][4:] == ["undo", "reject"]
        assert lines(desk)[5]["why"] == "a j in a reason is no key"
        assert page.locator("#decided").inner_text() == "4 of 120 decided"
        page.keyboard.press("/")
        page.keyboard.type("No. 50")
        at(page, 1, 2)
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        at(page, 2, 2)
        page.keyboard.press("?")
        assert page.locator("#help").is_visible() and "undo" in page.locator("#keylist").inner_text()
        page.keyboard.press("r")  # is no decision while the help is open
        page.keyboard.press("Escape")
        settle(page)
        assert len(lines(desk)) == 6
        assert said == []
        assert all(url.startswith(server.links["ana"].partition("#")[0]) or url == "data:," for url in asked)
        assert "#" not in page.url  # nobody reads the token over a shoulder
        page.reload()
        at(page, 5, n)  # where nobody has been, and still known


def test_texts_of_strangers_run_nothing_and_hide_nothing(browser: Browser, tmp_path: Path) -> None:
    desk = desk_of(tmp_path, HOSTILE)
    with reviewing(desk) as server, visit(browser, server.links["ana"]) as (page, said, _):
        for place, text in enumerate(HOSTILE, start=1):
            at(page, place, len(HOSTILE))
            shown = page.locator("#text").text_content() or ""
            if not text:
                assert shown == "(no text)"
            elif len(text) < 1000:
                for sign in ("\u202e", "\u200b", "\u0000"):
                    text = text.replace(sign, f"⟨U+{ord(sign):04X}⟩")
                assert shown == text
            else:
                assert len(shown) == 20_001 and page.is_visible("#more")
                page.click("#more")
                assert len(page.locator("#text").text_content() or "") == 200_000
                assert "the last 800,000 characters" in page.locator("#facts").inner_text()
            page.locator("#card").hover()
            page.keyboard.press("j")
        assert page.evaluate("window.hacked") is None
        assert page.locator("#card script, #card img, #card svg, #list script, #list img").count() == 0
        assert said == []


def test_labels_names_and_reasons_of_strangers_run_nothing(browser: Browser, tmp_path: Path) -> None:
    bad = "<img src=x onerror=window.hacked=1>"
    table = items(["one text", "two text"]).with_columns(
        *[pl.lit(bad).alias(name) for name in ("label", "suggested", "kind", "part")],
        told=pl.lit(f'{{"{bad}": "{bad}"}}'),
    )
    path = write_queue(table, tmp_path / "q.arrow")
    queue = Queue("suspects", bad, bad, path, warning=bad)
    desk = Desk({"suspects": queue}, overlay_at(tmp_path / "review.jsonl"), (bad, "fine"), bad, bad, (bad,))
    with reviewing(desk) as server, visit(browser, server.links["ana"]) as (page, said, _):
        at(page, 1, 2)
        page.fill("#why", bad)
        page.locator("#choices button.accept").click()
        at(page, 2, 2)
        page.keyboard.press("k")
        at(page, 1, 2)
        assert bad in page.locator("#said").inner_text()
        assert page.evaluate("window.hacked") is None and page.locator("main img").count() == 0
        assert said == []


def test_two_people_at_once(browser: Browser, server: Reviewed, desk: Desk) -> None:
    with (
        visit(browser, server.links["ana"]) as (ana, heard, _),
        visit(browser, server.links["ben"]) as (ben, also_heard, _),
    ):
        assert (ana.locator("#who").inner_text(), ben.locator("#who").inner_text()) == ("ana", "ben")
        ana.keyboard.press("r")
        ben.wait_for_selector("#said:not([hidden])")  # by itself, soon
        assert ben.locator("#said").inner_text() == "ana rejected"
        ben.keyboard.press("a")
        at(ben, 2, len(TEXTS))
        ana.keyboard.press("k")
        ana.wait_for_function("() => document.querySelector('#said').textContent.includes('People disagree')")
        assert "⚡" in ana.locator("#list li").first.inner_text()
        assert heard == also_heard == []


def test_similar_rows_are_shown_before_they_are_decided(browser: Browser, tmp_path: Path) -> None:
    desk = desk_of(tmp_path, ["you won a prize, call now " * 3] * 3 + ["a quiet evening at the lake"] + TEXTS)
    with reviewing(desk) as server, visit(browser, server.links["ana"]) as (page, said, _):
        page.keyboard.press("m")
        page.wait_for_selector("#similar:not([hidden])")
        assert "of 2 of 2 similar rows" in page.locator("#alike").inner_text()
        page.locator("#others input").last.uncheck()
        assert "of 1 of 2 similar rows" in page.locator("#alike").inner_text()
        assert lines(desk) == []
        page.keyboard.press("r")
        at(page, 2, len(TEXTS) + 4)
        settle(page)
        assert [one["row"].partition("#")[2] for one in lines(desk)] == ["1", "2"]
        page.keyboard.press("u")
        at(page, 1, len(TEXTS) + 4)
        settle(page)
        assert desk.progress() == {"suspects": 0}
        page.keyboard.press("m")
        page.wait_for_selector("#similar:not([hidden])")
        page.keyboard.press("a")  # this label is right, of all three, whatever they carry
        at(page, 2, len(TEXTS) + 4)
        settle(page)
        assert [(one["action"], one["label"]) for one in lines(desk)[4:]] == [("relabel", "negative")] * 3
        assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_telephone_shows_the_row_and_its_choices(browser: Browser, server: Reviewed, scheme: str) -> None:
    with visit(browser, server.links["ana"], 390, color_scheme=scheme, has_touch=True) as (page, said, _):
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert not page.locator("#list").is_visible()  # folded away
        assert page.locator("#text").is_visible()
        page.locator("#choices button.reject").tap()
        at(page, 2, len(TEXTS))
        small = page.evaluate(
            "[...document.querySelectorAll('#choices button')].filter(one => one.offsetHeight < 36).length"
        )
        assert small == 0 and said == []


def test_a_search_that_is_folded_away_takes_no_letter_for_a_command(
    browser: Browser, server: Reviewed, tmp_path: Path
) -> None:
    with visit(browser, server.links["ana"], 390) as (page, said, _):
        at(page, 1, len(TEXTS))
        page.keyboard.press("/")
        page.keyboard.type("rasn1")
        assert page.locator("#search").input_value() == "rasn1"
        settle(page)
        assert not (tmp_path / "review.jsonl").exists() and said == []


def test_what_can_be_seen_can_be_heard(browser: Browser, server: Reviewed) -> None:
    with visit(browser, server.links["ana"]) as (page, _, _):
        page.keyboard.press("r")
        page.wait_for_function("() => document.querySelector('#heard').textContent.startsWith('rejected')")
        unnamed = page.evaluate("""() => [...document.querySelectorAll('button, input, select')].filter(one =>
            !one.textContent.trim() && !one.getAttribute('aria-label') && !one.labels?.length).length""")
        assert unnamed == 0
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_link_without_a_token_says_what_to_do(browser: Browser, server: Reviewed) -> None:
    with visit(browser, server.links["ana"].partition("#")[0]) as (page, _, _):
        assert "Open the link that" in page.locator("#problem").inner_text()


def test_a_queue_of_pairs_does_not_say_who_wrote_what(browser: Browser, tmp_path: Path) -> None:
    from seedbed.flow.reviewing.comparing import build_pairs, count_preferences

    a, b = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    a.write_text("".join(f'{{"id": {n}, "prompt": "q{n}", "answer": "from A {n}"}}\n' for n in range(30)), "utf-8")
    b.write_text("".join(f'{{"id": {n}, "answer": "from B {n}"}}\n' for n in range(30)), "utf-8")
    queue, _ = build_pairs(a, b, tmp_path, seed=13)
    desk = Desk({"pairs": queue}, overlay_at(tmp_path / "preferences.jsonl"), (), "a and b", "")
    with reviewing(desk) as server, visit(browser, server.links["ana"]) as (page, said, _):
        for place in range(1, 11):
            at(page, place, 30)
            left = page.locator("#left").inner_text()
            page.keyboard.press("1" if "from B" in left else "2")  # B, wherever it stands
        at(page, 11, 30)
        page.keyboard.press("0")
        at(page, 12, 30)
        settle(page)
        assert said == []
    desk.listen()
    found = count_preferences(queue, desk._standing)
    assert (found.a, found.b, found.ties, found.left) == (0, 10, 1, 19)
    assert found.rate is not None and found.rate.value == 1 and 0.6 < found.rate.low < 0.75
    assert found.verdict == "B is preferred"
    assert {one["label"] for one in lines(desk)} == {"b", "tie"}


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_two_answers_are_chosen_between_by_keyboard(browser: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    asked = [{"row": f"answers:{n}", "split": "test", "text": f"question {n}", "sides": "ba" if n % 2 else "ab",
              "left": f"<b>left</b> {n} " * 30, "right": f"right {n} \u202e" * 30} for n in range(6)]  # fmt: skip
    path = write_queue(pl.DataFrame(asked), tmp_path / "pairs.arrow")
    queue = Queue("pairs", "Two answers", "Which is better?", path, ("prefer", "skip"), asks="pairs", warning="Test.")
    desk = Desk({"pairs": queue}, overlay_at(tmp_path / "review.jsonl"), (), "a run", "run-1", answers="nothing")
    look = {"color_scheme": scheme}
    with reviewing(desk) as server, visit(browser, server.links["ana"], width, **look) as (page, said, _):
        for place, key in enumerate("120bs", 1):
            at(page, place, 6)
            page.keyboard.press(key)
        at(page, 6, 6)
        assert "<b>left</b> 5" in page.locator("#left").inner_text()
        assert "⟨U+202E⟩" in page.locator("#right").inner_text()
        page.keyboard.press("k")
        page.keyboard.press("k")
        at(page, 4, 6)
        assert page.locator("#choices [aria-pressed=true]").inner_text().endswith("both bad")
        assert "ana chose both bad" in page.locator("#said").inner_text()
        left, right = (page.locator(one).bounding_box() for one in ("#left", "#right"))
        assert left and right and (left["y"] == right["y"]) == (width > 900)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        heard = page.locator("#heard").text_content() or ""
        assert "Answer 1: <b>left</b> 3" in heard and "Answer 2: right 3" in heard
        page.keyboard.press("u")
        at(page, 5, 6)
        assert said == []
        assert [one.get("label") for one in lines(desk)] == ["a", "a", "tie", "both_bad", None, None]
        with visit(browser, server.links["ben"], width, **look) as (other, told, _):
            at(other, 1, 6)
            assert not other.is_visible("#said"), "ben chooses without knowing what ana chose"
            other.keyboard.press("2")
            at(other, 2, 6)
            other.keyboard.press("k")
            at(other, 1, 6)
            assert "People disagree here." in other.locator("#said").inner_text() and told == []


@pytest.mark.parametrize("width", [1280, 390])
def test_a_contradiction_is_shown_side_by_side(browser: Browser, tmp_path: Path, width: int) -> None:
    bad = "<img src=x onerror=window.hacked=1>"
    stayed = {"row": "mine:rows.csv#9", "split": "train", "label": "positive", "text": f"so good {bad} \u202e"}
    gone = {"row": "mine:rows.csv#8", "split": None, "label": None, "text": "x" * 30_000}
    table = items(["so bad", "also bad", "alone"]).with_columns(other=pl.Series([stayed, gone, None], dtype=OTHER))
    path = write_queue(table, tmp_path / "q.arrow")
    queue = Queue("conflicts", "Contradictions", "Look.", path, ("rescue", "relabel", "reject", "skip"))
    desk = Desk({"conflicts": queue}, overlay_at(tmp_path / "review.jsonl"), LABELS, "a run", "run-1")
    with reviewing(desk) as server, visit(browser, server.links["ana"], width) as (page, said, _):
        at(page, 1, 3)
        assert page.locator("#own").inner_text() == "this row: negative"
        assert page.locator("#other").inner_text() == "the row that stayed: positive"
        assert page.locator("#otherid").inner_text() == "mine:rows.csv#9 · train"
        assert page.locator("#othertext").inner_text() == f"so good {bad} ⟨U+202E⟩"
        own, other = (page.locator(one).bounding_box() for one in ("#text", "#othertext"))
        assert own and other and (own["y"] == other["y"]) == (width > 900) and abs(own["width"] - other["width"]) < 1
        assert "The row that stayed has the label positive." in (page.locator("#heard").text_content() or "")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.keyboard.press("j")
        at(page, 2, 3)
        assert page.locator("#other").inner_text().startswith("another row, rejected too: no label")
        assert page.is_visible("#more")
        page.click("#more")
        assert len(page.locator("#othertext").text_content() or "") == 30_000
        page.keyboard.press("j")
        at(page, 3, 3)
        assert not page.is_visible("#beside") and not page.is_visible("#own")
        assert page.evaluate("window.hacked") is None and said == []


def test_many_labels_leave_the_text_in_sight_and_the_suggested_one_has_a_button(
    browser: Browser, tmp_path: Path
) -> None:
    labels = tuple(f"label {n:02}" for n in range(50))
    rows = items([f"what is judged {n}" for n in range(3)]).with_columns(
        label=pl.lit("label 03"), suggested=pl.lit("label 41")
    )
    queue = Queue("suspects", "Suspects", "Rows.", write_queue(rows, tmp_path / "suspects.arrow"))
    desk = Desk({"suspects": queue}, overlay_at(tmp_path / "review.jsonl"), labels, "t", "r")
    with reviewing(desk) as server, visit(browser, server.links["ana"], 375) as (page, said, _):
        page.set_viewport_size({"width": 375, "height": 740})
        at(page, 1, 3)
        page.evaluate("scrollTo(0, 0)")
        text, choices = (page.locator(one).bounding_box() for one in ("#text", "#choices"))
        assert text and choices and text["y"] + text["height"] <= min(740, choices["y"])
        assert "label 41" in page.locator("#choices .suggested").inner_text()
        page.keyboard.press("g")
        at(page, 2, 3)
        settle(page)
        assert [one["label"] for one in lines(desk)] == ["label 41"] and said == []


SETS = ("comedy", "drama", "war")


def desk_of_answers(folder: Path, answers: Answers, given: list[str], suggested: list[str]) -> Desk:
    """Three rows whose answers are sets of labels, or numbers."""
    rows = items([f"row {n}" for n in range(3)]).with_columns(
        label=pl.Series(given), suggested=pl.Series(suggested), score=pl.lit(None, pl.Float64)
    )
    path = write_queue(rows, folder / "suspects.arrow")
    queue = Queue("suspects", "Suspects", "Rows.", path)
    labels = SETS if answers == "labels" else ()
    return Desk({"suspects": queue}, overlay_at(folder / "review.jsonl"), labels, "t", "r", answers=answers)


def test_a_set_of_labels_is_ticked_and_given(browser: Browser, tmp_path: Path) -> None:
    given = ['["drama"]', '["war"]', "[]"]
    desk = desk_of_answers(tmp_path, "labels", given, ['["comedy","drama"]', "[]", '["war"]'])
    with reviewing(desk) as server, visit(browser, server.links["ana"]) as (page, said, _):
        at(page, 1, 3)
        assert "comedy, drama" in page.locator("#facts").inner_text()
        assert page.locator("#set input:checked").evaluate_all("all => all.map((one) => one.value)") == [
            "comedy",
            "drama",
        ]
        page.keyboard.press("g")  # what is suggested
        at(page, 2, 3)
        page.keyboard.press("1")
        page.keyboard.press("3")
        page.keyboard.press("g")
        at(page, 3, 3)
        assert "none of the labels is right" in page.locator("#choices").inner_text()
        page.keyboard.press("a")
        settle(page)
        assert [(one["action"], one.get("label"), one["was"]) for one in lines(desk)] == [
            ("relabel", '["comedy","drama"]', given[0]),
            ("relabel", '["comedy","war"]', given[1]),
            ("accept", None, "[]"),
        ]
        assert said == []


def test_a_number_is_written_and_given(browser: Browser, tmp_path: Path) -> None:
    desk = desk_of_answers(tmp_path, "number", ["1.5", "20", "3"], ["15", "2", "33.5"])
    with reviewing(desk) as server, visit(browser, server.links["ana"]) as (page, _, _):
        at(page, 1, 3)
        assert "a model foretells" in page.locator("#facts").inner_text()
        page.keyboard.press("g")
        at(page, 2, 3)
        page.locator("#number").fill("2.25")
        page.keyboard.press("Enter")
        at(page, 3, 3)
        page.locator("#number").fill("a lot")
        page.keyboard.press("Enter")
        page.wait_for_selector("#problem:not([hidden])")
        assert "no number" in page.locator("#problem").inner_text()
        settle(page)
        assert [one["label"] for one in lines(desk)] == ["15", "2.25"]
