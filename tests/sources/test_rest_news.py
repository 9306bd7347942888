"""`rest` fetches what is new, and what is damaged once more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rest_reading import context, read, rest, snapshot_of

from seedbed.core.errors import Damaged, DataError
from seedbed.sources.fetching.http import FetchError
from seedbed.sources.rest import Rest
from serving.api import Api, as_json

NEW = {"cursor": {"param": "since", "path": "updated"}, "refresh": "new"}


def test_what_is_new_is_added(api: Api, tmp_path: Path) -> None:
    source = rest(api.url("/next"), key="id", **NEW)
    first = read(source, tmp_path)
    assert "since" not in api.asked[0].query
    api.asked.clear()
    api.items[3] = {**api.items[3], "text": "changed", "updated": "2024-02-01"}
    api.items.append({"id": 26, "text": "text 26", "updated": "2024-02-02"})
    second = read(source, tmp_path)
    assert [asked.query for asked in api.asked] == [{"since": "2024-01-25"}]
    assert second.table["row"].to_list()[-2:] == ["api:page-0004#1", "api:page-0004#2"]
    assert second.table["id"].to_list() == [1, 2, 3, *range(5, 26), 4, 26]
    assert second.reasons == [("page-0001#4", "replaced")]
    assert json.loads(second.malformed[0]["evidence"]) == {"stays": "page-0004#1"}
    assert read(source, tmp_path, offline=True).digest == second.digest
    third = read(source, tmp_path)
    assert third.digest == second.digest  # nothing was new
    assert api.asked[-1].query == {"since": "2024-02-02"}
    fresh = read(rest(api.url("/next"), key="id", **NEW), tmp_path, refresh=True)
    assert fresh.table["id"].to_list() == list(range(1, 27))
    assert first.table.height == 25


def test_records_that_come_again_as_they_were(api: Api, tmp_path: Path) -> None:
    api.routes["/since"] = lambda asked: as_json(
        [item for item in api.items if item["id"] >= int(asked.query.get("from", 0))]
    )
    source = rest(api.url("/since"), cursor={"param": "from", "path": "id", "start": 20}, refresh="new")
    assert read(source, tmp_path).table["id"].to_list() == list(range(20, 26))
    api.items.append({"id": 100})
    found = read(source, tmp_path)
    assert found.table["id"].to_list() == [*range(20, 26), 100]
    assert found.reasons == [("page-0002#1", "repeated")]
    assert [asked.query for asked in api.asked] == [{"from": "20"}, {"from": "25"}]


def test_what_is_new_goes_on_where_it_was_cut(api: Api, tmp_path: Path) -> None:
    source = rest(api.url("/next"), attempts=1, **NEW)
    read(source, tmp_path)
    api.items += [{"id": number, "updated": f"2024-02-{number - 30:02}"} for number in range(31, 56)]
    api.faults = {len(api.asked) + 2: "500"}
    with pytest.raises(FetchError):
        read(source, tmp_path)
    assert read(source, tmp_path, offline=True).table.height == 25
    assert read(source, tmp_path).table.height == 50
    assert len(api.asked) == 3 + 2 + 2
    assert read(source, tmp_path).table.height == 50


def _spoil(source: Rest, tmp_path: Path, *names: str) -> None:
    snapshot = snapshot_of(source, tmp_path)
    for kept in snapshot.kept:
        if kept.name in names:
            snapshot.path(kept).write_bytes(b"{}")


def test_only_what_is_damaged_is_fetched_again(api: Api, tmp_path: Path) -> None:
    source = rest(api.url("/next"), key="id", **NEW)
    read(source, tmp_path)
    second = api.asked[1].query
    api.items += [{"id": number, "updated": f"2024-02-{number:02}"} for number in range(26, 29)]
    whole = read(source, tmp_path)
    _spoil(source, tmp_path, "page-0002", "page-0004")
    with pytest.raises(Damaged, match="what was kept of page-0002 is damaged") as error:
        read(source, tmp_path, offline=True)
    assert (error.value.at, error.value.hint) == (api.url("/next"), "a run without --offline fetches it again")
    never = rest(api.url("/next"), key="id", cursor=NEW["cursor"], attempts=1)
    api.asked.clear()
    api.faults = {len(api.asked) + 2: "500"}
    with pytest.raises(FetchError):
        read(never, tmp_path)
    again = read(never, tmp_path)
    queries = [dict(asked.query) for asked in api.asked]
    assert (queries[0], queries[1:]) == (dict(second), 2 * [{"since": "2024-01-25"}])
    assert again.digest == whole.digest
    assert read(source, tmp_path, offline=True).digest == whole.digest


def test_a_damaged_page_that_is_another_one_now(api: Api, tmp_path: Path) -> None:
    source = rest(api.url("/next"))
    read(source, tmp_path)
    api.items[11] = {**api.items[11], "text": "changed"}
    _spoil(source, tmp_path, "page-0002")
    found = read(source, tmp_path)
    assert found.table["id"].to_list() == list(range(1, 26))
    assert found.table["text"][11] == "changed"
    assert "not what it was: page-0002; --refresh fetches everything anew" in found.scan.notes[-1]
    assert read(source, tmp_path, offline=True).scan.notes == found.scan.notes
    _spoil(source, tmp_path, "page-0003")
    api.faults = {len(api.asked) + 1: "404"}
    with pytest.raises(
        DataError, match="page-0003 is damaged or gone from the store, and cannot be had alone"
    ) as error:
        read(source, tmp_path)
    assert "--refresh" in error.value.hint
    fresh = read(source, tmp_path, refresh=True)
    assert fresh.digest == found.digest
    assert len(fresh.scan.notes) == len(found.scan.notes) - 1


def test_what_is_added_looks_like_what_was_there(api: Api, tmp_path: Path) -> None:
    source = rest(api.url("/next"), **NEW)
    read(source, tmp_path)
    api.faults = {len(api.asked) + 1: 'body:{"status": "nothing is new"}'}
    with pytest.raises(DataError, match=r"page-0004 has nothing at the path 'data.items'"):
        read(source, tmp_path)
    assert read(source, tmp_path).table.height == 25


def test_what_an_edit_asks_for_again(api: Api, tmp_path: Path) -> None:
    read(rest(api.url("/next")), tmp_path)
    read(rest(api.url("/next"), depth=0, types={"id": "string"}, license="MIT", timeout=9), tmp_path)
    assert len(api.asked) == 3
    read(rest(api.url("/next"), params={"size": 20}), tmp_path)
    assert len(api.asked) == 5


def test_the_rows_of_a_page_are_kept_until_something_about_them_changes(api: Api, tmp_path: Path) -> None:
    source = rest(api.url("/next"), key="id", **NEW)

    def heeded() -> list[Any]:
        held = context(tmp_path)
        scan = source.scan(held)
        return [source.heeds(block, scan) for block in source.blocks(scan, held)]

    first = heeded()
    api.items[3] = {**api.items[3], "updated": "2024-02-01"}
    second = heeded()
    assert first[1:] == second[1:3]
    assert first[0] != second[0]
