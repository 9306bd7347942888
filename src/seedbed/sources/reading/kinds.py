"""Tell a file that was given to the wrong source by its first bytes."""

from __future__ import annotations

from seedbed.core.errors import DataError

_MAGIC = (
    (b"PAR1", "a Parquet file", "use: parquet"),
    (b"ARROW1", "an Arrow file", "use: arrow"),
    (b"SQLite format 3\0", "an SQLite database", "use: sqlite"),
    (b"%PDF-", "a PDF document", "use: pdf"),
    (b"PK\x03\x04", "a zip archive or an Office document", "use: excel for a workbook; else unpack it"),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "use: excel for a workbook"),
    (b"\x89PNG", "a picture", ""),
    (b"\xff\xd8\xff", "a picture", ""),
    (b"\x1f\x8b", "a gzip file inside another", "unpack it once"),
    *(
        (b"\x80" + bytes([protocol]) + opcode, "a pickle", "use: pickle, if you know who made it")
        for protocol, opcode in ((2, b""), (3, b""), (4, b"\x95"), (5, b"\x95"))
    ),
    (b"\x93NUMPY", "a NumPy array", ""),
    (b"\x89HDF", "an HDF5 file", ""),
)
_PAGE = (b"<!doctype html", b"<html", b"<?xml")


def refuse_other(head: bytes, *, at: str, wanted: str, markup: bool = False, kept_by: str = "") -> None:
    """Fail where the first bytes of a file (unpacked) plainly are not text, or are text of another kind.

    Args:
        head: The start of the file.
        at: The file.
        wanted: What the source reads, for the message.
        markup: Whether it reads web pages or XML.
        kept_by: What has it read them as the text that they are, for the hint.

    Raises:
        DataError: The file is of another kind.
    """
    for magic, kind, hint in _MAGIC:
        if head.startswith(magic):
            raise DataError(f"is {kind}, not {wanted}", at=at, hint=hint)
    if head[257:262] == b"ustar":
        raise DataError(f"is a tar archive, not {wanted}", at=at, hint="unpack it (tar xf FILE) and give the folder")
    if markup:
        return
    start = head[:512].lstrip().lower()
    if start.startswith(_PAGE):
        hint = "use: html or use: xml; or was a log-in or error page saved?"
        hint += f" With {kept_by} it is read as the text that it is" if kept_by else ""
        raise DataError(f"is a web page or XML, not {wanted}", at=at, hint=hint)


def refuse_binary(head: bytes, *, at: str, wanted: str) -> None:
    """Fail where more than a twentieth of the first bytes are control characters, as in random bytes.

    Raises:
        DataError: The file is not text.
    """
    head = head[: 1 << 16]
    control = sum(head.count(code) for code in (*range(9), 11, *range(14, 27), *range(28, 32), 127))
    if control > max(len(head) / 20, 8):
        raise DataError(
            f"is not {wanted}: {control / len(head):.0%} of its first {len(head):,} bytes are control characters",
            at=at,
            hint="is the path right? If it is text, name its encoding",
        )
