"""An OpenAI-compatible endpoint on loopback: what it answers depends on what it is asked, and on nothing else."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WHO = ["my aunt", "the neighbour", "a doctor", "our teacher", "the postman", "my boss", "a friend", "the baker"]
DOES = ["is waiting", "has called", "wants an answer", "lost the keys", "won a prize", "sold the car", "broke a leg"]
WHERE = ["at the station", "near the river", "behind the school", "in the old office", "on the market", "at home"]
WHEN = ["since noon", "for an hour", "before eight", "every Monday", "this very night", "until the rain stops"]


@dataclass
class Reply:
    """What is sent back; a text is put into a chat completion, anything else is sent as it is."""

    text: str | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    finish: str = "stop"
    refusal: str | None = None
    usage: bool = True
    cut: int | None = None
    """Bytes of the body after which the connection breaks."""
    wait: float = 0.0
    drip: float = 0.0
    """Seconds between bytes."""
    logprobs: list[dict[str, Any]] | None = None
    """Tokens, each with its `logprob` and `top_logprobs`."""


Answer = Callable[[dict[str, Any], int], "Reply | str"]


def drawn(asked: dict[str, Any]) -> random.Random:
    """A generator that depends on what is asked."""
    told = json.dumps([asked["messages"], asked.get("seed")], sort_keys=True)
    return random.Random(sha256(told.encode()).hexdigest())


def sentence(chance: random.Random) -> str:
    return " ".join(chance.choice(words) for words in (WHO, DOES, WHERE, WHEN))


def grammar(asked: dict[str, Any], tries: int) -> Reply | str:
    """A row of a small grammar, as JSON."""
    return json.dumps({"text": sentence(drawn(asked))})


def capricious(asked: dict[str, Any], tries: int) -> Reply | str:
    """A row; at times nonsense, a refusal, half an answer, a row that all know; and errors that pass."""
    chance = drawn(asked)
    mood = chance.random()
    if mood < 0.08 and tries == 1:
        return Reply(status=429, headers={"Retry-After": "0.01"}, body=b'{"error": {"message": "slow down"}}')
    if mood < 0.12 and tries == 1:
        return Reply(status=503, body=b"busy")
    text = sentence(chance)
    replies = {
        0.3: Reply(text),
        0.4: Reply("", refusal="I cannot help with that."),
        0.5: Reply(json.dumps({"text": text})[:-7], finish="length"),
        0.55: Reply(json.dumps({"txt": text})),
        0.6: Reply(json.dumps({"text": "my aunt is waiting at the station since noon"})),
        0.7: Reply(f"Sure!\n```json\n{json.dumps({'text': text, 'note': 1})}\n```\nMore?"),
    }
    return next((reply for below, reply in replies.items() if 0.2 < mood < below), json.dumps({"text": text}))


class ModelServer:
    """Counts what it is asked.

    Attributes:
        requests: Bodies, in the order in which they came.
        keys: `Authorization` of each.
    """

    def __init__(self, answer: Answer = grammar) -> None:
        self.answer = answer
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.forms = True
        """Whether `response_format` is known."""
        self.most_at_once = self._at_once = 0
        self._tries: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None: ...

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer._lock:
                    outer._at_once += 1
                    outer.most_at_once = max(outer.most_at_once, outer._at_once)
                if self.path != "/v1/chat/completions":
                    outer.send(self, Reply(status=404, body=b'{"error": {"message": "no such path"}}'), asked)
                    return
                form = asked.pop("response_format", None)
                with outer._lock:
                    outer.requests.append({**asked, "form": form and form["type"]})
                    outer.keys.append(self.headers.get("Authorization", ""))
                    key = json.dumps(asked, sort_keys=True)
                    outer._tries[key] += 1
                    tries = outer._tries[key]
                if form and not outer.forms:
                    wrong = b'{"error": {"message": "unknown field response_format"}}'
                    outer.send(self, Reply(status=400, body=wrong), asked)
                    return
                found = outer.answer(asked, tries)
                outer.send(self, Reply(found) if isinstance(found, str) else found, asked)

        return Handler

    def send(self, to: BaseHTTPRequestHandler, reply: Reply, asked: dict[str, Any]) -> None:
        body = reply.body if reply.body is not None else self._completion(reply, asked)
        time.sleep(reply.wait)
        with self._lock:
            self._at_once -= 1  # before the last byte goes: whoever has it may ask the next already
        to.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            to.send_header(name, value)
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        try:
            if reply.drip:
                for place in range(len(body)):
                    to.wfile.write(body[place : place + 1])
                    time.sleep(reply.drip)
            to.wfile.write(body[: reply.cut] if not reply.drip else b"")
        except OSError:
            return  # nobody waits any more
        to.close_connection = True

    def _completion(self, reply: Reply, asked: dict[str, Any]) -> bytes:
        said = sum(len(one["content"]) for one in asked["messages"]) // 4
        message = {"role": "assistant", "content": reply.text, "refusal": reply.refusal}
        told: dict[str, Any] = {
            "id": "x",
            "object": "chat.completion",
            "created": 0,
            "model": asked["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": reply.finish}],
        }
        if reply.logprobs is not None:
            told["choices"][0]["logprobs"] = {"content": reply.logprobs, "refusal": None}
        if reply.usage:
            answer = len(reply.text or "") // 4
            told["usage"] = {"prompt_tokens": said, "completion_tokens": answer, "total_tokens": said + answer}
        return json.dumps(told).encode()


@contextmanager
def model_server(answer: Answer = grammar) -> Iterator[ModelServer]:
    """A server for the body."""
    server = ModelServer(answer)
    try:
        yield server
    finally:
        server.close()
