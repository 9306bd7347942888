"""A crawl that is cut anywhere asks for nothing twice and ends as one that was not; what changed is found again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path

import pytest
from web_reading import WHO, needs_web, read, snapshot_of, web

from seedbed.core.errors import Damaged, DataError, NotKept
from seedbed.sources.web import Web
from serving.site import Page, Site, article, moved

needs_web()

SIZE = 30


def a_site() -> Site:
    """Thirty pages that link to each other, a redirect, a copy, and pages that are not there or refused."""
    pages = {"/": article(0, "/1", "/2", "/moved", "/gone", "/private"), "/moved": moved("/copy")}
    pages["/copy"] = article(3, head='<link rel="canonical" href="/3">')
    for n in range(1, SIZE):
        pages[f"/{n}"] = article(n, *(f"/{(n * factor + 1) % SIZE}" for factor in (2, 3, 5)))
    return Site(pages, "User-agent: *\nDisallow: /private")


def test_a_run_that_is_made_again_asks_for_nothing(tmp_path: Path) -> None:
    with a_site() as site:
        first = read(web(site, "/"), tmp_path)
        asked = len(site.asked)
        again = read(web(site, "/"), tmp_path)
        assert len(site.asked) == asked
    # The site has gone now.
    offline = read(web(site, "/"), tmp_path, offline=True)
    assert first.digest == again.digest == offline.digest
    assert first.malformed == again.malformed == {f"web:{site.url('/copy')}#1": "copy"}
    assert first.scan.fetching == offline.scan.fetching
    with pytest.raises(NotKept):
        read(web(site, "/1"), tmp_path, offline=True)


def _undisturbed(site: Site, folder: Path) -> tuple[tuple[str, dict[str, str]], list[str]]:
    """Rows and ledger of a crawl that nothing disturbs, and what it asks for."""
    found = read(web(site, "/", depth=9), folder)
    paths = site.paths
    site.asked.clear()
    return (found.digest, found.malformed), paths


def test_a_host_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    with a_site() as site:
        whole, paths = _undisturbed(site, tmp_path / "whole")
        source = web(site, "/", depth=9, attempts=2)
        for answers in (1, 2, 3, 11, 20, len(paths) - 1):
            site.dies_after = answers
            with pytest.raises(DataError, match=r"does not answer any more|cannot be had|cannot be reached") as caught:
                read(source, tmp_path)
            assert caught.value.exit_code == 3
            assert len(str(caught.value).splitlines()) <= 5
            assert not snapshot_of(source, tmp_path).whole
        site.dies_after = None
        found = read(source, tmp_path)
        assert (found.digest, found.malformed) == whole
        # Of a host that has gone, robots.txt may be asked for again; of pages none.
        assert max(Counter(site.pages_asked).values()) == 1


@pytest.mark.slow
def test_connections_that_break_at_50_points(tmp_path: Path) -> None:
    order = random.Random(13)
    with a_site() as site:
        whole, paths = _undisturbed(site, tmp_path / "whole")
        paths.remove("/moved")  # it has no body that could be cut
        for round_ in range(5):
            for _ in range(10):
                fault = order.choice(["reset", "cut", "503", "reset", "cut"])
                site.faults.setdefault(order.choice(paths), []).append(fault)
            source = web(site, "/", depth=9, attempts=6)
            found = read(source, tmp_path / str(round_))
            assert (found.digest, found.malformed) == whole
            assert not any(site.faults.values())


CRAWLER = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from web_reading import context
from seedbed.sources.web import Web
Web.model_validate_json(sys.argv[1]).scan(context(Path(sys.argv[2])))
"""


@pytest.mark.slow
def test_kill_9_anywhere(tmp_path: Path) -> None:
    with a_site() as site:
        whole, paths = _undisturbed(site, tmp_path / "whole")
        source = web(site, "/", depth=9)
        for name in list(site.pages):
            page = site.pages[name]
            if isinstance(page, str):
                site.pages[name] = Page(page.encode(), seconds=0.02)
        script = textwrap.dedent(CRAWLER).format(paths=[str(Path(__file__).parent), str(Path(__file__).parents[1])])
        for wanted in (4, 9, len(paths) - 4):
            crawler = subprocess.Popen([sys.executable, "-c", script, source.model_dump_json(), str(tmp_path)])
            while len(site.asked) < wanted and crawler.poll() is None:
                time.sleep(0.005)
            os.kill(crawler.pid, signal.SIGKILL)
            crawler.wait()
        before = len(site.asked)
        found = read(source, tmp_path)
        assert (found.digest, found.malformed) == whole
        assert len(site.asked) > before
        # A page that was on its way when a process was killed is asked for again; no other.
        twice = [path for path, n in Counter(site.pages_asked).items() if n > 1 and path != "/gone"]
        assert len(twice) <= 4
        assert max(Counter(site.pages_asked).values()) <= 3


def test_a_seed_that_fails_for_now_is_asked_again(tmp_path: Path) -> None:
    with a_site() as site:
        site.faults["/29"] = ["503"] * 2
        with pytest.raises(DataError, match="/29: the server answers 503"):
            read(web(site, "/", "/29", attempts=2), tmp_path)
        asked = len(site.asked)
        assert read(web(site, "/", "/29", attempts=2), tmp_path).paths(site)[:2] == ["/", "/29"]
        assert site.paths[asked] == "/29"
        assert not set(site.pages_asked[: asked - 1]) & set(site.paths[asked + 1 :])


def test_throttled_for_long(tmp_path: Path) -> None:
    with a_site() as site:
        site.pages["/2"] = Page(b"", status=429, headers={"retry-after": "3600"})
        with pytest.raises(DataError, match=r"does not answer any more.*429"):
            read(web(site, "/"), tmp_path)
        assert site.paths.count("/2") == 1
        site.pages["/2"] = article(2)
        assert "/2" in read(web(site, "/"), tmp_path).paths(site)


def test_refresh_sends_what_changed(tmp_path: Path) -> None:
    with a_site() as site:
        site.validates = True
        first = read(web(site, "/"), tmp_path)
        asked = len(site.asked)
        same = read(web(site, "/"), tmp_path, refresh=True)
        conditional = [one for one in site.asked[asked:] if "if-none-match" in one.headers]
        assert len(conditional) >= first.table.height
        assert same.digest == first.digest
        assert {file.origin.status for file in same.scan.files if file.origin} == {304}
        site.pages["/1"] = article(77, "/3", "/4", "/6", "/new")
        site.pages["/new"] = article(78)
        changed = read(web(site, "/"), tmp_path, refresh=True)
        assert changed.table.height == first.table.height + 1
        assert changed.table["title"].to_list()[1] == "Page 77"
        assert {file.origin.status for file in changed.scan.files if file.origin} == {200, 304}
        # And without a network it is what was fetched last.
        assert read(web(site, "/"), tmp_path, offline=True).digest == changed.digest


def test_what_is_new(tmp_path: Path) -> None:
    dates = {"/a": "2024-01-01", "/b": "2024-01-01"}

    def sitemap(_: str) -> Page:
        urls = (f"<url><loc>{site.url(path)}</loc><lastmod>{date}</lastmod></url>" for path, date in dates.items())
        return Page(f"<urlset>{''.join(urls)}</urlset>".encode(), "application/xml")

    pages = {"/": article(0, "/x"), "/x": article(1), "/a": article(2, "/y"), "/b": article(3), "/y": article(4)}
    with Site({**pages, "/s.xml": sitemap}) as site:
        source = web(site, "/", sitemaps=[site.url("/s.xml")], refresh="new")
        first = read(source, tmp_path)
        assert first.paths(site) == ["/", "/a", "/b", "/x", "/y"]
        dates["/b"], dates["/c"] = "2024-02-02", "2024-02-02"
        site.pages |= {
            "/": article(0, "/x", "/z"),
            "/b": article(33),
            "/c": article(5),
            "/z": article(6),
            "/x": article(11),
        }
        site.asked.clear()
        again = read(source, tmp_path)
        assert sorted(site.paths) == sorted(["/robots.txt", "/s.xml", "/", "/b", "/c", "/z"])
        assert again.paths(site) == ["/", "/a", "/b", "/x", "/y", "/c", "/z"]
        titles = dict(zip(again.paths(site), again.table["title"], strict=True))
        assert (titles["/b"], titles["/x"]) == ("Page 33", "Page 1")


def _spoil(site: Site, source: Web, tmp_path: Path, *paths: str) -> None:
    snapshot = snapshot_of(source, tmp_path)
    for kept in snapshot.kept:
        if kept.name in {site.url(path) for path in paths}:
            snapshot.path(kept).write_bytes(b"damaged")


def test_only_pages_that_are_damaged_are_asked_for_again(tmp_path: Path) -> None:
    with a_site() as site:
        source = web(site, "/")
        whole = read(source, tmp_path)
        _spoil(site, source, tmp_path, "/1", "/4")
        with pytest.raises(Damaged, match=f"what was kept of {site.url('/1')} is damaged"):
            read(source, tmp_path, offline=True)
        site.asked.clear()
        again = read(source, tmp_path)
        assert site.paths == ["/1", "/4"]
    assert (again.digest, again.malformed) == (whole.digest, whole.malformed)
    assert read(source, tmp_path, offline=True).digest == whole.digest


def test_a_damaged_page_that_has_gone_meanwhile(tmp_path: Path) -> None:
    pages = {"/": article(0, "/a", "/b"), "/a": article(1), "/b": article(2)}
    with Site(pages) as site:
        source = web(site, "/", refresh="new")
        read(source, tmp_path)
        site.pages["/"] = article(0, "/a", "/b", "/c")
        site.pages["/c"] = article(3)
        assert read(source, tmp_path).paths(site) == ["/", "/a", "/b", "/c"]
        _spoil(site, source, tmp_path, "/a", "/b")
        del site.pages["/a"]
        site.pages["/b"] = article(9)
        found = read(source, tmp_path)
        assert found.paths(site) == ["/", "/b", "/c"]
        assert found.table["title"].to_list() == ["Page 0", "Page 9", "Page 3"]
        assert found.failed(site) == {"/a": "status"}
        assert f"not what it was: {site.url('/b')}" in found.scan.notes[-1]
    assert read(source, tmp_path, offline=True).digest == found.digest


def test_a_page_that_changes_while_it_is_crawled_is_kept_once(tmp_path: Path) -> None:
    count = iter(range(1000))
    pages = {"/": article(0, "/now", "/now#x", "/now?"), "/now": lambda _: article(next(count), "/")}
    with Site(pages) as site:
        first = read(web(site, "/"), tmp_path)
        assert first.table["title"].to_list() == ["Page 0", "Page 0"]
        assert read(web(site, "/"), tmp_path).digest == first.digest
        assert read(web(site, "/"), tmp_path, refresh=True).table["title"].to_list() == ["Page 0", "Page 1"]


def test_other_pacing_is_the_same_crawl(tmp_path: Path) -> None:
    with a_site() as site:
        read(web(site, "/"), tmp_path)
        asked = len(site.asked)
        read(web(site, "/", per_second=50, timeout=9, attempts=1, user_agent=f"{WHO} again"), tmp_path)
        assert len(site.asked) == asked
        read(web(site, "/", user_agent="other (me@example.org)", depth=0), tmp_path)
        assert len(site.asked) == asked + 2
