"""Edits that leave a text's meaning mostly as it was.

Swap, delete, insert and synonyms are those of Wei and Zou, EDA (EMNLP 2019); typing errors are of four kinds: the key
beside, a letter left out, written twice, or swapped with the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from .chance import Chance

#: Other words for a word in lower case; none where it has none.
Synonyms = Callable[[str], tuple[str, ...]]
#: A text and where its chance comes from, with the share of words to change: another text, or none.
Edit = Callable[[str, float, Chance], str | None]

_PIECES = re.compile(r"\s+|\S+")
_CORE = re.compile(r"\w(?:[\w'’-]*\w)?")
#: What is no word to respell: mentions, hashtags, addresses, numbers.
_LEFT_ALONE = re.compile(r"^[@#]|://|^www\.|@\w+\.|\d")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def _neighbours() -> dict[str, str]:
    """Keys beside each letter on an American keyboard: in its row, and those above and below."""
    at = {letter: (row, place + row * 0.5) for row, keys in enumerate(_ROWS) for place, letter in enumerate(keys)}
    return {
        one: "".join(o for o, (r, x) in at.items() if o != one and abs(r - row) <= 1 and abs(x - place) <= 1)
        for one, (row, place) in at.items()
    }


NEIGHBOURS: Mapping[str, str] = _neighbours()


def _split(text: str) -> tuple[list[str], list[int]]:
    """The pieces of a text, and which of them are words."""
    pieces: list[str] = _PIECES.findall(text)
    return pieces, [place for place, piece in enumerate(pieces) if not piece.isspace()]


def _so_many(words: int, share: float) -> int:
    return max(1, round(words * share))


def swapped(text: str, share: float, chance: Chance) -> str | None:
    """Words that change places."""
    pieces, words = _split(text)
    if len(words) < 2:
        return None
    for _ in range(_so_many(len(words), share)):
        one, other = chance.some(words, 2)
        pieces[one], pieces[other] = pieces[other], pieces[one]
    return "".join(pieces)


def deleted(text: str, share: float, chance: Chance) -> str | None:
    """Words left out; one stays."""
    pieces, words = _split(text)
    gone = {place for place in words if chance.happens(share)} or {chance.one(words)} if words else set()
    if not gone or len(words) <= len(gone):
        return None
    left = [piece for place, piece in enumerate(pieces) if place not in gone]
    return re.sub(r"(\s)\s+", r"\1", "".join(left)).strip()


def with_typos(text: str, share: float, chance: Chance) -> str | None:
    """Words with one typing error each."""
    pieces, words = _split(text)
    open_to = [place for place in words if _spelt(pieces[place])]
    if not open_to:
        return None
    for place in chance.some(open_to, _so_many(len(words), share)):
        pieces[place] = _mistyped(pieces[place], chance)
    return "".join(pieces)


def replaced(synonyms: Synonyms) -> Edit:
    """Words replaced by others that mean the same."""

    def edit(text: str, share: float, chance: Chance) -> str | None:
        pieces, words = _split(text)
        known = [place for place in words if _others(pieces[place], synonyms)]
        if not known:
            return None
        for place in chance.some(known, _so_many(len(words), share)):
            piece = pieces[place]
            core = _CORE.search(piece)
            assert core is not None
            other = _cased(chance.one(_others(piece, synonyms)), core[0])
            pieces[place] = piece[: core.start()] + other + piece[core.end() :]
        return "".join(pieces)

    return edit


def inserted(synonyms: Synonyms) -> Edit:
    """Words that mean the same as words of the text, put in somewhere."""

    def edit(text: str, share: float, chance: Chance) -> str | None:
        pieces, words = _split(text)
        known = [place for place in words if _others(pieces[place], synonyms)]
        if not known:
            return None
        said = [pieces[place] for place in words]
        for _ in range(_so_many(len(words), share)):
            said.insert(chance.below(len(said) + 1), chance.one(_others(pieces[chance.one(known)], synonyms)))
        return " ".join(said)

    return edit


def _others(piece: str, synonyms: Synonyms) -> tuple[str, ...]:
    core = _CORE.search(piece)
    return synonyms(core[0].lower()) if core and not _LEFT_ALONE.search(piece) else ()


def _cased(word: str, like: str) -> str:
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if like[:1].isupper() else word


def _spelt(piece: str) -> bool:
    return sum(map(str.isalpha, piece)) >= 3 and not _LEFT_ALONE.search(piece)


def _mistyped(piece: str, chance: Chance) -> str:
    # The first letter stays: people rarely mistype it, and a reader needs it most.
    letters = [place for place, letter in enumerate(piece) if letter.isalpha()][1:]
    place = chance.one(letters)
    kind = chance.below(4)
    letter, low = piece[place], piece[place].lower()
    if kind == 0 and low in NEIGHBOURS:
        near = chance.one(NEIGHBOURS[low])
        return piece[:place] + (near.upper() if letter.isupper() else near) + piece[place + 1 :]
    if kind == 1:
        return piece[:place] + piece[place + 1 :]
    if kind == 2:
        return piece[:place] + letter + piece[place:]
    other = place + 1 if place + 1 < len(piece) and piece[place + 1].isalpha() else place - 1
    first, second = min(place, other), max(place, other)
    return piece[:first] + piece[second] + piece[first + 1 : second] + piece[first] + piece[second + 1 :]
