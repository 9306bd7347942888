"""JSON documents: which records are found, what becomes of broken ones, and that memory does not grow."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ijson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from source_reading import Read, read

from seedbed.core.errors import DataError
from seedbed.sources import Json
from seedbed.sources.nested import document
from seedbed.sources.nested.document import Broken, Document, Piece
from seedbed.sources.nested.finding import Lists


@pytest.fixture(autouse=True)
def _sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("block_bytes", "longest"):
        monkeypatch.setattr(Json, name, getattr(Json, name))
    monkeypatch.setattr(document, "_LOOK", document._LOOK)


def of(folder: Path, data: bytes | str, name: str = "data.json", size: int | None = None, **options: object) -> Read:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    if size:
        Json.block_bytes = document._LOOK = size
    return read(Json.model_validate({"use": "json", "path": name, **options}), folder)


def refused(folder: Path, data: bytes | str, **options: object) -> str:
    with pytest.raises(DataError) as error:
        of(folder, data, **options)
    assert "data.json" in str(error.value)
    assert len(str(error.value).splitlines()) <= 5
    return str(error.value)


# -- which records there are, held against ijson

KEYS = st.sampled_from(["a", "b", 'c,"', "d\\", "e:[{"])
LEAVES = st.sampled_from([1, -2.5e3, True, None, "", '}],{"', "\\", "é\n", "x" * 40])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=25
)
DOCUMENTS = st.lists(VALUES, max_size=4) | st.dictionaries(KEYS, VALUES, max_size=4)
PATHS = st.lists(KEYS.filter(lambda key: "." not in key), max_size=3).map(tuple)


def _records(path: tuple[str, ...], data: bytes) -> list[Any]:
    found = []
    for piece in Document(path, 1 << 20).read(io.BytesIO(data)):
        assert isinstance(piece, Piece)
        assert piece.data in data
        found += [json.loads(piece.data[s:e]) for s, e in zip(piece.starts.tolist(), piece.ends.tolist(), strict=True)]
    return found


@settings(max_examples=150)
@given(
    value=DOCUMENTS, path=PATHS, ascii_only=st.booleans(), indent=st.sampled_from([None, 2]), look=st.integers(1, 60)
)
def test_the_records_are_those_that_ijson_finds(
    value: Any, path: tuple[str, ...], ascii_only: bool, indent: int | None, look: int
) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    document._LOOK = look
    wanted = []
    for at in ijson.items(data, ".".join(path), use_float=True):
        wanted += at if isinstance(at, list) else [] if at is None else [at]
    assert _records(path, data) == wanted


def _lists(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, list):
        yield from [path] if value and isinstance(value[0], dict) else []
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _lists(inner, (*path, key))


@settings(max_examples=120)
@given(value=DOCUMENTS, indent=st.sampled_from([None, 2]), look=st.integers(1, 60))
def test_the_lists_of_objects_that_lie_least_deep_are_found(value: Any, indent: int | None, look: int) -> None:
    data, lists = json.dumps(value, indent=indent).encode(), Lists()
    for start in range(0, len(data), look):
        lists.feed(data[start : start + look])
    there = list(_lists(value))
    least = min(map(len, there), default=0)
    assert lists.found == [path for path in there if len(path) == least][:6]


@settings(max_examples=120)
@given(value=DOCUMENTS, path=PATHS, data=st.data(), look=st.integers(1, 60))
def test_whatever_is_broken_ends(value: Any, path: tuple[str, ...], data: st.DataObject, look: int) -> None:
    text = json.dumps(value).encode()
    document._LOOK = look
    cut = data.draw(st.integers(1, len(text)))
    found = list(Document(path, 30).read(io.BytesIO(text[:cut])))
    assert (cut == len(text)) != any(isinstance(one, Broken) and one.reason == "cut_off" for one in found)
    at, junk = data.draw(st.integers(0, len(text) - 1)), data.draw(st.sampled_from(b'{}[],:"\\a'))
    list(Document(path, 30).read(io.BytesIO(text[:at] + bytes([junk]) + text[at + 1 :])))


def test_any_element_and_any_value(tmp_path: Path) -> None:
    data = '{"pages": [{"rows": [{"n": 1}, {"n": 2}]}, {"none": 0}, {"rows": {"n": 3}}, {"rows": null}, {"rows": 7}]}'
    found = of(tmp_path, data, records="pages[].rows")
    assert found.table["n"].to_list() == [1, 2, 3]
    assert found.reasons == [(4, 1, "not_an_object")]
    assert of(tmp_path, '{"ada": {"n": 1}, "bo": {"n": 2}}', records="*").table["n"].to_list() == [1, 2]
    assert of(tmp_path, '{"ada": {"n": 1}, "bo": {"n": 2}}').table.rows() == [(1, 2)]
    assert of(tmp_path, '{"a": 1, "b": [{"n": 1}]}', records=".").table.rows() == [(1, '[{"n":1}]')]
    with pytest.raises(ValidationError, match="empty step"):
        Json(path="x", records="a..b")


# -- what becomes of records


def test_nested_fields(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "by": {"name": "Ada", "at": {"city": "Ulm", "geo": {"x": 1.5}}}, "tags": ["a"], "of": [{"n": 1}]},
        {"id": 2, "by": {}, "tags": []},
        {"id": 3, "by": "nobody"},
    ]
    found = of(tmp_path, json.dumps(rows), depth=2)
    assert found.table.to_dicts() == [
        {"id": 1, "by.name": "Ada", "by.at.city": "Ulm", "by.at.geo": '{"x":1.5}', "tags": '["a"]', "of": '[{"n":1}]',
         "by": None},
        {"id": 2, "by.name": None, "by.at.city": None, "by.at.geo": None, "tags": "[]", "of": None, "by": None},
        {"id": 3, "by.name": None, "by.at.city": None, "by.at.geo": None, "tags": None, "of": None, "by": "nobody"},
    ]  # fmt: skip
    assert of(tmp_path, json.dumps(rows), depth=0).table["by"].to_list()[1:] == ["{}", "nobody"]
    clash = of(tmp_path, '[{"a.b": 1}, {"a.b": 1, "a": {"b": 2}}]')
    assert clash.malformed[0]["reason"] == "same_column"


BROKEN = b"""{"about": "x, [{", "items": [
  {"n": 1, "t": "a"},
  {"n": "two"},

  {"n": 3,
   "t": oops},
  [4], null, 5,
  {"n": NaN}, {"n": 6, "t": "\xff"},
  {"n": 7} {"n": 8},
  {"n": 9, "n": 10, "t": 11},
]}
"""


@pytest.mark.parametrize("size", [1, 7, 4 << 20])
def test_every_broken_record_is_told(size: int, tmp_path: Path) -> None:
    found = of(tmp_path, BROKEN, size=size, types={"n": "integer"})
    assert found.table.select("n", "t").rows() == [(1, "a"), (10, "11")]
    assert found.records == [1, 10]
    assert found.reasons == [
        (2, 3, "wrong_type"), (3, 5, "not_json"), (4, 7, "not_an_object"), (5, 7, "not_an_object"),
        (6, 7, "not_an_object"), (7, 8, "not_json"), (8, 8, "bad_encoding"), (9, 9, "not_json"),
    ]  # fmt: skip
    bad = found.malformed[1]
    assert json.loads(bad["evidence"])["line"] == 6
    assert bad["raw"] == '{"n": 3,\n   "t": oops}'
    assert found.scan.found == {"records": "items"}


@pytest.mark.parametrize("size", [1, 9, 4 << 20])
def test_a_document_that_ends_in_the_middle_keeps_what_came(size: int, tmp_path: Path) -> None:
    whole = '{"items": [{"n": 1}, {"n": 2}], "more": {"k": [1]}}'
    for cut in range(len('{"items": [{"n": 1}'), len(whole)):
        found = of(tmp_path, whole[:cut], size=size)
        assert found.table["n"].to_list() == [1, 2][: found.table.height]
        assert found.table.height == (2 if cut >= whole.index("2}") + 2 else 1)
        assert [bad["reason"] for bad in found.malformed] == ["cut_off"]
    assert of(tmp_path, whole[:30], limit=1).malformed == []
    found = of(tmp_path, whole[:26])
    assert found.malformed[0]["raw"] == '{"n":'


def test_more_than_one_document(tmp_path: Path) -> None:
    assert "use: jsonl" in refused(tmp_path, '{"a": 1}\n{"a": 2}\n')
    found = of(tmp_path, '[{"a": 1}, {"a": 2}\n]\n, {"a": 3}]')
    assert found.table["a"].to_list() == [1, 2]
    assert found.reasons == [(3, 3, "after_the_end")]
    found = of(tmp_path, '[{"a": 1}, {"a": 2}}]')
    assert [bad["reason"] for bad in found.malformed] == ["wrong_bracket"]


@pytest.mark.parametrize("size", [10, 4 << 20])
def test_long_records_and_many_keys(size: int, tmp_path: Path) -> None:
    Json.longest = 200
    rows = [{"a": "x"}, {"a": "y" * 5000}, {"a": "z"}]
    found = of(tmp_path, json.dumps(rows), size=size)
    assert found.table["a"].to_list() == ["x", "z"]
    assert found.reasons == [(2, 1, "too_long")]
    assert json.loads(found.malformed[0]["evidence"])["bytes"] in (
        len(json.dumps(rows[1])),
        len(json.dumps(rows[1])) + 1,
    )
    assert len(found.malformed[0]["raw"]) <= 200
    Json.longest = 16 << 20
    many = {str(n): n for n in range(100_000)}
    found = of(tmp_path, json.dumps([rows[0], many, rows[2]]), size=1 << 20)
    assert found.scan.schema.names() == ["a"]
    assert found.reasons == [(2, 1, "too_many_keys")]
    assert "100,000 columns" in refused(tmp_path, json.dumps([many]))


def test_late_keys_are_counted_and_bounded(tmp_path: Path) -> None:
    rows = [{"a": "x" * 1000}] * 1050 + [{"a": "y", f"late{n}": 1} for n in range(50)]
    found = of(tmp_path, json.dumps(rows))
    assert found.table.height == 1100
    assert len(found.remarks) == 21
    assert sum(found.remarks.values()) == 50


def test_several_files_and_packed_ones(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.json").write_text('{"items": [{"n": 1}]}')
    (tmp_path / "in" / "b.json.gz").write_bytes(gzip.compress(b'\xef\xbb\xbf{"items": [{"n": 2}]}'))
    (tmp_path / "in" / "c.json").write_text('{"items": []}')
    found = read(Json(path="in", limit=2), tmp_path)
    assert found.table["n"].to_list() == [1, 2]
    assert found.scan.notes == ("c.json has no records",)
    (tmp_path / "in" / "d.json").write_text('[{"n": 3}]')
    with pytest.raises(DataError, match="say where they are"):
        read(Json(path="in"), tmp_path)
    for name in ("a.json", "b.json.gz", "c.json", "d.json"):
        (tmp_path / "in" / name).write_text('{"n": 1, "of": {"x": 2}}')
    assert read(Json(path="in"), tmp_path).table.rows() == [(1, 2)] * 4


@pytest.mark.parametrize(
    ("data", "words", "options"),
    [
        (b"", "is empty", {}),
        (b" \n", "is empty", {}),
        (b"n,t\n1,2\n", "begins with neither", {}),
        (b"var x = [{}]", "begins with neither", {}),
        (b"\1\2\3" * 50, "control characters", {}),
        (b"[1, 2]", "none of its first 2 records is an object (not_an_object)", {}),
        (b"[1]", "its record is no object (not_an_object)", {}),
        (b"[", "data.json: ends before its first record does", {}),
        (b'[\n{"a": 1', "data.json: ends before its first record does", {}),
        (b'{"rows": [{"a"', "it was cut: fetch it", {"records": "rows"}),
        (b"[]", "no record", {}),
        (b'{"a": {"b": []}}', "no record at a.x", {"records": "a.x"}),
        (b'{"a": [{"n": 1}], "b": [{"n": 1}]}', "say which are the rows", {}),
        (b"PAR1" + b"\0" * 50, "use: parquet", {}),
        ('[{"a": 1}]'.encode("utf-16"), "utf-16", {}),
        (b"<?xml version='1.0'?><a/>", "XML", {}),
    ],
)
def test_files_that_cannot_be_read(data: bytes, words: str, options: dict[str, object], tmp_path: Path) -> None:
    assert words in refused(tmp_path, data, **options)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    row = json.dumps({"text": "word " * 40, "of": {"n": 1}})
    for name, rows in (("small.json", 2_000), ("large.json", 40_000)):
        (tmp_path / name).write_text('{"head": [1, 2], "rows": [' + ",\n".join([row] * rows) + "]}")
    from seedbed.core.context import Context

    peaks = []
    for name in ("small.json", "large.json"):
        source, context = Json(path=name), Context(base=tmp_path)
        tracemalloc.start()
        scan = source.scan(context)
        total = sum(1 for block in source.blocks(scan, context) for _ in block.payload)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert total
    assert peaks[1] < peaks[0] + (16 << 20)
