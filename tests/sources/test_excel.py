"""The excel source: workbooks written by openpyxl, and broken ones."""

from __future__ import annotations

import re
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import Workbook
from source_reading import Read, read

from seedbed.core.errors import SeedbedError
from seedbed.sources import Excel
from seedbed.sources.tables import workbook
from seedbed.sources.tables.sheets import letters
from serving.workbooks import old_excel, open_document, write_workbook

pytest.importorskip("fastexcel")


def of(folder: Path, **options: Any) -> Read:
    return read(Excel.model_validate({"use": "excel", "path": "t.xlsx", **options}), folder)


def refused(folder: Path, **options: Any) -> str:
    with pytest.raises(SeedbedError) as error:
        of(folder, **options)
    assert len(str(error.value).splitlines()) <= 5
    return str(error.value)


MESSY = {
    "B": ["Report", None, "text", "a", "b", None, "c", "merged", None, None, "last"],
    "C": [None, None, "n", 1, 2.5, None, 3, 8, 9],
    "D": [None, None, "day", date(2024, 1, 2), datetime(2024, 5, 6)],
    "E": [None, None, "time", datetime(2024, 1, 2, 3, 4, 5), date(2024, 1, 2)],
    "F": [None, None, "mixed", "x", 3, None, 4.5],
    "G": [None, None, "flag", True, False],
    "H": [None, None, "error", "#N/A", 5],
    "I": [None, None, None, None, 7],
    "K": [None, None, "formula", "=1+1"],
    "L": [None, None, "whole", 1, 2, None, 3],
}


def test_a_messy_sheet(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "t.xlsx", {"Data": MESSY})
    found = of(tmp_path)
    assert found.records == [4, 5, 7, 8, 9, 11]
    assert found.scan.files[0].name == "t.xlsx/Data"
    assert found.scan.found["header"] == "row 3"
    assert found.scan.schema == pl.Schema(
        {
            **{"text": pl.String(), "n": pl.Float64(), "day": pl.Date(), "time": pl.Datetime("ms")},
            **{"mixed": pl.String(), "flag": pl.Boolean(), "error": pl.Int64(), "I": pl.Int64()},
            **{"formula": pl.String(), "whole": pl.Int64()},
        }
    )
    first, second = found.table.rows()[:2]
    assert first == ("a", 1.0, date(2024, 1, 2), datetime(2024, 1, 2, 3, 4, 5), "x", True, None, None, None, 1)
    assert second == ("b", 2.5, date(2024, 5, 6), datetime(2024, 1, 2), "3", False, 5, 7, None, 2)
    assert found.table["text"].to_list() == ["a", "b", "c", "merged", None, "last"]
    assert found.scan.notes[:1] == ("1 cells of t.xlsx/Data hold an error and are null: H4",)
    assert "1 formula of t.xlsx has no saved value" in found.scan.notes[1]
    path.unlink()
    write_workbook(path, {"Data": {letter: values[:8] for letter, values in MESSY.items()}})
    assert of(tmp_path).table.height == 4


def test_values_of_formulas(tmp_path: Path) -> None:
    """openpyxl saves no values of formulas; Excel does."""
    path = write_workbook(tmp_path / "t.xlsx", {"S": {"A": ["n", "=1+1", "=1/0"]}})
    whole = zipfile.ZipFile(path)
    with zipfile.ZipFile(tmp_path / "u.xlsx", "w") as out:
        for name in whole.namelist():
            data = whole.read(name).replace(b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>").replace(b"<v />", b"<v>2</v>")
            out.writestr(name, data)
    assert of(tmp_path, path="u.xlsx").table["n"].to_list()[0] == 2


@pytest.mark.slow
def test_sheets(tmp_path: Path) -> None:
    both = {"One": {"A": ["text", "a"], "B": ["n", 1]}, "Two": {"A": ["text", "b"], "B": ["n", "x"]}}
    write_workbook(tmp_path / "t.xlsx", {**both, "Nothing": {}, "Away": {"A": ["secret", 1]}}, hidden="Away")
    found = of(tmp_path)
    assert found.table.rows() == [("a", "1"), ("b", "x")]
    assert [file.name for file in found.scan.files] == ["t.xlsx/One", "t.xlsx/Two"]
    assert of(tmp_path, sheet="One").table.rows() == [("a", 1)]
    assert of(tmp_path, sheet=2).table.rows() == [("b", "x")]
    assert of(tmp_path, sheet="Away").table.rows() == [(1,)]
    assert of(tmp_path, sheet="One", header=0).table.rows() == [("text", "n"), ("a", "1")]
    assert of(tmp_path, limit=1).table.height == 1
    assert "did you mean 'Two'" in refused(tmp_path, sheet="Twoo")
    assert "4 sheets" in refused(tmp_path, sheet=5)
    assert "no rows" in refused(tmp_path, sheet="Nothing")
    assert "no row under its header" in refused(tmp_path, sheet="One", header=2)
    write_workbook(tmp_path / "t.xlsx", {**both, "Notes": {"A": ["made by hand"]}})
    found = of(tmp_path)
    assert found.table.height == 2 and "in Notes of t.xlsx: left out" in found.scan.notes[0]
    write_workbook(tmp_path / "t.xlsx", {**both, "Three": {"A": ["text", "c"], "B": ["m", 1]}})
    assert "other columns than t.xlsx/One: m, n" in refused(tmp_path)
    write_workbook(tmp_path / "t.xlsx", {"One": {"A": ["x", 1], "B": ["x", 2]}})
    assert "'x' more than once" in refused(tmp_path)


def test_blocks(tmp_path: Path) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("S")
    for row in range(70_000):
        sheet.append([row or "n"])
    book.save(tmp_path / "t.xlsx")
    found = of(tmp_path)
    assert len(found.blocks) == 2
    assert found.table["n"].to_list() == list(range(1, 70_000))
    assert found.records == list(range(2, 70_001))
    assert of(tmp_path, limit=65_540).table.height == 65_540


def test_a_workbook_is_converted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_workbook(tmp_path / "t.xlsx", {"S": {"A": ["n", 1]}})
    first = of(tmp_path)
    monkeypatch.setattr(workbook, "_run", None)
    assert of(tmp_path).table.equals(first.table)
    kept = next((tmp_path / ".seedbed" / "sheets").rglob("*.parquet"))
    kept.write_bytes(kept.read_bytes()[:-20])
    monkeypatch.undo()
    assert of(tmp_path).table.equals(first.table)
    write_workbook(path, {"S": {"A": ["n", 2]}})
    assert of(tmp_path).table["n"].to_list() == [2]


@pytest.mark.parametrize(("name", "book"), [("t.xls", old_excel()), ("t.ods", open_document())])
def test_excel_97_and_opendocument(tmp_path: Path, name: str, book: bytes) -> None:
    (tmp_path / name).write_bytes(book)
    found = of(tmp_path, path=name)
    assert found.table.to_dict(as_series=False) == {
        "text": ["good", "bäd", "last"],
        "stars": [5.0, 1.5, None],
        "day": [date(2024, 5, 6), date(2024, 5, 7), None],
    }
    assert found.records == [3, 4, 6]
    assert [file.name for file in found.scan.files] == [f"{name}/Data"]
    for end in (len(book) // 2, len(book) - 99):
        (tmp_path / name).write_bytes(book[:end])
        assert re.search("damaged workbook|is it damaged", refused(tmp_path, path=name))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "t.xlsx", {"S": {"A": ["n", 1]}})
    whole = path.read_bytes()
    locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)
    for data, words in (
        (b"", "is empty"),
        (b"a,b\n1,2\n", "use: csv"),
        (whole[: len(whole) // 2], "damaged workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "damaged workbook"),
        (locked, "protected by a password"),
    ):
        path.write_bytes(data)
        assert words in refused(tmp_path), data[:20]


def test_one_cell_far_away(tmp_path: Path) -> None:
    """Five kilobytes that ask for 512 GiB: the library ends its process."""
    write_workbook(tmp_path / "t.xlsx", {"S": {"A": ["n", 1]}})
    whole = zipfile.ZipFile(tmp_path / "t.xlsx")
    with zipfile.ZipFile(tmp_path / "u.xlsx", "w") as out:
        for name in whole.namelist():
            far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
            out.writestr(name, whole.read(name).replace(b"</sheetData>", far))
    assert "4 GiB" in refused(tmp_path, path="u.xlsx")
    assert not list((tmp_path / ".seedbed" / "sheets").rglob("*.parquet"))


def test_letters() -> None:
    assert [letters(place) for place in (0, 25, 26, 701, 702, 16_383)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
