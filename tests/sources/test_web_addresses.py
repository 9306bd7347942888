"""Addresses have one form; robots.txt and sitemaps say what the standards mean by them."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.sources.crawling.addresses import Scope, canonical, is_circle
from seedbed.sources.crawling.headers import charset_of, directives_of, media_of
from seedbed.sources.crawling.originals import copies
from seedbed.sources.crawling.robots import Robots, token_of
from seedbed.sources.crawling.sitemaps import Listed, NoSitemap, listed
from seedbed.sources.fetching.http import Response


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("HTTP://Example.ORG", "http://example.org/"),
        ("http://example.org:80/a", "http://example.org/a"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("http://example.org:443/a", "http://example.org:443/a"),
        ("http://example.org/a#part", "http://example.org/a"),
        ("http://example.org/a?", "http://example.org/a"),
        ("http://example.org/%7euser/%C3%a9/é", "http://example.org/~user/%C3%A9/%C3%A9"),
        ("http://example.org/a b", "http://example.org/a%20b"),
        ("http://example.org/a/../b/./c", "http://example.org/b/c"),
        ("http://example.org/../../a", "http://example.org/a"),
        ("http://example.org/a/..", "http://example.org/"),
        ("http://example.org/web/2020/http://x.org/", "http://example.org/web/2020/http://x.org/"),
        ("http://example.org/?b=2&a=1", "http://example.org/?b=2&a=1"),
        ("http://example.org/?utm_source=x&id=7&fbclid=y", "http://example.org/?id=7"),
        ("http://example.org/?utm=1&id=7", "http://example.org/?utm=1&id=7"),
        ("http://example.org/a;jsessionid=7?PHPSESSID=8", "http://example.org/a"),
        ("http://example.org/?q=%2f%26", "http://example.org/?q=%2F%26"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://example.org./", "http://example.org/"),
        ("http://[::1]:8080/a", "http://[::1]:8080/a"),
        ("mailto:me@example.org", ""),
        ("javascript:alert(1)", ""),
        ("http://user:secret@example.org/", ""),
        ("http://example.org:99999/", ""),
        ("http://exa mple.org/", ""),
        ("http://[::1/", ""),
        ("", ""),
    ],
)
def test_one_form(written: str, form: str) -> None:
    assert canonical(written) == form
    assert canonical(form) == form


@given(st.text(max_size=40), st.text(max_size=20))
def test_the_form_of_a_form_is_itself(path: str, query: str) -> None:
    once = canonical(f"http://example.org/{path}?{query}")
    assert canonical(once) == once
    assert once.isascii()
    assert " " not in once
    assert "#" not in once


def test_scope() -> None:
    scope = Scope({"a.org", "*.b.org"}, include=("/blog/*", "*?page=*"), exclude=("*/draft*",), most_queries=2)
    assert scope.follows("http://a.org/blog/1")
    assert scope.follows("http://b.org/x?page=2")
    assert scope.follows("https://deep.www.b.org/blog/")
    assert not scope.follows("http://notb.org/blog/1")
    assert not scope.follows("http://www.a.org/blog/1")
    assert not scope.follows("http://a.org:8080/blog/1")
    assert not scope.follows("http://a.org/about")
    assert not scope.follows("http://a.org/blog/draft-1")
    assert not scope.follows("http://a.org/blog/" + "x/" * 5)
    assert scope.passed == {"other_host": 3, "not_included": 2, "circle": 1}
    traps = [scope.is_trap(f"http://a.org/day?d={n}&m=1") for n in range(4)]
    assert traps == [False, False, True, True]
    assert not scope.is_trap("http://a.org/day?d=9")
    assert scope.traps == {"http://a.org/day?d&m": 4}


def test_circles() -> None:
    assert is_circle("http://a.org/a/b/a/b/a/b/a/b")
    assert not is_circle("http://a.org/a/a/a")
    assert not is_circle("http://a.org/2024/01/02/03/04/05/06/07/08")


RULES = b"""\xef\xbb\xbf# comment
User-agent: *
Disallow: /private
Allow: /private/open$
Disallow: /*.pdf$
Crawl-delay: 2.5

User-agent: GreedyBot
User-agent: my-study
Disallow: /

Sitemap: https://a.org/sitemap.xml
"""


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://a.org/", "allowed: no rule fits"),
        ("https://a.org/private/x", "refused: Disallow: /private"),
        ("https://a.org/private/open", "allowed: Allow: /private/open$"),
        ("https://a.org/x.pdf", "refused: Disallow: /*.pdf$"),
        ("https://a.org/x.pdf?y", "allowed: no rule fits"),
    ],
)
def test_robots_decides_by_the_longest_rule_and_says_which(url: str, told: str) -> None:
    robots = Robots.read("seedbed", RULES)
    assert robots.told(url) == told
    assert robots.allows(url) == told.startswith("allowed")


def test_robots_speaks_to_us_by_name() -> None:
    ours = token_of("my-study/1.0 (+https://greedybot.example)")
    assert ours == "my-study"
    assert Robots.read(ours, RULES).told("https://a.org/") == "refused: Disallow: /"
    assert Robots.read("my", RULES).allows("https://a.org/")
    assert Robots.read("seedbed", RULES).delay == 2.5
    assert Robots.read("seedbed", RULES).sitemaps == ["https://a.org/sitemap.xml"]


@pytest.mark.parametrize(
    ("status", "allowed"), [(404, True), (403, True), (401, True), (429, False), (503, False), (None, False)]
)
def test_robots_that_cannot_be_had(status: int | None, allowed: bool) -> None:
    robots = Robots.missing("seedbed", status, "a problem")
    assert robots.allows("https://a.org/") == allowed
    assert ("a problem" in robots.told("https://a.org/")) == (not allowed)


def test_robots_that_asks_for_a_day_is_asked_for_nothing() -> None:
    robots = Robots.read("seedbed", b"User-agent: *\nCrawl-delay: 86400")
    assert robots.told("https://a.org/") == "refused: it asks to wait 86,400 s between two requests"


@pytest.mark.parametrize("junk", [b"", b"\xff\xfe\x00<html>", b"<html><p>Not found</p></html>", b"Disallow: /\n" * 9])
def test_robots_that_is_none_allows_all(junk: bytes) -> None:
    assert Robots.read("seedbed", junk).allows("https://a.org/x")


XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://x">
<url><loc> https://a.org/1?x=1&amp;y=2 </loc><lastmod>2024-01-02</lastmod>
<image:image><image:loc>i</image:loc></image:image></url>
<url><lastmod>2024</lastmod></url><!-- no address --><url><loc>https://a.org/2</loc></url></urlset>"""
INDEX = b"<sitemapindex><sitemap><loc>https://a.org/s1.xml.gz</loc></sitemap></sitemapindex>"


def test_sitemaps() -> None:
    pages = [Listed("https://a.org/1?x=1&y=2", "2024-01-02"), Listed("https://a.org/2")]
    assert listed(XML) == pages
    assert listed(gzip.compress(XML)) == pages
    assert listed(INDEX) == [Listed("https://a.org/s1.xml.gz", sitemap=True)]
    assert listed(b"\xef\xbb\xbfhttps://a.org/1\r\n\r\nhttps://a.org/2\n") == [
        Listed("https://a.org/1"),
        Listed("https://a.org/2"),
    ]


BOMB = b'<!DOCTYPE x [<!ENTITY a "xxxxxxxxxx">' + b"".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(9)
)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html><body><p>Not found</p></body></html>", "no sitemap: <html>"),
        (XML[:-30], "damaged"),
        (b"hello", "neither XML nor lines"),
        (gzip.compress(XML)[:-20], "ends in the middle"),
        (b"\x1f\x8bxx", "not gzip"),
        (gzip.compress(b" " * (51 << 20)), "more than 52,428,800 bytes"),
        (b"<urlset>" + b"<url><loc>http://a/</loc></url>" * 50_001 + b"</urlset>", "more than 50,000 addresses"),
    ],
)
def test_what_is_no_sitemap(body: bytes, said: str) -> None:
    with pytest.raises(NoSitemap, match=said):
        listed(body)


def test_an_entity_bomb_stays_what_it_is() -> None:
    body = BOMB + b"]><urlset><url><loc>https://a.org/&j;</loc></url></urlset>"
    try:
        assert all(len(one.url) < 100 for one in listed(body))
    except NoSitemap as error:
        assert "damaged" in str(error)


def test_copies() -> None:
    assert copies({"a": "", "b": "a", "c": "b", "d": "gone", "e": "e"}) == {"b": "a", "c": "a"}
    assert copies({"x": "y", "y": "z", "z": "y", "w": "w"}) == {"x": "y", "z": "y"}
    assert copies({}) == {}


def _answer(**headers: str) -> Response:
    return Response("http://a.org/", 200, {name.replace("_", "-"): value for name, value in headers.items()}, b" <p>")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("noindex", {"noindex"}),
        ("none", {"noindex", "nofollow"}),
        ("googlebot: noindex, nofollow", set()),
        ("googlebot: noindex, seedbed: nofollow", {"nofollow"}),
        ("NoIndex, unavailable_after: 25 Jun 2030 15:00:00 PST", {"noindex"}),
        ("max-snippet:50, nofollow", {"nofollow"}),
        ("", set()),
    ],
)
def test_x_robots_tag(said: str, meant: set[str]) -> None:
    assert directives_of(_answer(x_robots_tag=said), "Seedbed") == meant


def test_media_and_charset() -> None:
    assert media_of(_answer(content_type="text/html; charset=x")) == "html"
    assert media_of(_answer(content_type="text/plain")) == "text"
    assert media_of(_answer(content_type="application/pdf")) == ""
    assert media_of(_answer()) == "html"
    assert charset_of(_answer(content_type='text/html; Charset="ISO-8859-1"')) == "ISO-8859-1"
    assert charset_of(_answer(content_type="text/html")) is None
