"""The JSON API over real HTTP: answers, bounds, errors, many at once, the start and the end."""

from __future__ import annotations

import json
import os
import signal
import socket
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from served_model import Served, serving

import seedbed
from predicting_sample import rows, small_run
from seedbed.core.run import GateRecord, Run
from seedbed.serve.limits import MOST_BYTES, MOST_CHARACTERS, MOST_ROWS
from seedbed.serve.server import WithheldError, refuse_unfit
from seedbed.serve.server_name import is_here
from seedbed.serve.standing import owed


def test_a_text_and_rows(served: Served, folder: Path) -> None:
    made = [{"said": row["said"]} for row in rows(120, seed=8)]
    expected = seedbed.load_model(folder).predict(made).to_dicts()
    status, told = served.ask("/api/predict", {"rows": [{**row, "mood": "not looked at"} for row in made]})
    assert status == 200
    assert [{key: one[key] for key in expected[0]} for one in told["predictions"]] == expected
    status, alone = served.ask("/api/predict", {"text": made[1]["said"]})
    assert alone["predictions"] == told["predictions"][1:2]
    assert alone["model"] == "tfidf_logistic"
    assert alone["request"] != told["request"]
    assert served.ask("/predict", {"text": made[1]["said"]})[1]["predictions"] == alone["predictions"]


def test_what_the_model_tells_of_itself(served: Served) -> None:
    status, told = served.ask("/api/model")
    assert (status, told["labels"], told["inputs"]) == (200, ["bad", "good"], [{"name": "said", "type": "text"}])
    score = told["score"]
    assert score["low"] <= score["value"] <= score["high"]
    assert (score["metric"], score["split"], score["level"]) == ("macro_f1", "test", 0.95)
    assert len(told["examples"]) == 8
    assert told["not_for_publication"][0].startswith("card.yaml leaves 6 questions open: license")
    assert served.ask("/healthz") == (200, {"status": "ok"})
    assert served.ask("/health") == (200, {"status": "ok"})
    assert served.ask("/model") == (status, told)
    assert told["card"].startswith("---\n")
    assert served.ask("/ready") == (200, {"status": "ready", "version": told["version"], "waiting": 0})
    paths = served.ask("/openapi.json")[1]["paths"]
    assert paths.keys() == {"/predict", "/explain", "/similar", "/model", "/health", "/ready", "/metrics"}


def test_nothing_comes_from_elsewhere(served: Served) -> None:
    for path in ("/docs", "/redoc", "/page", "/../predictor.py", "/page.js/../index.html"):
        assert served.ask(path)[0] == 404
    with urllib.request.urlopen(served.url + "/") as reply:
        assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
        assert reply.headers["Cache-Control"] == "no-store"
        page = reply.read().decode()
    assert "http" not in page


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 422, "either `text` or `rows`"),
        ({"text": "a", "rows": []}, 422, "either `text` or `rows`"),
        ({"text": 7}, 422, "valid string"),
        ({"text": "a", "model": "b"}, 422, "not permitted"),
        ({"rows": [{"said": "a"}, {"sad": "a"}]}, 422, "reads the column 'said'"),
        ({"rows": [{"said": ["a"]}]}, 422, "a value is a text, a number"),
        ({"rows": [{"said": "a"}] * (MOST_ROWS + 1)}, 413, "1,001 rows are more than 1,000"),
        ({"text": "a" * (MOST_CHARACTERS + 1)}, 413, "100,001 characters"),
        ({"text": "a" * MOST_BYTES}, 413, "longer than 4,194,304 bytes"),
        ([], 422, "the body is no object"),
        (7, 422, "the body is no object"),
        ({"text": None}, 422, "either `text` or `rows`"),
        ({"text": None, "rows": []}, 422, "either `text` or `rows`"),
        ({"rows": [{"said": 2**70}]}, 422, "cannot be read"),
    ],
)  # fmt: skip
def test_requests_that_are_refused(served: Served, body: object, status: int, words: str) -> None:
    found, told = served.ask("/api/predict", body)
    assert (found, list(told), sorted(told["error"])) == (status, ["error"], ["at", "hint", "problem"])
    assert words in told["error"]["problem"]
    assert len(json.dumps(told)) < 1000


@pytest.mark.parametrize(
    "raw",
    [b"", b"not json", b"[" * 2_000_000, b'{"text": "\xff"}', b'{"text": "\\ud800"}', b'{"rows": [{"said": NaN}]}'],
)
def test_bodies_that_are_no_request(served: Served, raw: bytes) -> None:
    status, told = served.ask("/api/predict", raw=raw)
    assert (status, list(told)) == (422, ["error"])


def test_a_form_of_another_site_is_refused(served: Served) -> None:
    kind = {"Content-Type": "text/plain"}
    assert served.ask("/api/predict", raw=b'{"text": "a"}', **kind)[0] == 415


def test_a_body_without_a_length_is_bounded(served: Served) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        head = "POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        piece = b"a" * 65536
        try:
            for _ in range(2 * MOST_BYTES // len(piece)):
                connection.sendall(b"10000\r\n" + piece + b"\r\n")
        except OSError:
            pass  # it hangs up on us
        assert b" 413 " in connection.recv(1000).split(b"\r\n")[0]


def test_two_hundred_at_once_agree_with_the_batch(served: Served, folder: Path) -> None:
    texts = [f"what a {('great', 'awful', 'poor', 'fine')[n % 4]} film number {n} it was" for n in range(200)]
    expected = seedbed.load_model(folder).predict(texts).to_dicts()

    def ask(text: str) -> Any:
        status, told = served.ask("/api/predict", {"text": text})
        return told["predictions"][0] if status == 200 else told

    with ThreadPoolExecutor(32) as pool:
        found = list(pool.map(ask, texts))
    assert [{key: one[key] for key in expected[0]} for one in found] == expected


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_told_to(folder: Path, how: signal.Signals) -> None:
    with serving(folder / "models/majority") as found:
        assert found.ask("/api/predict", {"text": "a secret thing"})[0] == 200
        # A connection that stays open holds nobody up.
        host, port = found.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as idle:
            idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert idle.recv(100).startswith(b"HTTP/1.1 200")
            found.process.send_signal(how)
            assert found.process.wait(20) == 0
    said = found.said()
    assert said.endswith("stopped\n")
    assert "secret" not in said
    assert "Traceback" not in said
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)
    with pytest.raises(ProcessLookupError):
        os.kill(found.process.pid, 0)


ANSWERED = """license: MIT
languages: en
collected: made up for a test
intended_uses: tests
sensitive: none
contact: me
"""


def test_a_model_in_order_is_served_to_others(tmp_path: Path) -> None:
    (tmp_path / "card.yaml").write_text(ANSWERED)
    model = seedbed.load_model(small_run(tmp_path, gates=[{"metric": "macro_f1", "at_least": 0.5}]).folder)
    assert refuse_unfit(model, "0.0.0.0") == ()


def test_a_failed_gate_is_owed_until_it_is_waived(tmp_path: Path) -> None:
    (tmp_path / "card.yaml").write_text(ANSWERED)
    gate: dict[str, Any] = {"metric": "accuracy", "at_most": 0.1}
    model = seedbed.load_model(small_run(tmp_path, gates=[gate]).folder)
    (debt,) = refuse_unfit(model, "127.0.0.1")
    assert debt.startswith("gate failed: accuracy of tfidf_logistic on test is ")
    assert debt.endswith(", not at most 0.1")
    with pytest.raises(WithheldError, match="gate failed"):
        refuse_unfit(model, "192.168.0.7")
    waived = seedbed.load_model(small_run(tmp_path, gates=[gate | {"waive": "a test of gates"}]).folder)
    assert refuse_unfit(waived, "192.168.0.7") == ()


def test_a_model_without_its_run_and_a_run_that_was_stopped() -> None:
    assert "no run.json" in owed(None)[0]
    gate = GateRecord(
        metric="accuracy", split="test", model="m", passed=False, value=None, limit=0.5, direction="at_least"
    )
    run = Run.model_construct(gates=(gate,), stopped_by=("accuracy gate", "class_share", "card: x"), blanks=())
    assert owed(run) == (
        "gate failed: accuracy of m on test is not known, not at least 0.5",
        "the run was stopped by class_share",
    )


@pytest.mark.parametrize(
    ("host", "here"), [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True),
                       ("0.0.0.0", False), ("::", False), ("192.168.1.4", False), ("example.org", False)]
)  # fmt: skip
def test_what_is_this_machine(host: str, here: bool) -> None:
    assert is_here(host) == here
