"""Every way from page to page, whole or not at all; where it ends, and where it is cut."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rest_reading import ITEMS, read, rest, snapshot_of

from seedbed.core.errors import DataError
from serving.api import Answer, Api, Asked, as_json

WAYS: dict[str, tuple[str, dict[str, Any], int]] = {
    "next link found": ("/next", {}, 3),
    "next link": ("/next", {"pagination": {"kind": "next_link", "path": "next"}, "records": "data.items"}, 3),
    "link header found": ("/link", {}, 3),
    "link header": ("/link", {"pagination": {"kind": "link_header"}}, 3),
    "page": ("/page", {"pagination": {"kind": "page", "size_param": "size", "size": 10}}, 4),
    "offset": ("/offset", {"pagination": {"kind": "offset", "size": 7}}, 5),
    "offset with total": ("/offset", {"pagination": {"kind": "offset", "size": 10, "total": "total"}}, 3),
    "cursor": ("/cursor", {"pagination": {"kind": "cursor", "param": "after", "path": "meta.cursor"}}, 3),
    "cursor that says more": (
        "/cursor",
        {"pagination": {"kind": "cursor", "param": "after", "path": "meta.cursor", "has_more": "meta.has_more"}},
        3,
    ),
    "cursor in the body": (
        "/cursor",
        {
            "method": "POST",
            "body": {"query": "all"},
            "pagination": {"kind": "cursor", "param": "after", "path": "meta.cursor", "send": "body"},
        },
        3,
    ),
    "one page": ("/plain", {}, 1),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_every_record_once_and_asks_no_more_than_needed(way: str, api: Api, tmp_path: Path) -> None:
    path, options, requests = WAYS[way]
    source = rest(api.url(path), **options)
    found = read(source, tmp_path)
    assert found.table["id"].to_list() == [item["id"] for item in ITEMS]
    assert found.table["by.name"].to_list() == [item["by"]["name"] for item in ITEMS]
    assert found.table["row"][0] == "api:page-0001#1"
    assert found.malformed == []
    assert len(api.asked) == found.scan.fetching["requests"] == requests
    again = read(source, tmp_path, offline=True)
    assert again.digest == found.digest
    assert read(source, tmp_path).digest == found.digest
    assert len(api.asked) == requests
    if path == "/cursor" and options.get("method"):
        assert [json.loads(asked.body) for asked in api.asked] == [
            {"query": "all"},
            {"query": "all", "after": "10"},
            {"query": "all", "after": "20"},
        ]


def test_what_was_found_is_told(api: Api, tmp_path: Path) -> None:
    found = read(rest(api.url("/next")), tmp_path)
    assert found.scan.found == {"format": "json", "records": "data.items", "pages": "next_link"}
    assert found.scan.notes == (
        "pagination was found: its 'next' is the address of the next page (pages: 3, records: 25)",
    )
    origin = found.scan.files[1].origin
    assert origin
    assert (origin.url, origin.status, origin.media_type) == (api.url("/next?page=2"), 200, "application/json")


def test_xml(api: Api, tmp_path: Path) -> None:
    api.items[0]["text"] = "a < b & c"
    found = read(rest(api.url("/xml")), tmp_path)
    assert found.table["@id"].to_list() == [str(number) for number in range(1, 26)]
    assert found.table["text"][0] == "a < b & c"
    pages = {"kind": "page", "param": "page"}
    assert read(rest(api.url("/xml"), pagination=pages, records="item"), tmp_path).table.height == 25


def test_elements_are_rows_as_the_source_xml_has_them(api: Api, tmp_path: Path) -> None:
    entries = [
        '<entry id="1"><by><name>Ann</name></by><tag>a</tag></entry>',
        '<entry id="2"><tag>b</tag><tag>c</tag><text>so <b>bad</b></text></entry>',
    ]
    pages = {str(n): f'<feed xmlns="urn:x"><list><entry/></list>{entry}</feed>' for n, entry in enumerate(entries, 1)}
    kind = {"content-type": "application/atom+xml; charset=utf-8"}
    api.routes["/feed"] = lambda asked: Answer(pages.get(asked.query["page"], "<feed/>").encode(), headers=kind)
    found = read(rest(api.url("/feed"), records="/feed/entry", pagination={"kind": "page"}), tmp_path)
    assert found.table.drop("row", "_n").to_dict(as_series=False) == {
        "@id": ["1", "2"],
        "by.name": ["Ann", None],
        "tag": ['["a"]', '["b","c"]'],
        "text": [None, "so bad"],
    }
    pages["2"] = "<error>slow down</error>"
    with pytest.raises(DataError, match="page-0002 is <error>, where the first page was <feed>"):
        read(rest(api.url("/feed"), records="entry", pagination={"kind": "page"}), tmp_path)


def test_a_link_header_may_hold_more(api: Api, tmp_path: Path) -> None:
    header = '<https://x.org/a,b;c>; title="say \\"hi\\", rel=next"; rel=prev, </two?a=1,2>; x; rel="last NEXT"'
    api.routes["/one"] = lambda _: as_json([{"a": 1}], Link=header)
    api.routes["/two"] = lambda asked: as_json([{"a": asked.query["a"]}])
    assert read(rest(api.url("/one")), tmp_path).table["a"].to_list() == ["1", "1,2"]


# Where it ends


def test_pages_that_do_not_say_how_to_go_on_are_not_read_in_part(api: Api, tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        read(rest(api.url("/cursor")), tmp_path)
    assert "there is more than one page (meta.has_more is true)" in str(raised.value)
    assert "pagination: {kind: none}" in str(raised.value)
    with pytest.raises(DataError, match="total is 25"):
        read(rest(api.url("/offset")), tmp_path)
    assert read(rest(api.url("/offset"), pagination={"kind": "none"}), tmp_path).table.height == 10


INNER = [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize(
    ("answer", "headers", "sign", "way"),
    [
        ({"payload": {"entries": INNER, "paging": {"hasMore": True}}}, {}, "payload.paging.hasMore is true", "page"),
        ({"response": {"numFound": 9, "docs": INNER}}, {}, "response.numFound is 9", "offset"),
        ({"hits": {"total": {"value": 9}, "hits": INNER}}, {}, "hits.total.value is 9", "offset"),
        ({"a": {"b": {"c": INNER, "nextToken": "x"}}}, {}, "a.b.nextToken is there", "path: a.b.nextToken"),
        ({"records": INNER, "offset": "itr9"}, {}, "offset is there", "path: offset"),
        (INNER, {"X-WP-Total": "9"}, "the header x-wp-total is 9", "page"),
        (INNER, {"X-Total-Pages": "2"}, "the header x-total-pages is 2", "page"),
        (INNER, {"X-Next-Page": "2"}, "the header x-next-page is there", "page"),
        (INNER, {"Content-Range": "items 0-1/9"}, "the header content-range ends with 9", "page"),
    ],
)
def test_whatever_says_that_there_is_more_is_heard(
    answer: Any, headers: dict[str, str], sign: str, way: str, api: Api, tmp_path: Path
) -> None:
    api.routes["/more"] = lambda _: as_json(answer, **headers)
    with pytest.raises(DataError) as raised:
        read(rest(api.url("/more")), tmp_path)
    assert f"there is more than one page ({sign})" in str(raised.value)
    assert way in str(raised.value)
    assert read(rest(api.url("/more"), pagination={"kind": "none"}), tmp_path).table.height == 2


@pytest.mark.parametrize(
    ("answer", "headers"),
    [
        ({"response": {"numFound": 2, "start": 0, "docs": INNER}, "cost": {"total": 70}}, {}),
        ({"records": INNER, "offset": 0, "page": {"totalPages": 1}}, {"X-Total-Count": "2", "X-Next-Page": ""}),
        (INNER, {"Content-Range": "items 0-1/2", "X-Total-Pages": "1"}),
        ({"links": [{"rel": "self", "href": "/all"}, {"rel": "up", "href": "/"}], "items": INNER}, {}),
    ],
)
def test_what_says_that_this_is_all_is_heard(answer: Any, headers: dict[str, str], api: Api, tmp_path: Path) -> None:
    api.routes["/all"] = lambda _: as_json(answer, **headers)
    assert read(rest(api.url("/all")), tmp_path).table["id"].to_list() == [1, 2]


def test_a_next_link_is_found_beside_the_records_and_in_lists_of_links(api: Api, tmp_path: Path) -> None:
    def answer(asked: Asked) -> Answer:
        there = int(asked.query.get("p", 1))
        links = [{"relation": "self", "url": "/x"}, {"relation": "next", "url": f"{asked.path}?p={there + 1}"}]
        pages = {
            "/beside": {"data": {"rows": [{"n": there}], "paging": {"next": f"/beside?p={there + 1}"}}},
            "/fhir": {"link": links, "entry": [{"n": there}]},
        }
        last = {"/beside": {"data": {"rows": [{"n": 3}]}}, "/fhir": {"link": links[:1], "entry": [{"n": 3}]}}
        return as_json((pages if there < 3 else last)[asked.path])

    api.routes |= {"/beside": answer, "/fhir": answer}
    for path in ("/beside", "/fhir"):
        assert read(rest(api.url(path)), tmp_path).table["n"].to_list() == [1, 2, 3]


def test_atom(api: Api, tmp_path: Path) -> None:
    def answer(asked: Asked) -> Answer:
        here = int(asked.query.get("p", 1))
        then = f'<link rel="next" href="/atom?p={here + 1}"/>' if here < 3 else ""
        rows = "".join(f"<entry><id>{2 * here + n}</id></entry>" for n in (0, 1))
        body = f'<feed xmlns="http://www.w3.org/2005/Atom"><link rel="self" href="/atom"/>{then}{rows}</feed>'
        return Answer(body.encode(), headers={"content-type": "application/atom+xml"})

    api.routes["/atom"] = answer
    found = read(rest(api.url("/atom")), tmp_path)
    assert found.table["id"].to_list() == ["2", "3", "4", "5", "6", "7"]
    assert read(rest(api.url("/atom"), records="entry"), tmp_path).digest == found.digest


def test_a_cursor_may_be_a_value_of_the_last_record(api: Api, tmp_path: Path) -> None:
    def answer(asked: Asked) -> Answer:
        start = int(asked.query.get("after", 0))
        return as_json({"data": [{"id": n} for n in range(start + 1, start + 4)], "has_more": start < 6})

    api.routes["/last"] = answer
    pages = {"kind": "cursor", "param": "after", "path": "data.-1.id", "has_more": "has_more"}
    assert read(rest(api.url("/last"), pagination=pages), tmp_path).table["id"].to_list() == list(range(1, 10))
    with pytest.raises(DataError, match=r"more \(has_more\), and has nothing at the path 'data.-9.id'"):
        read(rest(api.url("/last"), pagination={**pages, "path": "data.-9.id"}), tmp_path)


@pytest.mark.parametrize("kind", [{"kind": "next_link"}, {"kind": "cursor", "param": "after"}])
def test_a_path_that_leads_nowhere_loses_no_pages(kind: dict[str, Any], api: Api, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing at the path 'meta.curser', and yet .*meta.has_more is true"):
        read(rest(api.url("/cursor"), pagination={**kind, "path": "meta.curser"}), tmp_path)


def test_most_pages_and_limit(api: Api, tmp_path: Path) -> None:
    cut = read(rest(api.url("/next"), most_pages=2), tmp_path)
    assert cut.table.height == 20
    assert "there are more pages than most_pages allows (2): the rest was not fetched" in cut.scan.notes
    api.asked.clear()
    assert read(rest(api.url("/next"), limit=11), tmp_path).table["id"].to_list() == list(range(1, 12))
    assert len(api.asked) == 2


@pytest.mark.parametrize("last", [False, 0, "false", None])
@pytest.mark.parametrize("pages", [{"kind": "page"}, {"kind": "cursor", "param": "page", "path": "then"}])
def test_the_answer_may_say_that_it_is_the_last(api: Api, tmp_path: Path, pages: dict[str, Any], last: Any) -> None:
    def answer(asked: Asked) -> Answer:
        number = int(asked.query.get("page", 1))
        return as_json({"items": [{"n": number}], "then": number + 1, "more": last if number == 3 else True})

    api.routes["/more"] = answer
    found = read(rest(api.url("/more"), pagination={**pages, "has_more": "more"}), tmp_path)
    assert found.table["n"].to_list() == [1, 2, 3]
    with pytest.raises(DataError, match="nothing at the path 'less'"):
        read(rest(api.url("/more"), pagination={**pages, "has_more": "less"}), tmp_path)


@pytest.mark.parametrize("pages", [{"kind": "page"}, {"kind": "offset"}])
def test_a_server_that_does_not_heed_the_parameter(api: Api, tmp_path: Path, pages: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="page-0002 is the same as page-0001, byte for byte"):
        read(rest(api.url("/plain"), pagination=pages), tmp_path)


def test_pages_that_lead_in_circles(api: Api, tmp_path: Path) -> None:
    def circle(asked: Asked) -> Answer:
        number = int(asked.query.get("n", 0))
        return as_json({"items": [{"asked": len(api.asked)}], "next": f"/circle?n={(number + 1) % 3 or 1}"})

    api.routes["/circle"] = circle
    with pytest.raises(DataError, match="in circles: page-0004 would be asked for as page-0002 was"):
        read(rest(api.url("/circle")), tmp_path)


def test_the_next_page_is_not_on_another_host(api: Api, tmp_path: Path) -> None:
    with Api(ITEMS) as other:
        api.routes["/away"] = lambda _: as_json({"items": [{"a": 1}], "next": other.url("/plain")})
        with pytest.raises(DataError, match="the next page is on another host"):
            read(rest(api.url("/away")), tmp_path)
        assert not other.asked


# Cut anywhere


FETCHING = """
import sys
sys.path[:0] = sys.argv[3].split(":")
from pathlib import Path
from rest_reading import ITEMS, read, rest
read(rest(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_process_that_is_killed_has_kept_what_came(api: Api, tmp_path: Path) -> None:
    source = rest(api.url("/page"), pagination={"kind": "page", "size_param": "size", "size": 1})
    whole = read(source, tmp_path / "whole")
    api.asked.clear()
    api.faults = {8: "silence"}
    script = FETCHING.replace("rest(sys.argv[1])", f"rest(sys.argv[1], pagination={source.pagination.model_dump()!r})")
    arguments = [source.url, str(tmp_path / "cut"), ":".join(sys.path)]
    with subprocess.Popen([sys.executable, "-c", script, *arguments]) as process:
        while len(api.asked) < 8:
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    api.faults = {}
    found = read(source, tmp_path / "cut")
    assert found.digest == whole.digest
    assert [asked.query["page"] for asked in api.asked] == [str(n) for n in (*range(1, 9), *range(8, 27))]


def test_a_connection_that_breaks_anywhere_changes_nothing(api: Api, tmp_path: Path) -> None:
    chance = random.Random(5)
    source = rest(api.url("/next"), attempts=1)
    whole = read(source, tmp_path / "whole")
    total = api.sent
    for number in range(50):
        folder = tmp_path / str(number)
        api.sent, api.cut_after = 0, chance.randrange(total)
        with pytest.raises(DataError):
            read(source, folder)
        before = len(api.asked)
        found = read(source, folder)
        assert found.digest == whole.digest
        kept = snapshot_of(source, folder).kept
        assert [one.sha256 for one in kept] == [file.sha256 for file in whole.scan.files]
        assert len(api.asked) - before <= 3
