"""The client waits, tries again, goes no further than it may, ends, and says what went wrong without secrets."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from seedbed.sources.fetching.addresses import is_private
from seedbed.sources.fetching.http import Client, FetchError, TooLarge
from seedbed.sources.fetching.pacing import retry_after
from serving.api import Answer, Api

ITEMS = [{"id": number, "text": f"text {number}", "updated": number} for number in range(1, 26)]


@pytest.fixture
def api() -> Iterator[Api]:
    with Api(ITEMS) as server:
        yield server


def client(**more: Any) -> Client:
    usual = {"at": "here", "user_agent": "test", "backoff": 0.01, "timeout": 20.0, "allow_private": "same_host"}
    return Client(**{**usual, **more})


def failure(url: str, **more: Any) -> FetchError:
    with client(**more) as opened, pytest.raises(FetchError) as raised:
        opened.get(url)
    return raised.value


def test_an_answer(api: Api) -> None:
    with client(headers={"X-Own": "1"}) as opened:
        answer = opened.get(api.url("/next?size=2"), params={"page": "2"}, headers={"Accept": "application/json"})
    asked = api.asked[0]
    assert (answer.status, answer.media_type, answer.redirects) == (200, "application/json", ())
    assert answer.url == api.url("/next?size=2&page=2")
    assert asked.query == {"size": "2", "page": "2"}
    assert asked.headers["user-agent"] == "test"
    assert asked.headers["x-own"] == "1"
    assert asked.headers["accept"] == "application/json"


@pytest.mark.parametrize("fault", ["500", "502", "503", "504", "429", "429:0", "reset", "chunk", "short"])
def test_what_may_help_is_tried_again(api: Api, fault: str) -> None:
    api.faults = {1: fault, 2: fault}
    with client() as opened:
        assert len(opened.get(api.url("/plain")).body) > 1000
        assert opened.requests == 3


@pytest.mark.parametrize(
    ("fault", "asked", "reason", "said"),
    [
        ("500", 3, "status", 'answers 500 Internal Server Error: {"error": "not now"} (3 times)'),
        ("429", 3, "throttled", "answers 429 Too Many Requests"),
        ("reset", 3, "connection", "the connection broke before the answer was whole (3 times)"),
        ("400", 1, "status", "answers 400 Bad Request"),
        ("401", 1, "status", "answers 401 Unauthorized"),
        ("403", 1, "status", "answers 403 Forbidden"),
        ("404", 1, "status", "answers 404 Not Found"),
        ("304", 1, "status", "answers 304 Not Modified"),
        ("lie", 1, "body", "is not gzip, as its header Content-Encoding says"),
        ("brotli", 1, "body", "is packed as 'br', which was not asked for"),
        ("redirect:/next", 1, "redirects", "redirects in circles"),
        ("redirect:ftp://x/y", 1, "address", "'ftp://x/y' is no http or https address"),
        ("silence", 3, "timeout", "gave no answer in time"),
    ],
)
def test_what_is_no_answer_is_told(api: Api, fault: str, asked: int, reason: str, said: str) -> None:
    api.always = fault
    error = failure(api.url("/next"), attempts=3, timeout=0.1)
    assert said in str(error)
    assert str(error).startswith("here: ")
    assert api.url("/next") in str(error)
    assert len(str(error).splitlines()) <= 5
    assert (len(api.asked), error.reason) == (asked, reason)
    assert error.status == (int(fault) if fault.isdigit() else None)
    assert (error.response is not None) == fault.isdigit()


def test_a_server_may_ask_to_wait(api: Api) -> None:
    said: list[str] = []
    api.faults = {1: "429:1", 2: "503:" + formatdate(time.time() + 2, usegmt=True)}
    start = time.monotonic()
    with client(say=said.append) as opened:
        opened.get(api.url("/plain"))
    assert time.monotonic() - start > 1
    assert said[0] == '127.0.0.1: the server answers 429 Too Many Requests: {"error": "not now"}; waiting 1 s'


def test_who_asks_for_too_long_a_wait_ends_it(api: Api) -> None:
    api.always = "503:3600"
    error = failure(api.url("/plain"))
    assert "it asks to wait 3,600 s" in str(error)
    assert len(api.asked) == 1


def test_retry_after() -> None:
    assert retry_after("120") == 120
    assert retry_after(" 0 ") == 0
    assert retry_after(formatdate(time.time() - 60, usegmt=True)) == 0
    assert retry_after(formatdate(time.time() + 60, usegmt=True)) == pytest.approx(60, abs=2)
    assert retry_after("Sun, 99 Nov 2026 07:28:00 GMT") is None
    assert [retry_after(text) for text in ("", "soon", "-5", "1e9", "٣")] == [None] * 5


def test_rate_and_crawl_delay(api: Api) -> None:
    with client(per_second=20) as opened:
        start = time.monotonic()
        for _ in range(3):
            opened.get(api.url("/plain"))
        assert time.monotonic() - start >= 2 / 20
        opened.slow("127.0.0.1", 0.2)
        start = time.monotonic()
        for _ in range(3):
            opened.get(api.url("/plain"))
        assert time.monotonic() - start >= 2 * 0.2


@pytest.mark.parametrize("fault", ["drip", "headers"])
def test_an_answer_that_never_ends(api: Api, fault: str) -> None:
    api.always = fault
    error = failure(api.url("/plain"), most_seconds=0.4)
    assert error.reason == "slow"
    assert len(api.asked) == 1


def test_a_large_answer_and_a_small_one_that_unpacks(api: Api) -> None:
    api.faults = {1: "bomb:5000000", 2: "gzip"}
    with client(most_bytes=1 << 20) as opened:
        with pytest.raises(TooLarge, match="more than 1,048,576 bytes"):
            opened.get(api.url("/plain"))
        assert opened.get(api.url("/plain")).body.startswith(b'[{"id": 1')
        assert opened.get(api.url("/plain")).body.startswith(b'[{"id": 1')
    assert failure(api.url("/plain"), most_bytes=100).reason == "too_large"


def test_packed_bodies(api: Api) -> None:
    import gzip
    import zlib

    text = b"a line\n" * 1000
    raw = zlib.compressobj(wbits=-15)
    packed = {
        "/gzip": ("gzip", gzip.compress(text)),
        "/twice": ("x-gzip", gzip.compress(text[:700]) + gzip.compress(text[700:])),
        "/zlib": ("deflate", zlib.compress(text)),
        "/raw": ("deflate", raw.compress(text) + raw.flush()),
    }
    for path, (coding, body) in packed.items():
        api.routes[path] = lambda _, coding=coding, body=body: Answer(body, headers={"content-encoding": coding})
    api.routes["/cut"] = lambda _: Answer(gzip.compress(text)[:-9], headers={"content-encoding": "gzip"})
    with client() as opened:
        assert all(opened.get(api.url(path)).body == text for path in packed)
    assert "ends in the middle" in str(failure(api.url("/cut"), attempts=1))


class Key:
    def headers(self) -> Mapping[str, str]:
        return {"X-Key": "s3cret"}

    def params(self) -> Mapping[str, str]:
        return {"key": "s3cret"}

    def renewed(self) -> bool:
        return False


def test_another_host_gets_no_key(api: Api) -> None:
    with Api(ITEMS) as other, client(auth=Key(), headers={"Authorization": "x"}, allow_private=True) as opened:
        api.faults = {1: f"redirect:{other.url('/plain')}", 3: "redirect:/plain"}
        answer = opened.get(api.url("/next"))
        home = opened.get(api.url("/plain?a=1"))
        home = opened.get(api.url("/plain?a=1"))
    assert answer.redirects == (api.url("/next"),)
    assert answer.url == other.url("/plain")
    assert not {"x-key", "authorization"} & set(other.asked[0].headers)
    assert other.asked[0].query == {}
    assert [asked.query.get("key") for asked in api.asked] == ["s3cret"] * 4
    assert "s3cret" not in home.url


def test_a_body_is_sent_and_not_sent_on(api: Api) -> None:
    api.faults = {1: "redirect:/plain"}
    with client() as opened:
        opened.send("POST", api.url("/cursor"), content=b"{}")
    assert [(asked.method, asked.body) for asked in api.asked] == [("POST", b"{}"), ("GET", b"")]


def test_private_addresses_are_refused_where_they_are_connected_to(api: Api) -> None:
    error = failure(api.url("/plain"), allow_private=False)
    assert error.reason == "private_address"
    assert "127.0.0.1 is no public address" in str(error)
    named = api.host.replace("127.0.0.1", "localhost")
    assert failure(f"http://{named}/plain", allow_private=False).reason == "private_address"
    assert not api.asked


def test_a_redirect_does_not_lead_into_the_private_network(api: Api) -> None:
    named = api.host.replace("127.0.0.1", "localhost")
    with client() as opened:
        opened.get(f"http://{named}/plain")  # a connection is open now, and may not be used for what follows
        api.always = f"redirect:http://{named}/plain"
        with pytest.raises(FetchError, match="localhost is no public address"):
            opened.get(api.url("/next"))
    assert [asked.path for asked in api.asked] == ["/plain", "/next"]


def test_a_name_is_looked_up_once_for_the_check_and_for_the_connection(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, asked = socket.getaddrinfo, list[str]()

    def rebinding(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "rebinding.test":
            return known(host, port, *args, **kwargs)
        asked.append(host)
        return known("192.0.2.1" if len(asked) == 1 else "127.0.0.1", port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    port = api.host.rpartition(":")[2]
    error = failure(f"http://rebinding.test:{port}/plain", allow_private=False, attempts=1, timeout=0.2)
    assert error.reason == "private_address"
    assert not api.asked


@pytest.mark.parametrize(
    ("address", "private"),
    [
        *(
            (text, True)
            for text in ("127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1")
        ),
        *(
            (text, True)
            for text in ("::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "224.0.0.1")
        ),
        *((text, True) for text in ("2002:7f00:1::", "255.255.255.255", "ff02::1", "::")),
        *((text, False) for text in ("93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34")),
    ],
)
def test_which_addresses_are_private(address: str, private: bool) -> None:
    assert is_private(address) == private


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/", "connection"),
        ("http://no-such-host.invalid/", "dns"),
        ("ftp://example.org/", "address"),
        ("nonsense", "address"),
        ("http://[::1", "address"),
        ("http://", "address"),
        ("http://user:hunter2@127.0.0.1/", "address"),
        ("http://a\x00b/", "address"),
    ],
)
def test_where_nobody_answers(url: str, reason: str) -> None:
    error = failure(url, attempts=2, backoff=0)
    assert error.reason == reason
    assert "hunter2" not in str(error)


@pytest.mark.parametrize("value", ["a\nb", "ünï"])
def test_a_header_that_cannot_be_sent_is_not_shown(api: Api, value: str) -> None:
    error = failure(api.url("/plain"), headers={"X-Key": value})
    assert "a header has characters that HTTP does not know" in str(error)
    assert value not in str(error)


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
def test_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held, key = tmp_path / "held.pem", tmp_path / "key.pem"
    made = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout {key} -out {held}"
    told = "-days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    subprocess.run([*made.split(), *told.split()], check=True, capture_output=True)
    with Api(ITEMS, certificate=(held, key)) as api:
        named = api.host.replace("127.0.0.1", "localhost")
        error = failure(api.url("/plain", named))
        assert error.reason == "certificate"
        assert "the server's certificate is not valid: self" in str(error)
        assert not api.asked
        monkeypatch.setenv("SSL_CERT_FILE", str(held))
        with client() as opened:
            assert opened.get(api.url("/plain", named)).status == 200
        assert failure(api.url("/plain")).reason == "certificate"  # it is another host's
    assert failure(f"https://{named}/plain", attempts=1).reason == "connection"


def test_http_where_https_was_expected(api: Api) -> None:
    error = failure(api.url("/plain").replace("http:", "https:"))
    assert "no secure connection can be made" in str(error)


def test_the_proxy_of_the_environment_is_used(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", api.url(""))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    api.routes["/anything"] = lambda asked: Answer(asked.headers["host"].encode())
    with client(allow_private=False) as opened:
        assert opened.get("http://no-such-host.invalid/anything").body == b"no-such-host.invalid"
        with pytest.raises(FetchError, match="localhost is no public address"):
            opened.get("http://localhost/anything")
        api.always = "drip"
    assert failure("http://no-such-host.invalid/anything", most_seconds=0.3, allow_private=False).reason == "slow"
