"""By which names a server may be asked, and from which pages: what a page on another site can make a browser do."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from listening import Site, listening

from seedbed.flow.offering import reports_of
from seedbed.flow.predicting.opening import open_model
from seedbed.serve.api import make_app
from seedbed.serve.keys import Keys, new_key
from seedbed.serve.limits import Limits
from seedbed.serve.service import Service, Version

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ASKED = {"text": "what a great film"}
SAID = {**ASKED, "label": "bad", "why": "from elsewhere"}


@pytest.fixture(scope="module")
def opened(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Makes a site of a model that takes reports."""
    predictor = open_model(folder)
    version = Version(predictor, reports=reports_of(predictor, tmp_path_factory.mktemp("names") / "feedback"))
    return lambda **given: listening(make_app(Service(version, Limits(), lambda _: None), **given))


def kept(site: Site) -> int:
    return len(site.service.version.reports.read())


@pytest.fixture(scope="module")
def site(opened: Callable[..., Any]) -> Iterator[Site]:
    with opened(host="127.0.0.1") as found:
        yield found


@pytest.mark.parametrize(
    "name", ["evil.test:{}", "127.0.0.1.evil.test", "localhost.evil.test:{}", "evil.test", "[::1", "a b"]
)
def test_a_name_that_somebody_pointed_here_is_not_the_servers(site: Site, name: str) -> None:
    """DNS rebinding: the page is of that name, so that browsers let it read what it asks."""
    host = {"Host": name.format(site.place[1])}
    for path, body in (
        ("/predict", ASKED),
        ("/feedback", SAID),
        ("/model", None),
        ("/", None),
        ("/openapi.json", None),
    ):
        status, told, _ = site.ask(path, body, **host)
        assert status == 403 and "--allow-origin" in told["error"]["hint"], path
    assert kept(site) == 0
    assert site.ask("/health", **host)[0] == site.ask("/ready", **host)[0] == 200, "probes call it as they like"
    assert site.counted('seedbed_refused_total{why="name"}') > 0


@pytest.mark.parametrize(
    "name", ["localhost:{}", "LOCALHOST", "127.0.0.1:{}", "[::1]:{}", "192.168.0.7", "app.localhost:{}"]
)
def test_addresses_and_the_name_of_this_machine_are(site: Site, name: str) -> None:
    assert site.ask("/predict", ASKED, Host=name.format(site.place[1]))[0] == 200


def test_who_names_no_host_is_a_program(site: Site) -> None:
    assert site.raw(b"GET /model HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_pages_of_other_origins_change_nothing(site: Site) -> None:
    own = site.url
    for headers, status in (
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": own.replace(str(site.place[1]), "1")}, 403),
        ({"Origin": own}, 200),
        ({"Origin": "https://evil.test", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://models.test", "Sec-Fetch-Site": "same-origin"}, 200),  # a proxy gave it another name
    ):
        assert site.ask("/predict", ASKED, **headers)[0] == status, headers
    assert site.ask("/model", Origin="https://evil.test")[0] == 200, "which no browser lets that page read"


def test_others_are_let_in_by_name_by_key_or_by_where_it_listens(opened: Callable[..., Any], tmp_path: Path) -> None:
    page = {"Host": "models.test", "Origin": "https://models.test"}
    with opened(host="127.0.0.1", origins=["https://models.test"]) as let:
        assert let.ask("/predict", ASKED, **page)[0] == 200
        assert let.ask("/predict", ASKED, Host="evil.test")[0] == 403
    with opened(host="0.0.0.0") as let:
        assert let.ask("/predict", ASKED, **page)[0] == 200
        assert let.ask("/predict", ASKED, Host="models.test", Origin="https://evil.test")[0] == 403
    key = new_key(tmp_path / "keys.txt", "ana")
    keys = Keys.read(tmp_path / "keys.txt")
    with opened(host="127.0.0.1", keys=lambda: keys) as let:  # which no page of another site has
        assert let.ask("/predict", ASKED, Host="models.test", Origin="https://evil.test")[0] == 401
        assert let.ask("/predict", ASKED, Host="models.test", **{"X-API-Key": key})[0] == 200


@contextmanager
def elsewhere(page: str) -> Iterator[str]:
    """A page of another origin."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


@pytest.mark.browser
def test_what_a_page_elsewhere_can_make_a_browser_do(browser: Browser, opened: Callable[..., Any]) -> None:
    """Every way that needs no leave beforehand, and one that does: nothing is kept, and nothing is read."""
    asks = """async ([url, body]) => {
        const seen = [];
        const ways = [
            {mode: "no-cors", body}, {mode: "no-cors", body: new Blob([body])}, {body},
            {headers: {"Content-Type": "application/json"}, body},
        ];
        for (const way of ways)
            seen.push(await fetch(url + "/feedback", {method: "POST", ...way}).then(r => r.text(), () => "refused"));
        navigator.sendBeacon(url + "/feedback", new Blob([body], {type: "text/plain"}));
        const [name, value] = [body.slice(0, -1) + ', "x": "', '"}'];
        const form = Object.assign(document.createElement("form"), {action: url + "/feedback", method: "POST"});
        form.enctype = "text/plain"; form.target = "_blank";
        form.append(Object.assign(document.createElement("input"), {name, value}));
        document.body.append(form); form.submit();
        seen.push(await fetch(url + "/model").then(r => r.text(), () => "refused"));
        return seen;
    }"""
    with opened(host="127.0.0.1") as site, elsewhere("<!doctype html><title>x</title>") as url:
        page = browser.new_context().new_page()
        try:
            page.goto(url)
            told = page.evaluate(asks, [site.url, json.dumps(SAID)])
            page.wait_for_timeout(300)
        finally:
            page.context.close()
        assert told == ["", "", "refused", "refused", "refused"]
        assert kept(site) == 0
        assert site.ask("/feedback", SAID)[0] == 200 and kept(site) == 1
