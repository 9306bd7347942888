"""What others may send to do harm: each of these once took memory, time or a traceback."""

from __future__ import annotations

import json
import pickle
import resource
import sqlite3
import struct
import time
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook
from rest_reading import read as read_rest
from rest_reading import rest
from source_reading import read
from web_reading import read as read_web
from web_reading import web

from seedbed.core.errors import DataError
from seedbed.sources import Csv, Excel, Html, Hub, Parquet, Sqlite, Xml
from seedbed.sources.crawling import crawl
from seedbed.sources.crawling.robots import Robots
from seedbed.sources.fetching.addresses import is_private
from seedbed.sources.fetching.pacing import retry_after
from seedbed.sources.frames.unpickling import loaded
from seedbed.sources.reading import download
from serving.api import Answer, Api
from serving.file_server import file_server
from serving.site import Page, Site, article


def dtype(name: str, *state: Any) -> bytes:
    """Opcodes of a dtype and the state that a pickle gives it."""
    named = b"X" + struct.pack("<I", len(name)) + name.encode()
    return b"cnumpy\ndtype\n" + named + b"\x89\x88\x87R" + opcodes(state) + b"b"


def opcodes(value: Any) -> bytes:
    return pickle.dumps(value, 2)[2:-1].replace(b"q\x00", b"")


def array(of: bytes, shape: tuple[int, ...], values: bytes) -> bytes:
    """A pickle of an array of such a dtype over these bytes."""
    empty = b"\x80\x03cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
    held = b"C" + bytes([len(values)]) + values
    return empty + b"(K\x01" + opcodes(shape) + of + b"\x89" + held + b"tb."


@pytest.mark.parametrize(
    "of",
    [
        dtype("O8", 3, "|", None, None, None, -1, -1, 0),  # addresses of objects out of bytes
        dtype("V8", 3, "|", None, ("a",), {"a": (np.dtype("i8"), 1 << 40)}, 8, 1, 16),  # a field behind the array
        dtype("V8", 3, "|", (np.dtype("i8"), (1 << 20,)), None, None, 8, 1, 0),
        dtype("i8", 3, "<", None, None, None, 4096, 1, 0),
    ],
)
def test_a_pickle_says_nothing_of_memory(of: bytes) -> None:
    with pytest.raises(DataError, match="may be read as anything"):
        loaded(array(of, (1,), b"A" * 8), "data.pkl")


def test_an_array_is_given_values_once() -> None:
    again = pickle.dumps((1, (2,), np.dtype("i8"), False, b"A" * 16), 2)[2:-1]
    twice = pickle.dumps(np.zeros(3), 2)[:-1] + again + b"b."
    with pytest.raises(DataError, match="an array that gets other values"):
        loaded(twice, "data.pkl")


def unsound(frame: pd.DataFrame, old: Any, new: Any) -> bytes:
    data = pickle.dumps(frame, 2)
    assert data.count(old) == 1
    return data.replace(old, new)


def test_a_table_whose_parts_do_not_fit_is_refused() -> None:
    kinds = pd.DataFrame({"a": pd.Categorical(["x", "y", "x"])})
    codes = unsound(kinds, b"X\x03\x00\x00\x00\x00\x01\x00", b"X\x03\x00\x00\x00\x00\x77\x00")
    levels = pd.DataFrame({"a": [1.5, 2.5]}, index=pd.MultiIndex.from_arrays([[5, 6], ["r", "s"]]))
    places = pickle.dumps(levels, 2).replace(b"X\x02\x00\x00\x00\x00\x01", b"X\x02\x00\x00\x00\x00\x77")
    whole = pickle.dumps(pd.DataFrame({"a": [1.5, 2.5]}), 2)
    at = whole.index(b"c__builtin__\nslice\n")
    elsewhere = whole[: at + 19] + whole[at + 19 :].replace(b"K\x00K\x01K\x01", b"K\x70K\x71K\x01", 1)
    for data in (codes, places, elsewhere):
        with pytest.raises(DataError, match="may be read as anything"):
            loaded(data, "data.pkl")


@pytest.mark.parametrize(
    "pickled",
    [
        b"\x80\x03cpandas\nSeries\n]K\x01a\x85R.",  # a call
        b"\x80\x03cpandas\nIndex\n]K\x01a\x85\x81.",
        b"\x80\x03cbuiltins\nbytearray\nK\x04\x85RK\x00K\x05s.",  # a buffer that somebody has looked at
        b"(cpandas\nSeries\n]o.",
    ],
)
def test_what_no_table_is_written_with_is_refused(pickled: bytes) -> None:
    with pytest.raises(DataError, match="it was not run"):
        loaded(pickled, "data.pkl")


@pytest.mark.parametrize(
    "address",
    ["::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1", "fec0::1", "3fff::1", "5f00::1", "::ffff:10.0.0.1"],
)
def test_old_and_new_ways_into_a_private_network(address: str) -> None:
    assert is_private(address)
    assert not is_private("2606:4700::1111") and not is_private("64:ff9b::808:808")


@pytest.mark.parametrize("told", ["Fri, 31 Dec 99999999999999 23:59:59", "Mon, 1 Jan 20 00:00:00 +9999999999999999"])
def test_a_date_that_no_calendar_has(told: str) -> None:
    assert retry_after(told) is None


def test_a_file_does_not_lead_into_the_private_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PAUSE", 0.01)
    with file_server({"/a.csv": b"id,text\n1,secret\n"}) as server, Api([]) as api:
        to = server.url.replace("127.0.0.1", "localhost")
        api.routes["/a.csv"] = lambda _: Answer(b"", 302, {"location": f"{to}/a.csv"})
        with pytest.raises(DataError, match="is no public address"):
            read(Csv(path=api.url("/a.csv")), tmp_path)
        assert not server.asked


def test_robots_with_ten_thousand_names(tmp_path: Path) -> None:
    names = "".join(f"User-agent: a{n}\n" for n in range(10_000))
    rules = "".join(f"Disallow: /x{n}\n" for n in range(10_000))
    began = time.process_time()
    ours = "User-Agent : Seed*\nDisallow: /ours\n\nuser agent *\nDisallow: /\n"
    robots = Robots.read("seedbed", f"{names}{rules}\n{ours}".encode())
    assert (robots.allows("http://h/x1"), robots.allows("http://h/ours")) == (True, False)
    assert time.process_time() - began < 5


def test_a_tag_with_a_hundred_thousand_attributes(tmp_path: Path) -> None:
    attributes = b" ".join(b"a%d=1" % n for n in range(100_000))
    (tmp_path / "a.html").write_bytes(b"<p " + attributes + b">Some text stands here, and more of it.</p>")
    fine = b"<p>Some text stands here, and more of it.</p><img alt='" + b"a=1 " * 50_000 + b"'>"
    (tmp_path / "b.html").write_bytes(fine)
    found = read(Html(path="*.html"), tmp_path)
    assert [bad["reason"] for bad in found.malformed] == ["too_many_attributes"]
    assert found.table.height == 1
    (tmp_path / "a.xml").write_bytes(b"<r><i>1</i><i " + attributes.replace(b"=1", b'="1"') + b"/></r>")
    assert read(Xml(path="a.xml", records="/r/i"), tmp_path).reasons == [(2, 1, "too_many_keys")]


CARDS = {
    "aliases": "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "configs: *i",
    "itself": "license: &a [*a]",
    "merges": "a0: &a0 {x: 1}\n"
    + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 4)}]}}\n" for n in range(1, 14)),
}


@pytest.mark.parametrize("card", CARDS)
def test_a_card_that_stands_for_millions(card: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"---\n{CARDS[card]}\n---\n")
    (tmp_path / "a.csv").write_text("text,label\ngood,a\n")
    assert read(Hub(path="."), tmp_path).table.height == 1


def test_a_pattern_that_is_matched_for_ever(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(
        f"---\nconfigs:\n- config_name: default\n  data_files: '{'*a' * 30}*b.csv'\n---\n"
    )
    (tmp_path / f"{'a' * 200}.csv").write_text("text,label\ngood,a\n")
    with pytest.raises(DataError, match="matched for ever"):
        read(Hub(path="."), tmp_path)


def test_pages_that_once_ended_in_a_traceback(tmp_path: Path) -> None:
    deep = b'[{"a": 1}, {"a": ' + b"[" * 500 + b"]" * 500 + b"}]"
    with Api([]) as api:
        api.routes["/deep"] = lambda _: Answer(deep)
        api.routes["/link"] = lambda _: Answer(b'[{"a": 1}]', headers={"link": "<http://[::1>; rel=next"})
        crowded = b"<r><i>1</i><i " + b" ".join(b'a%d="1"' % n for n in range(5_000)) + b"/></r>"
        api.routes["/crowded"] = lambda _: Answer(crowded, headers={"content-type": "application/xml"})
        assert read_rest(rest(api.url("/deep")), tmp_path / "1").reasons == [("page-0001#2", "wrong_type")]
        with pytest.raises(DataError, match="address of the next page"):
            read_rest(rest(api.url("/link")), tmp_path / "2")
        with pytest.raises(DataError, match="5,000 attributes"):
            read_rest(rest(api.url("/crowded")), tmp_path / "3")


def test_a_header_of_nine_thousand_columns(tmp_path: Path) -> None:
    names = [f"c{n}" for n in range(9_000)]
    (tmp_path / "a.csv").write_text(",".join([*names, "c7"]) + "\n" + json.dumps([1] * 9_001)[1:-1] + "\n")
    began = time.process_time()
    with pytest.raises(DataError, match="'c7' more than once"):
        Csv(path="a.csv").scan(_context(tmp_path))
    assert time.process_time() - began < 10


@pytest.mark.parametrize(("columns", "told"), [(10_001, "10,001"), (1_000_000, r"more than 1\d\d,\d\d\d")])
def test_more_columns_than_are_read(columns: int, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(";".join(f"c{n}" for n in range(columns)) + "\n" + ";" * (columns - 1) + "\n")
    with pytest.raises(DataError, match=f"has {told} columns: at most 10,000") as error:
        Csv(path="a.csv").scan(_context(tmp_path))
    assert "name,value" in error.value.hint


def test_the_delimiter_of_a_header_that_is_longer_than_most_samples(tmp_path: Path) -> None:
    names = [f"measured_in_the_year_{n}" for n in range(5_000)]
    (tmp_path / "a.csv").write_text(";".join(names) + "\n" + ";".join(["1,5"] * 5_000) + "\n")
    assert read(Csv(path="a.csv"), tmp_path).table.shape == (1, 5_000)


def test_nothing_but_quotes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('"\n' * 30_000)
    began = time.process_time()
    assert read(Csv(path="a.csv"), tmp_path).table.height == 14_999
    assert time.process_time() - began < 6


def test_a_block_of_nothing_but_malformed_records(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n" + ("x" * 60 + "\n") * 40_000 + '3,"\n\n4"\ny\n')
    began = time.process_time()
    found = read(Csv(path="a.csv", delimiter=",", quote='"'), tmp_path)
    assert found.table.rows() == [("1", "2"), ("3", "\n\n4")]
    assert [found.malformed[place]["line"] for place in (0, 39_999, 40_000)] == [3, 40_002, 40_006]
    assert time.process_time() - began < 4


def test_what_a_parquet_file_says_of_its_columns_is_not_believed(tmp_path: Path) -> None:
    told = {b"ARROW:extension:name": b"x", b"ARROW:extension:metadata": b"\x80\x04\xff"}
    schema = pa.schema([pa.field("text", pa.string(), metadata=told)], metadata={b"pandas": b"{" * 1_000})
    pq.write_table(pa.table([["good"]], schema=schema), tmp_path / "a.parquet")
    assert read(Parquet(path="a.parquet"), tmp_path).table.rows() == [("good",)]


def test_one_record_of_a_hundred_thousand_keys(tmp_path: Path) -> None:
    with Api([]) as api:
        api.routes["/wide"] = lambda _: Answer(json.dumps([{f"k{n}": n for n in range(100_000)}]).encode())
        with pytest.raises(DataError, match="would have 100,000 columns"):
            read_rest(rest(api.url("/wide")), tmp_path)


def test_an_archive_packed_as_nobody_unpacks(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "id,text\n1,good\n")
    packed = (tmp_path / "a.zip").read_bytes()
    at = packed.rindex(b"PK\x01\x02")
    (tmp_path / "method.zip").write_bytes(packed[: at + 10] + b"\x63\0" + packed[at + 12 :])
    (tmp_path / "header.zip").write_bytes(b"PK\x03\x04" + b"\xff" * 30 + packed[34:])
    for name, said in (("method", "is packed in a way that is not read here"), ("header", "the zip file is damaged")):
        with pytest.raises(DataError, match=said) as error:
            Csv(path=f"{name}.zip").scan(_context(tmp_path))
        assert "Error" not in str(error.value)


def test_sqlite_is_broken_off_inside_large_values(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as database, database:
        made = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000)"
        database.execute(f"CREATE VIEW large AS {made} SELECT i, length(randomblob(5000000)) AS size FROM n")
        database.execute("CREATE VIEW larger AS SELECT randomblob(250000000) AS size")
    began = time.process_time()
    with pytest.raises(DataError, match="broken off after 1 seconds"):
        read(Sqlite(path="a.db", table="large", timeout=1), tmp_path)
    assert time.process_time() - began < 15
    with pytest.raises(DataError, match="too big") as error:
        read(Sqlite(path="a.db", table="larger"), tmp_path)
    assert "64 MiB" in error.value.hint


def test_a_download_that_does_not_fit_the_disk(tmp_path: Path) -> None:
    with file_server({"/a.csv": b"id,text\n" + b"1,good\n" * 10_000}) as server:
        source, whole = Csv(path=server.url + "/a.csv"), resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, whole[1]))
        try:
            with pytest.raises(DataError, match="what came cannot be kept in the store") as error:
                source.scan(_context(tmp_path))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, whole)
        assert "permissions" not in error.value.hint
        assert read(source, tmp_path).table.height == 10_000


def test_formulas_without_values_are_told(tmp_path: Path) -> None:
    book = Workbook()
    for row in (["text", "n"], ["good", 1], ["bad", "=1+1"], ["=A2", "=A3"]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as whole, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as saved:
        for name in whole.namelist():
            data = whole.read(name)
            empty_text = data.replace(b'<c r="B3">', b'<c r="B3" t="str">')
            saved.writestr(
                name, empty_text.replace(b"<v />", b"<v></v>").replace(b"<f>A2</f><v></v>", b"<f>A2</f><v>1</v>")
            )
    told = {name: read(Excel(path=f"{name}.xlsx"), tmp_path) for name in "ab"}
    assert told["a"].table["text"].to_list() == ["good", "bad"]
    assert told["a"].scan.notes[0].startswith("3 formulas of a.xlsx have no saved value")
    assert told["b"].scan.notes[0].startswith("1 formula of b.xlsx")


SITEMAP = """<{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{held}</{kind}>"""


def test_sitemaps_that_are_too_large_or_too_many_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crawl, "_SITEMAPS", 5)
    with Site({"/a": article(1)}) as site:
        page = f"<url><loc>{site.url('/a')}</loc></url>"
        large = SITEMAP.format(kind="urlset", held=page + " " * 300_000).encode()
        maps = "".join(f"<sitemap><loc>{site.url(f'/s{n}.xml')}</loc></sitemap>" for n in range(30))
        site.pages["/large.xml"] = Page(large, "application/xml")
        site.pages["/all.xml"] = Page(SITEMAP.format(kind="sitemapindex", held=maps).encode(), "application/xml")
        for n in range(30):
            body = large if n == 2 else SITEMAP.format(kind="urlset", held=page).encode()
            site.pages[f"/s{n}.xml"] = Page(body, "application/xml")
        with pytest.raises(DataError, match=r"is no sitemap: .*100,000 bytes"):
            read_web(web(site, sitemaps=[site.url("/large.xml")], most_bytes=100_000), tmp_path / "1")
        found = read_web(web(site, sitemaps=[site.url("/all.xml")], most_bytes=100_000), tmp_path / "2")
        assert found.table.height == 1
        assert "at least 26 further sitemaps were not asked for: a crawl reads 1,000" in found.scan.notes
        assert found.failed(site) == {"/s2.xml": "sitemap"}


def test_a_full_disk_is_no_fault_of_the_source(tmp_path: Path) -> None:
    with Api([{"id": 1}]) as api:
        source = rest(api.url("/plain"))
        bodies = source.snapshot(_context(tmp_path)).folder / "bodies"
        bodies.symlink_to("/dev/full")  # nothing can be written there
        with pytest.raises(DataError, match="cannot be kept in the store") as error:
            source.scan(_context(tmp_path))
        assert "goes on where this stopped" in error.value.hint
        bodies.unlink()
        assert source.scan(_context(tmp_path)).files


def _context(folder: Path) -> Any:
    from seedbed.core.context import Context

    return Context(base=folder, store=folder / "store")
