"""A site made from a seed, served on this machine by one process: pages that link to pages, and a robots.txt."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import PIPE, Popen

#: Links of a page to pages that none before it links to.
_BRANCHES = 12


def pages_of(count: int, seed: int) -> dict[str, bytes]:
    """The pages by their paths: a menu, an article of 100 to 500 made-up words, links to others, a footer."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("aeioubcdfglmnprst", k=chance.randint(2, 9))) for _ in range(5000)]
    pages = {}
    for number in range(count):
        below = range(number * _BRANCHES + 1, min((number + 1) * _BRANCHES + 1, count))
        others = [*below, *(chance.randrange(count) for _ in range(8))]
        links = "".join(f'<li><a href="{_path(other)}">More on {other}</a></li>' for other in others)
        told = "".join(f"<p>{_sentences(chance, words)}</p>" for _ in range(chance.randint(2, 10)))
        pages[_path(number)] = (
            f'<!doctype html><html lang="en"><head><title>Page {number}</title></head><body><nav><ul>'
            f'<li><a href="/">Start</a></li></ul></nav><main><article><h1>Page {number}</h1>{told}</article></main>'
            f"<aside><ul>{links}</ul></aside><footer>Made up, every word.</footer></body></html>"
        ).encode()
    return pages


def _path(number: int) -> str:
    return f"/pages/{number}.html" if number else "/"


def _sentences(chance: random.Random, words: list[str]) -> str:
    return " ".join(f"{' '.join(chance.choices(words, k=12)).capitalize()}." for _ in range(4))


@contextmanager
def served(count: int, seed: int) -> Iterator[str]:
    """The site's address, while it is there."""
    with Popen([sys.executable, __file__, str(count), str(seed)], stdout=PIPE, text=True) as server:
        try:
            assert server.stdout
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pages: dict[str, bytes]

    def do_GET(self) -> None:
        page = self.pages.get(self.path, b"")
        kind = "text/plain" if self.path == "/robots.txt" else "text/html; charset=utf-8"
        self.wfile.write(
            f"HTTP/1.1 {'200 OK' if page else '404 Not Found'}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(page)}\r\n\r\n".encode()
            + page
        )

    def log_message(self, *_: object) -> None:
        pass


def _serve(count: int, seed: int) -> None:
    _Handler.pages = {**pages_of(count, seed), "/robots.txt": b"User-agent: *\nDisallow: /private/\n"}
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), int(sys.argv[2]))
