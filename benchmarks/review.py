"""How long people wait on the review page: asks and key presses at 1,000 and at 100,000 suspects.

`python benchmarks/review.py [ROWS ...]`. Each ask goes to the real server; key presses are timed in Chromium, where
there is one, from the press to the next row on the screen. Prints the median and the 95th percentile in milliseconds.
"""

from __future__ import annotations

import http.client
import json
import random
import resource
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import polars as pl
import uvicorn

from seedbed.core.decision import text_hash
from seedbed.core.serving import listen
from seedbed.review.api import make_app
from seedbed.review.desk import Desk, overlay_at
from seedbed.review.people import People
from seedbed.review.queue import Queue, write_queue
from seedbed.review.server import links

LABELS = ("negative", "neutral", "positive")
WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrst"]
TIMES = 200
CHROMIUM = Path("/usr/bin/chromium")


def suspects(rows: int, folder: Path) -> Queue:
    """Texts as long as tweets; every hundredth is a copy of the first."""
    draw = random.Random(13)
    texts = [" ".join(draw.choices(WORDS, k=18)) for _ in range(rows)]
    texts[::100] = [texts[0]] * len(texts[::100])
    table = pl.DataFrame(
        {
            "row": [f"tweets:file.csv#{n}" for n in range(rows)],
            "split": ["train"] * rows,
            "text": texts,
            "label": [LABELS[n % 3] for n in range(rows)],
            "suggested": [LABELS[(n + 1) % 3] for n in range(rows)],
            "score": [0.9] * rows,
            "kind": [("wrong", "ambiguous")[n % 2] for n in range(rows)],
            "read": [text_hash(text) for text in texts],
        }
    )
    path = write_queue(table, folder / f"{rows}.arrow")
    return Queue("suspects", "Suspect labels", "Look at these.", path)


@contextmanager
def serving(desk: Desk) -> Iterator[str]:
    """The real server; the link of one person."""
    listening: socket.socket = listen("127.0.0.1", 0)
    people = People.named(["ana"])
    server = uvicorn.Server(
        uvicorn.Config(make_app(desk, people, host="127.0.0.1"), log_level="critical", lifespan="off")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield links(listening, people)["ana"]
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def asks(link: str, rows: int) -> dict[str, list[float]]:
    """Milliseconds of each kind of ask, at random places."""
    base, _, token = link.partition("/#")
    connection = http.client.HTTPConnection(base.partition("://")[2])
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    draw, spent = random.Random(7), {}

    def ask(path: str, body: object = None) -> object:
        connection.request("POST" if body else "GET", path, json.dumps(body) if body else None, headers)
        reply = connection.getresponse()
        told = json.loads(reply.read())
        assert reply.status == 200, told
        return told

    def timed(name: str, work: Callable[[], object], times: int = TIMES) -> None:
        for _ in range(times):
            began = time.perf_counter()
            work()
            spent.setdefault(name, []).append(1000 * (time.perf_counter() - began))

    def place() -> str:
        return f"tweets:file.csv#{draw.randrange(rows)}"

    def query(**given: object) -> str:
        return urlencode({"queue": "suspects", **given})

    view = ask(f"/api/view?{query()}")
    assert isinstance(view, dict)
    timed("a list of 50 rows", lambda: ask(f"/api/window?view={view['view']}&at={draw.randrange(rows)}"))
    timed("a row", lambda: ask(f"/api/item?{query(row=place())}"))
    timed("a decision", lambda: ask("/api/decide", {"queue": "suspects", "row": place(), "action": "reject"}))
    timed("news of others", lambda: ask("/api/news?since=0"))
    timed("search", lambda: ask(f"/api/view?{query(text=draw.choice(WORDS))}"), 50)
    timed("filter", lambda: ask(f"/api/view?{query(label='neutral', kind='wrong', state='open')}"), 50)
    timed("similar rows, the first time", lambda: ask(f"/api/similar?{query(row='tweets:file.csv#0')}"), 1)
    timed("similar rows", lambda: ask(f"/api/similar?{query(row=place())}"))
    return spent


def presses(link: str) -> dict[str, list[float]]:
    """Milliseconds from a key to the next row on the screen, and what the page holds."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(link)
        page.wait_for_selector("#card:not([hidden])")
        spent = page.evaluate(TIMED, TIMES)
        nodes = page.evaluate("document.querySelectorAll('*').length")
        held = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
        print(f"  {nodes} elements on the page, {held:.1f} MB of script")
        browser.close()
    return spent


# An event needs an element as its target; `chain` is the page's own list of what is to be done.
TIMED = """async times => {
    const told = { "key j, on the page": [], "key r, on the page": [] };
    for (const name of Object.keys(told)) {
        for (let n = 0; n < times; n += 1) {
            const began = performance.now();
            const press = new KeyboardEvent("keydown", { key: name[4], bubbles: true, cancelable: true });
            document.body.dispatchEvent(press);
            await chain;
            document.body.offsetHeight;
            told[name].push(performance.now() - began);
        }
    }
    return told;
}"""


def main(sizes: list[int]) -> None:
    table: dict[str, list[str]] = {}
    for rows in sizes:
        with tempfile.TemporaryDirectory() as name:
            queue = suspects(rows, Path(name))
            began = time.perf_counter()
            desk = Desk({"suspects": queue}, overlay_at(Path(name) / "review.jsonl"), LABELS, "benchmark", "run")
            size, spent = queue.path.stat().st_size / 1e6, time.perf_counter() - began
            print(f"{rows:,} rows: {size:.0f} MB, opened in {spent:.2f} s")
            with serving(desk) as link:
                found = asks(link, rows)
                if CHROMIUM.exists():
                    with suppress(ImportError):
                        found |= presses(link)
            for what, times in found.items():
                p50, p95 = np.percentile(times, [50, 95])
                table.setdefault(what, []).append(f"{p50:8.1f} {p95:8.1f}")
            print(f"  {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most in this process")
    print(f"{'milliseconds (p50, p95)':32}" + "".join(f"{rows:>20,}" for rows in sizes))
    for what, cells in table.items():
        print(f"{what:32}" + "".join(f"{cell:>20}" for cell in cells))


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [1_000, 100_000])
