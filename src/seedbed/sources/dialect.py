"""Find out how a delimited file tells its fields apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from .records import Dialect, Record, Records

DELIMITERS = (b",", b";", b"\t", b"|")
_SAMPLE = 1 << 16


def newline_of(head: bytes) -> bytes:
    """What ends a line: a carriage return in files of old Macintoshes, else a line feed."""
    return b"\r" if b"\n" not in head and b"\r" in head else b"\n"


def detect(head: bytes, known: Dialect, *, delimiter: bool, quote: bool, header: bool, whole: bool) -> Dialect:
    """The delimiter and the quote that fit the most records of the start of a file.

    A delimiter fits a record that has as many fields as the header (as most records, without a header). Of several
    that fit equally well, the one that gives more columns is taken, then the earlier in `DELIMITERS`.

    Args:
        head: The start of the file, in UTF-8 or an encoding that keeps ASCII.
        known: What is known; the options that follow say what is to be found out.
        delimiter: Whether to look for the delimiter.
        quote: Whether to look for the quote.
        header: Whether the first record names the columns.
        whole: Whether `head` is the whole file.
    """
    sample = head[:_SAMPLE]
    final = whole and len(head) <= _SAMPLE

    def fit(dialect: Dialect) -> tuple[bool, float, int]:
        share, width = fitting(rows_of(sample, dialect, final=final), header=header)
        return width > 1 and share >= 0.5, round(share, 2), width

    found = known
    if delimiter:
        found = max((replace(found, delimiter=d) for d in DELIMITERS), key=fit)
    if quote:
        found = _quote(sample, found, header=header, final=final)
    return found


def rows_of(sample: bytes, dialect: Dialect, *, final: bool) -> list[Record]:
    """The records of a sample, without empty lines and without the one that the sample cuts."""
    return [r for r in Records(sample, dialect, final).walked if sample[r.start : r.end].strip(b"\r\n")]


def fitting(records: list[Record], *, header: bool) -> tuple[float, int]:
    """Share of the records that have the right number of fields, and that number."""
    widths = [len(record.fields) if record.fields is not None else 0 for record in records]
    if not widths:
        return 0.0, 0
    width = widths[0] if header else Counter(widths).most_common(1)[0][0]
    return widths.count(width) / len(widths), width


def _quote(sample: bytes, found: Dialect, *, header: bool, final: bool) -> Dialect:
    """Apostrophes, or no quote at all, only where double quotes plainly are not what wraps fields."""
    dialects = {quote: replace(found, quote=quote) for quote in (b'"', b"'", b"")}
    shares = {q: fitting(rows_of(sample, d, final=final), header=header)[0] for q, d in dialects.items()}
    fields = [value for r in rows_of(sample, dialects[b""], final=final) for value in r.fields or []]
    double, single = (_wrapped(fields, quote) for quote in (b'"', b"'"))
    if not double[0] and single[0]:
        often = single[0] * 4 >= len(fields) and single[1] * 2 >= single[0]
        if shares[b"'"] > shares[b'"'] or (often and shares[b"'"] == shares[b'"']):
            return dialects[b"'"]
    if double[0] and double[1] * 2 < double[0] and shares[b""] > shares[b'"']:
        return dialects[b""]
    return dialects[b'"']


def _wrapped(fields: list[bytes], quote: bytes) -> tuple[int, int]:
    """How many fields start with the quote, and how many of them end with it."""
    starting = [value for value in fields if value.startswith(quote)]
    return len(starting), sum(len(value) > 1 and value.endswith(quote) for value in starting)
