"""What sources that fetch have in common: they fetch into a snapshot, and read rows from that alone."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.source import Scan, Source
from seedbed.store.snapshots import Refresh, Snapshot


class FetchingSource(Source):
    """A source whose rows come over a network, or from something else that may say another thing tomorrow.

    A part says what it `asks` for, how to `fetch` it, and how to `look` at what was fetched; its `blocks` and `parse`
    read the files of the scan, which lie in the store. So a run that is cut goes on where it was, and one that is made
    again needs no network and finds the same rows.
    """

    not_parsed: ClassVar[frozenset[str]] = Source.not_parsed | {"refresh"}

    refresh: Refresh = Field(
        "never",
        description="When to fetch what an earlier run has fetched: `never` (a run with --refresh does), `always`, or "
        "only what is `new` since, where the source can tell.",
    )

    @abstractmethod
    def asks(self) -> Any:
        """What is asked for, as JSON: the snapshot is kept under it. Placeholders stay in place of secrets."""

    @abstractmethod
    def fetch(self, snapshot: Snapshot, context: Context) -> None:
        """Fetch what the snapshot does not hold yet, keeping each response as it comes; then `snapshot.end(…)`.

        After an interruption, and for what is `new`, `snapshot.kept` holds the responses so far. What was damaged is in
        `snapshot.lost`, and goes back to its place once it is kept again; while the snapshot is `mending`, nothing else
        is to be fetched.

        Raises:
            DataError: It cannot be had. What came before stays kept.
        """

    @abstractmethod
    def look(self, snapshot: Snapshot, context: Context) -> Scan:
        """The columns and files of what was fetched."""

    def snapshot(self, context: Context) -> Snapshot:
        """Where the source's responses are kept."""
        return Snapshot.of({"use": self.use, "asks": self.asks()}, context)

    def scan(self, context: Context) -> Scan:
        """Fetch, where that is to be done, and look at what was fetched."""
        snapshot = self.snapshot(context)
        snapshot.bring(self.refresh, context, lambda: self.fetch(snapshot, context), at=self.address)
        scan = self.look(snapshot, context)
        return replace(scan, fetching=snapshot.facts, notes=(*scan.notes, *snapshot.changes))
