"""What `rest` takes for no page and for no record, and what a recipe may not say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from rest_reading import read, rest

from seedbed.core.errors import DataError
from seedbed.sources.rest import Rest
from serving.api import Answer, Api, as_json


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("html:text/html", "page-0002 is a web page, not JSON"),
        ("html:application/json", "page-0002 is a web page, not JSON"),
        ("body:", "page-0002 is empty, not JSON"),
        ('body:{"data": {"items": [', "page-0002 is no JSON"),
        ('body:{"error": "slow down"}', "page-0002 has nothing at the path 'data.items'"),
        ("body:NaN", "page-0002 is no JSON"),
        pytest.param(f"body:{'[' * 100_000}", "page-0002 is no JSON (depth limit", id="deep"),
        ("lie", "the answer is not gzip"),
    ],
)
def test_a_page_that_is_none_ends_the_fetch_and_the_next_run_goes_on(
    api: Api, tmp_path: Path, fault: str, said: str
) -> None:
    source = rest(api.url("/next"))
    api.faults = {2: fault}
    with pytest.raises(DataError) as raised:
        read(source, tmp_path)
    assert said in str(raised.value)
    assert str(raised.value).startswith(api.url("/next"))
    assert len(str(raised.value).splitlines()) <= 5
    with pytest.raises(DataError, match="what was fetched of it is not whole"):
        read(source, tmp_path, offline=True)
    assert read(source, tmp_path).table["id"].to_list() == list(range(1, 26))
    assert len(api.asked) == 4


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_other_encodings_that_say_so(api: Api, tmp_path: Path, mark: str) -> None:
    api.routes["/marked"] = lambda _: Answer('[{"text": "größer"}]'.encode(mark))
    assert read(rest(api.url("/marked")), tmp_path).table["text"].to_list() == ["größer"]


def test_records_that_are_no_rows(api: Api, tmp_path: Path) -> None:
    many = {f"k{number}": number for number in range(100_000)}
    api.routes["/odd"] = lambda _: as_json(
        [{"a": 1}, "text", None, many, {"a": "x", "b.c": 1, "b": {"c": 2}}, {"a": 2}]
    )
    found = read(rest(api.url("/odd"), types={"a": "integer"}), tmp_path)
    assert found.table["a"].to_list() == [1, 2]
    expected = ["not_an_object", "not_an_object", "too_many_keys", "same_column"]
    assert found.reasons == [(f"page-0001#{place}", reason) for place, reason in enumerate(expected, 2)]


BOMB = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10 if n else 'x' * 10}'>" for n in range(12))
BOMB = f"<!DOCTYPE a [{BOMB}]><a><i>&e11;</i><i>2</i></a>"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a><i>&b;</i><i>2</i></a>", "declares entities"),
        ("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a><i>&b;</i><i>2</i></a>", "declares entities"),
        pytest.param(BOMB, "declares entities|amplification", id="bomb"),
        ("<a><i>1</i>", "is no XML"),
        pytest.param("<a>" * 300 + "</a>" * 300, "is no XML .Excessive depth", id="deep"),
        ("<a><i>1</i></a>", "no element that is there several times"),
    ],
)
def test_xml_that_is_not_read(api: Api, tmp_path: Path, body: str, said: str) -> None:
    api.routes["/bad"] = lambda _: Answer(body.encode(), headers={"content-type": "text/xml"})
    with pytest.raises(DataError, match=said):
        read(rest(api.url("/bad")), tmp_path)


def test_several_lists_and_no_record(api: Api, tmp_path: Path) -> None:
    api.routes["/two"] = lambda _: as_json({"a": [{"x": 1}], "b": [{"x": 2}], "c": {"d": {"x": 3}}})
    with pytest.raises(DataError, match="page-0001 has several lists: a, b"):
        read(rest(api.url("/two")), tmp_path)
    assert read(rest(api.url("/two"), records="b"), tmp_path).table["x"].to_list() == [2]
    assert read(rest(api.url("/two"), records="c.*"), tmp_path).table["x"].to_list() == [3]
    with pytest.raises(DataError, match="did you mean 'a'"):
        read(rest(api.url("/two"), records="aa"), tmp_path)
    api.items = []
    with pytest.raises(DataError, match="no record came"):
        read(rest(api.url("/plain")), tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": "example.org/items"}, "http:// or https://"),
        ({"url": "https://me:hunter2@example.org/"}, "auth: {kind: basic"),
        ({"auth": {"kind": "bearer", "token": "hunter2"}}, "a secret has no place in a recipe"),
        ({"auth": {"kind": "basic", "user": "me", "password": "hunter2"}}, "a secret has no place in a recipe"),
        ({"headers": {"Authorization": "Bearer hunter2"}}, "looks like a secret"),
        ({"params": {"api_key": "hunter2"}}, "looks like a secret"),
        ({"refresh": "new"}, "refresh: new needs `cursor`"),
        ({"body": {"a": 1}}, "method: POST"),
        ({"pagination": {"kind": "pages"}}, "pages"),
    ],
)
def test_options_that_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Rest.model_validate({"use": "rest", "url": "https://example.org/", **options})
    assert said in str(raised.value)
    assert "hunter2" not in str(raised.value)
