"""What cutting would lose, and what could not be written: counted while rows are made, told before they are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core import numbers
from seedbed.core.errors import DataError
from seedbed.core.showing import clean
from seedbed.core.tokenizing.tokens import Places

QUANTILES = {"median": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
#: Lengths beyond this are counted as this one.
_LONGEST = 1 << 20
_LABELS_SHOWN = 3
_EXAMPLES = 3


@dataclass
class Lost:
    """Rows, and what was cut of them."""

    rows: int = 0
    cut: int = 0
    """Rows of which something was cut off."""
    tokens: int = 0
    """Before anything was cut."""
    lost: int = 0
    """Tokens that are in no row that was written."""

    def add(self, lengths: Places, lost: Places) -> None:
        """Count rows."""
        self.rows += len(lengths)
        self.cut += int((lost > 0).sum())
        self.tokens += int(lengths.sum())
        self.lost += int(lost.sum())

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "rows": self.rows,
            "rows_cut": self.cut,
            "share_cut": round(self.cut / self.rows, 6) if self.rows else 0.0,
            "tokens": self.tokens,
            "tokens_lost": self.lost,
            "share_lost": round(self.lost / self.tokens, 6) if self.tokens else 0.0,
        }


@dataclass
class Losses(Lost):
    """What a split loses, by label and as quantiles, and what else happened to its rows."""

    written: int = 0
    """Rows that were written: more than there were where texts go on in another row."""
    tokens_written: int = 0
    """Without padding."""
    by_label: dict[str, Lost] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)
    """What else was done, by name, such as turns that were cut."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Rows that could not be written, by reason."""
    examples: dict[str, list[str]] = field(default_factory=dict)
    """Some of those rows, by reason."""
    _lengths: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def see(self, lengths: Places, lost: Places, labels: Sequence[Sequence[str]] = ()) -> None:
        """Count rows.

        Args:
            lengths: Tokens of each row, special ones included, before anything is cut.
            lost: Tokens of it that are lost.
            labels: Of each row, where rows have such.
        """
        self.add(lengths, lost)
        seen = np.bincount(np.minimum(lengths, _LONGEST))
        if len(seen) > len(self._lengths):
            self._lengths = np.pad(self._lengths, (0, len(seen) - len(self._lengths)))
        self._lengths[: len(seen)] += seen
        names = np.array([name for each in labels for name in each])
        rows = np.repeat(np.arange(len(labels)), [len(each) for each in labels])
        for name in np.unique(names):
            of_label = rows[names == name]
            self.by_label.setdefault(str(name), Lost()).add(lengths[of_label], lost[of_label])

    def reject(self, reason: str, row: str) -> None:
        """A row cannot be written."""
        self.rejected[reason] += 1
        if len(examples := self.examples.setdefault(reason, [])) < _EXAMPLES:
            examples.append(row)

    def lengths(self) -> dict[str, int]:
        """Shortest, longest and quantiles of the rows' lengths, in tokens."""
        if not self._lengths.any():
            return {}
        up_to = np.cumsum(self._lengths)
        there = np.flatnonzero(self._lengths)
        middle = {name: int(np.searchsorted(up_to, share * up_to[-1])) for name, share in QUANTILES.items()}
        return {"shortest": int(there[0]), **middle, "longest": int(there[-1])}

    def told(self) -> dict[str, Any]:
        """As JSON."""
        found = {**super().told(), "rows_written": self.written, "tokens_written": self.tokens_written}
        found["lengths"] = self.lengths()
        if self.by_label:
            found["by_label"] = {name: one.told() for name, one in sorted(self.by_label.items())}
        if self.rejected:
            found["rejected"] = {
                why: {"rows": rows, "such_as": self.examples[why]} for why, rows in sorted(self.rejected.items())
            }
        return found | dict(sorted(self.counted.items()))

    def said(self, split: str, most: int) -> str:
        """A line or two for people.

        Args:
            split: Its name.
            most: Tokens that a row may have.
        """
        line = f"{split}: {numbers.things(self.rows, 'row')} to {numbers.things(self.written, 'row')} of up to {most:,}"
        line += " tokens"
        if lengths := self.lengths():
            line += f"; lengths: median {lengths['median']:,}, p95 {lengths['p95']:,}, longest {lengths['longest']:,}"
        if self.cut:
            line += (
                f"; {self.cut:,} ({numbers.percent(self.cut, self.rows)}) lose {self.lost:,} of {self.tokens:,} tokens"
            )
            worst = sorted(self.by_label.items(), key=lambda one: -one[1].cut / max(one[1].rows, 1))[:_LABELS_SHOWN]
            shown = ", ".join(
                f"{clean(name)[:40]} {numbers.percent(one.cut, one.rows)}" for name, one in worst if one.cut
            )
            line += f" (most often: {shown})" if shown else ""
        if self.rejected:
            why = ", ".join(f"{reason} {rows:,}" for reason, rows in self.rejected.most_common(_LABELS_SHOWN))
            line += f"; {sum(self.rejected.values()):,} left out ({why})"
        more = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in sorted(self.counted.items()) if count)
        return f"{line}; {more}" if more else line


def refuse_losses(losses: dict[str, Losses], most: float, at: str) -> None:
    """Stop where more rows would lose something than a person allows.

    Raises:
        DataError: They would.
    """
    for split, one in losses.items():
        bad = one.cut + sum(one.rejected.values())
        rows = one.rows + sum(one.rejected.values())
        if rows and bad / rows > most:
            share, allowed = numbers.percent(bad, rows), numbers.percent(most)
            raise DataError(
                f"{bad:,} of {numbers.things(rows, 'row')} of {split} would be cut or left out, {one.lost:,} tokens: "
                + numbers.typed(f"{share}, and `most_loss` allows {allowed}. Nothing was written"),
                at=at,
                hint="more `most_tokens`, a `stride` so that texts go on in another row, or a larger `most_loss`",
            )
