"""What the report says first, and how it puts it."""

from __future__ import annotations

import pytest
import sample
import sample_answers
import sample_models
from page_reading import Page

from seedbed.core import numbers
from seedbed.core.check import Finding
from seedbed.core.ledger import Books
from seedbed.core.run import Run, Waived
from seedbed.report import facts, told
from seedbed.report.outcome import outcome
from seedbed.report.page import render


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
    rows = tuple(sample_models.neighbour(i, "x", label, alike) for i, (label, alike) in enumerate(near))
    mistake = sample_models.tfidf().mistakes[0].model_copy(update={"neighbours": rows})
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
    calibration = sample_models.closely()["calibration"].model_copy(update={"temperature": temperature})
    model = sample_models.tfidf().model_copy(update={"calibration": calibration})
    text = Page(render(sample.tweets(models=(sample.tweets().models[0], model)))).text
    assert f"As trained, the model was {expected}: its probabilities" in text


def test_many_mistakes_are_folded_after_the_first() -> None:
    mistakes = tuple(sample_models.tfidf().mistakes[0].model_copy(update={"row": f"0:a.csv#{i}"}) for i in range(60))
    model = sample_models.tfidf().model_copy(update={"mistakes": mistakes})
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
