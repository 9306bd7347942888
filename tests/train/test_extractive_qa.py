"""extractive_qa, on a tiny BERT of random weights; the packaged one in a slow test."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from seedbed.core.context import Context
from seedbed.core.errors import DataError, ModelError, RecipeError
from seedbed.core.task import QuestionAnswering
from seedbed.core.task.question_answering import ANSWERS
from seedbed.evaluate import AnswerableAccuracy, ExactMatch, TokenF1
from seedbed.train import BestSentence, ExtractiveQa
from seedbed.train.extractive_qa import ExtractiveQaModel
from seedbed.train.windows import best_span, windows
from tiny_networks import PACKAGED, write_tiny_bert

pytest.importorskip("torch")
pytest.importorskip("transformers")

ASKED = QuestionAnswering(kind="question_answering", question="q", context="c", answers="a")
PEOPLE = ["anna", "boris", "clara", "dora", "emil", "frida", "georg", "hanna"]
PLACES = ["rome", "paris", "oslo", "cairo", "lima", "delhi", "kyoto", "boston"]


def questions(n: int, seed: int = 1, none: float = 0.3, filler: int = 4) -> pl.DataFrame:
    """Who met whom where: a name after "by", or a place after "in", or nothing."""
    chosen = random.Random(seed)
    made = []
    for _ in range(n):
        who, where = chosen.choice(PEOPLE), chosen.choice(PLACES)
        words = chosen.choices(["table", "chair", "lamp", "desk", "door", "tree"], k=filler)
        asked, told = chosen.choice([("who", f"by {who}"), ("where", f"in {where}")])
        if chosen.random() < none:
            asked = "where" if asked == "who" else "who"
            answers = []
            context = " ".join([*words[: filler // 2], told, *words[filler // 2 :]])
        else:
            at = chosen.randint(0, filler)
            context = " ".join([*words[:at], told, *words[at:]])
            text = told.split()[1]
            answers = [{"text": text, "start": context.index(told) + len(told) - len(text)}]
        made.append({"q": f"{asked} ?", "c": context, "a": answers})
    return pl.DataFrame(made, schema={"q": pl.String, "c": pl.String, "a": ANSWERS})


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(base=tmp_path, store=tmp_path / "store")


def learner(folder: Path, **options: object) -> ExtractiveQa:
    how = {"epochs": 12, "learning_rate": 0.003, "batch": 16, "max_tokens": 32, "stride": 8, "patience": None}
    return ExtractiveQa.model_validate({"pretrained": str(folder), **how, **options})


@pytest.fixture(scope="module")
def fitted(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> ExtractiveQaModel:
    context = Context(store=tmp_path_factory.mktemp("store"))
    return learner(tiny).fit(questions(500), questions(100, seed=2), ASKED, context)


def score(metric: object, test: pl.DataFrame, found: pl.DataFrame) -> float:
    return float(metric.of_rows(test["a"], found, np.ones((1, test.height)))[0])  # type: ignore[attr-defined]


def test_it_learns_what_is_asked_and_where_nothing_answers(fitted: ExtractiveQaModel) -> None:
    test = questions(100, seed=3)
    found = fitted.predict(ASKED.as_asked(test))
    assert found.schema == {"text": pl.String, "start": pl.Int64, "confidence": pl.Float64}
    assert score(ExactMatch(), test, found) > 0.75  # never to answer gets 0.3
    assert score(AnswerableAccuracy(), test, found) > 0.75
    for row, said in zip(test.to_dicts(), found.to_dicts(), strict=True):
        assert said["text"] is None or row["c"][said["start"] :].startswith(said["text"])
    assert found["confidence"].is_between(0, 1).all()
    assert fitted.settings["threshold"] is not None


def test_windows_hold_every_token_and_point_at_the_answer(tiny: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    rows = questions(20, none=0, filler=60)
    answers = [one[0] for one in rows["a"].to_list()]
    found = windows(tokenizer, rows["q"].to_list(), rows["c"].to_list(), most=32, stride=8)
    assert len(found) > 40
    for row, context in enumerate(rows["c"]):
        mine = [window for window in found if window.row == row]
        spans = sorted({tuple(span) for window in mine for span in window.spans.tolist()})
        assert "".join(context[start:end] for start, end in spans) == context.replace(" ", "")
        pointed = 0
        for window in mine:
            assert len(window.read["input_ids"]) <= 32
            told = window.pointing(answers[row])
            if told["first"]:
                pointed += 1
                ids = told["input_ids"][told["first"] : told["last"] + 1]
                assert tokenizer.decode(ids) == answers[row]["text"]
            assert window.pointing(None)["first"] == window.pointing(None)["last"] == 0
        assert pointed >= 1


def test_long_texts_are_read_to_their_end(fitted: ExtractiveQaModel) -> None:
    test = questions(40, seed=5, none=0, filler=100)
    found = fitted.predict(ASKED.as_asked(test))
    assert score(TokenF1(), test, found) > 0.6
    assert found["start"].max() > 300


def test_best_span_is_the_best_there_is() -> None:
    random = np.random.default_rng(1)
    for most in (1, 2, 5, 30):
        first, last = random.normal(size=(2, 12))
        each = {(i, j): first[i] + last[j] for i in range(12) for j in range(i, min(12, i + most))}
        start, end, value = best_span(first, last, most)
        assert (start, end) == max(each, key=each.__getitem__)
        assert value == pytest.approx(max(each.values()))


def test_one_row_is_as_all_at_once(fitted: ExtractiveQaModel) -> None:
    test = ASKED.as_asked(pl.concat([questions(30, seed=6), questions(5, seed=7, filler=100)]))
    together = fitted.predict(test)
    alone = pl.concat([fitted.predict(test[i : i + 1]) for i in range(test.height)])
    assert together.drop("confidence").equals(alone.drop("confidence"))
    assert together["confidence"].to_numpy() == pytest.approx(alone["confidence"].to_numpy(), abs=1e-5)
    assert fitted.predict(test.clear()).schema == together.schema


def test_odd_texts(fitted: ExtractiveQaModel) -> None:
    odd = [None, "", " ", "naïve 🙂 日本語 \x00", "\u202e", "x" * 3000]
    found = fitted.predict(pl.DataFrame({"q": odd, "c": odd[::-1]}))
    assert found["confidence"].is_finite().all()
    assert found.height == len(odd)
    found = fitted.predict(pl.DataFrame({"q": ["who ? " * 300], "c": ["table by anna"]}))
    assert found.height == 1
    with pytest.raises(ModelError, match="the column 'c'"):
        fitted.predict(pl.DataFrame({"q": ["x"]}))


def test_what_is_saved_is_plain_and_answers_the_same(tiny: Path, fitted: ExtractiveQaModel, tmp_path: Path) -> None:
    from transformers import AutoModelForQuestionAnswering

    fitted.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".json", ".safetensors"}
    assert str(tiny) not in "".join(path.read_text("utf-8") for path in tmp_path.glob("*.json"))
    test = ASKED.as_asked(questions(20, seed=8))
    assert ExtractiveQaModel.load(tmp_path).predict(test).equals(fitted.predict(test))
    AutoModelForQuestionAnswering.from_pretrained(tmp_path)


def test_where_all_are_answered_it_always_answers(tiny: Path, context: Context) -> None:
    rows = questions(20, none=0)
    model = learner(tiny, epochs=1).fit(rows, rows, ASKED, context)
    assert model.settings["threshold"] is None
    assert model.predict(rows)["text"].null_count() == 0


def test_errors(tiny: Path, context: Context) -> None:
    rows = questions(8)
    with pytest.raises(DataError, match="3 training rows are too few"):
        learner(tiny).fit(rows[:3], rows, ASKED, context)
    with pytest.raises(ModelError, match="max_tokens: 64"):
        learner(tiny, max_tokens=65).fit(rows, rows, ASKED, context)
    with pytest.raises(RecipeError, match="share half"):
        learner(tiny, stride=16).fit(rows, rows, ASKED, context)


@pytest.mark.slow
def test_the_packaged_network_finds_words_where_counting_finds_sentences(context: Context) -> None:
    train, known, test = questions(160, filler=4), questions(40, seed=2, filler=4), questions(60, seed=3, filler=4)
    network = ExtractiveQa(
        pretrained=PACKAGED, epochs=4, learning_rate=3e-4, batch=16, max_tokens=48, stride=8, checkpoint_steps=None
    )
    found = network.fit(train, known, ASKED, context).predict(ASKED.as_asked(test))
    counted = BestSentence().fit(train, known, ASKED, context).predict(ASKED.as_asked(test))
    assert score(TokenF1(), test, found) > score(TokenF1(), test, counted) + 0.2
