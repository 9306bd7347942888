"""Alarms that are sent: to a service on this machine that refuses, waits, redirects, or is not there."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from watched_sample import moods

from predicting_sample import write
from seedbed.cli.app import _exit_code
from seedbed.core.errors import ModelError, RecipeError
from seedbed.flow.monitoring import webhook
from seedbed.flow.monitoring.webhook import TRIES, address_of, send


class Service:
    """What a service was sent, and what it answers."""

    def __init__(self, *answers: int, headers: dict[str, str] | None = None) -> None:
        self.answers, self.headers = list(answers), headers or {}
        self.bodies: list[dict[str, object]] = []
        self.paths: list[str] = []


@contextmanager
def served(service: Service) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            service.paths.append(self.path)
            service.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(service.answers.pop(0) if service.answers else 200)
            for name, value in service.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks/T0P-SECRET"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_it_is_sent_once() -> None:
    service = Service(204)
    with served(service) as url:
        assert send(url, {"text": "ä"}) == 1
    assert service.bodies == [{"text": "ä"}]


def test_it_is_tried_again_where_that_may_help() -> None:
    service, waited = Service(503, 429, headers={"Retry-After": "7"}), []
    with served(service) as url:
        assert send(url, {}, sleep=waited.append) == 3
    assert waited == [7, 7]
    slow, waited = Service(500, 500, 500, 500, headers={"Retry-After": "100000"}), []
    with served(slow) as url, pytest.raises(ModelError, match="it answered 500"):
        send(url, {}, sleep=waited.append)
    assert len(slow.bodies) == TRIES
    assert waited == [30, 30]


def test_a_refusal_is_no_reason_to_try_again_and_nothing_is_followed() -> None:
    for service in (Service(403), Service(302, headers={"Location": "/elsewhere"})):
        with served(service) as url, pytest.raises(ModelError) as error:
            send(url, {}, sleep=lambda _: pytest.fail("it waited"))
        assert len(service.bodies) == 1
        assert service.paths == ["/hooks/T0P-SECRET"]
        assert "SECRET" not in str(error.value)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ModelError, match="no answer"):
        send(f"http://127.0.0.1:{port}/", {}, sleep=lambda _: None)


def test_somebody_who_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(ModelError, match="it took too long"):
            send(f"http://127.0.0.1:{port}/", {}, sleep=lambda _: None)


def test_somebody_who_speaks_no_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as odd:

        def answer() -> None:
            for _ in range(TRIES):
                with suppress(OSError):
                    connection, _ = odd.accept()
                    with connection:
                        connection.recv(1000)
                        connection.sendall(b"hello\r\n\r\n")

        odd.settimeout(5)
        answering = threading.Thread(target=answer)
        answering.start()
        with pytest.raises(ModelError, match="nobody took the alarm"):
            send(f"http://127.0.0.1:{odd.getsockname()[1]}/", {}, sleep=lambda _: None)
        answering.join()


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "https://example.org/x ")
    assert address_of("${env:HOOK}") == "https://example.org/x"
    for wrong in ("file:///etc/passwd", "example.org", "http://", "http://a:b:c", "http://x/\ny", "https://[x"):
        with pytest.raises(RecipeError, match="no address"):
            address_of(wrong)
    monkeypatch.delenv("HOOK")
    with pytest.raises(RecipeError, match="HOOK is not set"):
        address_of("${env:HOOK}")


def test_the_command_tells_of_alarms_alone(watched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    like, other = write(tmp_path / "like.jsonl", moods(300, 2)), tmp_path / "other.jsonl"
    texts = [f"parcel {one['said'][:18]} secretword" for one in moods(300, 2)]
    write(other, [{"said": one} for one in texts])
    service = Service()
    with served(service) as url:
        assert _exit_code(["monitor", str(like), "--against", str(watched), "--webhook", url]) == 0
        assert not service.bodies
        assert _exit_code(["monitor", str(other), "--against", str(watched), "--webhook", url]) == 1
    (body,) = service.bodies
    assert str(body["text"]).startswith("tfidf_logistic: ")
    assert body["model"] == "tfidf_logistic"
    assert body["alarms"]
    assert "secretword" not in json.dumps(body)
    capsys.readouterr()
    assert _exit_code(["monitor", str(other), "--against", str(watched), "--webhook", "http://127.0.0.1:9/T0P"]) == 1
    told = capsys.readouterr()
    assert "nobody took the alarm" in told.err
    assert "T0P" not in told.err + told.out
