"""What reviewers decided, as lines of an overlay file: the data itself is never touched.

Which decision on a row stands: of each person the last one that they did not undo, `skip` aside; of several people's,
the one that is last in the file. Where people's last words on a row differ, the row is in conflict, and says so.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .appending import appending, write_all
from .errors import DataError

Action = Literal["accept", "relabel", "reject", "rescue", "skip", "prefer", "undo"]
#: Most characters of a reason that a person gives, of a label, of a person's name, of other names, and of a row's id.
MOST_WHY, MOST_LABEL, MOST_WHO, MOST_NAME, MOST_ROW = 2_000, 1_000, 100, 200, 10_000


class Decision(BaseModel):
    """One decision of one person on one row; a line of the file."""

    model_config = ConfigDict(frozen=True, extra="ignore")  # a newer version may know more

    id: str = Field(min_length=1, max_length=MOST_NAME, description="Its own name, by which it is undone.")
    row: str = Field(
        min_length=1, max_length=MOST_ROW, description="The row's id; of a comparison, the id of what was compared."
    )
    action: Action
    label: str | None = Field(
        None, max_length=MOST_LABEL, description="The label that the row shall have; what is preferred."
    )
    was: str | None = Field(
        None, max_length=MOST_LABEL, description="The label that the reviewer saw; of a longer one, the beginning."
    )
    part: str | None = Field(None, max_length=MOST_NAME, description="Of a rescue: the part whose rejection is lifted.")
    why: str = Field("", max_length=MOST_WHY)
    who: str = Field(min_length=1, max_length=MOST_WHO)
    when: str = Field(max_length=MOST_NAME, description="ISO 8601, UTC.")
    queue: str = Field("", max_length=MOST_NAME)
    split: str | None = Field(None, max_length=MOST_NAME, description="Where the row was in the run that was reviewed.")
    run: str = Field("", max_length=MOST_NAME, description="Id of the run that was reviewed.")
    read: str | None = Field(
        None, max_length=MOST_NAME, description="`text_hash` of the row's text as its source holds it."
    )
    seen: str | None = Field(None, max_length=MOST_NAME, description="`text_hash` of the text that the reviewer saw.")
    undoes: str | None = Field(
        None, max_length=MOST_NAME, description="Of an `undo`: id of the same person's decision that is taken back."
    )

    @property
    def verdict(self) -> tuple[str, str | None]:
        """What it comes to: two that are equal here agree. To accept a label is to give the row that label."""
        if self.action in ("accept", "relabel"):
            return "label", self.was if self.action == "accept" else self.label
        return self.action, self.label


def text_hash(text: str | None) -> str:
    """128 bits of the text's SHA-256, in hexadecimal digits: by it a decision knows its row again."""
    data = b"\xff" if text is None else text.encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:32]


@dataclass
class Standing:
    """Which decision stands on each row. Lines are taken in the order of the file."""

    _lines: int = 0
    _said: dict[str, dict[str, list[tuple[int, Decision]]]] = field(default_factory=dict)
    """By row and person, oldest first."""

    def take(self, decision: Decision) -> None:
        """Note one more line; an `undo` takes back what it names, if it was the same person's."""
        self._lines += 1
        people = self._said.setdefault(decision.row, {})
        mine = people.setdefault(decision.who, [])
        if decision.action == "undo":
            mine[:] = [one for one in mine if one[1].id != decision.undoes]
        else:
            mine.append((self._lines, decision))

    def words_on(self, row: str) -> list[Decision]:
        """Each person's last word on a row, in the order of the file."""
        last = (self._last(mine) for mine in self._said.get(row, {}).values())
        return [decision for _, decision in sorted((one for one in last if one), key=lambda one: one[0])]

    def on(self, row: str) -> Decision | None:
        """The decision that stands on a row; a `skip` where nobody said more."""
        words = self.words_on(row)
        return next((one for one in reversed(words) if one.action != "skip"), words[-1] if words else None)

    def torn(self, row: str) -> bool:
        """Whether people disagree about a row."""
        return len({one.verdict for one in self.words_on(row) if one.action != "skip"}) > 1

    def rows(self) -> Iterator[str]:
        """Rows that anybody ever said anything on."""
        yield from self._said

    def of_person(self, row: str, who: str) -> Decision | None:
        """What one person said last on a row."""
        last = self._last(self._said.get(row, {}).get(who, []))
        return last[1] if last else None

    @staticmethod
    def _last(mine: Sequence[tuple[int, Decision]]) -> tuple[int, Decision] | None:
        weighty = [one for one in mine if one[1].action != "skip"]
        return (weighty or list(mine))[-1] if mine else None


@dataclass
class Overlay:
    """The file of decisions: several processes may append, and whoever reads sees whole lines."""

    path: Path
    damaged: int = 0
    """Lines that could not be read: of a writer that was killed, or changed by hand."""
    size: int = 0
    """Bytes that were read so far."""
    _lines: int = 0
    _hash: Any = field(default_factory=hashlib.sha256, repr=False)
    _node: tuple[int, int] | None = None

    def append(self, decisions: Iterable[Decision]) -> None:
        """Write lines at the end, at once, and have the disk keep them.

        Raises:
            DataError: The file cannot be written.
        """
        lines = "".join(one.model_dump_json(exclude_none=True) + "\n" for one in decisions).encode()
        try:
            with appending(self.path, 0o644) as file:
                if _is_torn(file):
                    lines = b"\n" + lines
                write_all(file, lines)
        except OSError as error:
            raise DataError(
                f"decisions cannot be written ({error.strerror})", at=str(self.path), hint="is the disk full?"
            ) from None

    def new(self, *, to_the_end: bool = False) -> tuple[list[Decision], bool]:
        """Lines that were not seen before, and whether the file is another one now, so that all are told anew.

        Args:
            to_the_end: Also take a last line that no line break ends yet, if it can be read.

        Raises:
            DataError: The file cannot be read, or a line is too long; that is told until it is mended.
        """
        try:
            with self.path.open("rb") as file:
                told = os.fstat(file.fileno())
                node = (told.st_dev, told.st_ino)
                anew = self._node not in (None, node) or told.st_size < self.size
                file.seek(0 if anew else self.size)
                data = file.read()
        except FileNotFoundError:
            anew = self._node is not None
            self._begin(None)
            return [], anew
        except OSError as error:
            raise DataError(f"cannot be read ({error.strerror})", at=str(self.path)) from None
        data = data if to_the_end else data[: data.rfind(b"\n") + 1]
        lines, before = data.split(b"\n"), 0 if anew else self._lines
        read = [self._parsed(line, number) for number, line in enumerate(lines, before + 1) if line.strip()]
        found = [one for one in read if one is not None]
        if anew:  # only now: what was refused above is read once more, and still new then
            self._begin(node)
        self._node = node
        self._hash.update(data)
        self.size += len(data)
        self._lines += len(lines) - 1
        self.damaged += len(read) - len(found)
        return found, anew

    @property
    def sha256(self) -> str:
        """SHA-256 of what was read so far."""
        return str(self._hash.hexdigest())

    def _begin(self, node: tuple[int, int] | None) -> None:
        self._node, self._hash = node, hashlib.sha256()
        self.size = self._lines = self.damaged = 0

    def _parsed(self, line: bytes, number: int) -> Decision | None:
        """A line's decision; none where it is damaged.

        Raises:
            DataError: It is whole, and one of its fields is too long.
        """
        try:
            return Decision.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
        if first["type"] != "string_too_long":
            return None
        raise DataError(
            f"`{first['loc'][0]}` has more than {first['ctx']['max_length']:,} characters",
            at=f"{self.path}, line {number}",
            hint="shorten it, or take the line out",
        )


def _is_torn(file: int) -> bool:
    """Whether a file ends within a line."""
    size = os.lseek(file, 0, os.SEEK_END)
    if not size:
        return False
    os.lseek(file, size - 1, os.SEEK_SET)
    return os.read(file, 1) != b"\n"


def read_decisions(path: Path) -> tuple[list[Decision], int]:
    """All lines of a file, and how many could not be read; none where there is no file.

    Raises:
        DataError: It cannot be read.
    """
    overlay = Overlay(path)
    found, _ = overlay.new(to_the_end=True)
    return found, overlay.damaged


def standing_of(decisions: Iterable[Decision]) -> Standing:
    """Which of some decisions stand."""
    standing = Standing()
    for one in decisions:
        standing.take(one)
    return standing
