"""Find out how a delimited file tells its fields apart."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import cache

from seedbed.core.errors import DataError
from seedbed.sources.reading.blocks import line_ends

from .records import Dialect, Record, Records

DELIMITERS = (b",", b";", b"\t", b"|")
#: Columns of a file. Each costs in every block; where there are more, the file lies on its side, or no line ends.
MOST_COLUMNS = 10_000
_SAMPLE = 1 << 16
#: Lines that a sample should have, as a header may be longer than it is; and those that it has at most.
_FEW_LINES, _MOST_LINES = 4, 4_000


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
    longest = max(map(len, head.split(known.newline, _FEW_LINES)[:-1]), default=0)
    sample = head[: max(_SAMPLE, (longest + 1) * _FEW_LINES)]
    ends = line_ends(sample, known.newline, final=False)
    sample = sample[: ends[_MOST_LINES - 1]] if len(ends) > _MOST_LINES else sample
    final = whole and len(sample) == len(head)
    tried = [replace(known, delimiter=d) for d in DELIMITERS] if delimiter else [known]
    if quote:
        tried = [_quoted(sample, dialect, header=header, final=final) for dialect in tried]

    def fit(dialect: Dialect) -> tuple[bool, float, int]:
        share, width = fitting(rows_of(sample, dialect, final=final), header=header)
        return width > 1 and share >= 0.5, round(share, 2), width

    return max(tried, key=fit)


def refuse_wide(width: int, head: bytes, dialect: Dialect, at: str) -> None:
    """See to it that the first record ends, and that its fields can be columns.

    Args:
        width: Its fields; 0 where it does not end, or has a quote that is not closed.
        head: The start of the file.
        dialect: How fields are told apart.
        at: The file, for the message.

    Raises:
        DataError: They cannot.
    """
    line = head.partition(dialect.newline)[0]
    most = width or 1 + max(line.count(one) for one in {*DELIMITERS, dialect.delimiter})
    if most > MOST_COLUMNS:
        told = f"{most:,}" if width or len(line) < len(head) else f"more than {most - 1:,}"
        raise DataError(
            f"has {told} columns: at most {MOST_COLUMNS:,} are read",
            at=f"{at}, line 1",
            hint="do its lines end, or does it lie on its side? Turn it, or write one value a row: row,name,value",
        )
    if not width:
        raise DataError(
            "the first record does not end, or has a quote that is not closed",
            at=f"{at}, line 1",
            hint="mend the header, or say which quote and delimiter the file has",
        )


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
        good[quote] = sum(bool(_regular(quote, dialect).fullmatch(raw)) for raw in opening)
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


@cache
def _regular(quote: bytes, dialect: Dialect) -> re.Pattern[bytes]:
    """What a record looks like whose quotes keep to the grammar (`Records.regular`, for one record and quickly)."""
    q, d, n = (re.escape(one) for one in (quote or b"\0", dialect.delimiter, dialect.newline))
    after = rb"(?=%b|%b|\r(?:\n|\Z)|\Z)" % (d, n)
    field = rb"(?<![^%b%b])%b[^%b]*+%b(?:%b[^%b]*+%b)*+" % (d, n, q, q, q, q, q, q)
    return re.compile(rb"(?:[^%b]*+%b%b)*+[^%b]*+" % (q, field, after, q), re.DOTALL)
