"""Language models behind an endpoint, asked over HTTP: what is asked, read and kept, and what it may cost."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError
from sklearn.feature_extraction.text import TfidfVectorizer

from seedbed.core.context import Context, current
from seedbed.core.errors import DataError, ModelError, RecipeError
from seedbed.core.task import MultiLabelClassification, Regression, TabularClassification, TextClassification
from seedbed.train.prompted import Prompted
from seedbed.train.prompting.model import PromptedModel
from seedbed.train.prompting.reading import Reading, shares_of
from serving.model import ModelServer, Reply, model_server

TASK = TextClassification(text="body", label="mood")
WORDS = {
    "bad": "awful sad broken angry late",
    "good": "lovely happy fine sunny early",
    "so so": "table chair lamp desk",
}


def rows(n: int, seed: int = 1) -> pl.DataFrame:
    chosen = random.Random(seed)
    moods = [list(WORDS)[place % 3] for place in range(n)]
    bodies = [
        f"{seed}.{place} " + " ".join(chosen.choices(WORDS[mood].split(), k=3)) for place, mood in enumerate(moods)
    ]
    return pl.DataFrame({"row": [f"s:f#{place}" for place in range(n)], "body": bodies, "mood": moods})


def mood_of(text: str) -> str:
    return next(mood for mood, words in WORDS.items() if any(word in text for word in words.split()))


def last(asked: dict[str, Any]) -> str:
    """The text that is asked about."""
    return asked["messages"][-1]["content"].rpartition("Text: ")[2].removesuffix("\nAnswer:")


def knowing(asked: dict[str, Any], tries: int) -> Reply | str:
    return json.dumps({"answer": mood_of(last(asked))})


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server(knowing) as found:
        yield found


def part(server: ModelServer, **options: Any) -> Prompted:
    told = {"model_name": "m", "retries": 1, "smoothing": 0.3, **options}
    return Prompted.model_validate({"use": "prompted", "endpoint": server.url, **told})


def run(tmp_path: Path, **more: Any) -> Context:
    return Context(base=tmp_path, store=tmp_path / "store", **more)


def fitted(learner: Prompted, context: Context, train: pl.DataFrame | None = None, task: Any = TASK) -> PromptedModel:
    train = rows(30) if train is None else train
    return learner.fit(train, train.clear(), task, context)


def guessed(model: PromptedModel, found: np.ndarray) -> list[str]:
    return [model.labels[place] for place in found.argmax(axis=1)]


def test_every_row_is_asked_about_and_the_rest_of_the_probability_is_dealt_to_all(
    server: ModelServer, tmp_path: Path
) -> None:
    context, test = run(tmp_path), rows(9, seed=2)
    model = fitted(part(server, descriptions={"so so": "about furniture"}, system="Be brief."), context)
    found = model.predict(test.drop("mood"))
    assert guessed(model, found) == test["mood"].to_list()
    assert np.unique(found.round(12)).tolist() == pytest.approx([0.1, 0.8])
    assert found.sum(axis=1) == pytest.approx(np.ones(9))
    assert len(server.requests) == 9
    assert {one["form"] for one in server.requests} == {"json_schema"}
    [system, user] = server.requests[0]["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    assert "- so so: about furniture\n" in user["content"]
    assert "- bad\n" in user["content"]
    assert '"enum": ["bad", "good", "so so"]' in user["content"]
    assert "Text: " in user["content"]
    assert user["content"].count("Answer:") == 1
    assert server.requests[0]["temperature"] == 0
    assert server.requests[0]["logprobs"] is True


def test_a_second_run_asks_nothing_nor_does_one_without_a_server(tmp_path: Path) -> None:
    test = rows(6, seed=2)
    with model_server(knowing) as server:
        learner = part(server)
        first = fitted(learner, run(tmp_path)).predict(test)
        again = fitted(learner, run(tmp_path)).predict(pl.concat([test, test]))
        assert len(server.requests) == 6
    offline = run(tmp_path, offline=True)
    with current(offline):
        assert (fitted(learner, offline).predict(test) == first).all()
        with pytest.raises(ModelError, match="1 of 7 answers of m are not kept, and with --offline nothing is asked"):
            fitted(learner, offline).predict(pl.concat([test, rows(1, seed=3)]))
    assert (again == np.concatenate([first, first])).all()


def test_an_answer_that_is_damaged_in_the_store_is_asked_for_again(server: ModelServer, tmp_path: Path) -> None:
    model = fitted(part(server), run(tmp_path))
    first = model.predict(rows(3, seed=2))
    kept = [file for file in (tmp_path / "store" / "answers").rglob("*") if file.is_file()]
    assert len(kept) == 3
    kept[0].write_bytes(b"{")
    assert (model.predict(rows(3, seed=2)) == first).all()
    assert len(server.requests) == 4


@pytest.mark.parametrize("choose", ["balanced", "nearest"])
@pytest.mark.parametrize("keep", [False, True])
def test_it_is_the_same_when_it_was_saved_and_rows_alone_answer_as_among_others(
    server: ModelServer, tmp_path: Path, choose: str, keep: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    context, test = run(tmp_path), rows(7, seed=2)
    learner = part(
        server, show=4, choose=choose, keep_examples=keep, api_key="${env:MY_KEY}", price={"prompt": 1, "answer": 1}
    )
    model = fitted(learner, context)
    first = model.predict(test)
    asked = len(server.requests)
    (tmp_path / "model").mkdir()
    model.save(tmp_path / "model")
    said = "".join(file.read_text() for file in (tmp_path / "model").iterdir())
    assert "very-secret" not in said
    assert any(text in said for text in rows(30)["body"]) == keep
    again = PromptedModel.load(tmp_path / "model")
    again.use_store(context.store)
    assert (again.predict(test) == first).all()
    alone = np.concatenate([again.predict(test[place : place + 1]) for place in range(7)])
    assert alone == pytest.approx(first)
    assert len(server.requests) == asked == 7  # alone they are asked the very same
    assert set(server.keys) == {"Bearer sk-very-secret"}


def test_a_model_without_its_examples_says_where_they_are(
    server: ModelServer, tmp_path: Path, monkeypatch: Any
) -> None:
    fitted(part(server, show=2), run(tmp_path)).save(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    with pytest.raises(ModelError, match="not part of this model") as told:
        PromptedModel.load(tmp_path).predict(rows(1))
    assert "keep_examples: true" in str(told.value)
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "store"))
    PromptedModel.load(tmp_path).predict(rows(1))


def shown(asked: dict[str, Any]) -> list[tuple[str, str]]:
    said = asked["messages"][-1]["content"].rpartition("Text: ")[0]
    return re.findall(r'Text: (.*)\nAnswer: {"answer": "(.*)"}', said)


def test_balanced_examples_are_the_same_for_all_and_each_label_has_as_many(server: ModelServer, tmp_path: Path) -> None:
    train = rows(30).filter((pl.col("mood") != "bad") | (pl.int_range(30) < 7))
    model = fitted(part(server, show=6), run(tmp_path), train)
    model.predict(rows(4, seed=2))
    told = [shown(one) for one in server.requests]
    assert told == [told[0]] * 4
    assert sorted(answer for _, answer in told[0]) == ["bad", "bad", "good", "good", "so so", "so so"]
    assert set(told[0]) <= set(train.select("body", "mood").iter_rows())


def test_the_nearest_are_those_of_scikit_learn_and_never_the_text_itself(server: ModelServer, tmp_path: Path) -> None:
    train, test = rows(30), pl.concat([rows(5, seed=2), rows(30)[:2]])
    fitted(part(server, show=3, choose="nearest", parallel=1), run(tmp_path), train).predict(test)
    alike = 0
    for kind, lengths in (("word", (1, 2)), ("char_wb", (2, 4))):
        counter = TfidfVectorizer(analyzer=kind, ngram_range=lengths, sublinear_tf=True)
        alike = alike + (counter.fit_transform(train["body"]) @ counter.transform(test["body"]).T).toarray().T
    told = {last(one): [text for text, _ in shown(one)] for one in server.requests}
    for place, text in enumerate(test["body"]):
        score = {one: alike[place][at] for at, one in enumerate(train["body"]) if one != text}
        right = sorted(score.values())[-3:]
        assert [score[one] for one in told[text]] == pytest.approx(right)
        assert text not in told[text]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("[[[", "no_such_label"), ('{"answer": "dreadful"}', "no_such_label"), ("", "empty_answer"),
        (Reply("", refusal="I cannot"), "refused"), (Reply('{"answer": "ba', finish="length"), "cut_short"),
        ('{"mood": "bad"}', "no_such_label"), ('{"answer": null}', "no_such_label"), ('{"answer": 3}', "no_such_label"),
    ],
)  # fmt: skip
def test_what_is_no_label_counts_as_the_most_frequent_one_and_is_told(
    said: Reply | str, reason: str, tmp_path: Path
) -> None:
    class Listening:
        def __init__(self) -> None:
            self.said: list[str] = []

        def say(self, text: str) -> None:
            self.said.append(text)

        def start(self, title: str, total: Any, unit: str) -> Any:
            return self

        def advance(self, *_: Any, **__: Any) -> None: ...
        def finish(self, stage: Any) -> None: ...

    with model_server(lambda asked, tries: said) as server:
        context = run(tmp_path, progress=(progress := Listening()))
        train = pl.concat([rows(30), rows(30).filter(mood="good").with_columns(body=pl.col("body") + "!")])
        model = fitted(part(server), context, train)
        with current(context):
            found = model.predict(rows(3, seed=2))
    assert found == pytest.approx(np.array([[0.25, 0.5, 0.25]] * 3))
    assert model.lost == {reason: 3}
    assert progress.said[-1].endswith(
        f"3 of 3 answers cannot be used (3 {reason}) and count as 'good', the most frequent label"
    )


@pytest.mark.parametrize(
    "said",
    [
        "so so",
        '"So so."',
        '```json\n{"answer": "so so"}\n```',
        '{"answer": "SO  SO", "why": "lamps"}',
        '{"answer": ["so so"]}',
    ],
)
def test_what_is_nearly_a_label_is_one(said: str, tmp_path: Path) -> None:
    with model_server(lambda asked, tries: said) as server:
        model = fitted(part(server), run(tmp_path))
        assert guessed(model, model.predict(rows(2, seed=2))) == ["so so"] * 2
    assert not model.lost


def test_a_server_that_asks_to_slow_down_is_asked_again(tmp_path: Path) -> None:
    def slow(asked: dict[str, Any], tries: int) -> Reply | str:
        busy = Reply(status=429, headers={"Retry-After": "0.01"}, body=b'{"error": {"message": "slow down"}}')
        return busy if tries == 1 else knowing(asked, tries)

    with model_server(slow) as server:
        model, test = fitted(part(server), run(tmp_path)), rows(5, seed=2)
        assert guessed(model, model.predict(test)) == test["mood"].to_list()
        assert len(server.requests) == 10


def test_what_came_before_a_failure_is_kept(tmp_path: Path) -> None:
    def failing(asked: dict[str, Any], tries: int) -> Reply | str:
        return Reply(status=500, body=b"broken") if last(asked).startswith("2.4") else knowing(asked, tries)

    with model_server(failing) as server:
        model = fitted(part(server, parallel=1, retries=0), run(tmp_path))
        with pytest.raises(ModelError, match="HTTP status 500"):
            model.predict(rows(6, seed=2))
        server.answer = knowing
        before = len(server.requests)
        model.predict(rows(6, seed=2))
        assert len(server.requests) - before == 6 - (before - 1)


def test_servers_without_schemas_or_logprobs_are_asked_without(tmp_path: Path) -> None:
    def old(asked: dict[str, Any], tries: int) -> Reply | str:
        if "logprobs" in asked:
            return Reply(status=400, body=b'{"error": {"message": "unknown field logprobs"}}')
        return knowing(asked, tries)

    with model_server(old) as server:
        server.forms = False
        model, test = fitted(part(server, parallel=1), run(tmp_path)), rows(3, seed=2)
        assert guessed(model, model.predict(test)) == test["mood"].to_list()
        assert sum("logprobs" not in one for one in server.requests) == 3
        refused = len(server.requests)
        model.predict(rows(3, seed=4))
        assert len(server.requests) == refused + 3
        fitted(part(server, parallel=1), run(tmp_path)).predict(test)
        assert len(server.requests) == refused + 3


def token(said: str, **others: float) -> dict[str, Any]:
    """A token that was said, and how probable it and others were."""
    top = [{"token": one.replace("_", " "), "logprob": math.log(p), "bytes": None} for one, p in others.items()]
    return {"token": said, "logprob": next(one["logprob"] for one in top if one["token"] == said), "top_logprobs": top}


def test_probabilities_come_from_what_the_tokens_could_have_been(tmp_path: Path) -> None:
    def sure(asked: dict[str, Any], tries: int) -> Reply:
        start = {"token": '{"answer":"', "logprob": 0.0, "top_logprobs": []}
        end = {"token": '"}', "logprob": 0.0, "top_logprobs": []}
        return Reply(
            '{"answer":"good"}', logprobs=[start, token("go", go=0.6, b=0.3, zz=0.1), token("od", od=1.0), end]
        )

    with model_server(sure) as server:
        found = fitted(part(server), run(tmp_path)).predict(rows(2, seed=2))
    assert found == pytest.approx(np.array([[0.3 / 0.9, 0.6 / 0.9, 0]] * 2), abs=1e-4)


def test_answers_that_begin_alike_share_what_they_begin_with() -> None:
    tokens = [("very ", 0.8, {"very ": 0.8, "bad": 0.2}), ("good", 0.7, {"good": 0.7, "bad": 0.3})]
    answers = {"very good": "very good", "very bad": "very bad", "bad": "bad", "badly": "badly"}
    found = shares_of(tokens, answers, "very good")
    assert found == pytest.approx({"very good": 0.56, "very bad": 0.24, "bad": 0.1, "badly": 0.1})


class TestCaps:
    def test_calls(self, server: ModelServer, tmp_path: Path) -> None:
        model = fitted(part(server, most_requests=4, parallel=1), run(tmp_path))
        with pytest.raises(ModelError, match="stopped at most_requests: 4, with 2 rows left to ask about"):
            model.predict(rows(6, seed=2))
        assert len(server.requests) == 4
        model.predict(rows(4, seed=2))  # these are kept

    def test_a_run_has_one_purse_whatever_models_it_makes(self, server: ModelServer, tmp_path: Path) -> None:
        learner, context = part(server, most_requests=5), run(tmp_path)
        with current(context):
            fitted(learner, context).predict(rows(4, seed=2))
        with current(replace(context, seed=4)), pytest.raises(ModelError, match="most_requests"):
            fitted(learner, context).predict(rows(4, seed=3))
        assert len(server.requests) == 5
        other = run(tmp_path)
        with current(other):
            fitted(learner, other).predict(rows(4, seed=3))  # another run has its own

    def test_models_that_ask_in_other_ways_spend_from_the_same_purse(self, server: ModelServer, tmp_path: Path) -> None:
        context = run(tmp_path)
        with current(context):
            fitted(part(server, most_requests=5), context).predict(rows(4, seed=2))
            for other in ({"temperature": 0.5}, {"answer_tokens": 9}, {"logprobs": False}, {"answer": "text"}):
                with pytest.raises(ModelError, match="most_requests"):
                    fitted(part(server, most_requests=5, **other), context).predict(rows(4, seed=3))
        assert len(server.requests) == 5

    def test_tokens_and_cost(self, server: ModelServer, tmp_path: Path) -> None:
        price = {"prompt": 0, "answer": 1e6}  # a token of an answer costs 1
        learner = part(server, price=price, most_cost=20.0, answer_tokens=10, parallel=1)
        with pytest.raises(ModelError, match=r"stopped at most_cost: 20 \((12|15|16) spent\)"):
            fitted(learner, run(tmp_path)).predict(rows(9, seed=2))
        assert len(server.requests) <= 4
        with pytest.raises(ModelError, match=r"stopped at most_tokens: 50 \(0 spent\)"):
            fitted(part(server, most_tokens=50), run(tmp_path)).predict(rows(1, seed=5))
        with pytest.raises(ValidationError, match="`most_cost` needs the `price`"):
            part(server, most_cost=1)

    def test_answers_that_do_not_say_their_tokens_count_with_the_most(self, tmp_path: Path) -> None:
        with model_server(lambda asked, tries: Reply(str(knowing(asked, tries)), usage=False)) as server:
            learner = part(server, price={"prompt": 0, "answer": 1e6}, most_cost=35.0, answer_tokens=10)
            with pytest.raises(ModelError, match=r"\(30 spent\)"):
                fitted(learner, run(tmp_path)).predict(rows(9, seed=2))
            assert len(server.requests) == 3


def test_any_number_of_labels(tmp_path: Path) -> None:
    task = MultiLabelClassification(text="body", label="moods", labels=("bad", "good", "so so"))
    told = {
        "a": '{"answer": ["so so", "bad"]}',
        "b": '{"answer": []}',
        "c": "good, Bad",
        "d": '{"answer": ["odd"]}',
        "e": "none",
    }
    train = pl.DataFrame({"body": list("vwxyz"), "moods": [["bad"], ["good", "bad"], [], ["so so", "bad"], ["bad"]]})
    with model_server(lambda asked, tries: told[last(asked)]) as server:
        model = fitted(part(server, show=3), run(tmp_path), train, task)
        found = model.predict(pl.DataFrame({"body": list(told)}))
        assert '{"answer": ["bad"]}' in server.requests[0]["messages"][-1]["content"]
        assert "logprobs" not in server.requests[0]
    low, high = 0.15, 0.85
    right = [[high, low, high], [low] * 3, [high, high, low], [0.8, 0.2, 0.2], [low] * 3]
    assert found == pytest.approx(np.array(right))
    assert model.lost == {"no_such_label": 1}


def test_numbers(tmp_path: Path) -> None:
    task = Regression(text="body", target="stars")
    told = {"a": '{"answer": 4.5}', "b": "3", "c": "many", "d": '{"answer": "2.5"}', "e": '{"answer": 1e999}'}
    train = pl.DataFrame({"body": list("vwxyz"), "stars": [1.0, 2.0, 3.0, 4.0, 50.0]})
    with model_server(lambda asked, tries: told[last(asked)]) as server:
        model = fitted(part(server, show=3), run(tmp_path), train, task)
        found = model.predict(pl.DataFrame({"body": list(told)}))
        assert model.labels == ()
        asked = server.requests[0]["messages"][-1]["content"]
        assert [asked.count(f'{{"answer": {n}}}') for n in (1.0, 3.0, 50.0)] == [1, 1, 1]
    assert found[:, 0].tolist() == [4.5, 3, 3, 2.5, 3]
    assert model.lost.total() == 2


def test_rows_of_a_table_are_told_by_their_columns(tmp_path: Path) -> None:
    task = TabularClassification(label="kind")
    train = pl.DataFrame({"petal": [1.5, 4.0, None, 5.0], "colour": ["red", None, "blue", "red"], "kind": list("abab")})
    with model_server(lambda asked, tries: '{"answer": "b"}') as server:
        model = fitted(part(server), run(tmp_path), train, task)
        assert guessed(model, model.predict(train.drop("kind"))) == ["b"] * 4
        assert sorted(map(last, (one for one in server.requests))) == [
            "colour: blue", "petal: 1.5\ncolour: red", "petal: 4.0", "petal: 5.0\ncolour: red",
        ]  # fmt: skip


def test_plain_answers_and_a_template_of_ones_own(tmp_path: Path) -> None:
    with model_server(lambda asked, tries: "Good") as server:
        learner = part(
            server, answer="text", prompt="{{ text }}? {% for one in examples %}{{ one.answer }};{% endfor %}", show=2
        )
        model = fitted(learner, run(tmp_path))
        assert guessed(model, model.predict(rows(1, seed=2))) == ["good"]
        assert server.requests[0]["form"] is None
        said = server.requests[0]["messages"][-1]["content"]
        assert said.endswith("\n\nAnswer with the label alone.")
        assert re.match(r"2\.0 .*\? (bad|good|so so);(bad|good|so so);", said)


def test_refusals(server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="does not name `text`"):
        part(server, prompt="Hello")
    with pytest.raises(ValidationError, match="names 'txt', which is not known: did you mean 'text'"):
        part(server, prompt="{{ txt }}")
    with pytest.raises(ValidationError, match="api_key"):
        part(server, api_key="sk-1234567890")
    with pytest.raises(RecipeError, match="'badd' is no label"):
        fitted(part(server, descriptions={"badd": "x"}), run(tmp_path))
    with pytest.raises(DataError, match="too few"):
        fitted(part(server), run(tmp_path), rows(3))
    monkeypatch.delenv("NO_KEY", raising=False)
    with pytest.raises(RecipeError, match="NO_KEY is not set"):
        fitted(part(server, api_key="${env:NO_KEY}"), run(tmp_path)).predict(rows(1))
    with pytest.raises(ModelError, match="reads the column 'body'"):
        fitted(part(server), run(tmp_path)).predict(pl.DataFrame({"x": ["y"]}))
    assert fitted(part(server), run(tmp_path)).predict(rows(0)).shape == (0, 3)


def test_labels_that_look_like_json_or_like_others_are_told_apart() -> None:
    reading = Reading("label", ("1", "10", "Yes", "yes", '["a"]', "a b"))

    def said(text: str) -> Any:
        body = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
        return reading(json.dumps(body).encode()).value

    found = [said(f'{{"answer": {one}}}') for one in ("1", '"10"', '"yes"', '"Yes"', '"YES"', '"[\\"a\\"]"', '" A B"')]
    assert found == ["1", "10", "yes", "Yes", None, '["a"]', "a b"]
