"""Texts into hashes of their shingles, in a few strokes over the bytes of many texts.

A hash depends on nothing but the UTF-8 bytes that it stands for: no machine, library version or seed changes it.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

CHARACTERS = 5
WORDS = 3

# What Python's `str.isspace` and `\s` call white space among ASCII characters.
_ASCII_SPACE = r"[\t-\r\x1c-\x1f ]"
_STEP = np.uint64(0x9E3779B97F4A7C15)
# Odd, one for each place of a run of words; and what stands where a text has fewer words than a run.
_PLACES = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB), np.uint64(0xC2B2AE3D27D4EB4F))
_NO_WORD = np.uint64(0x1FFFFF)
# The lowest 0 to 8 bytes of a word of 64 bits.
_LOW_BYTES = np.array([(1 << 8 * size) - 1 for size in range(9)], dtype=np.uint64)


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread 64-bit integers over all 64-bit integers, one to one.

    Source: splitmix64 of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
    """
    mixed = values + _STEP
    other = mixed >> np.uint64(30)
    mixed ^= other
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    np.right_shift(mixed, np.uint64(27), out=other)
    mixed ^= other
    mixed *= np.uint64(0x94D049BB133111EB)
    np.right_shift(mixed, np.uint64(31), out=other)
    mixed ^= other
    return mixed


def normalise(texts: pl.Series) -> pl.Series:
    """Texts as similarity sees them: NFKC, case folded, runs of white space one space, stripped. Null stays null."""
    # Rows of plain ASCII are most rows of most tables, and need no Python.
    plain = texts.str.len_bytes() == texts.str.len_chars()
    folded = (
        texts.str.to_lowercase()
        .str.replace_all(rf"{_ASCII_SPACE}{{2,}}|[\t-\r\x1c-\x1f]", " ")
        .str.strip_chars(" ")
        .alias(texts.name)
    )
    if plain.all():  # nulls are left out
        return folded
    places = (~plain).arg_true()
    foreign = [_normal(text) for text in texts.gather(places)]
    return folded.scatter(places, pl.Series(foreign, dtype=pl.String))


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def character_runs(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Hashes of the runs of five characters of normalised texts, and how many each text has.

    A text that is shorter is one run.
    """
    data = "".join(texts).encode()
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    runs = np.where(sizes > 0, np.maximum(sizes - CHARACTERS + 1, 1), 0)
    first = np.cumsum(sizes) - sizes
    starts = spans(first, runs)
    short = np.flatnonzero((sizes > 0) & (sizes < CHARACTERS))
    held = _padded(data)
    if len(data) == int(sizes.sum()):  # then characters are bytes, and a run starts at each
        eight = _eight_bytes(held)[: len(data)] & _LOW_BYTES[CHARACTERS]
        eight += np.full(1, CHARACTERS, dtype=np.uint64) * _STEP
        found = mix(eight)[starts]
        found[(np.cumsum(runs) - runs)[short]] = _hashes(held, first[short], sizes[short])
        return found, runs
    ends = starts + CHARACTERS
    ends[(np.cumsum(runs) - runs)[short]] = (first + sizes)[short]
    places = np.append(np.flatnonzero((held[: len(data)] & 0xC0) != 0x80), len(data))
    starts, ends = places[starts], places[ends]
    return _hashes(held, starts, ends - starts), runs


def word_runs(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    r"""Hashes of the runs of three words (`\w+` of the normalised text), and how many each text has.

    Fewer words are one run, and a text without a word is one word as it stands.

    Args:
        texts: Not normalised yet.
    """
    held, sizes = _joined(texts)
    edges = _edges(held)
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    ends = np.cumsum(sizes + 1)  # a space stands between texts
    counts = np.diff(np.searchsorted(starts, ends), prepend=0)
    words = _hashes(held, starts, lengths)
    bare = np.flatnonzero((counts == 0) & (sizes > 0))
    if bare.size:
        whole = [_normal(texts[place]).encode() for place in bare.tolist()]
        bare, whole = bare[[bool(text) for text in whole]], [text for text in whole if text]
        sized = np.array([len(text) for text in whole], dtype=np.int64)
        alone = _hashes(_padded(b"".join(whole)), np.cumsum(sized) - sized, sized)
        words = np.insert(words, np.cumsum(counts)[bare], alone)
        counts[bare] = 1
    return _runs_of_words(words, counts)


def _joined(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of all texts, case folded, with a space between texts (padded); and how many bytes each has."""
    written = [(text if text.isascii() else _normal(text)).encode() for text in texts]
    held = _padded(b" ".join(written))
    held += ((held - np.uint8(ord("A"))) < 26) * np.uint8(ord("a") - ord("A"))
    return held, np.fromiter(map(len, written), np.int64, len(written))


def _padded(data: bytes) -> NDArray[np.uint8]:
    """Bytes, followed by eight zeros: so many can be looked at from each place."""
    return np.frombuffer(bytearray(data + bytes(8)), dtype=np.uint8)


def _edges(held: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Where words start and end, in turn. Letters of ASCII are small, and zeros follow the end."""
    # Below what is looked for, differences of bytes are large: they have no sign.
    inside = (held - np.uint8(ord("a"))) < 26
    inside |= (held - np.uint8(ord("0"))) < 10
    inside |= held == ord("_")
    places = np.flatnonzero(held >= 0xC0)  # the first byte of each character beyond ASCII
    if places.size:
        points, widths = _points(held, places)
        word = _word_characters()[points]
        for more in range(4):
            longer = widths > more
            inside[places[longer] + more] = word[longer]
    changes = np.empty_like(inside)
    changes[:1] = inside[:1]
    np.not_equal(inside[1:], inside[:-1], out=changes[1:])
    edges: NDArray[np.int64] = np.flatnonzero(changes)
    return edges


def _points(held: NDArray[np.uint8], places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Code points of the characters of several bytes that start at some places, and how many bytes each has."""
    lead = held[places].astype(np.int64)
    widths = 2 + (lead >= 0xE0).astype(np.int64) + (lead >= 0xF0)
    points = lead & (0x7F >> widths)
    for more in range(1, 4):
        points = np.where(widths > more, points << 6 | held[places + more] & 0x3F, points)
    return points, widths


@cache
def _word_characters() -> NDArray[np.bool_]:
    r"""Whether each code point is a word character, as Python's `\w` has it."""
    table = np.zeros(sys.maxunicode + 1, dtype=np.bool_)
    for run in re.finditer(r"\w+", "".join(map(chr, range(sys.maxunicode + 1)))):
        table[run.start() : run.end()] = True
    return table


def _eight_bytes(held: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The eight bytes from each place on, the first one lowest, but for the last seven places."""
    return np.ndarray((len(held) - 7,), dtype="<u8", buffer=held, strides=(1,))


def _hashes(padded: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A hash of each stretch of bytes."""
    held = _eight_bytes(padded)
    found = mix((held[starts] & _LOW_BYTES.take(lengths, mode="clip")) + lengths.astype(np.uint64) * _STEP)
    longer = np.flatnonzero(lengths > 8)
    done = 8
    while longer.size:
        more = held[starts[longer] + done] & _LOW_BYTES[np.minimum(lengths[longer] - done, 8)]
        found[longer] = mix(found[longer] ^ more)
        done += 8
        longer = longer[lengths[longer] > done]
    return found


def _runs_of_words(
    words: NDArray[np.uint64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Hashes of the runs of three words within each text, and how many each text has."""
    if np.any((counts > 0) & (counts < WORDS)):
        padded = np.where(counts > 0, np.maximum(counts, WORDS), 0)
        wide = np.full(int(padded.sum()), _NO_WORD)
        wide[spans(np.cumsum(padded) - padded, counts)] = words
        words, counts = wide, padded
    if not words.size:
        return words, counts
    runs = len(words) - WORDS + 1
    found = words[:runs] * _PLACES[0]
    for place in range(1, WORDS):
        found += words[place : place + runs] * _PLACES[place]
    within = np.ones(len(words), dtype=np.bool_)
    ends = np.cumsum(counts)[counts > 0]
    for back in range(1, WORDS):
        within[ends - back] = False
    return mix(found[within[:runs]]), np.maximum(counts - WORDS + 1, 0)


def spans(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The integers start, start + 1, … of each span, one span after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    members: NDArray[np.int64] = np.arange(total, dtype=np.int64) + np.repeat(starts - (ends - lengths), lengths)
    return members
