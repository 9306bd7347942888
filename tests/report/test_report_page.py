"""The report as text: whole, well formed, escaped, and with no number that the run does not hold."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
import sample
import sample_answers
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core import numbers
from seedbed.core.check import Finding
from seedbed.core.ledger import Books
from seedbed.core.metric import Score
from seedbed.core.run import Run, StepRecord, Waived
from seedbed.report import facts, figures, figures_of_rows, heat, lanes, styles, told
from seedbed.report.outcome import outcome
from seedbed.report.page import render

RUNS = {
    "tweets": sample.tweets,
    "whole": sample.whole,
    "indistinct": sample.indistinct,
    "failed": sample.failed,
    "many_labels": sample.many_labels,
    "hostile": sample.hostile,
    "numbers": sample_answers.numbers,
    "few_numbers": sample_answers.few_numbers,
    "places": sample_answers.places,
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
    html = render(sample.hostile())
    page = Page(html)
    shown = re.sub("[\x00\x1b\ud800\u202e]", "\ufffd", sample.HOSTILE)
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


def test_the_verdict_says_what_a_person_asks_first() -> None:
    text = Page(render(sample.tweets())).text
    verdict = text[text.index("✓ Passed") : text.index("The books balance")]
    for words in (
        "Of 38,158 rows read, 35,793 (93.8 %) make up the dataset; 2,365 were rejected",
        "Best model macro-F1 0.733 tfidf_logistic, chosen on validation rows; judged on 3,579 test rows "
        "(95 % interval 0.718 to 0.748)",
        "Against the simplest +0.534 majority reaches 0.199 (0.184 to 0.214)",
        "tfidf_logistic is better than majority: +0.534 (95 % interval +0.518 to +0.550, p < 0.001) is more",
        "Is the split clean? Clean by a sample",
        "found 0 pairs among 2,000 of 7,159 held-out rows, a sample, each compared with all rows of the other splits; "
        "at most 0.15 % have one",
        "What stops publishing? Nothing: published 1 of 1 gate passed. 4 of 5 checks passed; warning: allowed_values.",
        "The model is worse where text length is 125 characters or more: macro-F1 0.688 (0.647 to 0.729) on 717 rows.",
    ):
        assert words in verdict, words
    certificate = sample.tweets().certificate
    assert certificate is not None
    whole = {"rows": 7159, "of": 7159, "pairs_found": 0, "upper_bound": 0.0}
    all_compared = sample.tweets(certificate=certificate.model_copy(update={"verified": whole}))
    assert "Is the split clean? Proven clean" in Page(render(all_compared)).text
    assert "split: proven clean (0 pairs among all 7,159 held-out rows compared)" in told.verdict(all_compared)
    assert "What stops publishing? 1 thing" in Page(render(sample.failed())).text
    assert "What stops publishing? 2 open questions" in Page(render(sample.tweets(published=()))).text
    assert "What stops publishing? Nothing 1 of 1" in Page(render(sample.tweets(published=(), blanks=()))).text


def headline(run: Run) -> str:
    html = render(run)
    return Page(html[html.index("<h2>") : html.index("</h2>")] + "</h2>").text


def test_a_run_without_gates_is_done_not_passed() -> None:
    assert headline(sample.tweets()) == "✓ Passed"
    assert headline(sample.tweets(gates=())) == "! Done no gate asked for a score"
    run = sample.indistinct().model_copy(update={"gates": (), "waivers": ()})
    told = "the best model is not distinguishable from the simplest"
    assert headline(run) == f"! Done no gate asked for a score; {told}"
    assert headline(sample.indistinct()) == f"✓ Passed, with a waiver {told}"
    assert 'class="verdict warned"' in render(run)
    assert headline(sample.tweets(gates=(), models=(), best=None)) == "✓ Passed"


def test_a_failed_gate_tells_its_value_and_its_limit() -> None:
    gate = sample.tweets().gates[0].model_copy(update={"passed": False, "value": 0.61249, "limit": 0.7})
    unmeasured = gate.model_copy(update={"metric": "log_loss", "value": None, "direction": "at_most", "limit": 1.0})
    stop = {"state": "failed", "published": (), "gates": (gate,), "stopped_by": ("macro_f1 gate",)}
    assert headline(sample.tweets(**stop)) == "✗ Failed macro-F1 0.612 on test, at least 0.7 was asked"
    both = ("macro_f1 gate", "log_loss gate", "card: Who?")
    run = sample.tweets(**stop | {"gates": (gate, unmeasured), "stopped_by": both})
    assert headline(run) == "✗ Failed 3 things stopped it"
    assert outcome(run).reasons == (
        "macro-F1 0.612 on test, at least 0.7 was asked",
        "log loss on test was not measured, at most 1 was asked",
        "1 question of the card is blank",
    )
    assert headline(sample.failed().model_copy(update={"stopped_by": ()})).endswith("the record does not say why")


def test_blank_questions_alone_are_no_failure() -> None:
    blanks = ("who", "when", "why")
    stops = tuple(f"card: {blank}" for blank in blanks)
    run = sample.tweets(state="failed", published=(), blanks=blanks, stopped_by=stops)
    assert headline(run) == "! Not published 3 questions of the card are blank"
    assert outcome(run).kind == "warned" and outcome(run).reasons == blanks
    html = render(run)
    assert "What stops publishing? 3 open questions" in Page(html).text and 'class="verdict failed"' not in html


def test_plain_accuracy_is_said_in_words() -> None:
    text = Page(render(sample.tweets())).text
    accuracy = sample.tweets().models[1].scores["test"]["accuracy"]
    told = f"is right on {numbers.percent(accuracy.value)} of 3,579 test rows (95 % interval".replace("\u00a0", " ")
    assert f"The best model, tfidf_logistic, {told}" in text and "and reaches a macro-F1 of 0.733, better than" in text
    only = Page(render(sample.tweets(metric="accuracy"))).text
    assert f"tfidf_logistic, {told}" in only and "reaches a accuracy" not in only


def test_only_long_tables_scroll_and_they_say_so() -> None:
    for html, long in ((render(sample.tweets()), False), (render(sample.many_labels()), True)):
        assert ('class="scroll long"' in html) == long
        assert html.count('class="scroll long"') == html.count("scroll in it for the rest")


@pytest.mark.parametrize(
    ("near", "expected"),
    [
        ([("positive", 0.8), ("neutral", 0.7), ("negative", 0.1)], "a hard case"),
        ([("positive", 0.8), ("positive", 0.5), ("negative", 0.3)], "bear the predicted label: this row’s own label"),
        ([("positive", 0.49), ("positive", 0.4)], "bear the predicted label: like rows, but too unlike"),
        ([("positive", 0.8), ("neutral", 0.3), ("neutral", 0.2)], "1 of the 3 nearest training rows bears the pred"),
        ([("positive", 0.6)], "The nearest training row bears the predicted label: this row’s own label may be wrong"),
    ],
)
def test_a_label_is_doubted_only_by_rows_much_like_it(near: list[tuple[str, float]], expected: str) -> None:
    rows = tuple(sample.neighbour(i, "x", label, alike) for i, (label, alike) in enumerate(near))
    mistake = sample.tfidf().mistakes[0].model_copy(update={"neighbours": rows})
    assert expected in facts.suspicion(mistake)


def test_what_is_known_of_the_best_model_is_shown_closely() -> None:
    text = Page(render(sample.whole())).text
    for words in (
        "+0.572 (95 % interval +0.556 to +0.588, p = 0.001) is more than chance explains",
        "ROC AUC Found, where this share of other rows is taken for it",
        "On 1,027 test rows tfidf_embedding_logistic was 90.0 % to 100 % sure (95.5 % on average), and right on 91.9 %",
        "Expected calibration error, the distance between the two over all rows: 0.021 (95 % interval 0.014 to 0.035",
        "too sure of itself: its probabilities were put right with a temperature of 1.310",
        "the log loss went from 0.641 to 0.598",
        "text length 125 characters or more 0.688 0.647–0.729 717 −0.058 −0.098 to −0.018 < 0.001 ✗ worse",
        "similarity 0.412 I just love it when @airline gives me an upgrade.",
        "2 of the 3 nearest training rows bear the predicted label: like rows, but too unlike to doubt its label by.",
        "No training row is much like it.",
        "embedding_logistic against tfidf_logistic = not distinguishable −0.009",
        "0.759, 0.775, 0.780, 0.768, 0.773",
        "chosen by cross-validation",
    ):
        assert words in text, words


@pytest.mark.parametrize(
    ("temperature", "expected"),
    [(1.31, "too sure of itself"), (0.7, "not sure enough of itself"), (1.04, "nearly as sure as it should be")],
)
def test_a_temperature_is_said_in_words(temperature: float, expected: str) -> None:
    calibration = sample.closely()["calibration"].model_copy(update={"temperature": temperature})
    model = sample.tfidf().model_copy(update={"calibration": calibration})
    text = Page(render(sample.tweets(models=(sample.tweets().models[0], model)))).text
    assert f"As trained, the model was {expected}: its probabilities" in text


def test_many_mistakes_are_folded_after_the_first() -> None:
    mistakes = tuple(sample.tfidf().mistakes[0].model_copy(update={"row": f"0:a.csv#{i}"}) for i in range(60))
    model = sample.tfidf().model_copy(update={"mistakes": mistakes})
    html = render(sample.tweets(models=(sample.tweets().models[0], model)))
    assert html.count('<li class="mistake">') == 50 and "<summary>42 more</summary>" in html
    Page(html)


def test_a_calibration_error_without_an_interval_says_where_it_is_from() -> None:
    run = sample.tweets()
    scores = {split: {"macro_f1": found["macro_f1"]} for split, found in run.models[1].scores.items()}
    text = Page(render(sample.tweets(models=(run.models[0], run.models[1].model_copy(update={"scores": scores}))))).text
    assert "Expected calibration error, the distance between the two over all rows: 0.029, from the table below" in text


def test_chance_and_waivers_are_said() -> None:
    text = Page(render(sample.indistinct())).text
    assert "tfidf_logistic is not distinguishable from majority" in text
    assert "could be chance" in text and ") is more than chance explains" not in text
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
OURS = {"95", "5", "3", "1", "100,000", "80", "100", "0.5", "0", "2003"}


def values(record: Any) -> Iterator[float]:
    if isinstance(record, dict):
        for item in record.values():
            yield from values(item)
    elif isinstance(record, list):
        for item in record:
            yield from values(item)
    elif isinstance(record, (int, float)) and not isinstance(record, bool):
        yield record


def scored(record: Any) -> Iterator[dict[str, Any]]:
    """What has a value, or a difference, with the ends of its interval, as scores."""
    for one in record.values() if isinstance(record, dict) else record if isinstance(record, list) else ():
        yield from scored(one)
    if isinstance(record, dict) and isinstance(record.get("low"), float) and isinstance(record.get("high"), float):
        middle = next((record[name] for name in ("difference", "value", "gain") if record.get(name) is not None), None)
        if middle is not None:
            yield {"value": middle, "low": record["low"], "high": record["high"], "n": 1}


def allowed(run: Run) -> set[str]:
    record = json.loads(run.model_dump_json())
    written: set[str] = set()
    for value in values(record):
        for write in (
            numbers.amount,
            numbers.count,
            numbers.score,
            numbers.seconds,
            numbers.size,
            numbers.fact,
            numbers.chance,
            str,
        ):
            written |= set(tokens(write(value)))
    written |= {token for one in scored(record) for token in tokens(numbers.interval(Score.model_validate(one)))}
    words = json.dumps(record, ensure_ascii=False)
    written |= set(tokens(words.replace("_", " ")))
    derived = [run.rows.rejected_rows, *(leg.lost for leg in facts.legs(run)), *(leg.before for leg in facts.legs(run))]
    derived += [edge - 1 for edge in (run.dataset.lengths.edges if run.dataset.lengths else ())]
    derived += [sum(run.dataset.labels_made.values())]
    derived += [len(far.points) for model in run.models for far in model.distances.values()]
    derived += [sum(row) for model in run.models for cells in model.confusion.values() for row in cells]
    derived += [len(run.gates), len(run.findings), sum(f.passed for f in run.findings), len(run.blanks)]
    derived += [len(facts.labels_seen(run)), figures_of_rows.MOST_LABELS, len(run.stopped_by), heat.MOST_CONFUSED]
    derived += [n for model in run.models for one in model.mistakes for n in range(len(one.neighbours) + 1)]
    written |= {token for value in derived for token in tokens(numbers.count(value))}
    of = facts.judged(run)
    if of and of.split in of.model.curves:
        for curve in (*of.model.curves[of.split].roc, *of.model.curves[of.split].precision_recall):
            written |= {numbers.score(facts.height(curve, share)) for share in (0.05, 0.1, 0.2, 0.5, 0.8)}
    if run.leakage:
        written |= set(tokens(numbers.signed(run.leakage.naive.value - run.leakage.honest.value)))
    return written | OURS


def tokens(text: str) -> list[str]:
    return re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?!\d)", text)


@pytest.mark.parametrize(
    "name", ["tweets", "whole", "indistinct", "failed", "many_labels", "places", "numbers", "few_numbers"]
)
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
        said = f"Labelled {mistake.truth}, predicted {mistake.predicted} with a confidence of {mistake.confidence:.3f}."
        assert f"{mistake.text} {said}" in text and mistake.row in text
    for words in (sample.DIGEST, run.command, *run.blanks, *run.published, *run.sources[0].notes, run.sources[0].path):
        assert words in text
    for line in sample.RECIPE.splitlines():
        assert " ".join(line.split()) in text


def test_made_rows_are_told_apart_from_those_that_were_read() -> None:
    made = {"negative": 152, "positive": 4851}
    data = sample.tweets().dataset
    assert data.lengths
    bins = tuple(500 if after > 2500 else 3 for after in data.lengths.after)
    lengths = data.lengths.model_copy(update={"made": bins})
    run = sample.tweets(dataset=data.model_copy(update={"labels_made": made, "lengths": lengths}))
    text = Page(render(run)).text
    assert "positive 6,947 5,151 18.0 % 4,851 645" in text.replace("\u00a0", " ")
    assert "neutral 15,018 11,331 39.6 % 0 1,416" in text.replace("\u00a0", " ")
    for before, after, ours in zip(lengths.before, lengths.after, bins, strict=True):
        assert f"{before:,} {after:,} {ours:,}" in text
    drawn, curve = figures.classes(run), figures.lengths(run)
    assert drawn and curve
    assert "train: 4,851 made rows" in drawn.svg and "6,947 → 6,440, 4,851 made" in drawn.svg
    assert curve.svg.count("of them made") == 2 * len(bins) + len(bins) and "in the dataset, made" in curve.svg
    assert "made" not in str(figures.classes(sample.tweets()))
    shown = {token.rstrip(",") for token in tokens(re.sub(r"\d[\d,.]* %", "", text))}
    assert shown - {token.rstrip(",") for token in allowed(run)} == set()


def test_confusion_cells_stand_where_their_labels_are() -> None:
    run = sample.tweets()
    of = facts.judged(run)
    assert of and of.labels == list(sample.LABELS)
    drawn = figures.confusion(run, of)
    assert drawn
    drawing = drawn.svg
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
    steps = lanes.ticks(low, low + span)
    slack = 1e-9 * max(1.0, abs(low), abs(low + span))
    assert steps[0] <= low + slack and steps[-1] >= low + span - slack
    assert 2 <= len(steps) <= 9 and steps == sorted(set(steps))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (numbers.count(38158), "38,158"),
        (numbers.things(1, "row"), "1 row"),
        (numbers.things(1200, "category", "categories"), "1,200 categories"),
        (numbers.things(0, "row is", "rows are"), "0 rows are"),
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
    colours = styles.palette(scheme)
    words = [(ink, back) for ink in ("ink", "soft", "accent", "bad", "good", "warn") for back in ("page", "surface")]
    words += [("good", "good-back"), ("bad", "bad-back"), ("warn", "warn-back")]
    words += [("t-low" if step <= 4 else "t-high", f"h{step}") for step in range(8)]
    marks = ["kept", "lost", "made", "whole", "soft", "split-0", "split-1", "split-2", "up", "down"]
    marks += [f"c{place}" for place in range(6)]
    too_weak = [pair for pair in words if contrast(colours[pair[0]], colours[pair[1]]) < 4.5]
    too_weak += [(mark, "surface") for mark in marks if contrast(colours[mark], colours["surface"]) < 3]
    assert too_weak == []


def test_styles_name_only_colours_that_there_are() -> None:
    for scheme in ("light", "dark"):
        used = set(re.findall(r"var\(--([\w-]+)\)", styles.page() + styles.scoped()))
        assert used <= set(styles.palette(scheme))
    assert "var(" not in styles.alone()


def test_dashed_lines_stand_where_dots_are_and_never_in_words() -> None:
    rows = [lanes.Lane("one", "0.5", [lanes.Dot(0.5, 0.4, 0.6)], note="a note"), lanes.Lane("a heading")]
    drawing = lanes.lanes("k", "t", rows, [(0.5, "first"), (0.52, "second")])
    found = re.findall(r"<(line|text) ([^>]*)>", str(drawing.markup()))
    told = [(tag, dict(re.findall(r'([\w-]+)="([^"]*)"', more))) for tag, more in found]
    dashed = [(float(one["y1"]), float(one["y2"])) for tag, one in told if tag == "line" and one["class"] == "mark"]
    base = [float(one["y"]) for tag, one in told if tag == "text" and "middle" not in one.get("text-anchor", "")]
    assert len(dashed) == 4, "beside what each means, and where the dots of the only lane stand"
    headed = [(top, end) for top, end in dashed if end - top == 14]
    for top, end in set(dashed) - set(headed):
        assert not any(top < line - 3 < end for line in base), "no words stand in its way"
    assert headed[0][1] <= headed[1][0], "the first does not run through the meaning of the second"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rmse", "an"), ("rmsle", "an"), ("mae", "an"), ("r2", "an"), ("accuracy", "an"), ("exact_match", "an"),
        ("macro_f1", "a"), ("rouge_l", "a"), ("chrf", "a"), ("log_loss", "a"), ("perplexity", "a"),
    ],
)  # fmt: skip
def test_a_metric_has_the_article_that_one_says(name: str, said: str) -> None:
    assert numbers.article(numbers.metric(name)) == said


def test_a_score_that_is_missing_says_why() -> None:
    run = sample_answers.numbers()
    one = run.models[0].scores["test"]["rmse"]
    scored = [run.models[0].model_copy(update={"scores": {"test": run.models[0].scores["test"] | {"rmsle": one}}})]
    page = render(run.model_copy(update={"models": (*scored, *run.models[1:])}))
    assert "RMSLE has no value (–) where a target or an answer is below 0." in page
    assert "has no value (–)" not in render(run)
    assert "reaches an RMSE of" in page
