"""Stand-ins on loopback for what the clients of two hubs speak: the parts of their protocols that are used."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

OWNER = "someone/reviews"


@dataclass
class Dataset:
    """A dataset and its revisions."""

    files: dict[str, bytes]
    """Of the newest commit."""
    card: dict[str, Any] = field(default_factory=dict)
    """What the listing says that the card says."""
    token: str = ""
    """Needed to see it."""
    gated: bool = False
    older: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Files of other revisions, by name."""
    license: str = ""

    @property
    def commit(self) -> str:
        told = json.dumps({name: hashlib.sha256(body).hexdigest() for name, body in self.files.items()}, sort_keys=True)
        return hashlib.sha1(told.encode()).hexdigest()

    def at(self, revision: str) -> dict[str, bytes] | None:
        return self.files if revision in ("main", self.commit) else self.older.get(revision)


class HubServer:
    """Answers as the Hugging Face Hub does, and at /v1/… as Kaggle.

    Attributes:
        asked: METHOD path of every request.
        cut_after: Bytes of a file after which the connection breaks, once.
        lies: Files whose bytes are not those of the listing.
        failing: Status of every answer, where it is set.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.asked: list[str] = []
        self.tokens: set[str] = set()
        self.cut_after: int | None = None
        self.lies: set[str] = set()
        self.failing = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def downloads(self) -> list[str]:
        """Files that were sent."""
        return [one.split("/resolve/")[1].partition("/")[2] for one in self.asked if one.startswith("GET /datasets")]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None: ...

            def do_HEAD(self) -> None:
                outer.answer(self)

            do_GET = do_HEAD

            def do_POST(self) -> None:
                outer.kaggle(self, json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"{}"))

        return Handler

    # -- Hugging Face

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        path = unquote(urlsplit(to.path).path)
        self.asked.append(f"{to.command} {path}")
        token = to.headers.get("Authorization", "").removeprefix("Bearer ")
        self.tokens.add(token)
        if self.failing:
            return self.refuse(to, self.failing, "", "the server is tired")
        if path.startswith("/raw/"):  # a file of Kaggle's
            return self.file(to, self.dataset.files[path.removeprefix("/raw/")], "")
        if self.dataset.token and token != self.dataset.token:
            return self.refuse(to, 401, "RepoNotFound", "Invalid username or password.")
        if path.startswith(f"/api/datasets/{OWNER}"):
            revision = path.partition("/revision/")[2] or "main"
            if "/tree/" in path:
                revision, _, below = path.partition("/tree/")[2].partition("/")
                return self.json(to, self._tree(self.dataset.at(revision) or {}, below))
            files = self.dataset.at(revision)
            if files is None:
                return self.refuse(to, 404, "RevisionNotFound", "Invalid rev id")
            return self.json(to, self._listing(files, revision))
        if path.startswith(f"/datasets/{OWNER}/resolve/"):
            revision, _, name = path.removeprefix(f"/datasets/{OWNER}/resolve/").partition("/")
            if self.dataset.gated:
                return self.refuse(to, 403, "GatedRepo", "Access to this dataset is restricted.")
            body = (self.dataset.at(revision) or {}).get(name)
            if body is None:
                return self.refuse(to, 404, "EntryNotFound", "Entry not found")
            commit = self.dataset.commit if revision == "main" else revision
            return self.file(to, body[::-1] if name in self.lies else body, commit)
        return self.refuse(to, 404, "RepoNotFound", "Repository not found")

    def _listing(self, files: dict[str, bytes], revision: str) -> dict[str, Any]:
        siblings = [
            {
                "rfilename": name,
                "size": len(body),
                "blobId": hashlib.sha1(body).hexdigest(),
                **(
                    {"lfs": {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 130}}
                    if name.endswith(".parquet")
                    else {}
                ),
            }
            for name, body in files.items()
        ]
        return {
            "id": OWNER,
            "sha": self.dataset.commit if revision == "main" else revision,
            "lastModified": "2026-01-02T03:04:05.000Z",
            "private": bool(self.dataset.token),
            "gated": "auto" if self.dataset.gated else False,
            "cardData": self.dataset.card,
            "siblings": siblings,
        }

    def _tree(self, files: dict[str, bytes], below: str) -> list[dict[str, Any]]:
        """Everything below a folder, folders among it: as if asked for recursively."""
        start = f"{below}/" if below else ""
        found = [
            {"type": "file", "path": name, "size": len(body), "oid": hashlib.sha1(body).hexdigest()}
            for name, body in files.items()
        ]
        folders = dict.fromkeys(name.rpartition("/")[0] for name in files if "/" in name)
        found += [{"type": "directory", "path": name, "size": 0, "oid": "0" * 40} for name in folders]
        return [one for one in found if str(one["path"]).startswith(start)]

    def file(self, to: BaseHTTPRequestHandler, body: bytes, revision: str) -> None:
        start = int((to.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        to.send_response(206 if start else 200)
        to.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        to.send_header("X-Repo-Commit", revision)
        to.send_header("Accept-Ranges", "bytes")
        to.send_header("Content-Type", "application/octet-stream")
        to.send_header("Content-Length", str(len(body) - start))
        if start:
            to.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        to.end_headers()
        if to.command == "HEAD":
            return
        if self.cut_after is not None and len(body) > self.cut_after:
            to.wfile.write(body[start : start + self.cut_after])
            to.close_connection, self.failing = True, 404
            return
        to.wfile.write(body[start:])

    def refuse(self, to: BaseHTTPRequestHandler, status: int, code: str, said: str) -> None:
        body = json.dumps({"error": said}).encode()
        to.send_response(status)
        to.send_header("X-Error-Code", code)
        to.send_header("X-Error-Message", said)
        to.send_header("Content-Type", "application/json")
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        if to.command != "HEAD":
            to.wfile.write(body)

    def json(self, to: BaseHTTPRequestHandler, told: Any) -> None:
        body = json.dumps(told).encode()
        to.send_response(200)
        to.send_header("Content-Type", "application/json")
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        to.wfile.write(body)

    # -- Kaggle

    def kaggle(self, to: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
        method = to.path.rpartition("/")[2]
        self.asked.append(f"{method} {asked.get('fileName', '')}".strip())
        self.tokens.add(to.headers.get("Authorization", ""))
        if self.failing:
            return self.refuse(to, self.failing, "", "the server is tired")
        if f"{asked.get('ownerSlug')}/{asked.get('datasetSlug')}" != OWNER:
            return self.refuse(to, 404, "", "no such dataset")
        if method == "GetDataset":
            told = {"currentVersionNumber": 3, "licenseName": self.dataset.license, "title": "Reviews"}
            return self.json(to, told)
        if method == "ListDatasetFiles":
            names = sorted(self.dataset.files)
            start = int(asked.get("pageToken") or 0)
            found = [{"name": name, "totalBytes": len(self.dataset.files[name])} for name in names[start : start + 2]]
            more = {"nextPageToken": str(start + 2)} if start + 2 < len(names) else {}
            return self.json(to, {"datasetFiles": found, **more})
        to.send_response(302)
        to.send_header("Location", f"{self.url}/raw/{asked['fileName']}")
        to.send_header("Content-Length", "0")
        to.end_headers()
        return None


@contextmanager
def hub_server(dataset: Dataset) -> Iterator[HubServer]:
    """A server for the body."""
    server = HubServer(dataset)
    try:
        yield server
    finally:
        server.close()
