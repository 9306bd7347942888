"""YAML that a person writes: strict, safe, with lines."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.documents import open_document, read_document, write_document
from seedbed.core.errors import RecipeError

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_scalars_follow_yaml_1_2() -> None:
    text = (
        "[yes, no, on, off, y, true, False, 12:30, 2024-01-01, 1_000, 1e3, 0x1f, 0o17, 013, .5, -2, ~, null, '1', .inf]"
    )
    assert read_document(text, at="x").data == [
        *("yes", "no", "on", "off", "y", True, False, "12:30", "2024-01-01", "1_000"),
        *(1000.0, 31, 15, 13, 0.5, -2, None, None, "1", float("inf")),
    ]  # fmt: skip


def test_keys_are_text_as_written() -> None:
    assert read_document("{1: a, no: b, ~: c, '2': d}", at="x").data == {"1": "a", "no": "b", "~": "c", "2": "d"}


def test_lines_of_keys_items_and_what_is_not_there() -> None:
    document = read_document("a: 1\nb:\n  - x\n  - c: 2\n    d:\n      e\n", at="f.yaml")
    assert [document.line(p) for p in [(), ("a",), ("b",), ("b", 0), ("b", 1, "c"), ("b", 1, "d")]] == [
        1,
        1,
        2,
        3,
        4,
        5,
    ]
    assert document.line(("b", 1, "nope", "deeper")) == 4
    assert document.place(("b", 9)) == "f.yaml:2"


def test_merges_and_aliases_are_unfolded() -> None:
    document = read_document("base: &b {x: 1, y: 2}\nown: {<<: *b, y: 3}\nlist: [*b, *b]\n", at="x")
    assert document.data["own"] == {"x": 1, "y": 3}
    assert document.data["list"] == [{"x": 1, "y": 2}] * 2
    document.data["list"][0]["x"] = 9  # copies, not one object
    assert document.data["base"]["x"] == 1


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a:\n\t- b\n", "f:2:1", "a tab cannot indent YAML"),
        ("a:\n  b: 1\n\tc: 2\n", "f:3:1", "a tab cannot indent YAML"),
        ("a: 1\nb: 2\na: 3\n", "f:3:1", "the key 'a' is given twice; the first stands on line 1"),
        ("x: {b: 1, b: 2}\n", "f:1:11", "given twice"),
        ("1: a\n'1': b\n", "f:2:1", "given twice"),
        ("a: 'x\nb: 2\n", "f:1:4", "a quote is opened here and never closed"),
        ("a: [1, 2\nb: 3\n", "f:1:4", "a list is opened"),
        ("a: {b: 1\nc: 2\n", "f:1:4", "a mapping is opened"),
        ("a: b: c\n", "f:1:5", "a second ': ' on one line"),
        ("- a\nb: 1\n", "f:2:1", "this line does not fit"),
        ("a: *x\n", "f:1:4", "an alias"),
        ("a: {\n", "f:2:1", "a value is missing"),
        ("--- a\n--- b\n", "f:2:1", "a second document"),
        ("a: x\0y\n", "f:1:5", "a NUL byte"),
        ("a: \x1b[31m\n", "f:1:4", "control character U+001B"),
        (
            "a: !!python/object/apply:os.system [ls]\n",
            "f:1:4",
            "the tag !!python/object/apply:os.system is not allowed",
        ),
        ("a: !!int '3'\n", "f:1:4", "the tag !!int is not allowed"),
        ("a: !!set {b}\n", "f:1:4", "the tag !!set is not allowed"),
        ("? [a]\n: b\n", "f:1:3", "a key must be a word"),
        ("a: &a [*a]\n", "f:1:4", "an alias (*name) holds itself"),
        ("b: &b\n  <<: *b\n", "f:1:4", "an alias (*name) holds itself"),
        ("b: &b\n  <<: [*b, *b]\n", "f:1:4", ""),
        ("<<: 3\n", "f:1:5", "'<<' takes a mapping"),
        ("[" * 3000, "f", "levels deep"),
        ("a: " + "9" * 6000, "f:1:4", "too many digits"),
        (LAUGHS, "f:1:", "aliases (*name) unfolded"),
        ("x" * 1_000_001, "f", "more than 1,000,000 characters"),
    ],
)
def test_refused(text: str, place: str, words: str) -> None:
    began = time.process_time()
    with pytest.raises(RecipeError) as caught:
        read_document(text, at="f")
    assert caught.value.at.startswith(place)
    assert words in caught.value.problem
    assert len(str(caught.value).splitlines()) <= 2
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("raw", "place", "words"),
    [
        (b"a: caf\xe9\n", ":1:7", "is not UTF-8 text: there is a byte 0xe9"),
        ("a: é\n".encode("utf-16"), "", "is UTF-16"),
        (b"a: 1\nb: \x00\n", ":2:4", "a NUL byte"),
        (bytes(range(256)), ":2:118", "0x80"),
        (b" " * 1_000_001, "", "1,000,001 bytes"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, raw: bytes, place: str, words: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes(raw)
    with pytest.raises(RecipeError) as caught:
        open_document(path)
    assert caught.value.at.startswith(f"{path}{place}")
    assert words in caught.value.problem


def test_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("a: 1")
    with pytest.raises(RecipeError, match="there is no such recipe\n  hint: did you mean"):
        open_document(tmp_path / "recipes.yaml")
    with pytest.raises(RecipeError, match="is a folder"):
        open_document(tmp_path)


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert open_document(path).data == {"a": 1}


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "no",
        "1e3",
        "0o17",
        "2024-01-01",
        "~",
        "<<",
        "=",
        "1_000",
        "12:30",
        "0x1F",
        "",
        "- a",
        "a: b",
        "# x",
        "null",
        "\ufeff",
    ]
)
NUMBERS = st.integers() | st.floats(allow_nan=False)
DATA = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(DATA)
def test_what_is_written_is_read_back(data: object) -> None:
    found = read_document(write_document(data), at="x").data
    assert found == data
    assert repr(found) == repr(data)  # 1 is not 1.0 is not True


@given(st.text(max_size=80) | st.text("&*<[]{}:,-#'\"|>!? \n\ta1~", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        document = read_document(text, at="x")
    except RecipeError as error:
        assert len(str(error).splitlines()) <= 5
    else:
        assert all(1 <= line <= text.count("\n") + 2 for line in document.lines.values())
