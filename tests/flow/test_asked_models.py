"""A model that is asked, through a whole run: judged, kept, offline, within its purse, and used afterwards."""

from __future__ import annotations

import json
import random
import socket
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from seedbed.core.errors import ModelError, RecipeError
from seedbed.flow.predicting.opening import open_model
from seedbed.flow.running import Finished, run
from seedbed.recipe.judged_by import JudgedBy
from seedbed.recipe.loading import parse
from seedbed.report.told import verdict
from seedbed.sources import Generate
from seedbed.train.prompted import Prompted
from serving.model import ModelServer, Reply, model_server

WORDS = {"bad": "awful sad broken angry late", "good": "lovely happy fine sunny early"}


def knowing(asked: dict[str, Any], tries: int) -> Reply | str:
    text = asked["messages"][-1]["content"].rpartition("Text: ")[2]
    return json.dumps({"answer": next(mood for mood, words in WORDS.items() if any(w in text for w in words.split()))})


def rows(folder: Path) -> None:
    draw = random.Random(3)
    moods = [draw.choice(list(WORDS)) for _ in range(120)]
    lines = [
        json.dumps(
            {
                "text": f"{place:x} " + " ".join(draw.choices(WORDS[mood].split(), k=4)) + f" {place * 7919:b}",
                "mood": mood,
            }
        )
        for place, mood in enumerate(moods)
    ]
    (folder / "rows.jsonl").write_text("\n".join(lines))
    (folder / "card.yaml").write_text("sensitive: none\n")


def made(server: ModelServer, folder: Path, *, offline: bool = False, **options: Any) -> Finished:
    asked = {"use": "prompted", "endpoint": server.url, "model_name": "m", "retries": 0, "show": 4, **options}
    return trained(folder, asked, offline=offline)


def trained(folder: Path, asked: dict[str, Any], *, workers: int = 1, offline: bool = False, **more: Any) -> Finished:
    recipe = {
        "seedbed": 1,
        "name": "moods",
        "task": {"kind": "text_classification", "text": "text", "label": "mood"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl", "license": "CC0-1.0"}],
        "train": [{"use": "majority"}, asked],
        "split": {"use": "random", "train": 0.6, "validation": 0.2, "test": 0.2},
        **more,
    }
    return run(parse(recipe, folder), workers=workers, offline=offline)


def test_a_run_asks_once_and_needs_no_server_afterwards(tmp_path: Path) -> None:
    rows(tmp_path)
    with model_server(knowing) as server:
        first = made(server, tmp_path)
        [_, record] = first.run.models
        assert record.scores["test"]["accuracy"].value == 1
        asked = len(server.requests)
        assert asked <= 120 + 10  # the naive split shows other rows, and so asks anew
        made(server, tmp_path)
        assert len(server.requests) == asked
        texts = [one["messages"][-1]["content"] for one in server.requests]
        assert len(set(texts)) == len(texts)
    again = made(server, tmp_path, offline=True)
    assert again.run.models[1].scores == record.scores
    bundle = first.folder / "models" / "prompted"
    assert sorted(file.name for file in bundle.iterdir() if "example" in file.name) == []
    assert not any(text in (bundle / "model.json").read_text() for text in WORDS["bad"].split())


def test_a_purse_that_is_empty_stops_the_learner(tmp_path: Path) -> None:
    rows(tmp_path)
    with model_server(knowing) as server:
        with pytest.raises(Exception, match="stopped at most_requests: 9"):
            made(server, tmp_path, most_requests=9)
        assert len(server.requests) == 9


def test_a_bundle_asks_for_rows_that_nobody_saw(tmp_path: Path) -> None:
    rows(tmp_path)
    with model_server(knowing) as server:
        first = made(server, tmp_path, keep_examples=True)
        predictor = open_model(first.folder / "models" / "prompted")
        server.requests.clear()
        assert predictor.check_golden() == 0
        told = predictor.predict(["a lovely day", "a broken day"])
        assert told["predicted"].to_list() == ["good", "bad"]
        assert len(server.requests) >= 2


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of another machine, which is this one."""
    ask = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **also: ask(_real(host), *more, **also))
    return "model.example"


def _real(host: Any) -> Any:
    return "127.0.0.1" if host in ("model.example", b"model.example") else host


def test_rows_leave_only_where_somebody_said_that_they_may(tmp_path: Path, elsewhere: str) -> None:
    rows(tmp_path)
    with model_server(knowing) as server:
        away = server.url.replace("127.0.0.1", elsewhere)
        asked = {"use": "prompted", "endpoint": away, "model_name": "m"}
        inside: dict[str, Any] = {"use": "ensemble", "learners": [{"use": "majority"}, asked]}
        for learner in (asked, inside, {"use": "tuned", "learner": inside, "over": {"weights": ["equal"]}}):
            with pytest.raises(RecipeError, match=rf"(?s)train\.1: {learner['use']} sends rows' texts .*`may_send: …`"):
                trained(tmp_path, learner)
        assert not server.requests and not (tmp_path / "runs").exists()
        sent = made(server, tmp_path, endpoint=away, may_send="we <b>wrote</b> them").run.sent
        assert server.requests
        assert not made(server, tmp_path).run.sent, "an endpoint on this machine is asked without"
    (told,) = sent
    assert (told.to, told.why) == (away, "we <b>wrote</b> them")
    assert told.shown == 8, "four of the split's, and four of the naive one's"
    assert told.rows["test"] == told.rows["validation"] == 24


def test_a_reason_makes_no_licence_fit_and_answers_no_question(tmp_path: Path, elsewhere: str) -> None:
    rows(tmp_path)
    (tmp_path / "card.yaml").unlink()
    unfit = [{"use": "jsonl", "path": "rows.jsonl", "license": "CC-BY-ND-4.0"}]
    with model_server(knowing) as server:
        away = server.url.replace("127.0.0.1", elsewhere)
        asked = {"use": "prompted", "endpoint": away, "model_name": "m", "may_send": "we wrote them", "retries": 0}
        found = trained(tmp_path, asked, sources=unfit)
        here = trained(tmp_path, {**asked, "endpoint": server.url}, sources=unfit)
        assert here.run.state == "passed" and server.requests, "nothing leaves this machine"
        server.requests.clear()
        waived = [{"what": what, "reason": "seen by counsel"} for what in ("license", "sensitive")]
        passed = trained(tmp_path, asked, sources=unfit, waive=waived)
        assert passed.run.state == "passed" and passed.run.sent and len(server.requests) > 50
        assert {one.what for one in passed.run.waivers} >= {"licences", "question sensitive"}
    assert found.run.state == "failed" and not found.run.sent and not found.run.models
    licence, question = found.run.stopped_by
    assert licence.startswith("licences: ") and "CC-BY-ND-4.0" in licence and question.startswith("card: sensitive")
    assert (found.folder / "report.html").is_file(), "one can see why"


def test_rows_that_others_are_made_from_leave_only_with_a_reason(tmp_path: Path, elsewhere: str) -> None:
    rows(tmp_path)
    with model_server(lambda asked, tries: json.dumps({"text": " ".join(_shuffled(asked))})) as server:
        away = {"endpoint": server.url.replace("127.0.0.1", elsewhere), "model": "m"}
        own = {"use": "jsonl", "path": "rows.jsonl", "license": "CC0-1.0"}
        made_up = {"use": "generate", **away, "prompt": "{{ examples }}", "classes": {"bad": 3}, "label": "mood"}
        like = {**made_up, "like": own, "license": "CC0-1.0"}
        back = {"use": "augment", "methods": ["back_translate"], "labels": ["bad"], "translator": away}
        cheap: dict[str, Any] = {"use": "naive_bayes"}
        for wrong in ({"sources": [own, like]}, {"prepare": [back]}):
            with pytest.raises(RecipeError, match=r"(?s)sends rows' texts to .*`may_send: …`") as told:
                trained(tmp_path, cheap, **wrong)
            assert told.value.at in ("sources.1", "prepare.0") and not server.requests
        like["may_send"] = "all of it is public"
        back["translator"] = {**away, "may_send": "all of it is public"}
        found = trained(tmp_path, cheap, sources=[own, like], prepare=[back], evaluate={"leakage": False})
    (told,) = found.run.sent
    assert told.why == "all of it is public" and 3 <= told.shown <= 12
    assert set(told.rows) == {"train"} and told.rows["train"] > 20


def _shuffled(asked: dict[str, Any]) -> list[str]:
    """Words that hang on what is asked."""
    words = [word for some in WORDS.values() for word in some.split()]
    return random.Random(json.dumps(asked["messages"]) + str(asked.get("seed"))).choices(words, k=9)


@pytest.mark.parametrize(
    "wrong", [{"n": 5}, {"max_tokens": 4000}, {"messages": []}, {"best_of": 3}, {"model": "dear"}], ids=str
)
def test_nothing_is_sent_besides_that_goes_round_the_caps(wrong: dict[str, Any]) -> None:
    at = {"endpoint": "http://127.0.0.1:1/v1"}
    for kind, options in (
        (Prompted, {"use": "prompted", "model_name": "m", **at}),
        (JudgedBy, {"model_name": "m", **at}),
        (Generate, {"use": "generate", "model": "m", "prompt": "p", "rows": 2, **at}),
    ):
        with pytest.raises(ValidationError, match=f"`{next(iter(wrong))}` cannot be sent besides"):
            kind.model_validate({**options, "also_send": wrong})
        kind.model_validate({**options, "also_send": {"n": 1, "top_p": 0.9}})


def test_no_search_finds_an_endpoint_where_rows_may_not_go(tmp_path: Path, elsewhere: str) -> None:
    rows(tmp_path)
    with model_server(knowing) as here, model_server(knowing) as there:
        away = there.url.replace("127.0.0.1", elsewhere)
        asked = {"use": "prompted", "endpoint": here.url, "model_name": "m"}
        found = trained(
            tmp_path, {"use": "tuned", "learner": asked, "over": {"endpoint": [here.url, away]}, "folds": 2}
        )
        assert here.requests and not there.requests
    tried = json.loads((found.folder / "models" / "prompted_tuned" / "tuned.json").read_text("utf-8"))["trials"]
    assert ["may go there" in one["error"] for one in tried if one["state"] == "failed"] == [True]


def test_what_was_sent_is_told_wherever_the_run_is(tmp_path: Path, elsewhere: str) -> None:
    rows(tmp_path)
    with model_server(knowing) as server:
        away = server.url.replace("127.0.0.1", elsewhere)
        found = made(server, tmp_path, endpoint=away, may_send="we <b>wrote</b> them")
        again = made(server, tmp_path, endpoint=away, may_send="we <b>wrote</b> them", offline=True)
    assert again.run.sent == found.run.sent, "what was kept had left before"
    report = (found.folder / "report.html").read_text("utf-8")
    assert "because <bdi>we &lt;b&gt;wrote&lt;/b&gt; them</bdi>" in report and "rows as examples" in report
    card = (found.folder / "dataset" / "README.md").read_text("utf-8")
    assert "Sent to services on other machines" in card and found.run.sent[0].told in card
    assert "<b>" not in card.partition("## How to make it again")[0]
    assert f"sent to {away}: {found.run.sent[0].told} (we <b>wrote</b> them)" in " ".join(verdict(found.run))


def test_a_purse_holds_for_all_trials_of_a_search(tmp_path: Path) -> None:
    rows(tmp_path)
    with model_server(knowing) as server:
        asked = {"use": "prompted", "endpoint": server.url, "model_name": "m", "most_requests": 100, "retries": 0}
        with pytest.raises(ModelError, match="stopped at most_requests: 100"):
            trained(tmp_path, {"use": "tuned", "learner": asked, "over": {"show": [0, 1, 2, 3]}, "folds": 2}, workers=2)
        assert len(server.requests) == 100
