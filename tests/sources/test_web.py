"""A site on loopback with everything that crawlers stumble over: what is asked for, what is kept, what is told."""

from __future__ import annotations

import threading
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError
from web_reading import QUICK, WHO, needs_web, read, snapshot_of, web

from seedbed.core.errors import DataError
from seedbed.sources.web import Web
from serving.site import Page, Site, article, moved

needs_web()


def test_level_by_level_in_the_order_of_the_links(tmp_path: Path) -> None:
    pages = {
        "/": article(0, "/b", "/a", "/b#again", "http://elsewhere.example/"),
        "/a": article(1, "/c", "/", "/d"),
        "/b": article(2, "/d", "/a?utm_source=x"),
        "/c": article(3, "/e"),
        "/d": article(4),
        "/e": article(5, "/f"),
        "/f": article(6),
    }
    with Site(pages) as site:
        found = read(web(site, "/"), tmp_path)
        assert site.paths == ["/robots.txt", "/", "/b", "/a", "/d", "/c", "/e"]
        assert found.paths(site) == ["/", "/b", "/a", "/d", "/c", "/e"]
        assert found.table["depth"].to_list() == [0, 1, 1, 2, 2, 3]
        assert found.table["title"].to_list()[:2] == ["Page 0", "Page 2"]
        assert found.table["text"].str.contains("This is said on page").all()
        assert found.table["url"][1] == site.url("/b")
        assert {one.headers["user-agent"] for one in site.asked} == {WHO}
        assert found.scan.fetching["links_passed_over"] == {"other_host": 1}


def test_what_a_page_says_of_itself(tmp_path: Path) -> None:
    head = (
        '<meta property="article:published_time" content="2024-03-05T10:00:00Z">'
        '<link rel="license" href="https://creativecommons.org/licenses/by/4.0/">'
    )
    with Site({"/": article(1, head=head, lang="de-AT"), "/notes.txt": Page(b"Plain words.\n", "text/plain")}) as site:
        found = read(web(site, "/", "/notes.txt"), tmp_path).table.to_dicts()
    page, notes = found
    assert (page["date"], page["language"], page["status"]) == ("2024-03-05", "de", 200)
    assert page["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert (notes["text"], notes["title"], notes["date"]) == ("Plain words.", None, None)


def test_robots_is_obeyed_and_its_decisions_are_kept(tmp_path: Path) -> None:
    robots = "User-agent: *\nDisallow: /\n\nUser-agent: seedbed-test\nDisallow: /private\nAllow: /private/open\n"
    pages = {
        "/": article(0, "/private/a", "/private/open", "/p"),
        "/private/open": article(1),
        "/p": moved("/private/b"),
    }
    with Site(pages, robots) as site:
        source = web(site, "/")
        found = read(source, tmp_path)
        assert site.paths == ["/robots.txt", "/", "/private/open", "/p"]
        refused = {note["url"].removeprefix(site.url("")): note["robots"] for note in found.scan.fetching["refused"]}
        assert refused == dict.fromkeys(("/private/a", "/private/b"), "refused: Disallow: /private")
        decided = [file.origin.robots for file in found.scan.files if file.origin]
        assert decided == ["allowed: no rule fits", "allowed: Allow: /private/open"]
        (rules,) = found.scan.fetching["robots"].values()
        assert rules["status"] == 200
        kept = {one.sha256: one for one in snapshot_of(source, tmp_path).kept}
        assert snapshot_of(source, tmp_path).body(kept[rules["sha256"]], at="").decode() == robots
        assert any("robots.txt refuses 2 addresses" in note for note in found.scan.notes)


@pytest.mark.parametrize(("status", "asked"), [(404, True), (403, True), (500, False), (503, False), (429, False)])
def test_robots_that_cannot_be_had(status: int, asked: bool, tmp_path: Path) -> None:
    with Site({"/": article(0)}, Page(b"", status=status)) as site:
        source = web(site, "/", attempts=2)
        if asked:
            assert read(source, tmp_path).table.height == 1
            return
        with pytest.raises(DataError, match=r"robots.txt of .* cannot be had, so that nothing may be asked there"):
            read(source, tmp_path)
        assert set(site.paths) == {"/robots.txt"}
        site.pages["/robots.txt"] = Page(b"", "text/plain")
        assert read(source, tmp_path).table.height == 1


def test_robots_that_moved_is_followed_and_refuses(tmp_path: Path) -> None:
    pages = {"/": article(0), "/rules": Page(b"User-agent: *\nDisallow: /", "text/plain")}
    with Site(pages, moved("/rules", 301)) as site, pytest.raises(DataError, match="refused: Disallow: /"):
        read(web(site, "/"), tmp_path)
    assert site.paths == ["/robots.txt", "/rules"]


def test_another_host_is_asked_for_its_own_rules(tmp_path: Path) -> None:
    refuses = Site({"/x": article(1)}, "User-agent: *\nDisallow: /")
    with refuses, Site({"/": article(0, refuses.url("/x"))}) as site:
        found = read(web(site, "/", hosts=[f"127.0.0.1:{refuses.port}"]), tmp_path)
        assert refuses.paths == ["/robots.txt"]
        assert found.scan.fetching["refused"] == [{"url": refuses.url("/x"), "robots": "refused: Disallow: /"}]
        assert found.paths(site) == ["/"]


def test_crawl_delay_and_rate(tmp_path: Path) -> None:
    pages = {"/": article(0, "/a", "/b", "/c"), **{path: article(1) for path in ("/a", "/b", "/c")}}
    with Site(pages, "User-agent: *\nCrawl-delay: 0.2") as slow, Site(pages) as quick:
        read(web(slow, "/"), tmp_path / "delay")
        read(web(quick, "/", per_second=5), tmp_path / "rate")
        for site in (slow, quick):
            times = [one.at for one in site.asked[1:]]
            assert len(times) == 4
            assert min(later - earlier for earlier, later in pairwise(times)) >= 0.15


def test_hosts_are_asked_at_once(tmp_path: Path) -> None:
    pages = {"/": article(0, "/a", "/b"), **{path: article(1) for path in ("/a", "/b")}}
    with Site(pages) as one, Site(pages) as two, Site(pages) as three:
        seeds = [site.url("/") for site in (one, two, three)]
        source = Web(seeds=seeds, user_agent=WHO, **{**QUICK, "timeout": 30.0})
        again = read(source, tmp_path / "again")
        asked = [threading.Event() for _ in seeds]

        def answer(ours: threading.Event) -> str:
            """The page, when all hosts have been asked for theirs."""
            ours.set()
            return article(0, "/a", "/b") if all(one.wait(20) for one in asked) else "too late"

        for site, ours in zip((one, two, three), asked, strict=True):
            site.pages["/"] = lambda _, ours=ours: answer(ours)
        found = read(source, tmp_path)
        assert found.digest == again.digest
        assert found.table.height == 9


# -- traps


def test_redirects(tmp_path: Path) -> None:
    hops = {f"/hop/{n}": moved(f"/hop/{n + 1}") for n in range(30)}
    pages = {
        "/": article(0, "/old", "/loop/a", "/self", "/hop/0", "/away", "/nowhere", "/twice", "/new"),
        "/old": moved("/new", 301),
        "/twice": moved("/old", 308),
        "/new": article(1),
        "/loop/a": moved("/loop/b"),
        "/loop/b": moved("/loop/a"),
        "/self": moved("/self"),
        "/away": moved("http://elsewhere.example/"),
        "/nowhere": Page(b"", status=302),
        **hops,
    }
    with Site(pages) as site:
        found = read(web(site, "/"), tmp_path)
        assert found.paths(site) == ["/", "/new"]
        assert found.failed(site) == {
            "/away": "redirects", "/hop/10": "redirects", "/loop/b": "redirects", "/nowhere": "status",
            "/self": "redirects",
        }  # fmt: skip
        assert len(site.paths) == len(set(site.paths))
        assert "/hop/11" not in site.paths


def test_a_seed_that_moves_takes_its_host_along(tmp_path: Path) -> None:
    with Site() as site:
        site.pages |= {"/": moved(site.url("/home", "localhost")), "/home": article(0, "/a"), "/a": article(1)}
        found = read(web(site, "/"), tmp_path)
        assert found.table["url"].to_list() == [site.url("/home", "localhost"), site.url("/a", "localhost")]
        with pytest.raises(DataError, match=r"no page came; .* which is no page of the crawl"):
            read(web(site, "/", hosts=["127.0.0.1"]), tmp_path)


def test_an_endless_calendar_ends(tmp_path: Path) -> None:
    def month(path: str) -> str:
        number = int(path.rpartition("=")[2])
        return article(number, f"/calendar?month={number + 1}", f"/calendar?month={number + 2}", f"/day/{number}/x")

    def deeper(path: str) -> str:
        return article(1, path.rstrip("/") + "/more/")

    with Site({"/": article(0, "/calendar?month=1", "/deep/"), "/calendar": month, "/deep/*": deeper}) as site:
        found = read(web(site, "/", depth=40, most_queries=10, exclude=["/day/*"]), tmp_path)
        months = [path for path in site.paths if path.startswith("/calendar")]
        assert months == [f"/calendar?month={n}" for n in range(1, 11)]
        assert found.scan.fetching["traps"] == {site.url("/calendar?month"): 12}
        assert any("with 12 different queries" in note for note in found.scan.notes)
        assert [path for path in site.paths if path.startswith("/deep/")][-1] == "/deep/" + "more/" * 4
        assert any("repeat" in note for note in found.scan.notes)
        assert found.table.height + len(found.malformed) == len(site.pages_asked)


def test_most_pages_and_depth(tmp_path: Path) -> None:
    pages = {"/": article(0, *(f"/{n}" for n in range(20))), **{f"/{n}": article(n, "/x") for n in range(20)}}
    with Site(pages) as site:
        found = read(web(site, "/", most_pages=5), tmp_path)
        assert found.paths(site) == ["/", "/0", "/1", "/2", "/3"]
        assert found.scan.fetching["not_asked"] == 17  # /x, too
        assert found.scan.notes == ("there are at least 17 more addresses than most_pages allows (5)",)
        alone = read(web(site, "/", depth=0), tmp_path)
        assert (alone.paths(site), alone.scan.notes) == (["/"], ())  # none was wanted


def test_what_depth_cuts_is_told(tmp_path: Path) -> None:
    pages = {"/": article(0, "/1"), "/1": article(1, "/2", "/"), "/2": article(2, "/3", "/4", "/1"), "/3": article(3)}
    with Site(pages) as site:
        found = read(web(site, "/", depth=2), tmp_path)
        assert found.paths(site) == ["/", "/1", "/2"]
        assert found.scan.notes == ("2 addresses would be deeper than depth allows (2)",)
        assert "/4" not in site.paths


def test_pages_that_are_none(tmp_path: Path) -> None:
    pages = {
        "/": article(0, "/empty", "/huge", "/picture.html", "/photo", "/gone", "/broken", "/frame", "/zero"),
        "/empty": "<html><body></body></html>",
        "/frame": "<html><head><script>draw()</script></head><body><div id=app></div></body></html>",
        "/huge": "<p>" + "words " * 50_000,
        "/picture.html": Page(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20),
        "/photo": Page(b"\xff\xd8\xff" * 9, "image/jpeg"),
        "/zero": Page(b""),
        "/broken": Page(b"", status=500),
    }
    with Site(pages) as site:
        found = read(web(site, "/", most_bytes=250_000, attempts=1), tmp_path)
        assert found.paths(site) == ["/"]
        assert found.told(site) == {
            "/empty": "no_text", "/frame": "no_text", "/zero": "no_text",
            "/huge": "too_large", "/picture.html": "binary",
        }  # fmt: skip
        assert found.failed(site) == {"/photo": "media_type", "/gone": "status", "/broken": "status"}
        assert any("3 addresses gave no page (2 × status, 1 × media_type)" in note for note in found.scan.notes)


@pytest.mark.parametrize(
    ("encoding", "says"), [("cp1252", "iso-8859-1"), ("utf-8", "iso-8859-1"), ("cp1252", ""), ("utf-16", "utf-8")]
)
def test_a_wrong_charset(encoding: str, says: str, tmp_path: Path) -> None:
    plain = article(0).replace('<meta charset="utf-8">', "").replace("A baker", "Ein Bäcker – “früh” –")
    media = f"text/html; charset={says}" if says else "text/html"
    with Site({"/": Page(plain.encode(encoding), media)}) as site:
        (text,) = read(web(site, "/"), tmp_path).table["text"]
    assert "Ein Bäcker – “früh” –" in text


def test_slow_pages_are_left_and_told(tmp_path: Path) -> None:
    pages = {
        "/": article(0, "/slow", "/next"),
        "/slow": Page(article(1).encode(), seconds=0.8),
        "/next": article(2),
    }
    with Site(pages) as site:
        found = read(web(site, "/", timeout=0.2, attempts=1), tmp_path)
        assert found.paths(site) == ["/", "/next"]
        assert found.failed(site) == {"/slow": "timeout"}


def test_what_pages_ask_for(tmp_path: Path) -> None:
    quiet = {"x-robots-tag": "otherbot: nofollow, seedbed-test: noindex"}
    pages = {
        "/": article(0, "/noindex", "/header", "/nofollow", "/copy", "/lost"),
        "/noindex": article(1, "/a", head='<meta name="robots" content="noindex">'),
        "/header": Page(article(2, "/b").encode(), headers=quiet),
        "/nofollow": article(3, "/hidden", head='<meta name="Robots" content="NOFOLLOW">'),
        "/copy": article(4, head='<link rel="canonical" href="/a?utm_source=copy">'),
        "/lost": article(5, head='<link rel="canonical" href="https://elsewhere.example/lost">'),
        "/a": article(4).replace("</main>", "</main><a rel='nofollow ugc' href=/hidden>x</a>"),
        "/b": article(6),
        "/hidden": article(7),
    }
    with Site(pages) as site:
        found = read(web(site, "/"), tmp_path)
        assert found.paths(site) == ["/", "/nofollow", "/lost", "/a", "/b"]
        assert found.told(site) == {"/noindex": "noindex", "/header": "noindex", "/copy": "copy"}
        assert "/hidden" not in site.paths


def test_include_and_exclude(tmp_path: Path) -> None:
    pages = {
        "/": article(0, "/blog/1", "/blog/draft", "/about"),
        "/blog/1": article(1, "/blog/2"),
        "/blog/2": article(2),
    }
    with Site(pages) as site:
        found = read(web(site, "/", include=["/blog/*"], exclude=["*draft*"]), tmp_path)
        assert found.paths(site) == ["/blog/1", "/blog/2"]
        assert found.told(site) == {"/": "not_included"}
        assert found.scan.fetching["links_passed_over"] == {"not_included": 2}


def test_sitemaps(tmp_path: Path) -> None:
    def index(_: str) -> Page:
        urls = "".join(
            f"<sitemap><loc>{site.url(path)}</loc></sitemap>" for path in ("/s1.xml", "/s2.txt", "/gone.xml")
        )
        return Page(f"<sitemapindex>{urls}</sitemapindex>".encode(), "application/xml")

    def pages_of(_: str) -> Page:
        urls = "".join(f"<url><loc>{site.url(path)}</loc></url>" for path in ("/b", "/a", "/b"))
        return Page(f"<urlset>{urls}<url><loc>http://other.example/</loc></url></urlset>".encode(), "application/xml")

    pages = {"/index.xml": index, "/s1.xml": pages_of, "/s2.txt": lambda _: Page(site.url("/c").encode(), "text/plain")}
    pages |= {"/": article(0, "/seed"), **{f"/{name}": article(1) for name in "abc"}, "/seed": article(9)}
    with Site(pages) as site:
        found = read(web(site, sitemaps=[site.url("/index.xml")]), tmp_path)
        assert found.paths(site) == ["/b", "/a", "/c"]
        assert found.failed(site) == {"/gone.xml": "status"}
        site.pages["/robots.txt"] = Page(f"Sitemap: {site.url('/index.xml')}".encode(), "text/plain")
        assert read(web(site, "/"), tmp_path).paths(site) == ["/", "/seed"]
        found = read(web(site, "/", sitemaps_of_robots=True), tmp_path)
        assert found.paths(site) == ["/", "/b", "/a", "/c", "/seed"]


def test_a_sitemap_that_is_none(tmp_path: Path) -> None:
    with Site({"/page": article(0)}) as site:
        with pytest.raises(DataError, match="/page is no sitemap: its XML is damaged"):
            read(web(site, sitemaps=[site.url("/page")]), tmp_path)
        with pytest.raises(DataError, match="/gone: the server answers 404"):
            read(web(site, sitemaps=[site.url("/gone")]), tmp_path)


# -- what goes wrong at the start


def test_no_private_address_unless_allowed(tmp_path: Path) -> None:
    with Site({"/": article(0)}) as site:
        with pytest.raises(DataError, match="no public address") as caught:
            read(web(site, "/", allow_private=False), tmp_path)
        assert "allow_private" in caught.value.hint
        assert site.asked == []


def test_a_seed_that_is_not_there(tmp_path: Path) -> None:
    with Site({"/b": article(0)}) as site:
        with pytest.raises(DataError, match=r"no page came; .*/a: the server answers 404"):
            read(web(site, "/a"), tmp_path)
        found = read(web(site, "/a", "/b"), tmp_path)
        assert found.failed(site) == {"/a": "status"}
        site.pages["/a"] = article(1)
        assert read(web(site, "/a"), tmp_path).table.height == 1
    with pytest.raises(DataError, match="cannot be reached"):
        read(web(site, "/a", attempts=1), tmp_path / "other")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "say where to begin"),
        ({"seeds": ["example.org"]}, "no address of the web"),
        ({"seeds": ["https://me:secret@example.org/"]}, "without user and password"),
        ({"seeds": ["https://example.org/?key=${env:KEY}"]}, "no secret has a place"),
        ({"seeds": ["https://example.org/"], "user_agent": "Seedbed"}, "how to reach you"),
        ({"seeds": ["https://example.org/"], "user_agent": "1.0 (me@example.org)"}, "begins with a name"),
        ({"seeds": ["https://example.org/"], "hosts": ["https://example.org"]}, "no name of a host"),
        ({"seeds": ["https://example.org/"], "include": ["blog/*"]}, "begins with / or"),
        ({"sitemaps": ["https://example.org/"], "sitemaps_of_robots": True}, "needs `seeds`"),
        ({"seeds": ["https://example.org/"], "per_second": 0}, "greater than 0"),
    ],
)
def test_options_that_cannot_work(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Web.model_validate({"use": "web", "user_agent": WHO, **options})


def test_limit_cuts_rows_and_not_the_crawl(tmp_path: Path) -> None:
    with Site({"/": article(0, "/a", "/b"), "/a": article(1), "/b": article(2)}) as site:
        assert read(web(site, "/", limit=2), tmp_path).table.height == 2
        assert read(web(site, "/"), tmp_path).table.height == 3
        assert len(site.paths) == 4
        assert web(site, "/").address == site.url("/")
        assert web(site, "/", "/a", "/b").address == f"{site.url('/')} and 2 more"
