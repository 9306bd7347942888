"""The html source, and what `extracted` finds in a page."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from source_reading import Read, read

from seedbed.sources import Html
from seedbed.sources.documents import extract
from seedbed.sources.documents.extract import decoded, extracted

lacking = [module for module in Html.needs if find_spec(module) is None]
if lacking:
    pytest.skip(f"not installed: {', '.join(lacking)}", allow_module_level=True)

TEXT = "Ein längerer Absatz über Käse, der in den Text gehört, mit so vielen Wörtern darin, dass er als Text gilt"
BODY = "".join(f"<p>{TEXT}, zum {number}. Mal.</p>" for number in range(5))


def page(*, head: str = "", charset: str = "utf-8", body: str = BODY) -> str:
    return (
        f'<!DOCTYPE html><html lang="de-AT"><head><meta charset="{charset}"><title>Über  Käse</title>{head}</head>'
        f"<body><nav><a href='/'>Menü</a><a href='/a#b'>A</a><a href='/a'>A</a><a href='mailto:x@y.z'>M</a></nav>"
        f"<article><h1>Über Käse</h1>{body}</article><footer><a rel=nofollow href='/no'>Impressum</a></footer></body>"
    )


HEAD = (
    '<link rel="license" href="//creativecommons.org/licenses/by/4.0/"><link rel=canonical href="/kaese#x">'
    '<meta property="article:published_time" content="2031-03-05T10:00:00Z"><meta name="Robots" content="NoIndex, foo">'
)


def of(folder: Path, **options: Any) -> Read:
    return read(Html.model_validate({"use": "html", "path": ".", **options}), folder)


def test_what_a_page_says() -> None:
    found = extracted(page(head=HEAD).encode(), url="https://example.org/b/c")
    assert found.text is not None
    assert found.text.startswith("Über Käse\n")
    assert "zum 4. Mal." in found.text
    assert "Menü" not in found.text
    assert (found.title, found.date, found.language) == ("Über Käse", "2031-03-05", "de")
    assert found.license == "https://creativecommons.org/licenses/by/4.0/"
    assert found.canonical == "https://example.org/kaese"
    assert found.links == ("https://example.org/", "https://example.org/a")
    assert found.robots == {"noindex", "foo"}
    assert found.fault == ""


@pytest.mark.parametrize(
    ("data", "declared", "encoding"),
    [
        (page().encode(), None, "utf-8"),
        (page(charset="cp1252").encode(), "latin-1", "utf-8"),  # it says what it is not
        (page(charset="iso-8859-1").encode("cp1252"), None, "cp1252"),
        (page(charset="utf-8").encode("cp1252"), "windows-1252", "cp1252"),
        (page(charset="utf-8").encode("cp1252"), None, "cp1252"),
        (page().encode("utf-16"), None, "utf-16-le"),
        (page().encode("utf-8-sig"), "cp1252", "utf-8"),
        (page(charset="nonsense").encode("cp1252"), "also nonsense", "cp1252"),
    ],
)
def test_encodings(data: bytes, declared: str | None, encoding: str) -> None:
    text, name = decoded(data, declared)
    assert name == encoding
    assert "über Käse" in text


def test_a_page_that_was_cut_inside_a_character() -> None:
    text, name = decoded(page().encode()[: page().encode().index("ä".encode()) + 1] + "<p>ü ö ä ü ö ä ü ö ä".encode())
    assert name == "utf-8"
    assert "ü ö ä" in text


@pytest.mark.parametrize(
    "data", [b"", b" ", b"\0\0", b"<html></html>", b"<p>", b"\xff" * 99, b"<" * 9999, b"<a href='http://['>x"]
)
def test_pages_without_text(data: bytes) -> None:
    found = extracted(data, url="")
    assert (found.text is None) == (found.fault == "no_text")


def test_large_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extract, "MOST_ELEMENTS", 50)
    assert extracted(page().encode(), url="").text
    found = extracted(page(body="<p>x" * 60).encode(), url="")
    assert (found.text, found.fault, found.title) == (None, "too_many_elements", "Über Käse")
    assert extracted(b"<div>" * 100_000, url="").text is None


def test_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.html").write_text(page(head=HEAD))
    (tmp_path / "b.htm.gz").write_bytes(gzip.compress(page().encode()))
    (tmp_path / "c.html").write_text("<html><title>Nothing</title></html>")
    (tmp_path / "d.html").write_bytes(b"%PDF-1.4 and more")
    (tmp_path / "e.html").write_bytes(b"")
    (tmp_path / "f.txt").write_text("no page")
    (tmp_path / "g.html").write_text(page(body=BODY * 20))
    monkeypatch.setattr(Html, "longest", 5000)
    found = of(tmp_path)
    assert found.table["title"].to_list() == ["Über Käse"] * 2
    assert found.table["url"].to_list() == [None, None]
    assert found.table["license_link"].to_list() == ["https://creativecommons.org/licenses/by/4.0/", None]
    assert [bad["reason"] for bad in found.malformed] == ["no_text", "not_a_page", "empty", "too_long"]
    assert found.records == [1, 1]
    assert "f.txt" in found.scan.notes[0]
    assert of(tmp_path, limit=1).table.height == 1
