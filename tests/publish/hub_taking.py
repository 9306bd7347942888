"""A stand-in on loopback for the part of the Hugging Face Hub that takes uploads: as far as its own client asks it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_one-that-may-write"


class Taking:
    """A hub with at most one dataset, Space or model, whose files are `files`."""

    def __init__(self) -> None:
        self.name, self.private, self.kind = "", False, "datasets"
        self.files: dict[str, bytes] = {}
        self.commits: list[str] = []
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Status and JSON."""
        self.asked.append(f"{method} {path}")
        if path == "/api/repos/create":
            given = json.loads(body)
            self.name, self.private = (
                f"{given['organization']}/{given['name']}",
                given.get("private", False) or given.get("visibility") == "private",
            )
            self.kind = f"{given.get('type', 'model')}s"
            return 200, {"url": f"{self.url}/{self.kind}/{self.name}", "name": self.name}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        at = f"/api/{self.kind}/{self.name}"
        if path.startswith(f"{at}/tree/"):
            return 200, [
                {"type": "file", "path": name, "size": len(raw), "oid": "0" * 40} for name, raw in self.files.items()
            ]
        if path.startswith(f"{at}/preupload/"):
            files = json.loads(body)["files"]
            return 200, {"files": [{"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in files]}
        if path.startswith(f"{at}/commit/"):
            return 200, self._commit([json.loads(line) for line in body.splitlines()])
        return (
            (200, {"id": self.name, "sha": "1" * 40, "siblings": []}) if path.startswith(at) else (404, {"error": path})
        )

    def _commit(self, lines: list[dict[str, Any]]) -> dict[str, Any]:
        for line in lines:
            value = line["value"]
            match line["key"]:
                case "header":
                    self.commits.append(value["summary"])
                case "file":
                    self.files[value["path"]] = base64.b64decode(value["content"])
                case "deletedFile":
                    del self.files[value["path"]]
        return {
            "commitUrl": f"{self.url}/datasets/{self.name}/commit/{'2' * 40}",
            "commitOid": "2" * 40,
            "success": True,
        }


def _handler(outer: Taking) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                status, told = 401, {"error": "Invalid username or password."}
            else:
                status, told = outer.answer(self.command, unquote(urlsplit(self.path).path), body)
            raw = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_POST = do_GET

    return Handler


@contextmanager
def taking() -> Iterator[Taking]:
    found = Taking()
    try:
        yield found
    finally:
        found.close()
