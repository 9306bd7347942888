"""Who read test rows, why and when: the more often one looks, the less they are rows that nobody saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from .record import Record

#: Beside `run.json`: what was read since, a line each.
LATER = "test_reads.jsonl"

Why = Literal["judging", "leakage", "comparison", "explanation"]
#: What each reason is called where it is counted.
_WORDS: dict[Why, str] = {
    "judging": "to judge models",
    "leakage": "to tell what leakage would have claimed",
    "comparison": "to compare with other runs",
    "explanation": "to explain a row",
}


class ReadOfTest(Record):
    """One time that test rows were read to see how a model does on them."""

    who: str = Field(description="The model.")
    why: Why = Field(
        description="To judge it, to tell what leakage would have claimed (under a naive split), to compare it with a "
        "model of another run, or to explain a row."
    )
    rows: int = Field(description="Test rows that were read.")
    when: str = Field(description="ISO 8601, UTC.")

    @classmethod
    def of(cls, who: str, why: Why, rows: int, when: datetime) -> ReadOfTest:
        """A reading at a moment."""
        return cls(who=who, why=why, rows=rows, when=when.isoformat(timespec="milliseconds"))


def told(reads: Sequence[ReadOfTest], before: int) -> str:
    """How often test rows were read and why, in a sentence; empty where nobody did."""
    if not reads:
        return ""
    each = Counter(one.why for one in reads)
    why = ", ".join(f"{each[one]} {words}" for one, words in _WORDS.items() if each[one])
    why = f", {_WORDS[reads[0].why]}" if len(each) == 1 else f" ({why})"
    times = "once" if len(reads) == 1 else f"{len(reads)} times"
    earlier = f"; earlier runs of the same dataset did so {before:,} times" if before > 1 else ""
    earlier = "; an earlier run of the same dataset did so once" if before == 1 else earlier
    return f"{times}{why}{earlier}"


def note(folder: Path, reads: Iterable[ReadOfTest]) -> bool:
    """Note beside the record of a run that its test rows were read since it ended.

    Returns:
        Whether it could be: a folder that may not be written to keeps nothing.
    """
    lines = "".join(f"{one.model_dump_json()}\n" for one in reads)
    try:
        with (folder / LATER).open("a", encoding="utf-8") as file:
            file.write(lines)  # at once, so that two who note do not mix their lines
    except OSError:
        return False
    return True


def noted(folder: Path) -> tuple[ReadOfTest, ...]:
    """What `note` wrote; a line that is damaged is passed over."""
    found = []
    try:
        lines = (folder / LATER).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ()
    for line in lines:
        try:
            found.append(ReadOfTest.model_validate_json(line))
        except ValidationError:
            continue
    return tuple(found)
