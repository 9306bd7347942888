"""The pdf source: documents written byte by byte, and broken ones."""

from __future__ import annotations

import io
import json
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from source_reading import Read, read

from seedbed.sources import Pdf
from seedbed.sources.documents.deadline import Late, deadline
from serving.pdfs import locked, pdf

pypdf = pytest.importorskip("pypdf")


def of(folder: Path, **options: Any) -> Read:
    return read(Pdf.model_validate({"use": "pdf", "path": ".", **options}), folder)


def test_pages_and_documents(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf(["One (1) é", "", "Three"], title="A title", made="D:20240506070809Z"))
    (tmp_path / "b.pdf").write_bytes(pdf(["Other"]))
    found = of(tmp_path)
    assert found.table.rows() == [
        ("One (1) é", 1, "A title", "2024-05-06"),
        ("Three", 3, "A title", "2024-05-06"),
        ("Other", 1, None, None),
    ]
    assert found.records == [1, 3, 1]
    assert found.reasons == [(2, 1, "no_text")]
    whole = of(tmp_path, per="document")
    assert whole.table.rows() == [("One (1) é\n\nThree", 3, "A title", "2024-05-06"), ("Other", 1, None, None)]
    assert whole.malformed == []


def _locked(password: str, owner: str) -> bytes:
    writer, out = pypdf.PdfWriter(), io.BytesIO()
    for page in pypdf.PdfReader(io.BytesIO(pdf(["Secret"]))).pages:
        writer.add_page(page)
    writer.encrypt(password, owner, algorithm="RC4-128")
    writer.write(out)
    return out.getvalue()


def test_one_broken_file_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = pdf(["text " * 50] * 3)
    files = {
        "a": whole,
        "b": _locked("secret", "owner"),
        "c": _locked("", "owner"),  # anybody may read it
        "d": b"%PDF-1.4\nnothing that could be read",
        "e": b"<html>no document</html>",
        "f": b"",
        "g": pdf([]),
        "h": pdf(["", ""]),
        "i": whole + bytes(60_000),
    }
    for name, data in files.items():
        (tmp_path / f"{name}.pdf").write_bytes(data)
    monkeypatch.setattr(Pdf, "longest", 50_000)
    found = of(tmp_path, per="document")
    assert found.table["text"].str.slice(0, 6).to_list() == ["text t", "Secret"]
    reasons = ["encrypted", "damaged", "not_a_pdf", "empty", "no_text", "no_text", "too_long"]
    assert [bad["reason"] for bad in found.malformed] == reasons
    assert json.loads(found.malformed[0]["evidence"]) == {"needs": "a password"}
    assert of(tmp_path, path="g.pdf").reasons == [(1, 1, "no_text")]


def test_any_cut_is_a_row_or_in_the_ledger(tmp_path: Path) -> None:
    whole = pdf(["text of page one", "text of page two"])
    for cut in range(0, len(whole), 37):
        (tmp_path / "t.pdf").write_bytes(whole[:cut])
        found = of(tmp_path)
        assert found.table.height + len(found.malformed) >= 1
        (tmp_path / "t.pdf").write_bytes(whole[:cut] + b"\xff" * 20 + whole[cut + 20 :])
        found = of(tmp_path)
        assert found.table.height + len(found.malformed) >= 1


def test_a_document_that_takes_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.pdf").write_bytes(pdf(["x"]))

    def for_ever(*_: Any, **__: Any) -> str:
        while True:
            sum(range(1000))

    monkeypatch.setattr(pypdf.PageObject, "extract_text", for_ever)
    monkeypatch.setattr(Pdf, "seconds", 0.3)
    started = time.process_time()
    assert of(tmp_path).reasons == [(1, 1, "took_too_long")]
    assert time.process_time() - started < 5


def test_a_deadline_is_over_with_its_body() -> None:
    with pytest.raises(Late), deadline(0.1):
        while True:
            try:
                sum(range(1000))
            except Exception:  # noqa: BLE001 - as libraries do
                continue
    with deadline(1.0):
        pass
    end = time.monotonic() + 1.2
    while time.monotonic() < end:
        sum(range(1000))


@pytest.mark.parametrize("algorithm", ["AES-128", "AES-256"])
def test_what_aes_encrypts(tmp_path: Path, algorithm: str) -> None:
    """With and without the package that pypdf opens it with: run where it is installed, and where it is not."""
    (tmp_path / "a.pdf").write_bytes(locked(algorithm, ""))
    (tmp_path / "b.pdf").write_bytes(locked(algorithm, "secret"))
    (tmp_path / "c.pdf").write_bytes(pdf(["Plain"]))
    found = of(tmp_path)
    told = [(bad["reason"], json.loads(bad["evidence"])["needs"]) for bad in found.malformed]
    if find_spec("cryptography"):
        assert found.table["text"].to_list() == ["Under lock", "Plain"]
        assert told == [("encrypted", "a password")]
    else:
        assert found.table["text"].to_list() == ["Plain"]
        assert {reason for reason, _ in told} == {"encrypted"}
        # Of AES-128 it can be told without the package that the password is wrong; of AES-256 it cannot.
        package = "the package cryptography (pip install cryptography)"
        assert [needs for _, needs in told] == [package, "a password" if algorithm == "AES-128" else package]
