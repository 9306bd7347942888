"""The page in a real browser: why, what is alike, files, the card, and keys."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from listening import Site, listening
from served_model import Served, serving

import visiting
from learned_sample import learned
from seedbed.flow.predicting.opening import open_model
from seedbed.flow.predicting.predict import predict_file
from seedbed.serve.api import make_app
from seedbed.serve.keys import Keys, new_key
from seedbed.serve.lane import FullError, Lane
from seedbed.train.bundle import CARD

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> great \U0001f600 awful \u202e film'
LONG = ("great awful film was quite long with people about life in town at night " * 140)[:10_000]
visit = partial(visiting.visit, ready="#ask:enabled")


def ask(page: Page, text: str) -> None:
    page.locator("#fields textarea").first.fill(text)
    page.keyboard.press("Enter")
    page.wait_for_function("text => document.getElementById('read').textContent === text", arg=text)


def fits(page: Page) -> bool:
    wide, shown = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return bool(wide <= shown)


def test_a_page_whose_model_comes_late_says_nothing_wrong(browser: Browser, served: Served) -> None:
    page = browser.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))

    held: list[Route] = []
    page.route("**/api/model", lambda route: held.append(route))  # Playwright marks what it is given
    with page.expect_request("**/api/model"):
        page.goto(served.url)
    # Parts that are open from the start say so: when, is up to the browser.
    page.evaluate("for (const id of ['why', 'alike']) document.getElementById(id).dispatchEvent(new Event('toggle'))")
    while not held:
        page.wait_for_timeout(10)
    held[0].continue_()
    page.wait_for_selector("#ask:enabled")
    ask(page, HOSTILE)
    page.wait_for_selector("#words:not([hidden])")
    assert said == []
    page.close()


def test_the_words_that_mattered_are_marked(browser: Browser, served: Served) -> None:
    with visit(browser, served.url, 390) as (page, said, asked):
        for text in (HOSTILE, LONG):
            ask(page, text)
            page.wait_for_selector("#words:not([hidden])")
            assert page.locator("#words").text_content() == text
            told = served.ask("/explain", {"text": text})[1]
            weights = [word["weight"] for word in told["words"]]
            marked = page.locator("#words span")
            assert 1 < marked.count() <= len(weights)
            kinds = {"great": "for", "awful": "against"}
            if told["label"] == "bad":
                kinds = {"great": "against", "awful": "for"}
            for word, kind in kinds.items():
                style = page.locator(f"#words .{kind}3", has_text=word).first.evaluate(
                    "node => [getComputedStyle(node).textDecorationStyle, getComputedStyle(node).backgroundColor]"
                )
                assert style[0] == {"for": "solid", "against": "wavy"}[kind] and style[1] != "rgba(0, 0, 0, 0)"
            assert page.locator("#most").inner_text().startswith("Most of all: ") and page.is_visible("#legend")
            assert fits(page)
        ask(page, "12 34")
        page.get_by_text("Nothing in it made a difference").wait_for()
        assert page.is_hidden("#legend")
        assert page.evaluate("window.hacked") is None and said == []
        assert all(url.startswith(served.url) or url == "data:," for url in asked)


def test_training_rows_that_are_alike_are_shown(browser: Browser, served: Served) -> None:
    with visit(browser, served.url) as (page, said, asked):
        ask(page, "a great film about life in town")
        assert not [url for url in asked if url.endswith("/similar")], "nobody wants to see them yet"
        page.locator("#alike summary").focus()
        page.keyboard.press("Enter")
        page.locator("#near li").first.wait_for()
        [first] = served.ask("/similar", {"text": "a great film about life in town", "most": 1})[1]["rows"]
        shown = page.locator("#near li").first.inner_text()
        assert first["row"] in shown and first["text"] in shown and shown.startswith(first["label"])
        assert page.locator("#near li").count() == 5 and said == []


def test_columns_have_a_table(browser: Browser, tmp_path: Path) -> None:
    run = learned("tabular_classification", tmp_path).folder
    with serving(run) as mine, visit(browser, mine.url, 390) as (page, said, _):
        page.locator("#tries button").first.click()
        page.wait_for_selector("#values:not([hidden])")
        head = page.locator("#values thead th").all_inner_texts()
        assert head == ["Column", "Worth", "Value", "Usual value"]
        names = page.locator("#values tbody th").all_inner_texts()
        assert set(names) == set(open_model(run).inputs)
        assert page.is_visible("#alike") and page.is_hidden("#words") and fits(page) and said == []


def test_the_card_is_shown_as_text(browser: Browser, folder: Path, tmp_path: Path) -> None:
    model = open_model(folder)
    with listening(make_app(model)) as site, visit(browser, site.url) as (page, said, asked):
        page.locator("#cardbox summary").click()
        assert page.locator("#card .heading").first.inner_text() == model.name
        assert "license" not in page.locator("#card").inner_text().splitlines()[0]
        rows = page.locator("#card table tbody tr")
        assert rows.first.locator("td").first.inner_text() in ("validation", "test")
        assert "seedbed.load_model" in page.locator("#card pre").inner_text()
        before = (folder / "models" / model.name / CARD).read_text()
        assert before.startswith("---\n")
        hostile = [
            "# <script>window.hacked=1</script>",
            "[click](javascript:window.hacked=1) [ok](https://example.org/?a=1&b=2) ![x](https://example.org/x.png)",
            "| a | b |\n|---|---|\n| <img src=x onerror=window.hacked=1> | `x\\|y` &lt;b&gt; |",
            "- one\n  goes on\n- **two** *three*",
            "```\n<b>code</b>\n```",
            "\\*plain\\*",
        ]
        told = page.evaluate(
            """text => {
                const box = document.getElementById("card");
                box.replaceChildren(...markdown(text));
                return [...box.querySelectorAll("*")].map((node) => [node.tagName, node.textContent, node.href || ""]);
            }""",
            "\n\n".join(hostile),
        )
        tags = [tag for tag, _, _ in told]
        assert not set(tags) & {"SCRIPT", "IMG", "B", "IFRAME"}
        assert [href for tag, _, href in told if tag == "A"] == [
            "https://example.org/?a=1&b=2",
            "https://example.org/x.png",
        ]
        assert ["TD", "<img src=x onerror=window.hacked=1>", ""] in told and ["TD", "x|y <b>", ""] in told
        assert ["LI", "one goes on", ""] in told and ["STRONG", "two", ""] in told and ["EM", "three", ""] in told
        assert ["PRE", "<b>code</b>", ""] in told and ["P", "*plain*", ""] in told
        assert page.evaluate("window.hacked") is None and said == []
        assert all(url.startswith(site.url) or url == "data:," for url in asked)


def test_a_key_stands_behind_the_address(browser: Browser, folder: Path, tmp_path: Path) -> None:
    key = new_key(tmp_path / "keys.txt", "ana")
    lines: list[str] = []
    app = make_app(open_model(folder), keys=lambda: Keys.read(tmp_path / "keys.txt"), said=lines.append)
    with listening(app) as site:
        with visit(browser, f"{site.url}/#key={key}") as (page, said, asked):
            ask(page, "a great film")
            page.wait_for_selector("#words:not([hidden])")
            assert said == [] and not [url for url in asked if key in url.partition("#")[0]]
        with visit(browser, f"{site.url}/#key={key}x", ready="#problem:not([hidden])") as (page, _, _):
            assert "needs a key" in page.locator("#problem").inner_text() and page.is_disabled("#ask")
    assert lines and not [line for line in lines if key in line]


# Files


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    with listening(make_app(open_model(folder))) as found:
        yield found


CELLS = ['=HYPERLINK("http://evil")', "-5", "+1e3", "@SUM(A1)", "plain", "", "a;b", 'with "quotes"\nand lines', "\tx"]


def table_of(path: Path, rows: int) -> Path:
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "said", "predicted"])
        for place in range(rows):
            writer.writerow(
                [CELLS[place % len(CELLS)], f"a {'great' if place % 2 else 'awful'} film {place}, or so", place]
            )
    return path


def label(page: Page, file: Path) -> None:
    page.locator("#file").set_input_files(file)
    page.wait_for_selector("#batch:not([hidden])")
    page.locator("#start").click()
    page.wait_for_selector("#downloads:not([hidden])")


def downloaded(page: Page, link: int, **more: str) -> list[dict[str, str]]:
    with page.expect_download() as down:
        page.locator("#downloads a").nth(link).click()
    text = Path(down.value.path()).read_bytes().decode(more.get("encoding", "utf-8"))
    return list(csv.DictReader(text.splitlines(keepends=True)))


def test_a_table_is_labelled_and_given_back(
    browser: Browser, site: Site, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = table_of(tmp_path / "rows.csv", 450)
    predict_file(open_model(folder), str(path), tmp_path / "expected.csv")
    with (tmp_path / "expected.csv").open(newline="") as file:
        expected = list(csv.DictReader(file))
    asks, refused = Lane.ask, []

    async def busy(self: Lane, version: object, rows: object) -> object:
        if len(refused) < 2:
            refused.append(1)
            raise FullError(1)
        return await asks(self, version, rows)  # type: ignore[arg-type]

    monkeypatch.setattr(Lane, "ask", busy)
    with visit(browser, site.url, 390) as (page, said, asked):
        label(page, path)
        assert page.locator("#far").inner_text() == "450 of 450 rows" and fits(page)
        assert page.locator("#rows").inner_text().startswith("rows.csv: 450 rows.")
        sent = [url for url in asked if url.endswith("/predict")]
        assert len(sent) == 5, "three requests of at most 200 rows; the first was refused twice"
        told, safe = downloaded(page, 0), downloaded(page, 1, encoding="utf-8-sig")
        assert [one for one in said if "429" not in one] == []
    assert [row["predicted_"] for row in told] == [row["predicted"] for row in expected]
    assert [float(row["confidence"]) for row in told] == pytest.approx([float(row["confidence"]) for row in expected])
    assert [row["id"] for row in told] == [CELLS[place % len(CELLS)] for place in range(450)], "as it was"
    for row in safe[: len(CELLS)]:
        assert not row["id"].startswith(("=", "@", "\t")) and row["id"] in (
            *(f"'{cell}" for cell in CELLS),
            *CELLS,
        )
    assert [safe[place]["id"] for place in (0, 1, 2)] == [f"'{CELLS[0]}", "-5", "+1e3"], "numbers are no formulas"


def test_other_files(browser: Browser, site: Site, tmp_path: Path) -> None:
    with visit(browser, site.url) as (page, said, _):
        lines = [
            json.dumps({"said": "a great film", "n": 1}),
            "{broken",
            json.dumps({"n": 2, "said": "awful"}),
            "",
            "[1]",
        ]
        (tmp_path / "rows.jsonl").write_text("\n".join(lines))
        label(page, tmp_path / "rows.jsonl")
        told = downloaded(page, 0)
        assert [row["predicted"] for row in told] == ["good", "", "bad", ""]
        assert [row["n"] for row in told] == ["1", "", "2", ""] and "no JSON object" in told[1]["warnings"]
        # Semicolons, another encoding, another name, a row too few and a text that is too long for the server.
        text = "text;stars\nein schöner great Film;4\nnur eins\n" + "x" * 100_001 + ";2\nan awful film;1\n"
        (tmp_path / "latin.CSV").write_bytes(text.encode("latin-1"))
        page.locator("#file").set_input_files(tmp_path / "latin.CSV")
        page.get_by_text("was read as Windows-1252").wait_for()
        assert page.is_disabled("#start"), "nobody said which column is the text"
        page.locator("#columns select").select_option("text")
        page.locator("#start").click()
        page.get_by_text("2 have a warning").wait_for()
        told = downloaded(page, 0)
        assert [row["predicted"] for row in told] == ["good", "", "", "bad"] and told[0]["text"].startswith(
            "ein schöner"
        )
        assert "1 values, not 2" in told[1]["warnings"] and "longer than 100,000" in told[2]["warnings"]
        (tmp_path / "unicode.csv").write_bytes("said\tn\ngreat größer\t1\n".encode("utf-16"))
        page.locator("#file").set_input_files(tmp_path / "unicode.csv")
        page.get_by_text("unicode.csv: 1 row.").wait_for()
        assert page.locator("#columns select").input_value() == "said", "as spreadsheets write"
        # A text is asked about.
        (tmp_path / "one.txt").write_text("an awful film\n")
        page.locator("#file").set_input_files(tmp_path / "one.txt")
        page.wait_for_function("() => document.getElementById('read').textContent === 'an awful film'")
        for name, content, words in (
            ("empty.csv", b"", "There is nothing in this file"),
            ("photo.png", b"x", "A text (.txt), a table"),
            ("empty.jsonl", b"\n", "There is nothing in this file"),
        ):
            (tmp_path / name).write_bytes(content)
            page.locator("#file").set_input_files(tmp_path / name)
            page.get_by_text(words).wait_for()
        assert [one for one in said if "413" not in one] == []


def test_a_file_is_dropped(browser: Browser, site: Site) -> None:
    with visit(browser, site.url) as (page, _, _):
        transfer = page.evaluate_handle("""() => {
            const held = new DataTransfer();
            held.items.add(new File(["said\\na great film\\n"], "dropped.csv"));
            return held;
        }""")
        page.dispatch_event("body", "dragover", {"dataTransfer": transfer})
        assert "dropping" in page.evaluate("document.body.className")
        page.dispatch_event("body", "drop", {"dataTransfer": transfer})
        page.get_by_text("dropped.csv: 1 row.").wait_for()
        assert "dropping" not in page.evaluate("document.body.className")


def test_whoever_stops_keeps_what_is_done(browser: Browser, site: Site, tmp_path: Path) -> None:
    with visit(browser, site.url) as (page, _, _):
        page.locator("#file").set_input_files(table_of(tmp_path / "rows.csv", 450))
        page.wait_for_selector("#batch:not([hidden])")
        page.evaluate("""() => {
            const asks = answersTo;
            answersTo = async (piece) => { const told = await asks(piece); byId("stop").click(); return told; };
        }""")
        page.locator("#start").click()
        page.wait_for_selector("#downloads:not([hidden])")
        assert page.locator("#done").inner_text().startswith("200 rows, 250 were not asked about.")
        assert [row["predicted_"] == "" for row in downloaded(page, 0)].count(True) == 250
