"""Models of every kind of task, served: the API typed by what is answered, and the page as a person uses it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from served_model import Served, serving

import seedbed
import visiting
from learned_sample import TASKS, as_text, asked_of, learned, rows_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

visit = partial(visiting.visit, ready="#ask:enabled")
ANSWERS = {
    "text_classification": "Label",
    "multi_label_classification": "Labels",
    "regression": "Number",
    "tabular_classification": "Label",
    "tabular_regression": "Number",
    "question_answering": "Span",
    "causal_lm": "Likelihood",
    "chat": "Text",
    "text_to_text": "Text",
}


@pytest.fixture(scope="module", params=TASKS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def run_folder(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learned(kind, tmp_path_factory.mktemp(f"served-{kind}")).folder


@pytest.fixture(scope="module")
def site(run_folder: Path) -> Iterator[Served]:
    with serving(run_folder) as found:
        yield found


def test_rows_are_answered_as_python_answers_them(kind: str, site: Served, run_folder: Path) -> None:
    asked = [asked_of(kind, row) for row in rows_of(kind)[:12]]
    expected = seedbed.load_model(run_folder).predict(asked).to_dicts()
    status, told = site.ask("/api/predict", {"rows": asked})
    assert status == 200, told
    assert [{name: one[name] for name in expected[0]} for one in told["predictions"]] == expected
    more = {name for name, value in told["predictions"][0].items() if value is not None} - expected[0].keys()
    assert more == {"Label": {"sure"}, "Span": {"sure"}, "Likelihood": {"perplexity"}}.get(ANSWERS[kind], set())


def test_the_schema_says_what_is_answered(kind: str, site: Served) -> None:
    schema = site.ask("/openapi.json")[1]
    asked = schema["paths"]["/predict"]["post"]
    body = asked["requestBody"]["content"]["application/json"]["schema"]
    reply = asked["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    jsonschema.Draft202012Validator.check_schema(body)
    valid = jsonschema.Draft202012Validator(body)
    row = asked_of(kind, rows_of(kind)[5])
    assert valid.is_valid({"rows": [row]})
    assert not valid.is_valid({"rows": [{name: value for name, value in row.items() if name != next(iter(row))}]})
    assert valid.is_valid({"text": "a"}) == (len(row) == 1)
    assert reply.endswith(f"/Answers_{ANSWERS[kind]}_")
    fields = schema["components"]["schemas"][ANSWERS[kind]]["properties"]
    assert {"read", "warnings"} < fields.keys()
    assert ("probabilities" in fields) == (ANSWERS[kind] in ("Label", "Labels"))


def test_the_model_tells_what_it_is(kind: str, site: Served) -> None:
    told = site.ask("/api/model")[1]
    assert told["task"] == kind and len(told["examples"]) == 8 and told["limits"]
    assert told["score"]["low"] <= told["score"]["value"] <= told["score"]["high"]
    assert bool(told["labels"]) == (ANSWERS[kind] in ("Label", "Labels"))
    assert told["turns"] == ("messages" if kind == "chat" else None)


def row_of(kind: str) -> dict[str, Any]:
    """A row to ask about; in a text, its answer stands behind a character that UTF-16 writes with two units."""
    if kind != "question_answering":
        return rows_of(kind)[5]
    asked = (row for row in rows_of(kind) if row["question"].startswith("Where did"))
    return next(row for row in asked if row["context"].index("🎭") < row["context"].index("lived in"))


def fill_in(page: Page, kind: str, row: dict[str, Any]) -> None:
    for place, value in enumerate(row.values()):
        if page.locator(f"select#input-{place}").count():
            page.locator(f"#input-{place}").select_option(str(value))
            continue
        text = value if isinstance(value, str) else as_text(value) if isinstance(value, list) else str(value)
        page.locator(f"#input-{place}").fill(text)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_a_person_asks_and_reads_the_answer(
    browser: Browser, kind: str, site: Served, run_folder: Path, width: int
) -> None:
    row = asked_of(kind, row_of(kind))
    (expected,) = seedbed.load_model(run_folder).predict([row]).to_dicts()
    with visit(browser, site.url, width, color_scheme="dark" if width < 500 else "light") as (page, said, _):
        assert page.locator("#fields [name]").count() == len(row)
        fill_in(page, kind, row)
        page.locator("#ask").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("#result:not([hidden]):not([aria-busy])")
        answer = page.locator("#answer").inner_text()
        shares = page.locator("#bars tr").count()
        match ANSWERS[kind]:
            case "Label" | "Text":
                assert answer == ("kind: " if kind.startswith("tabular") else "") + expected["predicted"]
            case "Labels":
                assert answer == (", ".join(expected["predicted"]) or "None of the labels")
                assert page.locator("#bars tr.first").count() == len(expected["predicted"])
            case "Number":
                assert answer.startswith("price: ")
                assert float(answer[7:].replace(",", "")) == pytest.approx(expected["predicted"], rel=1e-5)
            case "Span":
                assert answer == (expected["predicted"] or "The text does not answer this")
                marked = page.locator("#where mark").all_inner_texts()
                assert marked == ([expected["predicted"]] if expected["predicted"] else [])
                if marked:
                    assert page.locator("#where").text_content() == expected["context"]
            case "Likelihood":
                assert answer.startswith("Perplexity ") and f"{expected['tokens']} tokens" in page.inner_text("#sure")
        assert (shares > 0) == page.locator("#shares").is_visible() == (ANSWERS[kind] in ("Label", "Labels"))
        if ANSWERS[kind] in ("Label", "Labels", "Number"):
            why = "() => /part of the score|loses where|than it w/.test(document.getElementById('whynote').textContent)"
            page.wait_for_function(why)
        else:
            assert page.is_hidden("#why")
        assert page.locator("#read").text_content() == expected["read"]
        assert page.locator("#heard").inner_text().startswith(" ".join(answer.split())[:40])
        wide, shown = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= shown
        assert said == []


@pytest.mark.browser
def test_an_example_is_asked_by_a_click(browser: Browser, kind: str, site: Served) -> None:
    with visit(browser, site.url) as (page, said, _):
        page.locator("#tries button").first.click()
        page.wait_for_selector("#result:not([hidden]):not([aria-busy])")
        assert page.locator("#answer").inner_text().strip()
        assert page.locator("#warnings li").count() == 0
        assert said == []


@pytest.mark.browser
def test_a_conversation_is_typed_as_json(browser: Browser, kind: str, site: Served) -> None:
    if kind != "chat":
        return
    with visit(browser, site.url) as (page, said, _):
        assert page.locator("#fields label").all_inner_texts() == ["What the user says"]
        page.locator("#input-0").fill('[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]')
        page.locator("#ask").click()
        page.wait_for_selector("#result:not([hidden]):not([aria-busy])")
        assert "the last turn is the assistant's" in page.locator("#warnings").inner_text().lower()
        assert page.locator("#read").text_content() == "Hi"
        assert said == []


def test_turns_that_are_none_are_refused_or_told(kind: str, site: Served) -> None:
    if kind != "chat":
        return
    turns = [{"role": "user", "content": "what is the price"}]
    for rows in ([{"messages": turns}], [{"messages": "what is the price"}], [{"messages": as_text(turns)}]):
        status, told = site.ask("/api/predict", {"rows": rows})
        assert (status, told["predictions"][0]["predicted"]) == (200, "It costs ten euros.")
    assert site.ask("/api/predict", {"rows": [{"messages": [1, 2]}]})[0] == 422
    status, told = site.ask("/api/predict", {"rows": [{"messages": [{"role": "user", "content": "a" * 100_001}]}]})
    assert status == 413
    told = site.ask("/api/predict", {"rows": [{"messages": [{"role": "ghost", "content": "boo"}]}]})[1]
    assert "unknown_role" in told["predictions"][0]["warnings"][0]
