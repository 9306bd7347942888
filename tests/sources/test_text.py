"""Plain text by file, line and paragraph, in any encoding."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from source_reading import Read, read

from seedbed.core.errors import DataError
from seedbed.sources import Text


@pytest.fixture(autouse=True)
def _sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("block_bytes", "longest"):
        monkeypatch.setattr(Text, name, getattr(Text, name))


def of(folder: Path, data: bytes, size: int | None = None, **options: object) -> Read:
    (folder / "data.txt").write_bytes(data)
    if size:
        Text.block_bytes = size
    return read(Text.model_validate({"use": "text", "path": "data.txt", **options}), folder)


LINES = st.lists(st.sampled_from(["one", "two words", "", "  ", "é", "x" * 30, "\tend"]), min_size=1, max_size=15)


@settings(max_examples=40)
@given(lines=LINES, end=st.sampled_from(["\n", "\r\n"]), last=st.booleans(), size=st.sampled_from([1, 7, 4 << 20]))
def test_lines_and_paragraphs(
    lines: list[str], end: str, last: bool, size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("lines")
    data = ("first" + end + end.join(lines) + (end if last else "")).encode()
    found = of(folder, data, size, per="line")
    there = [(n, line) for n, line in enumerate(["first", *lines], 1) if line.strip()]
    assert list(zip(found.records, found.table["text"], strict=True)) == there
    wanted: list[list[str]] = [[]]
    for line in ["first", *lines]:
        if line.strip():
            wanted[-1].append(line)
        elif wanted[-1]:
            wanted.append([])
    found = of(folder, data, size, per="paragraph")
    assert found.table["text"].to_list() == [end.join(one) for one in wanted if one]
    assert found.records == list(range(1, found.table.height + 1))


def test_files_in_any_encoding(tmp_path: Path) -> None:
    (tmp_path / "in" / "good").mkdir(parents=True)
    for name, encoding in (("a", "utf-8"), ("b", "cp1252"), ("c", "utf-16"), ("d", "utf-8-sig")):
        (tmp_path / "in" / "good" / f"{name}.txt").write_bytes("ein schönes Café\r\nfür alle".encode(encoding))
    (tmp_path / "in" / "empty.txt").write_bytes(b"")
    found = read(Text(path="in"), tmp_path)
    assert found.table["text"].to_list() == [None, *["ein schönes Café\r\nfür alle"] * 4]
    assert found.table["file"].to_list() == ["empty.txt", *(f"good/{name}.txt" for name in "abcd")]
    assert found.records == [1] * 5
    assert "empty.txt is empty" in found.scan.notes
    assert read(Text(path="in", limit=2), tmp_path).table.height == 2


@pytest.mark.parametrize("size", [16, 4 << 20])
def test_what_is_refused(size: int, tmp_path: Path) -> None:
    Text.longest = 50
    data = b"ok\n" + b"x" * 200 + b"\nalso ok\n\xff\xfe!\n"
    found = of(tmp_path, data, size, per="line", encoding="utf-8")
    assert found.table["text"].to_list() == ["ok", "also ok"]
    assert found.reasons == [(2, 2, "too_long"), (4, 4, "bad_encoding")]
    assert of(tmp_path, data, size).reasons == [(1, 1, "too_long")]
    with pytest.raises(DataError, match="is empty"):
        of(tmp_path, b" \n")
    with pytest.raises(DataError, match="control characters"):
        of(tmp_path, bytes(range(1, 20)) * 100)


def test_a_page_among_texts_is_named_and_can_be_read_as_it_is(tmp_path: Path) -> None:
    for name, text in (("a.txt", "one"), ("b.txt", "<html><p>two</p></html>"), ("c.txt", "three")):
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=r"(?s)b\.txt: is a web page.*`markup: true`"):
        read(Text(path="*.txt"), tmp_path)
    found = read(Text(path="*.txt", markup=True), tmp_path)
    assert found.table["text"].to_list() == ["one", "<html><p>two</p></html>", "three"]
