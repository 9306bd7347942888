"""The page in a real browser: a person types a text and sees the label that `seedbed predict` gives."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from served_model import Served, serving

import visiting
from predicting_sample import STEPS, rows, small_run
from seedbed.flow.predicting.opening import open_model
from seedbed.serve.about import facts
from seedbed.serve.trust import honesty_said

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


pytestmark = pytest.mark.browser

TEXTS = [
    "what a great film it was",
    "an awful, dreadful thing about people",
    "x",
    '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script> a great film',
    "fine \u202e desrever \u0000\U0001f600 &amp; caf\u00c3\u00a9 \U0001f3ad",
    "\u05e9\u05dc\u05d5\u05dd great \u0645\u0631\u062d\u0628\u0627",
]


visit = partial(visiting.visit, ready="#ask:enabled")


def ask(page: Page, text: str) -> str:
    """Type a text, press Enter, read the label."""
    before = page.evaluate("performance.getEntriesByType('resource').length")
    page.locator("#fields textarea").first.fill(text)
    page.keyboard.press("Enter")
    page.wait_for_function("before => performance.getEntriesByType('resource').length > before", arg=before)
    page.wait_for_selector("#result:not([hidden]):not([aria-busy])")
    return page.locator("#answer").inner_text()


def test_the_page_says_what_predict_says(browser: Browser, served: Served, folder: Path) -> None:
    shown = [text.replace("\u0000", "") for text in TEXTS]  # a command line holds no NUL
    options = [option for text in shown for option in ("--text", text)]
    command = [sys.executable, "-m", "seedbed", "predict", str(folder), "--json", *options]
    told = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout
    expected = [json.loads(line) for line in told.splitlines()]
    with visit(browser, served.url) as (page, said, asked):
        for text, one in zip(shown, expected, strict=True):
            assert ask(page, text) == one["predicted"]
            assert page.locator("#bars tr").count() == 2
            first = page.locator("#bars tr.first")
            assert first.locator("th").inner_text() == one["predicted"]
            assert first.locator("td").first.inner_text() == f"{100 * one['confidence']:.1f} %"
            assert page.locator("#read").text_content() == one["read"]
            assert page.locator("#warnings li").count() == len(one["warnings"])
            assert page.locator("#heard").inner_text().startswith(one["predicted"])
        assert page.evaluate("window.hacked") is None
        assert said == []
        assert all(url.startswith(served.url) or url == "data:," for url in asked)


def test_the_keyboard_is_enough(browser: Browser, served: Served) -> None:
    with visit(browser, served.url) as (page, said, _):
        focused = "document.activeElement.id || document.activeElement.textContent"
        assert page.evaluate(focused) == "input-0"
        page.keyboard.type("two lines")
        page.keyboard.press("Shift+Enter")
        page.keyboard.type("of a great film")
        assert page.locator("#fields textarea").input_value() == "two lines\nof a great film"
        assert not page.is_visible("#result")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("#result:not([hidden])")
        page.keyboard.press("Tab")
        assert page.evaluate(focused) == "ask"
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Tab")
        assert page.evaluate(focused) == "file"
        assert page.evaluate("getComputedStyle(document.querySelector('label[for=file]')).outlineStyle") == "solid"
        for title in ("whytitle", "Training rows that are like it", "What the model read"):
            page.keyboard.press("Tab")
            assert page.evaluate(focused) == title
        page.keyboard.press("Tab")
        example = page.evaluate(focused)
        page.keyboard.press("Enter")
        page.wait_for_function("text => document.querySelector('textarea').value === text", arg=example)
        assert said == []


def test_kind_words_for_what_goes_wrong(browser: Browser, folder: Path) -> None:
    with serving(folder / "models/majority") as mine, visit(browser, mine.url) as (page, _, _):
        page.locator("#ask").click()
        assert page.locator("#problem").inner_text() == "Type a text first."
        page.locator("#fields textarea").fill("a" * 100_001)
        page.locator("#ask").click()
        assert "at most 100,000 characters are read, and this has 100,001" in page.locator("#problem").inner_text()
        ask(page, "fine")
        assert not page.is_visible("#problem")
        mine.process.terminate()
        mine.process.wait(20)
        page.locator("#ask").click()
        page.wait_for_selector("#problem:not([hidden])")
        assert "The server does not answer" in page.locator("#problem").inner_text()
        assert page.is_enabled("#ask")


def test_several_inputs_have_a_field_each(browser: Browser, tmp_path: Path) -> None:
    steps = [
        {"use": "cast", "types": {"stars": "integer"}},
        {"use": "derive", "column": "text", "template": "{said} ({stars})"},
    ]
    task = {"kind": "text_classification", "text": "text", "label": "mood"}
    done = small_run(tmp_path, steps=steps, task=task)
    with serving(done.folder) as mine, visit(browser, mine.url, 390) as (page, said, _):
        assert page.locator("#fields label").all_inner_texts() == ["said", "stars (integer)"]
        page.locator("#input-1").fill("4")
        ask(page, "a great film")
        assert page.locator("#read").text_content() == "a great film (4)"
        page.locator("#input-1").fill("four")
        ask(page, "a great film")
        assert "stars: 'four' is no integer: taken as missing." in page.locator("#warnings").inner_text()
        assert said == []


HOSTILE = '<img src=x onerror="window.hacked = 1">'


@pytest.mark.parametrize("task", ["label", "number"])
def test_what_the_bundle_promises_is_shown(browser: Browser, tmp_path: Path, task: str) -> None:
    evaluate: dict[str, object] = {"intervals": {"resamples": 200}, "leakage": False, "conformal": 0.9}
    if task == "label":
        made = [{**one, "mood": HOSTILE if one["mood"] == "NEG" else one["mood"]} for one in rows(500)]
        steps = [one for one in STEPS if one.get("column") != "mood"]
        more = {"steps": steps, "train": [{"use": "naive_bayes"}], "evaluate": {**evaluate, "thresholds": "f1"}}
    else:
        made = [{**one, "stars": len(one["said"] or "") / 10} for one in rows(500)]
        evaluate["metrics"] = ["mae"]
        steps = [{"use": "drop_missing", "columns": ["said"]}]
        about = {"kind": "regression", "text": "said", "target": "stars"}
        more = {"steps": steps, "train": [{"use": "tfidf_ridge"}], "task": about, "evaluate": evaluate}
    done = small_run(tmp_path, made, **more)
    with serving(done.folder) as mine, visit(browser, mine.url, 390) as (page, said, _):
        for text in ("a hate awful film", "a great film"):
            [found] = mine.ask("/api/predict", {"text": text})[1]["predictions"]
            ask(page, text)
            told = page.locator("#kept dd").all_inner_texts()
            if task == "label":
                assert told == [found["decided"], ", ".join(found["set"])]
            else:
                low, high = (float(end.replace(",", "")) for end in told[0].split(" to "))
                assert (low, high) == pytest.approx((found["low"], found["high"]), rel=1e-4)
            assert told[-1] in page.locator("#heard").inner_text()
        assert page.evaluate("window.hacked") is None and said == []
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_without_a_promise_nothing_is_shown(browser: Browser, served: Served) -> None:
    with visit(browser, served.url) as (page, _, _):
        ask(page, "a great film")
        assert page.is_hidden("#kept")


def test_long_examples_are_cut_between_lines(browser: Browser, served: Served) -> None:
    with visit(browser, served.url, 390) as (page, _, _):
        page.evaluate("document.querySelector('#tries span').textContent = 'many words '.repeat(60)")
        lines, inside = page.evaluate("""() => {
            const span = document.querySelector('#tries span'), style = getComputedStyle(span);
            return [span.clientHeight / parseFloat(style.lineHeight), parseFloat(style.paddingBottom)];
        }""")
        assert abs(lines - 2) < 0.1 and inside == 0


def test_it_says_what_is_kept_of_what_people_type(browser: Browser, served: Served) -> None:
    with visit(browser, served.url) as (page, _, _):
        assert page.locator("#about").inner_text().endswith("Nothing that you type is kept.")
        told = page.evaluate("""() => [["texts", true], ["sketches", false], ["sketches", true], [null, true]].map(
            ([log, feedback]) => { model.offers = { log, feedback }; return keeps(); })""")
        assert told[0].startswith("What you type is kept") and "length, a sketch" in told[1]
        assert told[1].endswith("the text itself is not.") and told[2].endswith(
            "unless you say that an answer is wrong."
        )
        assert told[3] == "Nothing that you type is kept, unless you say that an answer is wrong."


def test_how_sure_it_was_and_how_right(browser: Browser, served: Served) -> None:
    told = served.ask("/model")[1]["reliability"]
    assert told["split"] == "test" and 0 < told["error"] < 1 and 0 < told["surest"]["rows"] <= told["rows"]
    with visit(browser, served.url) as (page, _, _):
        shown = page.locator("#limits li").first.inner_text()
        assert f"expected calibration error {told['error']:.3f}" in shown
        assert f"{told['surest']['rows']} rows), it was right on" in shown


def test_its_percentages_are_told_as_they_were_measured(folder: Path) -> None:
    found = facts(open_model(folder)) | {"reliability": None}
    score = found["score"] | {"split": "test"}

    def tell(error: float | None, calibrated: bool, score: object = score) -> str:
        measured = {"test": {} if error is None else {"expected_calibration_error": {"value": error}}}
        on = {"split": "validation", "rows": 1500} if calibrated else None
        return honesty_said(found | {"calibration": on, "score": score, "scores": measured})

    put = "Its percentages are calibrated on 1,500 validation rows"
    not_put = "Its percentages are not calibrated"
    off = "On test rows the stated confidence was off by {} on average (expected calibration error {})."
    assert tell(0.1, True) == f"{put}. {off.format('10 points', '0.100')}"
    assert tell(0.012, True) == f"{put}. {off.format('1 point', '0.012')}"
    assert tell(0.002, False) == f"{not_put}. {off.format('less than 1 point', '0.002')}"
    assert tell(None, True) == f"{put}; how well they fit was not measured."
    assert "take them as a rough guide" in tell(None, False)
    assert tell(None, False, None) == tell(None, False)


@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits(browser: Browser, served: Served, width: int, scheme: str) -> None:
    with visit(browser, served.url, width, color_scheme=scheme) as (page, said, _):
        ask(page, "a great film " + "withoutanyblanks" * 40)
        page.locator("#seen summary").click()
        page.wait_for_selector("#words:not([hidden])")
        wide, shown = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= shown
        back = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(int(part) for part in back[4:-1].split(",")) > 3 * 128) == (scheme == "light")
        assert said == []


_PAIRS = """() => {
    const lit = (color) => {
        const [r, g, b] = color.match(/[0-9.]+/g).map((n) => n / 255)
            .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (node) => {
        for (let at = node; at; at = at.parentElement) {
            const color = getComputedStyle(at).backgroundColor;
            if (!/, 0\\)$/.test(color)) return color;
        }
        return "rgb(255, 255, 255)";
    };
    const all = "h1, h2, p, li, th, td, label, button, summary, textarea, #words span, #legend span";
    return [...document.querySelectorAll(all)]
        .filter((node) => node.offsetParent && node.textContent.trim())
        .map((node) => {
            const [a, b] = [lit(getComputedStyle(node).color), lit(ground(node))].sort((x, y) => y - x);
            return [node.textContent.slice(0, 40), (a + 0.05) / (b + 0.05)];
        });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(browser: Browser, served: Served, scheme: str) -> None:
    with visit(browser, served.url, color_scheme=scheme) as (page, _, _):
        ask(page, "a great film, an awful film, a fine and dreadful film")
        page.wait_for_selector("#words:not([hidden])")
        pairs = page.evaluate(_PAIRS)
        assert len(pairs) > 15
        assert [pair for pair in pairs if pair[1] < 4.5] == []
        levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(node => node.tagName)")
        assert levels[0] == "H1"
        assert set(levels[1:]) == {"H2"}
        assert page.evaluate("[...document.querySelectorAll('textarea')].every(node => node.labels.length === 1)")
