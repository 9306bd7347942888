"""The report as text: whole, well formed, escaped, small, and readable without seeing it."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise

import pytest
import sample
import sample_hostile
import sample_models
from page_reading import RUNS, Page

from seedbed.core import numbers
from seedbed.core.metric import Score
from seedbed.core.run import Run
from seedbed.report import styles
from seedbed.report.page import render


@pytest.fixture(params=RUNS)
def page(request: pytest.FixtureRequest) -> Page:
    return Page(render(RUNS[request.param]()))


def test_it_is_one_whole_page(page: Page) -> None:
    assert {"html", "head", "body", "main", "nav", "h1"} <= {tag for tag, _ in page.tags}
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        assert link["href"][0] == "#" and link["href"][1:] in ids
    sections = [a["id"] for a in page.all("section")]
    assert sections == [link["href"][1:] for link in page.all("a")][1:], "the nav lists the sections, in order"


def test_it_loads_and_runs_nothing(page: Page) -> None:
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "iframe", "object", "embed", "base", "form"})
    assert [a["href"] for a in page.all("link")] == ["data:,"]
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "style")], tag
        for name, value in attributes.items():
            if name.endswith("href"):
                assert value.startswith(("#", "data:,")), (tag, value)
    for style in (styles.page(), styles.scoped(), styles.alone()):
        assert "url(" not in style and "@import" not in style


def test_it_can_be_read_without_seeing_it(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for drawing in page.all("svg"):
        assert drawing["role"] == "img" and drawing["aria-label"]
    assert len(page.all("caption")) == len(page.all("table"))
    for region in (a for _, a in page.tags if a.get("role") == "region"):
        assert region["aria-label"] and region["tabindex"] == "0"


@pytest.mark.parametrize("run", RUNS)
def test_it_is_small_and_always_the_same(run: str) -> None:
    html = render(RUNS[run]())
    assert len(html.encode("utf-8")) < 3_000_000
    assert html == render(RUNS[run]())


def test_a_thousand_labels_and_fifty_models_stay_small() -> None:
    run = sample.many_labels(1000)
    models = tuple(run.models[1].model_copy(update={"name": f"model {i}"}) for i in range(50))
    pairs = [(models[i].name, models[j].name) for j in range(1, 50) for i in {0, j - 1}]
    found = tuple(sample.comparison("macro_f1", 0.1, 0.0, 0.2).model_copy(update={"a": a, "b": b}) for a, b in pairs)
    html = render(run.model_copy(update={"models": models, "best": "model 7", "comparisons": found}))
    assert len(html.encode("utf-8")) < 3_000_000
    text = Page(html).text
    assert "The table lists 100 of 1,000" in text and "The table lists 20 of 1,000" in text
    assert "The 20 labels that are confused most, of 1,000." in text
    assert "The first 40 of 50." in text


def test_texts_of_any_length_leave_the_page_small() -> None:
    run = sample.whole()
    long = "long label " * 1000
    told = json.dumps(json.loads(run.model_dump_json()), ensure_ascii=False)
    html = render(Run.model_validate_json(told.replace("negative", long).replace("tfidf_logistic", "m" * 10_000)))
    assert len(html) < 1_000_000
    assert html.count(long[:300]) > 20
    assert html.count(long) == 1, "in the recipe, which is shown whole"


def test_hostile_strings_show_as_text() -> None:
    html = render(sample_hostile.hostile())
    page = Page(html)
    shown = re.sub("[\x00\x1b\ud800\u202e]", "\ufffd", sample_hostile.HOSTILE)
    for word in ("tweets", "negative", "near_duplicates", "sentiment", "text_classification", "c"):
        assert word + shown in page.text, word
    assert numbers.short("negative" + shown, 60) in "".join(page.drawn), "in the tips of the figures"
    assert "<script" not in html and "<img" not in html
    assert "{{7*7}}" in page.text and not re.search(r"[\x00-\x08\x1b\ud800-\udfff\u202e]", html)
    html.encode("utf-8")


def test_what_a_run_lacks_is_left_out_or_said_in_a_line() -> None:
    page = Page(render(sample.failed()))
    assert [a["id"] for a in page.all("section")] == ["verdict", "rows", "models", "checks", "certificate", "again"]
    assert "No model was trained in this run." in page.text
    assert "The rows were not split, so there is nothing to certify." in page.text
    assert "row_count: 2 rows are left, at least 10,000 are asked for" in page.text
    assert "✗ Failed row_count: 2 rows are left, at least 10,000 are asked for" in page.text
    assert "Passed" not in page.text


def test_only_long_tables_scroll_and_they_say_so() -> None:
    for html, long in ((render(sample.tweets()), False), (render(sample.many_labels()), True)):
        assert ('class="scroll long"' in html) == long
        assert html.count('class="scroll long"') == html.count("scroll in it for the rest")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_scores_that_are_no_numbers_do_not_break_the_page(value: float) -> None:
    broken = Score(value=value, low=value, high=value, n=0)
    model = sample_models.tfidf()
    scores = {"validation": {"macro_f1": broken}, "test": {"macro_f1": broken}}
    run = sample.tweets(
        models=(model.model_copy(update={"scores": scores}),),
        comparisons=(),
        gates=(sample.tweets().gates[0].model_copy(update={"limit": value}),),
    )
    html = render(run)
    Page(html)
    assert not re.search(r'[xy\d]="[^"]*(?:nan|inf)', html)
