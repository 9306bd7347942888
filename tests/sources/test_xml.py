"""XML documents: which elements are records, what they become, and what a document cannot make us do."""

from __future__ import annotations

import gzip
import json
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from source_reading import Read, read

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.sources import Xml
from seedbed.sources.markup import document


@pytest.fixture(autouse=True)
def _sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("block_bytes", "longest"):
        monkeypatch.setattr(Xml, name, getattr(Xml, name))
    monkeypatch.setattr(document, "_LOOK", document._LOOK)


def of(folder: Path, data: bytes | str, name: str = "data.xml", size: int | None = None, **options: object) -> Read:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    if size:
        Xml.block_bytes = document._LOOK = size
    return read(Xml.model_validate({"use": "xml", "path": name, **options}), folder)


def refused(folder: Path, data: bytes | str, **options: object) -> str:
    with pytest.raises(DataError) as error:
        of(folder, data, **options)
    assert "data.xml" in str(error.value)
    assert len(str(error.value).splitlines()) <= 5
    return str(error.value)


TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), max_size=20)


@settings(max_examples=100)
@given(
    rows=st.lists(
        st.fixed_dictionaries({"id": TEXTS, "text": TEXTS}, optional={"more": TEXTS}), min_size=2, max_size=12
    ),
    size=st.sampled_from([40, 300, 4 << 20]),
    encoding=st.sampled_from(["utf-8", "utf-16", "iso-8859-15"]),
)
def test_what_python_writes_reads_back(
    rows: list[dict[str, str]], size: int, encoding: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = ET.Element("rows")
    for row in rows:
        item = ET.SubElement(ET.SubElement(root, "wrap"), "item", {"id": row["id"]})
        for name in ("text", "more"):
            if name in row:
                ET.SubElement(ET.SubElement(item, "in"), name).text = row[name]
    data = ET.tostring(root, encoding=encoding, xml_declaration=True)
    found = of(tmp_path_factory.mktemp("round"), data, size=size, records="wrap/item")
    assert found.malformed == []
    assert found.records == list(range(1, len(rows) + 1))
    assert found.table["@id"].to_list() == [row["id"] or None for row in rows]
    if "more" not in set().union(*rows):
        assert found.table["in.text"].to_list() == [row["text"] or None for row in rows]


FEED = """<?xml version="1.0"?>
<!DOCTYPE feed SYSTEM "http://nowhere.invalid/feed.dtd">
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc" n="1">
  <link rel="self"/><link rel="next"/><title>all</title>
  <entry xml:lang="en"><title>one &amp; only</title><dc:title>other</dc:title>
    <content type="html">caf&eacute; <b>is</b> <![CDATA[<good>]]></content><tag>a</tag><tag>b</tag></entry>
  <entry><!-- no --><title/><content>x</content><tag>c</tag><deep><a><b><c n="1">t</c></b></a></deep></entry>
  <entry><title>&nosuch;</title></entry>
</feed>"""


@pytest.mark.parametrize("size", [64, 4 << 20])
def test_a_feed(size: int, tmp_path: Path) -> None:
    found = of(tmp_path, FEED, size=size, depth=2)
    assert found.scan.found == {"records": "/feed/entry"}
    assert found.table.to_dicts() == [
        {"@xml:lang": "en", "title": "one & only", "dc:title": "other", "content": "café is <good>",
         "content.@type": "html", "tag": '["a","b"]', "deep.a.b": None},
        {"@xml:lang": None, "title": None, "dc:title": None, "content": "x", "content.@type": None,
         "tag": '["c"]', "deep.a.b": '{"c":{"@n":"1","#text":"t"}}'},
    ]  # fmt: skip
    assert found.reasons == [(3, 8, "unknown_entity")]


def test_which_elements_are_records(tmp_path: Path) -> None:
    data = "<r><a><i>1</i><i>2</i></a><b><i>3</i></b></r>"
    assert of(tmp_path, data, records="i").table["i"].to_list() == ["1", "2", "3"]
    assert of(tmp_path, data, records="b/i").table["i"].to_list() == ["3"]
    assert of(tmp_path, data, records="/r/a").table["i"].to_list() == ['["1","2"]']
    assert of(tmp_path, "<r><i><i>1</i></i></r>", records="i", depth=0).table.rows() == [("1",)]
    assert of(tmp_path, "<one><a>1</a></one>", records="/one").table.rows() == [("1",)]
    assert "no record at x" in refused(tmp_path, data, records="x")
    assert "not clear" in refused(tmp_path, "<one><a>1</a></one>")
    message = refused(tmp_path, "<r><a n='1'/><a n='2'/><b n='1'/><b n='2'/></r>")
    assert "/r/a or /r/b" in message
    assert "records: /r/a" in message


@pytest.mark.parametrize("size", [8, 4 << 20])
def test_a_file_that_is_cut_keeps_what_was_whole(size: int, tmp_path: Path) -> None:
    whole = "<r>\n" + "".join(f"<i><n>{n}</n></i>\n" for n in range(5)) + "</r>"
    for cut in range(whole.index("</i>") + 5, len(whole)):
        found = of(tmp_path, whole[:cut], size=size, records="i")
        assert found.table["n"].to_list() == [str(n) for n in range(whole[:cut].count("</i>"))]
        assert [bad["reason"] for bad in found.malformed] in (["cut_off"], ["not_xml"])
    found = of(tmp_path, whole.replace("<n>3</n>", "<n>3</m>"), size=size, records="i")
    assert found.table["n"].to_list() == ["0", "1", "2"]
    assert found.reasons == [(4, 5, "not_xml")]
    assert "mismatch" in json.loads(found.malformed[0]["evidence"])["error"]
    assert of(tmp_path, whole[:-5], limit=2, records="i").malformed == []


def _bomb(of: str) -> str:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE r [<!ENTITY l0 "ha">{lines}]><r{of}'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_bomb("><i>&l11;</i></r>"), "declares entities (l0"),
        (_bomb(' a="&l11;"><i/><i/></r>'), ""),
        ('<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r><i>&x;</i></r>', "declares entities"),
        ('<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1:9/"> %x;]><r><i/></r>', ""),
        ("<r>" + "<a>" * 500_000, "Excessive depth"),
        ("<r><i>" + "<a>" * 500_000, "Excessive depth"),
        ("<r><i>ok</i>" + "<a>" * 500_000, "Excessive depth"),
        ("<r><i>" + "x" * 11_000_000, "asks for too much"),
        ("<!DOCTYPE r [" + " " * (2 << 20) + "]><r/>", "no element in its first"),
        ("", "is empty"),
        ("a,b\n1,2\n", "not XML"),
        ("<r><i></r>", "mismatch"),
        ('<?xml version="1.0" encoding="nope"?><r><i/><i/></r>', "Unsupported encoding"),
    ],
)
def test_what_a_document_cannot_make_us_do(data: str, words: str, tmp_path: Path) -> None:
    began = time.process_time()
    assert words in refused(tmp_path, data, records="i")
    assert time.process_time() - began < 10
    assert "root:" not in refused(tmp_path, data, records="i")


def test_long_records(tmp_path: Path) -> None:
    Xml.longest = 2000
    document._LOOK = 500
    data = "<r><i><n>1</n></i><i><n>2</n>" + "<x>long</x>" * 1000 + "</i><i><n>3</n></i></r>"
    found = of(tmp_path, data, records="i")
    assert found.table["n"].to_list() == ["1", "3"]
    assert found.reasons == [(2, 1, "too_long")]
    document._LOOK = 1 << 18
    found = of(tmp_path, data, records="i")
    assert found.table["n"].to_list() == ["1", "3"]
    assert found.reasons == [(2, 1, "too_long")]


def test_several_files_late_columns_and_limits(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.xml").write_text("<r><i><n>1</n></i><i><n>2</n></i></r>")
    (tmp_path / "in" / "b.xml.gz").write_bytes(gzip.compress(b"<x><i><n>3</n></i></x>"))
    (tmp_path / "in" / "c.xml").write_text("<r/>")
    found = read(Xml(path="in", records="i"), tmp_path)
    assert found.table["n"].to_list() == ["1", "2", "3"]
    assert found.scan.notes == ("c.xml has no records",)
    assert read(Xml(path="in", records="i", limit=3), tmp_path).table.height == 3
    text = "<i><n>" + "x" * 1000 + "</n></i>"
    found = of(tmp_path, f"<r>{text * 1100}<i><n>1</n><n>2</n><m>3</m></i></r>")
    assert found.table["n"][-1] == '["1","2"]'
    assert len(found.remarks) == 2


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    import resource

    record = "<i><t>" + "word " * 40 + "</t><n>1</n></i>\n<other>" + "x" * 200 + "</other>"
    peaks = []
    for rows in (2_000, 100_000):
        with (tmp_path / "d.xml").open("w") as file:
            file.write("<r>")
            for _ in range(rows):
                file.write(record)
            file.write("</r>")
        source, context = Xml(path="d.xml", records="i"), Context(base=tmp_path)
        scan = source.scan(context)
        assert sum(len(block.payload.data) for block in source.blocks(scan, context)) == rows
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert peaks[1] < peaks[0] + (24 << 10)  # KiB; the file is 48 MB, its tree would be ten times that
