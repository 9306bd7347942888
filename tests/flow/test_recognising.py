"""Which source reads a file, by its first bytes and its ending."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import polars as pl
import pytest

import seedbed
from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.flow.predicting.opening import open_model
from seedbed.flow.predicting.predict import predict_file
from seedbed.flow.recognising import kind_of, recognise
from seedbed.flow.starting.start import start


def kind(folder: Path, name: str, data: bytes) -> str:
    (folder / name).write_bytes(data)
    return str(kind_of(name, Context(base=folder))[0].model_fields["use"].default)


@pytest.mark.parametrize(
    ("name", "data", "wanted"),
    [
        ("a.json", b'[{"a": 1},\n {"a": 2}]', "json"),
        ("a.json", b'{"a": [{"b": 1}]}', "json"),
        ("a.json", b'{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("a.json.gz", gzip.compress(b'{\n"a": 1}', mtime=0), "json"),
        ("a.data", b'{"a": 1}\n', "jsonl"),
        ("a.data", b'{\n"a": 1}', "json"),
        ("a.csv", b"[a],b\n1,2\n", "csv"),
        ("a.xml", b"<rows><row/></rows>", "xml"),
        ("a.data", b"\xef\xbb\xbf<?xml version='1.0'?>\n<rows/>", "xml"),
        ("a.data", b"<!DOCTYPE html>\n<html><body>x</body></html>", "html"),
        ("a.txt", b"<name>,b\n1,2\n", "csv"),
        ("a.txt", b"label,text\n1,2\n", "csv"),
        ("a.pdf", b"%PDF-1.4 ...", "pdf"),
        ("a.xls", b"\xd0\xcf\x11\xe0" + bytes(20), "excel"),
    ],
)
def test_kinds(name: str, data: bytes, wanted: str, tmp_path: Path) -> None:
    assert kind(tmp_path, name, data) == wanted


def test_binary_kinds(tmp_path: Path) -> None:
    table = pl.DataFrame({"a": [1]})
    table.write_ipc(tmp_path / "a.bin")
    table.write_ipc_stream(tmp_path / "b.bin")
    table.write_parquet(tmp_path / "c.bin")
    with sqlite3.connect(tmp_path / "d.bin") as base:
        base.execute("create table t (a)")
    base.close()
    found = [kind(tmp_path, f"{one}.bin", (tmp_path / f"{one}.bin").read_bytes()) for one in "abcd"]
    assert found == ["arrow", "arrow", "parquet", "sqlite"]
    with pytest.raises(DataError, match="trust: true"):
        kind(tmp_path, "a.pkl", b"\x80\x04\x95....")


def test_what_holds_text_though_its_name_says_otherwise(tmp_path: Path) -> None:
    context = Context(base=tmp_path)
    (tmp_path / "a.parquet").write_text("not found\n")
    with pytest.raises(DataError, match="holds text, not the parquet that its name promises") as raised:
        recognise("a.parquet", context)
    assert "as delimited text it has a header and no rows" in raised.value.problem and "server" in raised.value.hint
    (tmp_path / "b.xls").write_text("a\tb\n1\tx\n2\ty\n")
    found = recognise("b.xls", context)
    assert found.source.use == "csv" and found.sample.rows.height == 2
    assert found.notes == ("b.xls holds text, not the excel that its name promises: it is read as delimited text",)
    (tmp_path / "c.parquet").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 5\n")
    with pytest.raises(DataError, match=r"(?s)a pointer that Git LFS left.*git lfs pull"):
        recognise("c.parquet", context)


def test_folders(tmp_path: Path) -> None:
    for name in ("x/one.txt", "x/two.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("some text")
    found = recognise("x", Context(base=tmp_path))
    assert found.source.use == "text"
    assert found.sample.rows["text"].to_list() == ["some text"] * 2
    (tmp_path / "x" / "rows.csv").write_text("a,b\n1,2\n")
    assert recognise("x", Context(base=tmp_path)).source.use == "csv"


def test_a_first_line_with_a_column_that_somebody_named_is_a_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`spam` stands below itself, in rows: only whoever named the column knows better; `init`, `run`, `predict`."""
    monkeypatch.chdir(tmp_path)
    lines = [
        f'"words {place} of message {place * 7}, as people write",{("ham", "spam")[place % 2]}' for place in range(40)
    ]
    (tmp_path / "mails.csv").write_text("\n".join(["wrote,spam", *lines]) + "\n")
    assert "'spam' stands 20 times below itself" in " ".join(recognise("mails.csv", Context(base=tmp_path)).notes)
    for said in ({"text": "wrote", "label": "spam"}, {"kind": "text_classification", "columns": ("label=spam",)}):
        started = start("mails.csv", folder=tmp_path, **{"text": None, "label": None, **said})  # type: ignore[arg-type]
        assert "'spam'" not in " ".join(started.notes)
    recipe = {
        "seedbed": 1, "name": "mails", "sources": [{"use": "csv", "path": "mails.csv"}], "train": [{"use": "majority"}],
        "task": {"kind": "text_classification", "text": "wrote", "label": "spam"}, "evaluate": {"leakage": False},
        "split": {"use": "random", "train": 0.6, "validation": 0, "test": 0.4},
    }  # fmt: skip
    done = seedbed.run(recipe, workers=1)
    assert "first line" not in (done.folder / "run.json").read_text("utf-8")
    told = predict_file(open_model(done.folder), "mails.csv", tmp_path / "out.csv")
    assert (told.rows, told.right) == (40, 20) and not told.notes
