"""Workbooks for tests, written by openpyxl."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook


def write_workbook(path: Path, sheets: Mapping[str, Mapping[str, Sequence[Any]]], *, hidden: str = "") -> Path:
    """Write sheets, each as its columns by their letters."""
    book = Workbook()
    book.remove(book.active)
    for name, columns in sheets.items():
        sheet = book.create_sheet(name)
        for letter, values in columns.items():
            for row, value in enumerate(values, 1):
                sheet[f"{letter}{row}"] = value
        if name == hidden:
            sheet.sheet_state = "hidden"
    book.save(path)
    return path
