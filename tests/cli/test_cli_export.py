"""`seedbed export`, as a person types it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest
from openpyxl import Workbook

from seedbed.cli import main

LINES = ["text,label,n", '"=cmd()",pos,1', '"a ""b""\nc",neg,2', ",neg,-3", "a,b,c,d,e"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    (tmp_path / "d.csv").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return tmp_path


def seedbed(*arguments: str) -> int:
    with pytest.raises(SystemExit) as done:
        main(["export", *arguments])
    return int(done.value.code or 0)


ROWS = [
    {"text": "=cmd()", "label": "pos", "n": "1"},
    {"text": 'a "b"\nc', "label": "neg", "n": "2"},
    {"text": None, "label": "neg", "n": "-3"},
]


def test_a_file_and_what_cannot_be_read_of_it(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert seedbed("d.csv", "--to", "jsonl") == 0
    assert [json.loads(line) for line in (folder / "d.jsonl").read_text().splitlines()] == ROWS
    (bad,) = (json.loads(line) for line in (folder / "d.jsonl.rejected.jsonl").read_text().splitlines())
    assert (bad["file"], bad["line"], bad["reason"], bad["raw"]) == ("d.csv", 6, "too_many_fields", "a,b,c,d,e")
    told = capfd.readouterr().out
    assert "3 rows to d.jsonl (jsonl)" in told and "1 record could not be read" in told and "line 6" in told
    assert sorted(one.name for one in folder.iterdir()) == ["d.csv", "d.jsonl", "d.jsonl.rejected.jsonl"]


@pytest.mark.parametrize("to", ["csv", "pickle", "numpy", "duckdb", "webdataset", "parquet", "arrow", "torch"])
def test_there_and_back(folder: Path, to: str) -> None:
    assert seedbed("d.csv", "--to", to, "--out", f"other.{to}") == 0
    assert seedbed(f"other.{to}", "--to", "jsonl", "--out", "back.jsonl") == 0
    assert [json.loads(line) for line in (folder / "back.jsonl").read_text().splitlines()] == ROWS
    assert not (folder / "back.jsonl.rejected.jsonl").exists()


def test_numbers_of_a_csv_stay_texts_and_that_is_said(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "t.csv").write_text("id,price,zip,name\n1,2.5,01234,a\n2,,56789,b\n")
    assert seedbed("t.csv", "--to", "parquet") == 0
    said = " ".join("".join(capfd.readouterr()).split())
    assert "a CSV holds texts, so id, price stay such" in said and "`cast`" in said
    assert set(pl.read_parquet_schema(folder / "t.parquet").values()) == {pl.String()}
    assert seedbed("t.csv", "--to", "csv", "--out", "other.csv") == 0
    assert "stay such" not in "".join(capfd.readouterr())


def test_any_kind_of_file(folder: Path) -> None:
    import sqlite3

    book = Workbook()
    book.active.append(["text", "n"])  # type: ignore[union-attr]
    book.active.append(["a", 1])  # type: ignore[union-attr]
    book.save(folder / "a.xlsx")
    (folder / "a.json").write_text('[{"text": "a", "n": 1}]')
    (folder / "a.xml").write_text("<rows><row><text>a</text><n>1</n></row><row><text>a</text><n>1</n></row></rows>")
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(b'{"text": "a", "n": 1}\n'))
    with sqlite3.connect(folder / "a.db") as database:
        database.execute("CREATE TABLE t (text TEXT, n INTEGER)")
        database.execute("INSERT INTO t VALUES ('a', 1)")
    database.close()
    for name in ("a.xlsx", "a.json", "a.xml", "a.jsonl.gz", "a.db"):
        assert seedbed(name, "--to", "jsonl", "--out", "out.jsonl") == 0
        first = json.loads((folder / "out.jsonl").read_text().splitlines()[0])
        assert (first["text"], int(first["n"])) == ("a", 1), name


def test_a_pickle_of_another_program_needs_trust(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import pickle

    (folder / "p.pkl").write_bytes(pickle.dumps([{"text": "a"}]))
    assert seedbed("p.pkl", "--to", "jsonl") == 3
    assert "say --trust" in capfd.readouterr().err
    assert seedbed("p.pkl", "--to", "jsonl", "--trust") == 0
    assert json.loads((folder / "p.jsonl").read_text()) == {"text": "a"}


def test_columns_called_like_ids_keep_their_names(folder: Path) -> None:
    (folder / "r.jsonl").write_text('{"row": "mine", "_n": 5, "text": "x"}\n')
    assert seedbed("r.jsonl", "--to", "parquet") == 0
    assert pl.read_parquet(folder / "r.parquet").to_dicts() == [{"row": "mine", "_n": 5, "text": "x"}]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["d.csv", "--to", "jsnl"], 2, "did you mean 'jsonl'"),
        (["d.csv", "--to", "csv"], 2, "would replace the file"),
        (["d.csv", "--to", "folder"], 2, "exports runs, not files"),
        (["d.csv", "--to", "jsonl", "--set", "colums=1"], 2, "did you mean 'columns'"),
        (["d.csv", "--to", "jsonl", "--set", "columns=[txt]"], 2, "did you mean 'text'"),
        (["d.csv", "--to", "jsonl", "--split", "test"], 2, "no splits"),
        (["gone.csv", "--to", "jsonl"], 3, "gone.csv"),
        (["nobody@latest", "--to", "jsonl"], 3, "nobody@latest"),
    ],
)
def test_what_goes_wrong(
    arguments: list[str], code: int, said: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert seedbed(*arguments) == code
    told = capfd.readouterr().err.split("error: ", 1)[1]
    assert said in told and len(told.splitlines()) <= 5
    assert [one.name for one in folder.iterdir()] == ["d.csv"]


def test_a_file_of_which_nothing_can_be_read(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.jsonl").write_text('{"a": 1\n{"a": 2\n')
    assert seedbed("bad.jsonl", "--to", "csv") == 3
    assert not (folder / "bad.csv").exists()


def test_facts(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert seedbed("d.csv", "--to", "csv", "--out", "o.csv", "--json") == 0
    found = json.loads(capfd.readouterr().out)
    assert found["rows"] == {"": 3} and found["malformed"] == {"too_many_fields": 1}
    assert (found["read_as"], found["format"], found["rejected"]) == ("csv", "csv", "o.csv.rejected.jsonl")


RECIPE = """seedbed: 1
name: tiny
task: {kind: text_classification, text: text, label: label}
sources: [{use: csv, path: rows.csv}]
train: [{use: majority}]
evaluate: {intervals: {resamples: 100}}
"""


def test_a_run_by_its_name_with_what_stands_against_publishing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["river", "stone", "cloud", "grass", "night", "glass", "paper", "wheel"]
    lines = [
        f"{words[i % 8]} {words[i // 8 % 8]} {i * 7919} {i * 104729},{'pos' if i % 2 else 'neg'}" for i in range(120)
    ]
    (folder / "rows.csv").write_text("text,label\n" + "\n".join(lines) + "\n")
    (folder / "recipe.yaml").write_text(RECIPE)
    with pytest.raises(SystemExit) as done:
        main(["run", "recipe.yaml", "--workers", "1"])
    assert not done.value.code
    capfd.readouterr()
    assert seedbed("tiny@latest", "--to", "jsonl", "--split", "test", "--split", "train") == 0
    told = capfd.readouterr()
    assert "to tiny-jsonl (jsonl): train" in told.out
    assert "for your own use only" in told.err
    assert sorted(one.name for one in (folder / "tiny-jsonl").iterdir()) == ["schema.json", "test.jsonl", "train.jsonl"]
    whole = pl.read_parquet(folder / "runs/tiny/latest/dataset/data/train-*.parquet")
    assert pl.read_ndjson(folder / "tiny-jsonl/train.jsonl").equals(whole)
    assert seedbed("runs/tiny/latest", "--to", "csv", "--out", "runs/tiny/latest") == 2
    assert "not replaced" in capfd.readouterr().err


@pytest.mark.parametrize("to", ["csv", "jsonl", "torch"])
def test_columns_without_a_name_and_with_a_nul_in_it_get_one(folder: Path, to: str) -> None:
    (folder / "e.jsonl").write_text('{"": 1, "a\\u0000": "x"}\n{"": 2, "a\\u0000": "y"}\n')
    assert seedbed("e.jsonl", "--to", to, "--out", f"o.{to}") == 0
    assert seedbed(f"o.{to}", "--to", "parquet", "--out", "e.parquet") == 0
    assert pl.read_parquet(folder / "e.parquet").to_dict(as_series=False) == {"_": [1, 2], "a_": ["x", "y"]}


def test_a_place_that_is_a_circle_of_links_is_told(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "loop").symlink_to("loop")
    assert seedbed("d.csv", "--to", "parquet", "--out", "loop/out.parquet") == 3
    assert "a file cannot be read or written" in capfd.readouterr().err
