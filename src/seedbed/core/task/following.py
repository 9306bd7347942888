"""Places in a text stay right when a step changes the text."""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl

from .reading import Unreadable

Answers = list[tuple[str, int]]
"""Texts and where each starts, in characters."""


#: Texts and tokens with more pairs than this are compared in a way that takes less memory.
_MOST_PAIRS = 1 << 28


@dataclass(frozen=True)
class Following:
    """Takes the answers along when the text that they point into changes. It pickles."""

    context: str
    """Column of the text."""
    answers: str
    """Column of the answers."""
    start: str | None
    """Column of the answer's place, where `answers` holds a text alone."""
    read: Callable[[Any, Any, Any], Answers]
    """From a row's context, answers and start to its answers, all of which are in the text; or raises `Unreadable`."""

    def __call__(self, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
        """The rows after a step, with answers that fit their texts.

        An answer that the step removed keeps its text and loses its place, so that the task does not find it. Answers
        that the step wrote itself are let be.

        Args:
            before: The rows before the step.
            after: The same rows, in the same order.
        """
        changed = (before[self.context].cast(pl.String).ne_missing(after[self.context].cast(pl.String))).arg_true()
        if not len(changed):
            return after
        columns = [self.answers, *([self.start] if self.start else [])]
        old = [before[self.context].gather(changed), *(before[name].gather(changed) for name in columns)]
        new = after[self.context].gather(changed).cast(pl.String)
        written = after[self.answers].gather(changed).to_list()
        moved: dict[int, Answers] = {}
        rows = zip(changed, new, written, zip(*(one.to_list() for one in old), strict=True), strict=True)
        for place, text, own, values in rows:
            context, answers, start = (*values, None)[:3]
            if own != answers:
                continue
            try:
                given = self.read(context, answers, start)
            except Unreadable:  # it goes when the task sees it
                continue
            if given:
                moved[place] = follow(context, text or "", given)
        return after.with_columns(self._written(after, moved))

    def _written(self, rows: pl.DataFrame, moved: dict[int, Answers]) -> pl.Series:
        """The column of the answers with those that moved, in the form that it has."""
        column = rows[self.answers]
        values = column.to_list()
        for place, found in moved.items():
            values[place] = _as(column.dtype, found)
        return pl.Series(column.name, values, column.dtype)


def _as(dtype: pl.DataType, answers: Answers) -> Any:
    if dtype == pl.String:
        return json.dumps([{"text": text, "start": start} for text, start in answers], ensure_ascii=False)
    if isinstance(dtype, pl.Struct):  # of lists, as SQuAD has them
        texts, starts = zip(*answers, strict=True)
        return {field.name: list(texts if field.name == "text" else starts) for field in dtype.fields}
    assert isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct)
    names = [field.name for field in dtype.inner.fields]
    return [{name: text if name == "text" else start for name in names} for text, start in answers]


@dataclass(frozen=True)
class _Piece:
    """A piece of a text and what became of it."""

    start: int
    end: int
    to: int
    until: int
    same: bool
    """Whether each character of the one stands for the character at its place in the other."""


def follow(before: str, after: str, answers: Sequence[tuple[str, int]]) -> Answers:
    """Where answers stand in a text that was changed, by the alignment with the fewest edits; white space is trimmed.

    Words are aligned first, whatever their case and form, and characters within what differs: a letter of a tag that
    was removed is not mistaken for the first letter of the word after it.

    Args:
        before: The text that they are in.
        after: What became of it.
        answers: Texts and starts, `before[start : start + len(text)] == text` for each.

    Returns:
        Texts and starts in `after`; the old text and -1 where nothing of the answer is left.
    """
    pieces = _pieces_of(before, after)
    found = [_moved(after, pieces, start, start + len(text)) for text, start in answers]
    return [new if new[0] else (old, -1) for (old, _), new in zip(answers, found, strict=True)]


@lru_cache(maxsize=16)  # questions about one text follow one another
def _pieces_of(before: str, after: str) -> tuple[_Piece, ...]:
    return tuple(_pieces(before, after))


def _pieces(before: str, after: str) -> Iterator[_Piece]:
    """The pieces of a text, in order, and what became of each."""
    old, new = _tokens(before), _tokens(after)
    for tag, here, there in _aligned([key for key, _ in old[:-1]], [key for key, _ in new[:-1]]):
        if tag == "equal":
            for one, other in zip(range(here.start, here.stop), range(there.start, there.stop), strict=True):
                start, end, to, until = old[one][1], old[one + 1][1], new[other][1], new[other + 1][1]
                yield _Piece(start, end, to, until, end - start == until - to)
            continue
        start, to = old[here.start][1], new[there.start][1]
        inner = _edits(before[start : old[here.stop][1]], after[to : new[there.stop][1]])
        for tag, mine, theirs in inner:
            yield _Piece(start + mine.start, start + mine.stop, to + theirs.start, to + theirs.stop, tag == "equal")


def _aligned(old: list[str], new: list[str]) -> Iterator[tuple[str, slice, slice]]:
    """What became of which tokens: those that occur once in both texts stay where they are; the rest lies between.

    Source: the patience diff of Cohen (2010), which does so with lines.
    """
    last, begin = 0, 0
    for here, there in [*_in_order(_unique(old), _unique(new)), (len(old), len(new))]:
        for tag, mine, theirs in _edits(old[last:here], new[begin:there]):
            yield tag, slice(last + mine.start, last + mine.stop), slice(begin + theirs.start, begin + theirs.stop)
        if here < len(old):
            yield "equal", slice(here, here + 1), slice(there, there + 1)
        last, begin = here + 1, there + 1


def _unique(tokens: list[str]) -> dict[str, int]:
    """Tokens that occur once, and where."""
    counts = Counter(tokens)
    return {token: place for place, token in enumerate(tokens) if counts[token] == 1}


def _in_order(old: Mapping[str, int], new: Mapping[str, int]) -> list[tuple[int, int]]:
    """The longest run of common tokens that stand in the same order in both (Fredman, 1975)."""
    tops: list[int] = []
    ends: list[Any] = []
    for token, here in old.items():
        if (there := new.get(token)) is not None:
            at = bisect_left(tops, there)
            entry: Any = (here, there, ends[at - 1] if at else None)
            tops[at : at + 1], ends[at : at + 1] = [there], [entry]
    run, entry = [], ends[-1] if ends else None
    while entry:
        run.append(entry[:2])
        entry = entry[2]
    return run[::-1]


def _edits(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, slice, slice]]:
    """What is equal, and what became of the rest, with as much as can be equal."""
    if not (old or new):
        return
    from rapidfuzz.distance import Indel, Levenshtein

    # The first takes a bit for each pair; what is that long was rewritten, and hardly anything of it is equal.
    way = Indel if len(old) * len(new) <= _MOST_PAIRS else Levenshtein
    runs = [
        (one.src_start, one.dest_start, one.src_end - one.src_start)
        for one in way.opcodes(old, new)
        if one.tag == "equal"
    ]
    here = there = 0
    for start, to, count in [*_joined(runs, old, new), (len(old), len(new), 0)]:
        if start > here or to > there:
            yield "other", slice(here, start), slice(there, to)
        if count:
            yield "equal", slice(start, start + count), slice(to, to + count)
        here, there = start + count, to + count


def _joined(runs: list[tuple[int, int, int]], old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int]]:
    """Equal runs, each joined to its neighbour where it is found right beside that, too; those at an end stay.

    Of `<b title=word>word by word</b>` without its tags, the first word is that of the text, not that of the tag.

    Args:
        runs: Start, start in the new text, and length of each.
        old: What there was.
        new: What came of it.
    """
    found: list[tuple[int, int, int]] = []
    waiting = runs[::-1]
    while waiting:
        start, to, count = run = waiting.pop()
        free = (start or to) and (start + count < len(old) or to + count < len(new))
        if free and waiting:
            after, its, length = waiting[-1]
            near = after - count >= start and its - count >= to
            if near and old[after - count : after] == old[start : start + count] == new[its - count : its]:
                waiting[-1] = (after - count, its - count, length + count)
                waiting += found[-1:]  # which may fit now
                del found[-1:]
                continue
        if free and found:
            before, its, length = found[-1]
            end, until = before + length, its + length
            if old[end : end + count] == old[start : start + count] == new[until : until + count]:
                waiting.append((before, its, length + count))
                found.pop()
                continue
        found.append(run)
    return found


def _tokens(text: str) -> list[tuple[str, int]]:
    """Words, and other characters each by itself, as what is alike in all forms of them, with their starts; the end."""
    found = [(_alike(match[0]), match.start()) for match in re.finditer(r"\w+|\W", text)]
    return [*found, ("", len(text))]


@lru_cache(maxsize=1 << 16)
def _alike(token: str) -> str:
    return token.casefold() if token.isascii() else unicodedata.normalize("NFKC", token).casefold()


def _moved(after: str, pieces: Sequence[_Piece], start: int, end: int) -> tuple[str, int]:
    """The answer in the new text: from what became of its first character to what became of its last."""
    low, high = None, 0
    for piece in pieces:
        if piece.end <= start or piece.start >= end:
            continue
        left = piece.to + (max(start, piece.start) - piece.start) if piece.same else piece.to
        high = piece.to + (min(end, piece.end) - piece.start) if piece.same else piece.until
        low = left if low is None else low
    if low is None:
        return "", 0
    text = after[low:high]
    lead = len(text) - len(text.lstrip())
    return text.strip(), low + lead
