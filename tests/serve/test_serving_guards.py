"""What a server does with those who mean it ill, ask too much, or may not ask at all."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from listening import Site, listening

import seedbed
from seedbed.core.errors import DataError
from seedbed.serve import Predictor, guard
from seedbed.serve.api import make_app
from seedbed.serve.keys import Keys, new_key
from seedbed.serve.limits import Limits
from seedbed.serve.requests import read
from seedbed.serve.server import unfailing

SECRET = "a secret film that I love"


@pytest.fixture(scope="module")
def model(folder: Path) -> Predictor:
    found = seedbed.load_model(folder)
    found.check_golden()
    return found


@pytest.fixture(scope="module")
def site(model: Predictor) -> Iterator[Site]:
    with listening(make_app(model, limits=Limits(body_seconds=0.3)), head_seconds=0.5) as found:
        yield found


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_who_has_no_key_learns_nothing(model: Predictor, tmp_path: Path) -> None:
    key = new_key(tmp_path / "keys.txt", "ana")
    keys = Keys.read(tmp_path / "keys.txt")
    lines: list[str] = []
    with listening(make_app(model, keys=lambda: keys, said=lines.append)) as site:
        for path in ("/model", "/api/model", "/metrics", "/openapi.json", "/nothing"):
            status, told, headers = site.ask(path)
            assert (status, told["error"]["problem"], headers["www-authenticate"]) == (
                401,
                "this needs a key",
                "Bearer",
            )
        wrong = [{}, {"Authorization": "Bearer " + key[:-1]}, {"Authorization": f"Basic {key}"}, {"X-API-Key": "ana"}]
        for headers in wrong:
            assert site.ask("/predict", {"text": SECRET}, **headers)[0] == 401
            assert site.ask("/api/predict", b"x" * 1000, **headers)[0] == 401
        for path in ("/health", "/healthz", "/ready", "/", "/page.js"):
            assert site.ask(path)[0] == 200
        for headers in ({"Authorization": f"Bearer {key}"}, {"authorization": f"bearer {key}"}, {"X-API-Key": key}):
            assert site.ask("/predict", {"text": SECRET}, **headers)[0] == 200
            assert site.ask("/model", **headers)[0] == 200
        described = site.ask("/openapi.json", **{"X-API-Key": key})[1]
        assert described["paths"]["/predict"]["post"]["security"] == [{"key": []}]
        assert "security" not in described["paths"]["/health"]["get"]
    told = [json.loads(line) for line in lines]
    assert {(one["status"], one["key"]) for one in told if one["route"] == "/predict"} == {(401, None), (200, "ana")}
    assert key not in "".join(lines)


def test_who_trickles_a_head_is_hung_up_on(site: Site) -> None:
    with socket.create_connection(site.place, timeout=30) as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\n")
        closed = threading.Event()

        def trickle() -> None:
            try:
                while not closed.is_set():
                    slow.sendall(b"X-A: b\r\n")
                    time.sleep(0.05)
            except OSError:
                pass

        sender = threading.Thread(target=trickle)
        sender.start()
        assert site.ask("/predict", {"text": "a fine film"})[0] == 200  # others are answered
        with suppress(ConnectionResetError):
            assert slow.recv(100) == b""
        closed.set()
        sender.join()


def test_who_says_nothing_is_hung_up_on(site: Site) -> None:
    with socket.create_connection(site.place, timeout=30) as idle:
        assert idle.recv(100) == b""


def test_who_trickles_a_body_is_told_and_hung_up_on(site: Site) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
    told = site.raw(head + b"{")
    assert told.startswith(b"HTTP/1.1 408 ") and b"not whole after 0.3 seconds" in told
    assert site.counted('seedbed_refused_total{why="slow"}') == 1


def test_who_goes_on_sending_what_was_refused_is_hung_up_on(site: Site) -> None:
    with socket.create_connection(site.place, timeout=30) as sender:
        sender.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
        with pytest.raises(OSError):
            for _ in range(5_000):  # 300 MB
                sender.sendall(chunk)
                time.sleep(0.001)
    assert site.ask("/health")[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/page.js%00.html", "/..%2fapi.py", "//etc/passwd", "/page/",
     "/predict/../model", "/%5c..%5capi.py", "/" + "a" * 5000],
)  # fmt: skip
def test_no_path_leads_elsewhere(site: Site, path: str) -> None:
    reply = site.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert reply.split(b" ")[1] in (b"404", b"400")
    assert b"root:" not in reply and b"import" not in reply


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"\r\n" * 100,
     b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
     b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
     b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
     b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
     b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"],
)  # fmt: skip
def test_what_is_no_http_ends_its_own_connection_only(site: Site, sent: bytes) -> None:
    reply = site.raw(sent)
    assert reply == b"" or reply.split(b" ")[1][:1] in (b"4", b"5")
    assert b"Traceback" not in reply
    assert site.ask("/predict", {"text": "a fine film"})[0] == 200


def test_a_script_in_a_text_stays_text(site: Site) -> None:
    text = "<script>alert(1)</script> a fine film"
    status, told, headers = site.ask("/predict", {"text": text})
    assert (status, headers["content-type"], headers["x-content-type-options"]) == (200, "application/json", "nosniff")
    assert "alert(1)" in told["predictions"][0]["read"]
    status, told, _ = site.ask("/predict", {"rows": [{"<script>": text}]})
    assert status == 422 and text not in json.dumps(told)
    assert "<script" not in site.service.metrics.text()[0].decode()


def test_other_pages_may_not_ask_unless_they_are_let(model: Predictor, site: Site) -> None:
    page = {"Origin": "https://example.org"}
    assert "access-control-allow-origin" not in site.ask("/predict", {"text": "a"}, **page)[2]
    with listening(make_app(model, origins=["https://example.org"])) as open_site:
        allowed = open_site.ask("/predict", {"text": "a"}, **page)[2]
        assert allowed["access-control-allow-origin"] == "https://example.org"
        other = open_site.ask("/predict", {"text": "a"}, Origin="https://example.com")[2]
        assert "access-control-allow-origin" not in other


def test_when_too_many_wait_the_next_is_told_when_to_come_again(model: Predictor) -> None:
    with (
        listening(make_app(model, limits=Limits(waiting=2, threads=1, together=1))) as site,
        ThreadPoolExecutor(3) as pool,
    ):
        with model._one_at_a_time:
            first = [pool.submit(site.ask, "/predict", {"text": SECRET})]
            until(lambda: site.service.lane.busy == 1 and site.service.lane.waiting == 0)
            first += [pool.submit(site.ask, "/predict", {"text": SECRET}) for _ in range(2)]
            until(lambda: site.service.lane.waiting == 2)
            status, told, headers = site.ask("/predict", {"text": SECRET})
            assert (status, told["error"]["problem"]) == (429, "too many requests wait for an answer")
            assert int(headers["retry-after"]) >= 1
            assert site.ask("/ready")[0] == 503
            assert site.ask("/health")[0] == 200
        assert [one.result()[0] for one in first] == [200] * 3
        assert site.ask("/ready")[0] == 200
        assert site.counted('seedbed_requests_total{route="/predict",status="429"}') == 1


def test_an_answer_that_takes_too_long_is_given_up(model: Predictor) -> None:
    with listening(make_app(model, limits=Limits(seconds=0.2))) as site:
        with model._one_at_a_time:
            status, told, headers = site.ask("/predict", {"text": SECRET})
        assert (status, told["error"]["problem"], headers["retry-after"]) == (503, "it took too long", "1")
        assert site.ask("/predict", {"text": SECRET})[0] == 200


def test_bodies_that_are_held_are_bounded_together(model: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MOST_HELD", len(json.dumps({"text": SECRET})))
    with listening(make_app(model, limits=Limits(threads=1))) as site, ThreadPoolExecutor(1) as pool:
        with model._one_at_a_time:
            first = pool.submit(site.ask, "/predict", {"text": SECRET})
            until(lambda: site.service.lane.busy == 1)
            assert site.ask("/predict", {"text": SECRET})[0] == 429
        assert first.result()[0] == 200


def test_a_body_that_never_ends_is_held_too(model: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MOST_HELD", 3_000)
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
    with listening(make_app(model)) as site:
        with socket.create_connection(site.place, timeout=30) as stalled:
            stalled.sendall(head + b"x" * 2_000)
            until(lambda: len(site.server.server_state.connections) == 1)
            assert site.raw(head + b"x" * 2_000).startswith(b"HTTP/1.1 429 ")
            assert site.ask("/predict", {"text": SECRET})[0] == 200
        until(lambda: not site.server.server_state.connections)
        assert site.ask("/predict", {"text": SECRET + "x" * 2_000})[0] == 200


@pytest.mark.parametrize(
    "body",
    [json.dumps({"rows": [1] * 50_000}),
     json.dumps({"rows": [{str(n): [] for n in range(50_000)}]}),
     json.dumps({str(n): 1 for n in range(50_000)})],
    ids=["rows", "columns", "members"],
)  # fmt: skip
def test_what_is_wrong_everywhere_is_told_of_one_place(body: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(DataError) as told:
            read(body.encode(), "label")
        assert tracemalloc.get_traced_memory()[1] < 20e6  # an error of each made some 100 MB of less than 1 MB
    finally:
        tracemalloc.stop()
    assert len(str(told.value)) < 400


def test_no_answer_leads_to_another_host(site: Site) -> None:
    for path in ("/model/", "/predict/", "/health/"):
        reply = site.raw(f"GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())
        assert reply.startswith(b"HTTP/1.1 404 ") and b"evil" not in reply


def test_names_that_somebody_made_up_are_not_repeated_at_length(site: Site) -> None:
    status, told, _ = site.ask("/predict", {"rows": [{"x" * 10_000 + str(n): 1 for n in range(100)}]})
    assert status == 422 and "'said', which is not there" in told["error"]["problem"]
    assert len(told["error"]["hint"]) < 1_500


def test_lines_that_nobody_takes_fail_no_request(model: Predictor) -> None:
    def fail(_: str) -> None:
        raise OSError("no space left")

    app = make_app(model, said=unfailing(fail))
    with listening(app) as site:
        connection = http.client.HTTPConnection(*site.place, timeout=30)
        for _ in range(3):  # by one connection, which must stay
            connection.request("GET", "/health")
            with connection.getresponse() as reply:
                assert (reply.status, json.loads(reply.read())) == (200, {"status": "ok"})
            held = connection.sock
        assert held is not None
        connection.close()


def test_a_failure_of_the_model_is_told_without_the_row(model: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    complaints: list[str] = []

    def fail(_: object) -> None:
        raise ValueError(f"could not convert {SECRET!r} to a number")

    monkeypatch.setattr(model.model, "predict", fail)
    with listening(make_app(model, complain=complaints.append)) as site:
        status, told, _ = site.ask("/predict", {"text": SECRET})
    assert (status, told["error"]["problem"]) == (500, "it failed with ValueError")
    assert complaints == ["a request failed: tfidf_logistic: it failed with ValueError"]


def test_what_is_under_way_at_the_end_is_answered(model: Predictor) -> None:
    with listening(make_app(model), grace=20) as site, ThreadPoolExecutor(1) as pool:
        with model._one_at_a_time:
            asked = pool.submit(site.ask, "/predict", {"text": SECRET})
            until(lambda: site.service.lane.busy == 1)
            site.server.should_exit = True
            until(lambda: not site.server.servers[0].is_serving())
        assert asked.result()[0] == 200


def test_the_log_has_a_row_for_each_that_was_answered(model: Predictor) -> None:
    frames: list[pl.DataFrame] = []
    with listening(make_app(model, log=frames.append)) as site:
        first = site.ask("/predict", {"rows": [{"said": SECRET, "other": 1}, {"said": None}]})[1]
        second = site.ask("/predict", {"text": "a poor film"})[1]
        assert site.ask("/predict", {"rows": [{"sad": SECRET}]})[0] == 422
    told = pl.concat(frames)
    names = [f"{first['request']}#0", f"{first['request']}#1", f"{second['request']}#0"]
    assert told["row"].to_list() == names
    assert told["model"].unique().to_list() == [model.digest]
    assert told["said"].to_list() == [SECRET, None, "a poor film"]  # what the log keeps of it is its own affair
    assert told["warnings"].to_list() == [one["warnings"] for one in [*first["predictions"], *second["predictions"]]]
    assert told["read_length"].to_list() == [len(SECRET), 0, 11]
    answers = [*first["predictions"], *second["predictions"]]
    assert told["predicted"].to_list() == [one["predicted"] for one in answers]
    assert told["probabilities"].to_list() == [one["probabilities"] for one in answers]


def test_a_log_that_fails_takes_no_answer_away(model: Predictor) -> None:
    complaints: list[str] = []

    def fail(_: pl.DataFrame) -> None:
        raise OSError("no space left")

    with listening(make_app(model, log=fail, complain=complaints.append)) as site:
        assert site.ask("/predict", {"text": SECRET})[0] == 200
        until(lambda: site.counted('seedbed_failures_total{of="log"}') == 1)
    assert complaints == ["the log of predictions failed with OSError: what was answered is not in it"]


def test_lines_of_requests_hold_nothing_of_what_was_asked(model: Predictor) -> None:
    lines: list[str] = []
    with listening(make_app(model, said=lines.append)) as site:
        request = site.ask("/predict", {"text": SECRET})[1]["request"]
        site.ask("/predict", {"wrong": SECRET})
        site.ask("/secret?text=secret")
    told: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert [(one["route"], one["status"]) for one in told] == [("/predict", 200), ("/predict", 422), ("other", 404)]
    assert told[0]["request"] == request
    assert told[0]["bytes"] == len(json.dumps({"text": SECRET}))
    assert "secret" not in "".join(lines)


def test_what_is_counted(model: Predictor) -> None:
    with listening(make_app(model)) as site:
        asked = [site.ask("/predict", {"text": f"a {word} film"})[1] for word in ("fine", "awful", "great")]
        status, text, headers = site.ask("/metrics")
        predicted = [one["predictions"][0]["predicted"] for one in asked]
        assert status == 200 and headers["content-type"].startswith("text/plain")
        assert "# TYPE seedbed_request_seconds histogram" in text
        for label in set(predicted):
            assert site.counted(f'seedbed_predicted_total{{label="{label}"}}') == predicted.count(label)
        assert site.counted("seedbed_rows_total") == site.counted("seedbed_rows_together_sum") == 3
        assert site.counted(f'seedbed_model_info{{name="{model.name}",version="{model.digest}"}}') == 1
