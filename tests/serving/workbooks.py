"""Workbooks for tests, written by openpyxl."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from datetime import date
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


#: What xlwt 1.3 wrote: a title, a header, three rows and an empty one, and a hidden sheet; zlib in base 85.
_XLS = (
    "c-rk)O-NKx6#nj=c{8K<Gnxt-$RK28x`;MybSf-sF=B4|1$+8lA<8^?^A_4B%Vrq_t%^2+Eox!4>4yqx5wr-5S_DC$)vi@g&_aEk"
    "d*(fxu?ZX~L3!VB&%Ni|``zDjf9AcJtC^p^-?V^L=t2m~ZW$tZHbJ4xSK^?2*HuYBj!|#}Y$%k)XdxpSo>ab$sx?&Wy#R@O;TI%<"
    "PZUmL482y`Ospdga36G``p_xD<a-h~DO916`&G+wh~*ZRce(6SmiyRpg=Hs|ofjuDm+WoZ>-q6<*}{2MBn2Ka=L1`IqaLr6A78jC"
    "a%DB_w}<u74VKXyuD}dvNqfw+X)C=Nw@?n8AatZs9o^mYsH5ec!4Ee9eE0YD^F&}@U%LR=e-_%Kf3e4C5m(!<$uKYp_l!`^oJ9qW"
    "gjG%$-MXV^$;qvV@{9-$4;zM=UPLb+<0@1F{pOfuI|=J-BBf6d(J{vz4ahjUoe2R38_!vmLCWA4gOpJ{<4}zmbI3Lwa=Y<zRU029"
    "@q&Y-lDAg{NdwiKuHj7<r*SOa{`NLC*q0n&%OqbOxhrOy8V_7tR16|l!LJW=DFJQF*v0Y^*SeL{O)TqZ2T<JFSMMbbO>vpaoZCw6"
    ">|wl1ZqG~apmg@@(MQeM&&i#Xp6yvUUpM<cIgJ*YCxiIvH-&c5E^b^`c%1ZO;T=XFSvLN0FvVot8=LFhqt#eaTai%1Qk4)qy228I"
    "ODLJs{Q1jilC+S=mPOc-*=jDIaSs){fsf8RFD2=U7b?OFF;DY&A?BTuiZ{E$(~68oW1d>4E?J8Qs(Ctye`7toM6Tp-E-#7Zd5I|M"
    "B{6^AQEc7=1PBlyK!5-N3cl$`?_sSTRGRlFi+bO6mMAO-pGh_?`eD(}p}&*|k*3(jL`nYB08RLHi8XTk?}ZA-sC647803D8l<dFs"
    "s22I-Su-*I@3v5>?Jt+o&;Q*1F9A^&x&"
)
_ODS = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" office:version="1.2"><office:body>'
    '<office:spreadsheet><table:table table:name="Data">{}</table:table></office:spreadsheet></office:body>'
    "</office:document-content>"
)
_MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)
_KINDS = {float: "float", str: "string", date: "date"}
_VALUES = {float: "office:value", str: "office:string-value", date: "office:date-value"}
#: The sheet `Data` of both.
OLD_ROWS: tuple[tuple[str | float | date | None, ...], ...] = (
    ("Report of May",),
    ("text", "stars", "day"),
    ("good", 5.0, date(2024, 5, 6)),
    ("bäd", 1.5, date(2024, 5, 7)),
    (None,),
    ("last",),
)


def old_excel() -> bytes:
    """A workbook of Excel 97 (.xls)."""
    return zlib.decompress(base64.b85decode(_XLS))


def open_document() -> bytes:
    """A workbook of OpenDocument (.ods)."""
    rows = ("".join(map(_cell, row)) for row in OLD_ROWS)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as out:
        out.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        out.writestr("META-INF/manifest.xml", _MANIFEST)
        out.writestr("content.xml", _ODS.format("".join(f"<table:table-row>{row}</table:table-row>" for row in rows)))
    return held.getvalue()


def _cell(value: str | float | date | None) -> str:
    if value is None:
        return "<table:table-cell/>"
    kind = type(value)
    told = f'office:value-type="{_KINDS[kind]}" {_VALUES[kind]}="{value}"'
    return f"<table:table-cell {told}><text:p>{value}</text:p></table:table-cell>"
