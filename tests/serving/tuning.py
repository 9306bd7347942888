"""A service that fine-tunes, on loopback: OpenAI's protocol, as far as its own client asks it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "sk-one-that-may-fine-tune"
STAGES = ("validating_files", "queued", "running", "running", "succeeded")
RESULTS = b"step,train_loss,valid_loss\n1,2.5,2.6\n2,1.5,1.7\n"


class Tuning:
    """Files and jobs; a job goes a stage further each time that somebody looks at it.

    Attributes:
        trouble: Statuses to answer with, before anything is done, by METHOD PATH.
        lost: METHOD PATH of calls that are done and whose next answer is lost.
        cut: METHOD PATH of calls whose next answer breaks off.
        ends: What jobs end with.
        asked: Every METHOD PATH, in order.
    """

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.bodies: list[dict[str, Any]] = []
        self.trouble: dict[str, list[int]] = {}
        self.lost: list[str] = []
        self.cut: list[str] = []
        self.asked: list[str] = []
        self.ends = "succeeded"
        self.stages = STAGES
        self.results = RESULTS
        self._looks: dict[str, int] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def count(self, call: str) -> int:
        return self.asked.count(call)

    def answer(self, method: str, path: str, query: dict[str, list[str]], kind: str, body: bytes) -> tuple[int, Any]:
        """Status and JSON, or bytes."""
        match method, path.removeprefix("/v1/").split("/"):
            case "POST", ["files"]:
                return 200, self._upload(kind, body)
            case "GET", ["files"]:
                return 200, _page(list(self.files.values()), query)
            case "GET", ["files", id, "content"] if id in self.contents:
                return 200, self.contents[id]
            case "POST", ["fine_tuning", "jobs"]:
                return self._start(json.loads(body))
            case "GET", ["fine_tuning", "jobs"]:
                return 200, _page(list(self.jobs.values()), query)
            case "GET", ["fine_tuning", "jobs", id] if id in self.jobs:
                return 200, self._look(self.jobs[id])
            case "GET", ["fine_tuning", "jobs", id, "events"] if id in self.jobs:
                return 200, _page(self._events(id), query)
            case "GET", ["fine_tuning", "jobs", id, "checkpoints"] if id in self.jobs:
                return 200, _page(self._checkpoints(id), query)
            case "POST", ["fine_tuning", "jobs", id, "cancel"] if id in self.jobs:
                self.ends, self._looks[id] = "cancelled", len(self.stages)
                return 200, self._look(self.jobs[id])
        return 404, {"error": {"message": f"no such path: {path}"}}

    def _upload(self, kind: str, body: bytes) -> dict[str, Any]:
        message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
        parts = {part.get_param("name", header="content-disposition"): part for part in message.iter_parts()}
        id = f"file-{len(self.files) + 1}"
        self.contents[id] = parts["file"].get_payload(decode=True)
        self.files[id] = {
            "id": id,
            "object": "file",
            "bytes": len(self.contents[id]),
            "created_at": 1_700_000_000,
            "filename": parts["file"].get_filename(),
            "purpose": parts["purpose"].get_payload(),
            "status": "processed",
        }
        return self.files[id]

    def _start(self, asked: dict[str, Any]) -> tuple[int, Any]:
        wrong = [asked.get(name) for name in ("training_file", "validation_file") if asked.get(name)]
        if not set(wrong) <= set(self.files):
            return 400, {"error": {"message": "no such file", "code": "invalid_file"}}
        self.bodies.append(asked)
        id = f"ftjob-{len(self.jobs) + 1}"
        method = asked.get("method", {}).get("supervised", {})
        self.jobs[id] = {
            "id": id,
            "object": "fine_tuning.job",
            "created_at": 1_700_000_000 + len(self.jobs),
            "model": asked["model"],
            "organization_id": "org-1",
            "seed": asked.get("seed", 0),
            "status": self.stages[0],
            "training_file": asked["training_file"],
            "validation_file": asked.get("validation_file"),
            "hyperparameters": method.get("hyperparameters", {}) or asked.get("hyperparameters", {}),
            "result_files": [],
            "fine_tuned_model": None,
            "trained_tokens": None,
            "finished_at": None,
            "error": None,
            "method": asked.get("method"),
        }
        return 200, self.jobs[id]

    def _look(self, job: dict[str, Any]) -> dict[str, Any]:
        looks = self._looks[job["id"]] = self._looks.get(job["id"], 0) + 1
        stage = self.stages[min(looks, len(self.stages) - 1)]
        job["status"] = self.ends if stage == "succeeded" else stage
        if job["status"] == "succeeded":
            id = f"file-result-{job['id']}"
            self.contents[id] = self.results
            tokens = len(self.contents[job["training_file"]]) // 4
            job |= {"fine_tuned_model": f"ft:{job['model']}:us::1", "result_files": [id], "trained_tokens": tokens}
        if job["status"] == "failed":
            job["error"] = {
                "code": "bad_example",
                "message": "example 3 is bad, says\x1b[2J ann@example.com",
                "param": None,
            }
        return job

    def _events(self, id: str) -> list[dict[str, Any]]:
        told = [f"stage {stage}" for stage in self.stages[: self._looks.get(id, 0) + 1]]
        told.insert(1, "Step 1: loss 2.5")
        kinds = ["metrics" if "loss" in one else "message" for one in told]
        return [
            {
                "id": f"{id}-{place}",
                "object": "fine_tuning.job.event",
                "created_at": place,
                "level": "info",
                "message": message,
                "type": kind,
            }
            for place, (message, kind) in enumerate(zip(told, kinds, strict=True))
        ]

    def _checkpoints(self, id: str) -> list[dict[str, Any]]:
        return [
            {
                "id": f"ckpt-{step}",
                "object": "fine_tuning.job.checkpoint",
                "created_at": step,
                "fine_tuned_model_checkpoint": f"ft:{self.jobs[id]['model']}:us::1:ckpt-step-{step}",
                "fine_tuning_job_id": id,
                "metrics": {"step": step, "train_loss": 1.5},
                "step_number": step,
            }
            for step in (1, 2)
        ]


def _page(found: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
    """A page, the newest first."""
    newest = found[::-1]
    if after := query.get("after"):
        newest = newest[[one["id"] for one in newest].index(after[0]) + 1 :]
    limit = int(query.get("limit", ["20"])[0])
    return {"object": "list", "data": newest[:limit], "has_more": len(newest) > limit}


def _handler(outer: Tuning) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            asked = urlsplit(self.path)
            call = f"{self.command} {asked.path}"
            outer.asked.append(call)
            if self.headers.get("Authorization") != f"Bearer {KEY}":
                said = self.headers.get("Authorization", "")
                self._send(401, {"error": {"message": f"Incorrect API key provided: {said}"}})
                return
            if trouble := outer.trouble.get(call):
                status = trouble.pop(0)
                self._send(status, {"error": {"message": "not now"}}, {"Retry-After": "0.01"} if status == 429 else {})
                return
            kind = self.headers.get("Content-Type", "")
            status, told = outer.answer(self.command, asked.path, parse_qs(asked.query), kind, body)
            if call in outer.lost:
                outer.lost.remove(call)
                self.close_connection = True
                return
            if call in outer.cut:
                outer.cut.remove(call)
                self._send(status, told, cut=5)
                return
            self._send(status, told)

        do_POST = do_GET

        def _send(self, status: int, told: Any, headers: dict[str, str] | None = None, cut: int | None = None) -> None:
            raw = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw[:cut])
            self.close_connection = cut is not None

    return Handler


@contextmanager
def tuning_service() -> Iterator[Tuning]:
    """A service for the body."""
    found = Tuning()
    try:
        yield found
    finally:
        found.close()
