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
    tried = [replace(known, delimiter=d) for d in DELIMITERS] if delimiter else [known]
    if quote:
        tried = [_quoted(sample, dialect, header=header, final=final) for dialect in tried]

    def fit(dialect: Dialect) -> tuple[bool, float, int]:
        share, width = fitting(rows_of(sample, dialect, final=final), header=header)
        return width > 1 and share >= 0.5, round(share, 2), width

    return max(tried, key=fit)


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


def _quoted(sample: bytes, dialect: Dialect, *, header: bool, final: bool) -> Dialect:
    """With the quote that fits: apostrophes, or none at all, only where double quotes plainly do not wrap fields."""
    shares, good, bad = {}, {}, {}
    for quote in (b'"', b"'", b""):
        rows = rows_of(sample, replace(dialect, quote=quote), final=final)
        shares[quote], _ = fitting(rows, header=header)
        opening = [raw for r in rows if _opens(raw := sample[r.start : r.end], quote, dialect.delimiter)]
        good[quote] = sum(Records(raw, replace(dialect, quote=quote)).regular for raw in opening)
        bad[quote] = len(opening) - good[quote]
        if quote == b"'" and not good[b'"'] and good[quote] > 2 * bad[quote]:
            more = shares[quote] > shares[b'"']
            if more or (shares[quote] == shares[b'"'] and good[quote] * 4 >= len(rows)):
                return replace(dialect, quote=quote)
    if bad[b'"'] > max(2, 2 * good[b'"']) and shares[b""] > shares[b'"']:
        return replace(dialect, quote=b"")
    return replace(dialect, quote=b'"')


def _opens(raw: bytes, quote: bytes, delimiter: bytes) -> bool:
    """Whether a field of the record starts with the quote."""
    return bool(quote) and (raw.startswith(quote) or delimiter + quote in raw)
