"""From the records of pages to rows, under the rules of the sources `json` and `xml`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from seedbed.sources.markup.columns import Row
from seedbed.sources.nested.objects import as_row

#: Characters of a record that is no row, in the ledger.
_RAW = 1 << 16


class Rows:
    """Makes rows of records.

    Args:
        depth: Levels inside a record that become columns.
        lists: Of XML, the columns that repeat in some record.

    Attributes:
        repeated: Of XML, the columns that repeated in the records so far.
    """

    def __init__(self, depth: int, lists: Iterable[str] = ()) -> None:
        self._depth, self._lists = depth, frozenset(lists)
        self.repeated: set[str] = set()

    def row_of(self, record: Any) -> dict[str, Any]:
        """A record (a JSON value, or an element) as a row.

        Raises:
            FaultError: It is none.
        """
        if not hasattr(record, "iterancestors"):
            return as_row(record, self._depth)
        row = Row(record, self._depth, self._lists)
        self.repeated |= row.repeated
        return dict(row.fields)


def raw_of(record: Any) -> str:
    """A record as it stood, or nearly so, for the ledger."""
    if not hasattr(record, "iterancestors"):
        try:
            return orjson.dumps(record).decode()[:_RAW]
        except TypeError:  # nested deeper than it writes
            return "(nested too deep to be shown)"
    from lxml import etree

    return str(etree.tostring(record, encoding="unicode", with_tail=False))[:_RAW]
