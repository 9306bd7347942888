from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from source_reading import Read, read

from seedbed.core.errors import DataError
from seedbed.sources import Jsonl


@pytest.fixture(autouse=True)
def _sizes() -> Iterator[None]:
    before = Jsonl.block_bytes, Jsonl.longest
    yield
    Jsonl.block_bytes, Jsonl.longest = before


def of(folder: Path, data: bytes | str, name: str = "data.jsonl", size: int | None = None, **options: object) -> Read:
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    if size:
        Jsonl.block_bytes = size
    return read(Jsonl.model_validate({"use": "jsonl", "path": name, **options}), folder)


def refused(folder: Path, data: bytes | str, **options: object) -> str:
    with pytest.raises(DataError) as error:
        of(folder, data, **options)
    assert "data.jsonl" in str(error.value)
    assert len(str(error.value).splitlines()) <= 5
    return str(error.value)


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(st.characters(codec="utf-8"), max_size=10),
    "whole": st.integers(-(2**63), 2**63 - 1),
    "real": st.floats(allow_nan=False, allow_infinity=False),
    "yes": st.booleans(),
}
ROWS = st.lists(
    st.fixed_dictionaries(
        {"text": VALUES["text"]}, optional={k: v | st.none() for k, v in VALUES.items() if k != "text"}
    ),
    min_size=1,
    max_size=15,
)


@settings(max_examples=150)
@given(
    rows=ROWS,
    size=st.sampled_from([50, 300, 4 << 20]),
    end=st.sampled_from(["\n", "\r\n", "\n\n"]),
    last_end=st.booleans(),
    ascii_only=st.booleans(),
)
def test_what_python_writes_reads_back(
    rows: list[dict[str, Any]],
    size: int,
    end: str,
    last_end: bool,
    ascii_only: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    text = end.join(json.dumps(row, ensure_ascii=ascii_only) for row in rows) + (end if last_end else "")
    types = {"whole": "integer", "real": "number", "yes": "boolean"}
    found = of(tmp_path_factory.mktemp("round"), text, size=size, types=types)
    assert found.malformed == []
    assert found.table.select("text", *types).rows() == [
        (row["text"], *(row.get(name) for name in types)) for row in rows
    ]
    step = 2 if end == "\n\n" else 1
    assert found.records == list(range(1, step * len(rows) + 1, step))


LINES = st.lists(
    st.sampled_from(
        [
            b'{"a": 1}', b'{"a": "x"}', b'{"a": 1.5, "b": [1]}', b'{"a": 2, "z": 0}', b"", b"  ", b"{", b"[1]", b"7",
            b'{"a": 1} {"a": 2}', b'{"a": "\xff"}', b'{"a": "\\ud800"}', b"\0\0", b'{"a": 3}\r', b"{}",
            b'{"a": "' + b"long " * 30 + b'"}', b'{"a":1},{"a":2}', b'{"a":[{"x":1}', b'{"y":1}]}',
        ]
    ),
    max_size=20,
)  # fmt: skip


@settings(max_examples=150)
@given(lines=LINES, size=st.sampled_from([1, 3, 10, 50]), limit=st.none() | st.integers(1, 6))
def test_messy_lines_do_not_depend_on_the_block_size(
    lines: list[bytes], size: int, limit: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("messy")
    Jsonl.longest = 120
    data = b"\n".join([b'{"a": 1, "b": "x"}', *lines])
    whole, cut = of(folder, data, size=4 << 20), of(folder, data, size=size, limit=limit)
    assert cut.scan.schema == whole.scan.schema
    wanted = sorted([*whole.records, *(bad["record"] for bad in whole.malformed)])[:limit]
    assert wanted == [n for n, line in enumerate([b"x", *lines], 1) if line.strip()][:limit]
    assert cut.records == [n for n in whole.records if n in wanted]
    assert cut.table.equals(whole.table.head(len(cut.records)))
    assert cut.malformed == [bad for bad in whole.malformed if bad["record"] in wanted]


def test_every_bad_line_is_told(tmp_path: Path) -> None:
    lines = [
        b'{"n": 1, "t": "a"}', b'{"n": "2", "t": "b"}', b"", b"[1]", b'{"n": 3, "t": "\xff"}', b'{"n": 4',
        b'{"n": 5} {"n": 6}', b'{"n": 7, "t": "\\ud800"}', b'{"n": 8, "t": "\0"}', b'{"n": 9.0}',
        b'{"n": null, "t": 5}',
    ]  # fmt: skip
    found = of(tmp_path, b"\n".join(lines), types={"n": "integer"})
    assert found.table.rows() == [(1, "a"), (None, "5")]
    assert found.records == [1, 11]
    assert found.reasons == [
        (2, 2, "wrong_type"),
        (4, 4, "not_an_object"),
        (5, 5, "bad_encoding"),
        (6, 6, "not_json"),
        (7, 7, "not_json"),
        (8, 8, "not_json"),
        (9, 9, "not_json"),
        (10, 10, "wrong_type"),
    ]
    assert of(tmp_path, f'{{"n": 1}}\n{{"n": {2**63}}}', types={"n": "integer"}).reasons == [(2, 2, "wrong_type")]
    assert json.loads(found.malformed[0]["evidence"]) == {"key": "n", "expected": "integer", "found": "string"}
    assert found.malformed[3]["raw"] == '{"n": 4'


def test_types_come_from_the_sample(tmp_path: Path) -> None:
    rows = [
        {"i": 1, "f": 1, "b": True, "s": "x", "m": 1, "o": {"k": [1]}, "n": None, "big": 2**63},
        {"i": 2, "f": 2.5, "b": None, "s": None, "m": "y", "o": [], "n": None, "big": 1},
    ]
    found = of(tmp_path, "\n".join(json.dumps(row) for row in rows))
    text = pl.String()
    assert dict(found.scan.schema) == {
        "i": pl.Int64(), "f": pl.Float64(), "b": pl.Boolean(),
        "s": text, "m": text, "o": text, "n": text, "big": text,
    }  # fmt: skip
    assert found.table.rows() == [
        (1, 1.0, True, "x", "1", '{"k":[1]}', None, "9223372036854775808"),
        (2, 2.5, None, None, "y", "[]", None, "1"),
    ]


def test_keys_that_the_sample_lacks_are_counted(tmp_path: Path) -> None:
    early = '{"a": "' + "x" * 1000 + '"}\n'
    found = of(tmp_path, early * 1200 + '{"a": "y", "late": 1}\n' * 3)
    assert found.table.columns == ["a"]
    assert found.table.height == 1203
    assert found.remarks == {"the key 'late' is no column: the first MiB did not show it": 3}


def test_a_line_of_200_megabytes(tmp_path: Path) -> None:
    with (tmp_path / "data.jsonl").open("wb") as out:
        out.write(b"x" * 100_000_000)
        out.write(b"x" * 100_000_000)
        out.write(b'\n{"a": 1}\n')
    found = read(Jsonl(path="data.jsonl"), tmp_path)
    assert found.table.rows() == [(1,)]
    assert found.records == [2]
    assert found.reasons == [(1, 1, "too_long")]


def test_mark_and_gzip(tmp_path: Path) -> None:
    data = b'\xef\xbb\xbf{"a": 1}\r\n{"a": 2}'
    assert of(tmp_path, data, size=3).table["a"].to_list() == [1, 2]
    assert of(tmp_path, gzip.compress(data), "data.jsonl.gz").table["a"].to_list() == [1, 2]
    with pytest.raises(DataError, match="ends in the middle"):
        of(tmp_path, gzip.compress(data)[:-9], "data.jsonl.gz")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\n\n  \n", "is empty"),
        (b"text,label\na,b\n", "use: csv"),
        (b'[\n{"a": 1}\n]', "no object with a key"),
        (b'[{"a": 1}, {"a": 2}]', "JSON array"),
        (b"{}\n{}", "no object with a key"),
        (bytes(range(256)) * 40, "control characters"),
        (b"PAR1" + b"\0" * 50, "use: parquet"),
        ('{"a": 1}'.encode("utf-16"), "utf-16"),
        (json.dumps({str(n): n for n in range(3000)}).encode(), "3,000 columns"),
    ],
)
def test_files_that_cannot_be_read(data: bytes, words: str, tmp_path: Path) -> None:
    if words == "no object with a key" and data.startswith(b"["):
        assert of(tmp_path, data).reasons == [(1, 1, "not_json"), (3, 3, "not_json")]
    else:
        assert words in refused(tmp_path, data)
