"""The report as text: whole, well formed, escaped, and with no number that the run does not hold."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest
import sample
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core import numbers
from seedbed.core.check import Finding
from seedbed.core.ledger import Books
from seedbed.core.metric import Score
from seedbed.core.run import Run, StepRecord, Waived
from seedbed.report import facts, figures
from seedbed.report.page import render

RUNS = {
    "tweets": sample.tweets,
    "indistinct": sample.indistinct,
    "failed": sample.failed,
    "many_labels": sample.many_labels,
    "hostile": sample.hostile,
}
VOID = {"meta", "link", "br", "hr", "img", "input", "col", "base", "wbr", "area", "embed", "source", "track"}


class Page(HTMLParser):
    """Reads a page; fails where tags are not balanced."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.drawn: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, attrs)
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert "svg" in self.open, tag
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, (tag, self.getpos())
        if tag not in ("b", "bdi", "span", "code", "a"):
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            (self.drawn if "svg" in self.open else self.words).append(data)

    @property
    def text(self) -> str:
        """What the page says outside its figures, with plain single spaces."""
        return " ".join("".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


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
    style = files("seedbed.report").joinpath("templates", "style.css").read_text(encoding="utf-8")
    assert "url(" not in style and "@import" not in style


def test_it_can_be_read_without_seeing_it(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = {a["id"] for _, a in page.tags if "id" in a}
    for drawing in page.all("svg"):
        assert drawing["role"] == "img" and drawing["aria-labelledby"] in ids
    assert len(page.all("caption")) == len(page.all("table"))
    for region in (a for _, a in page.tags if a.get("role") == "region"):
        assert region["aria-label"] and region["tabindex"] == "0"


@pytest.mark.parametrize("run", RUNS)
def test_it_is_small_and_always_the_same(run: str) -> None:
    html = render(RUNS[run]())
    assert len(html.encode("utf-8")) < 3_000_000
    assert html == render(RUNS[run]())


def test_a_thousand_labels_stay_small() -> None:
    html = render(sample.many_labels(1000))
    assert len(html.encode("utf-8")) < 3_000_000
    text = Page(html).text
    assert "1,000 labels the matrix is too large to draw" in text
    assert "The table lists 100 of 1,000" in text


def test_hostile_strings_show_as_text() -> None:
    html = render(sample.hostile())
    page = Page(html)
    shown = re.sub("[\x00\x1b\ud800\u202e]", "\ufffd", sample.HOSTILE)
    for word in ("tweets", "negative", "near_duplicates", "sentiment", "text_classification", "c"):
        assert word + shown in page.text, word
    assert shown in "".join(page.drawn), "whole in the tips of the figures"
    assert "<script" not in html and "<img" not in html
    assert "{{7*7}}" in page.text and not re.search(r"[\x00-\x08\x1b\ud800-\udfff\u202e]", html)
    html.encode("utf-8")


def test_what_a_run_lacks_is_left_out_or_said_in_a_line() -> None:
    page = Page(render(sample.failed()))
    assert [a["id"] for a in page.all("section")] == ["verdict", "rows", "models", "checks", "certificate", "again"]
    assert "No model was trained in this run." in page.text
    assert "The rows were not split, so there is nothing to certify." in page.text
    assert "row_count: 2 rows are left, at least 10,000 are asked for" in page.text
    assert "✗ Stopped" in page.text and "Passed" not in page.text


def test_the_verdict_says_what_a_person_asks_first() -> None:
    text = Page(render(sample.tweets())).text
    verdict = text[text.index("✓ Passed") : text.index("The books balance")]
    for words in (
        "Of 38,158 rows read, 35,793 make up the dataset",
        "tfidf_logistic, chosen on validation rows: macro-F1 0.733 on 3,579 test rows (95 % interval 0.718 to 0.748)",
        "majority reaches 0.199",
        "tfidf_logistic is better than majority: macro-F1 differs by +0.534 (95 % interval 0.518 to 0.550, p < 0.001)",
        "1 of 1 gate passed. 4 of 5 checks passed; failed: allowed_values.",
        "found 0 pairs among 2,000 rows held out of training",
    ):
        assert words in verdict, words


def test_chance_and_waivers_are_said() -> None:
    text = Page(render(sample.indistinct())).text
    assert "tfidf_logistic is not distinguishable from majority" in text
    assert "could be chance" in text and "more than chance explains" not in text
    assert "Passed, with a waiver" in text and "Failed, waived by a person: a pilot; nobody acts on it" in text


def test_a_waived_check_is_told_with_its_reason_and_no_other() -> None:
    failed = Finding(check="row_count", passed=False, value=1, limit=2, message="1 row.", on_fail="stop")
    only_warns = Finding(check="no_missing", passed=False, value=1, limit=0, message="1 missing.")
    waivers = (Waived(what="check row_count", reason="a <pilot>"),)
    page = Page(render(sample.tweets(findings=(failed, only_warns), waivers=waivers)))
    assert "~ waived 1 row. Failed, waived by a person: a <pilot>" in page.text
    assert "! warning 1 missing." in page.text and "Passed, with a waiver" in page.text
    assert "Waived by a person check row_count: a <pilot>" in page.text
    assert "✗ failed 1 row." in Page(render(sample.tweets(findings=(failed,)))).text


def test_the_metric_and_split_that_decide_are_those_of_the_record() -> None:
    of = facts.judged(sample.tweets(metric="accuracy"))
    assert of and (of.metric, of.split, of.model.name) == ("accuracy", "test", "tfidf_logistic")
    assert of.comparison and of.comparison.metric == "accuracy"
    assert facts.judged(sample.tweets(best=None)) is None


def test_a_sample_has_a_bound_and_a_whole_check_has_none() -> None:
    sampled = sample.certificate()
    whole = sampled.model_copy(update={"verified": {"rows": 7159, "of": 7159, "pairs_found": 0, "upper_bound": 0.0}})
    bound = "With 95 % confidence at most 0.15 % of the held-out rows have a near copy in another split."
    assert bound in Page(render(sample.tweets())).text
    text = Page(render(sample.tweets(certificate=whole))).text
    assert "Every held-out row was compared: 0 % of them" in text and "confidence at most" not in text


def test_books_that_do_not_balance_are_said() -> None:
    text = Page(render(sample.tweets(rows=Books(read=10, kept=3)))).text
    assert "✗ The books do not balance" in text and "The books balance." not in text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_scores_that_are_no_numbers_do_not_break_the_page(value: float) -> None:
    broken = Score(value=value, low=value, high=value, n=0)
    model = sample.tfidf()
    scores = {"validation": {"macro_f1": broken}, "test": {"macro_f1": broken}}
    run = sample.tweets(
        models=(model.model_copy(update={"scores": scores}),),
        comparisons=(),
        gates=(sample.tweets().gates[0].model_copy(update={"limit": value}),),
    )
    html = render(run)
    Page(html)
    assert not re.search(r'[xy\d]="[^"]*(?:nan|inf)', html)


# Every number stands in run.json ------------------------------------------------------------------------------------

#: Numbers of the page's own sentences.
OURS = {"95", "5", "3", "1", "100,000"}


def values(record: Any) -> Iterator[float]:
    if isinstance(record, dict):
        for item in record.values():
            yield from values(item)
    elif isinstance(record, list):
        for item in record:
            yield from values(item)
    elif isinstance(record, (int, float)) and not isinstance(record, bool):
        yield record


def allowed(run: Run) -> set[str]:
    record = json.loads(run.model_dump_json())
    written: set[str] = set()
    for value in values(record):
        for write in (numbers.count, numbers.score, numbers.seconds, numbers.size, numbers.fact, numbers.chance, str):
            written |= set(tokens(write(value)))
    words = json.dumps(record, ensure_ascii=False)
    written |= set(tokens(words.replace("_", " ")))
    derived = [run.rows.rejected_rows, *(leg.lost for leg in facts.legs(run)), *(leg.before for leg in facts.legs(run))]
    derived += [edge - 1 for edge in (run.dataset.lengths.edges if run.dataset.lengths else ())]
    derived += [sum(row) for model in run.models for cells in model.confusion.values() for row in cells]
    derived += [len(run.gates), len(run.findings), sum(f.passed for f in run.findings), len(run.blanks)]
    derived += [len(facts.labels_seen(run)), figures.MOST_LABELS]
    written |= {token for value in derived for token in tokens(numbers.count(value))}
    if run.leakage:
        written |= set(tokens(numbers.signed(run.leakage.naive.value - run.leakage.honest.value)))
    return written | OURS


def tokens(text: str) -> list[str]:
    return re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?!\d)", text)


@pytest.mark.parametrize("name", ["tweets", "indistinct", "failed", "many_labels"])
def test_every_number_shown_stands_in_the_run(name: str) -> None:
    run = RUNS[name]()
    text = re.sub(r"\d[\d,.]* %", "", Page(render(run)).text)
    shown = {token.rstrip(",") for token in tokens(text)}
    assert shown - {token.rstrip(",") for token in allowed(run)} == set()
    assert len(shown) > (5 if name == "failed" else 80)


def test_the_numbers_of_the_run_are_shown() -> None:
    run = sample.tweets()
    text = Page(render(run)).text
    for model in run.models:
        for scores in model.scores.values():
            for score in scores.values():
                assert f"{numbers.score(score.value)} {numbers.span(score)}" in text
        for classes in model.classes.values():
            for one in classes.values():
                assert f"{numbers.score(one.recall.value)} {numbers.span(one.recall)}" in text


def test_the_rows_and_papers_of_the_run_are_shown() -> None:
    run = sample.tweets()
    text = Page(render(run)).text
    for part, reasons in run.rows.rejected.items():
        assert part in text
        for reason, n in reasons.items():
            assert f"{reason} {n:,}" in text
    for step in run.steps:
        assert f"{step.part} {step.rows_in:,}" in text
    lengths = run.dataset.lengths
    assert lengths
    for before, after in zip(lengths.before, lengths.after, strict=True):
        assert f"{before:,} {after:,}" in text
    for mistake in run.models[1].mistakes:
        assert f"{mistake.text} {mistake.truth} {mistake.predicted} {mistake.confidence:.3f} {mistake.row}" in text
    for words in (sample.DIGEST, run.command, *run.blanks, *run.published, *run.sources[0].notes, run.sources[0].path):
        assert words in text
    for line in sample.RECIPE.splitlines():
        assert " ".join(line.split()) in text


def test_confusion_cells_stand_where_their_labels_are() -> None:
    run = sample.tweets()
    of = facts.judged(run)
    assert of and of.labels == list(sample.LABELS)
    drawing = str(figures.heat_map(of))
    for i, truth in enumerate(sample.LABELS):
        for j, predicted in enumerate(sample.LABELS):
            n = sample.CELLS["tfidf_logistic"]["test"][i][j]
            assert f"<title>{truth} taken for {predicted}: {n:,} of " in drawing
    assert [(c.truth, c.predicted, c.rows) for c in of.confused(2)] == [
        ("negative", "neutral", 249),
        ("neutral", "negative", 221),
    ]


# The waterfall ------------------------------------------------------------------------------------------------------


@st.composite
def ways(draw: st.DrawFn) -> Run:
    """A run whose rows went through some parts; reading may have rejected some before the first."""
    read = draw(st.integers(0, 5000))
    left, made, steps, rejected = read, 0, [], {}
    malformed = draw(st.integers(0, left))
    if malformed:
        rejected["csv"] = {"too_many_fields": malformed}
        left -= malformed
    for i in range(draw(st.integers(0, 6))):
        lost, new = draw(st.integers(0, left)), draw(st.sampled_from([0, 0, 7]))
        reasons = {"why": lost} if lost else {}
        out = left - lost + new
        steps.append(StepRecord(part=f"p{i}", use="where", rows_in=left, rows_out=out, changed=0, rejected=reasons))
        if lost:
            rejected[f"p{i}"] = reasons
        left, made = out, made + new
    return sample.tweets(rows=Books(read=read, made=made, kept=left, rejected=rejected), steps=tuple(steps))


@given(ways())
def test_the_waterfall_adds_up(run: Run) -> None:
    legs = facts.legs(run)
    left = run.rows.read
    for leg in legs:
        assert leg.before == left and leg.after == left + leg.made - leg.lost
        left = leg.after
    assert left == run.rows.kept
    assert sum(leg.lost for leg in legs) == run.rows.rejected_rows
    assert sum(leg.made for leg in legs) == run.rows.made
    assert [(leg.before, leg.after) for leg in legs if leg.part != "csv"] == [
        (s.rows_in, s.rows_out) for s in run.steps
    ]
    figures.way(run)


def test_rows_made_outside_the_steps_are_shown() -> None:
    rows = Books(read=10, made=5, kept=14, rejected={"where": {"where": 1}})
    legs = facts.legs(sample.tweets(rows=rows, steps=()))
    assert [(leg.part, leg.after) for leg in legs] == [("where", 9), ("made for training", 14)]


# Small things -------------------------------------------------------------------------------------------------------


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_ticks_span_the_range(low: float, span: float) -> None:
    steps = figures.ticks(low, low + span)
    slack = 1e-9 * max(1.0, abs(low), abs(low + span))
    assert steps[0] <= low + slack and steps[-1] >= low + span - slack
    assert 2 <= len(steps) <= 9 and steps == sorted(set(steps))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (numbers.count(38158), "38,158"),
        (numbers.percent(35793, 38158), "93.8 %"),
        (numbers.percent(7, 38158), "0.02 %"),
        (numbers.percent(1, 10**9), "< 0.01 %"),
        (numbers.percent(99999, 100000), "> 99.9 %"),
        (numbers.percent(5, 5), "100 %"),
        (numbers.percent(0, 5), "0 %"),
        (numbers.percent(1, 0), "–"),
        (numbers.score(0.73274), "0.733"),
        (numbers.score(None), "–"),
        (numbers.signed(-0.0042), "−0.004"),
        (numbers.signed(0.5), "+0.500"),
        (numbers.chance(0.0001), "< 0.001"),
        (numbers.seconds(151.24), "151.2 s"),
        (numbers.seconds(0.04), "< 0.1 s"),
        (numbers.size(412), "412 B"),
        (numbers.size(18_734_112), "18.7 MB"),
        (numbers.fact(True), "yes"),
        (numbers.fact([1, "a"]), '[1, "a"]'),
        (numbers.verbatim(4.0), "4.0"),
        (numbers.metric("macro_f1"), "macro-F1"),
        (numbers.metric("balanced_accuracy"), "balanced accuracy"),
        (numbers.short("abcdef", 4), "abc…"),
    ],
)
def test_numbers_are_written_one_way(written: str, expected: str) -> None:
    assert written.replace("\u00a0", " ") == expected


# Contrast (WCAG 2.2, success criterion 1.4.3) -----------------------------------------------------------------------


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_are_told_apart(scheme: str) -> None:
    style = files("seedbed.report").joinpath("templates", "style.css").read_text(encoding="utf-8")
    roots = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})\b", roots[["light", "dark"].index(scheme)]))
    words = [(ink, back) for ink in ("ink", "soft", "accent", "bad") for back in ("page", "surface")]
    words += [("good", "good-back"), ("bad", "bad-back"), ("warn", "warn-back")]
    words += [("t-low" if step <= 4 else "t-high", f"h{step}") for step in range(8)]
    marks = ["kept", "lost", "made", "whole", "soft", "split-0", "split-1", "split-2"]
    too_weak = [pair for pair in words if contrast(colours[pair[0]], colours[pair[1]]) < 4.5]
    too_weak += [(mark, "surface") for mark in marks if contrast(colours[mark], colours["surface"]) < 3]
    assert too_weak == []
