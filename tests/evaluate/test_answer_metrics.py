"""Metrics of answers in words: questions, texts, turns, and texts themselves."""

from __future__ import annotations

import math
import re
import string
from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.core.metric import SumMetric
from seedbed.core.part import Example
from seedbed.evaluate import (
    AnswerableAccuracy,
    BitsPerByte,
    Chrf,
    Exact,
    ExactMatch,
    Perplexity,
    RougeL,
    TokenF1,
    WordPerplexity,
)

SPANS = [ExactMatch(), TokenF1(), AnswerableAccuracy()]
TEXTS = [Exact(), RougeL(), Chrf()]
ITSELF = [Perplexity(), WordPerplexity(), BitsPerByte()]
RIGHT = pl.List(pl.Struct({"text": pl.String, "start": pl.Int64}))

words = st.sampled_from(
    ["the", "a", "An", "river", "River,", "Rhine", "1848", "Köln", "in", ".", " ", "日本", "e\u0301"]
)
text = st.lists(words, max_size=6).map(" ".join)
asked = st.lists(st.tuples(st.lists(text.filter(bool), max_size=3), st.none() | text), min_size=1, max_size=6)
written = st.lists(st.tuples(text, text), min_size=1, max_size=6)


def spans(pairs: list[tuple[list[str], str | None]]) -> tuple[pl.Series, pl.DataFrame]:
    truth = pl.Series([[{"text": one, "start": 0} for one in right] for right, _ in pairs], dtype=RIGHT)
    said = pl.Series([said for _, said in pairs], dtype=pl.String)
    start = pl.when(said.is_null()).then(None).otherwise(pl.lit(0, pl.Int64))
    return truth, pl.DataFrame({"text": said}).with_columns(start=start, confidence=0.5)


def texts(pairs: list[tuple[str, str]]) -> tuple[pl.Series, pl.DataFrame]:
    truth, said = (pl.Series([pair[side] for pair in pairs], dtype=pl.String) for side in (0, 1))
    return truth, pl.DataFrame({"text": said})


def documents(each: list[tuple[str, float]]) -> tuple[pl.Series, pl.DataFrame]:
    truth = pl.Series([text for text, _ in each], dtype=pl.String)
    tokens = pl.Series([len(re.findall(r"\S", text)) for text, _ in each], dtype=pl.Int64)
    return truth, pl.DataFrame({"nats": pl.Series([nats for _, nats in each], dtype=pl.Float64), "tokens": tokens})


def value(metric: SumMetric, truth: pl.Series, answers: pl.DataFrame) -> float:
    return float(metric.of_rows(truth, answers, np.ones((1, len(truth))))[0])


@pytest.mark.parametrize(
    ("metric", "example"),
    [(metric, example) for metric in (*SPANS, *TEXTS, *ITSELF) for example in metric.examples],
    ids=lambda one: one.title if isinstance(one, Example) else one.use,
)
def test_examples(metric: SumMetric, example: Example) -> None:
    columns = dict(example.before)
    truth = pl.Series("truth", columns.pop("truth"), dtype=RIGHT if metric.says == ("spans",) else pl.String)
    assert value(metric, truth, pl.DataFrame(columns)) == pytest.approx(example.after["value"][0])


def official_normalize(s: str) -> str:
    """As evaluate-v2.0.py of SQuAD writes it."""
    exclude = set(string.punctuation)
    s = "".join(ch for ch in s.lower() if ch not in exclude)
    return " ".join(re.sub(re.compile(r"\b(a|an|the)\b", re.UNICODE), " ", s).split())


def official_f1(a_gold: str, a_pred: str) -> float:
    gold_toks, pred_toks = official_normalize(a_gold).split(), official_normalize(a_pred).split()
    num_same = sum((Counter(gold_toks) & Counter(pred_toks)).values())
    if len(gold_toks) == 0 or len(pred_toks) == 0:
        return int(gold_toks == pred_toks)
    if num_same == 0:
        return 0
    precision, recall = 1.0 * num_same / len(pred_toks), 1.0 * num_same / len(gold_toks)
    return (2 * precision * recall) / (precision + recall)


@given(pairs=asked)
def test_questions_are_judged_as_squad_does(pairs: list[tuple[list[str], str | None]]) -> None:
    truth, answers = spans(pairs)
    exact, f1 = [], []
    for right, said in pairs:  # get_raw_scores
        gold = [one for one in right if official_normalize(one)] or [""]
        exact.append(max(official_normalize(one) == official_normalize(said or "") for one in gold))
        f1.append(max(official_f1(one, said or "") for one in gold))
    assert value(ExactMatch(), truth, answers) == pytest.approx(np.mean(exact))
    assert value(TokenF1(), truth, answers) == pytest.approx(np.mean(f1))


def test_whether_there_is_an_answer() -> None:
    truth, answers = spans([(["x"], "y"), (["x"], None), ([], None), ([], "x"), (["x"], "")])
    assert value(AnswerableAccuracy(), truth, answers) == 2 / 5


@given(pairs=written)
def test_rouge_l_is_rouge_scores(pairs: list[tuple[str, str]]) -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL"], use_stemmer=False)
    theirs = [scorer.score(wanted, said)["rougeL"].fmeasure for wanted, said in pairs]
    assert value(RougeL(), *texts(pairs)) == pytest.approx(np.mean(theirs))


def test_rouge_l_by_hand() -> None:
    # "police the gunman" of 4 and 4 words (Lin 2004); nothing where a side has no words.
    pairs = [("police killed the gunman", "police kill the gunman"), ("日本", "日本"), ("a b c d", "d c b a")]
    each = [value(RougeL(), *texts([pair])) for pair in pairs]
    assert each == pytest.approx([0.75, 0.0, 0.25])


@given(pairs=written)
def test_chrf_is_sacrebleus(pairs: list[tuple[str, str]]) -> None:
    theirs = pytest.importorskip("sacrebleu").corpus_chrf([said for _, said in pairs], [[one for one, _ in pairs]])
    assert 100 * value(Chrf(), *texts(pairs)) == pytest.approx(theirs.score, abs=1e-9)


def test_chrf_by_hand() -> None:
    # "abab" wanted, "ab" said: lengths 1 and 2 have precision 1 and recall 2/4 and 1/3; longer ones are not said.
    precision, recall = 1.0, (2 / 4 + 1 / 3) / 2
    assert value(Chrf(), *texts([("ab ab", "ab")])) == pytest.approx(5 * precision * recall / (4 * precision + recall))


def test_exact_heeds_all_but_the_ends() -> None:
    pairs = [(" a b\n", "a b"), ("a b", "a  b"), ("A", "a"), ("", " ")]
    assert [value(Exact(), *texts([pair])) for pair in pairs] == [1, 0, 0, 1]


def test_likelihoods() -> None:
    each = [("Köln am Rhein", 7.5), ("日本", 2.25), ("", 0.0)]
    truth, answers = documents(each)
    tokens, spoken, size = 11 + 2, 3 + 1, 14 + 6
    assert value(Perplexity(), truth, answers) == pytest.approx(math.exp(9.75 / tokens))
    assert value(WordPerplexity(), truth, answers) == pytest.approx(math.exp(9.75 / spoken))
    assert value(BitsPerByte(), truth, answers) == pytest.approx(9.75 / size / math.log(2))


def test_a_model_that_knows_nothing_needs_eight_bits() -> None:
    everything = "".join(map(chr, range(0x20, 0x2000)))
    size = len(everything.encode())
    truth, answers = documents([(everything, size * math.log(256))])
    assert value(BitsPerByte(), truth, answers) == pytest.approx(8)


def test_what_is_endless_is_infinite() -> None:
    truth, answers = documents([("a", 1e6)])
    assert math.isinf(value(Perplexity(), truth, answers)) and math.isinf(value(WordPerplexity(), truth, answers))


@pytest.mark.parametrize("metric", [*SPANS, *TEXTS, *ITSELF], ids=lambda metric: metric.use)
@settings(max_examples=25)
@given(data=st.data(), seed=st.integers(0, 99))
def test_a_weight_is_a_row_that_often(metric: SumMetric, data: st.DataObject, seed: int) -> None:
    if metric in SPANS:
        truth, answers = spans(data.draw(asked))
    elif metric in TEXTS:
        truth, answers = texts(data.draw(written))
    else:
        truth, answers = documents(data.draw(st.lists(st.tuples(text, st.floats(0, 50)), min_size=1, max_size=6)))
    weights = np.random.default_rng(seed).integers(0, 4, (4, len(truth)))
    measure = metric.over(truth, answers)
    for found, weight in zip(measure(weights), weights, strict=True):
        places = np.repeat(np.arange(len(truth)), weight).tolist()
        repeated = value(metric, truth[places], answers[places]) if places else math.nan
        assert found == pytest.approx(repeated, nan_ok=True)


@pytest.mark.parametrize("metric", [*SPANS, *TEXTS, *ITSELF], ids=lambda metric: metric.use)
def test_no_rows_have_no_value(metric: SumMetric) -> None:
    made = spans([([], None)]) if metric in SPANS else texts([("a", "a")]) if metric in TEXTS else documents([("a", 1)])
    assert np.isnan(metric.of_rows(*made, np.zeros((2, 1)))).all()


def test_intervals_of_what_was_always_right_have_a_width() -> None:
    truth, answers = spans([(["x"], "x")] * 10)
    bound = ExactMatch().unseen(truth, answers, 0.95)
    assert bound == pytest.approx(0.025 ** (1 / 10))
    assert Counter(metric.unseen(*spans([(["x"], "x"), (["x"], "y")]), 0.95) for metric in SPANS[:2]) == {None: 2}
