"""Words that mean the same: out of WordNet's files, or of a list of one's own.

WordNet (Miller, Communications of the ACM 1995) groups words by what they mean. Its files, as described in wndb(5WN):
a line of `index.POS` gives a word's meanings, the most usual first, as places in `data.POS`, where a line gives the
words of one meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from seedbed.core.errors import DataError, MissingExtraError

#: Where Debian and its like put it (the package `wordnet-base`).
USUAL = Path("/usr/share/wordnet")
_KINDS = ("noun", "verb", "adj", "adv")


def files_of(folder: Path) -> list[Path]:
    """WordNet's files in a folder.

    Raises:
        MissingExtraError: They are not there.
    """
    files = [folder / f"{sort}.{kind}" for kind in _KINDS for sort in ("index", "data")]
    if not all(file.is_file() for file in files):
        raise MissingExtraError(
            "the methods synonyms and insert need WordNet's files (index.noun, data.noun, …), which are not there",
            at=str(folder),
            hint="apt install wordnet-base; or name their folder as `dictionary`, or a list of your own as `words`",
        )
    return files


class WordNet:
    """English words of one meaning: the most usual one of each part of speech. Words such as `not` have none."""

    def __init__(self, folder: Path) -> None:
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        files_of(folder)
        self._folder = folder
        self._meanings: dict[str, list[tuple[str, int]]] = {}
        for kind in _KINDS:
            for line in (folder / f"index.{kind}").read_text("latin-1").splitlines():
                pieces = line.split()
                if pieces and not line.startswith(" ") and pieces[0] not in ENGLISH_STOP_WORDS:
                    with _in(folder / f"index.{kind}"):
                        # lemma pos meanings n (n pointers) meanings tagged place…
                        first = int(pieces[6 + int(pieces[3])])
                    self._meanings.setdefault(pieces[0], []).append((kind, first))
        self._data = {kind: (folder / f"data.{kind}").read_bytes() for kind in _KINDS}
        self._known: dict[str, tuple[str, ...]] = {}

    def __call__(self, word: str) -> tuple[str, ...]:
        """Other words for a word in lower case."""
        if word not in self._known:
            own = word.replace(" ", "_")
            found = [other for kind, place in self._meanings.get(own, ()) for other in self._words(kind, place)]
            self._known[word] = tuple(dict.fromkeys(other for other in found if other.lower() != word))
        return self._known[word]

    def _words(self, kind: str, place: int) -> list[str]:
        data = self._data[kind]
        with _in(self._folder / f"data.{kind}"):
            pieces = data[place : data.index(b"\n", place)].decode("latin-1").split()
            # place file kind words(hexadecimal) (word number)…
            words = pieces[4 : 4 + 2 * int(pieces[3], 16) : 2]
        return [word.partition("(")[0].replace("_", " ") for word in words]


@contextmanager
def _in(file: Path) -> Iterator[None]:
    try:
        yield
    except (IndexError, ValueError):
        raise DataError("this is no file of WordNet, or a damaged one", at=str(file)) from None


class WordList:
    """Groups of words, a group a line, by commas: each may stand for the others of its line."""

    def __init__(self, lines: list[str]) -> None:
        self._others: dict[str, tuple[str, ...]] = {}
        for line in lines:
            group = [word.strip() for word in line.split(",") if word.strip()]
            for word in group:
                others = tuple(other for other in group if other.lower() != word.lower())
                self._others[word.lower()] = tuple(dict.fromkeys((*self._others.get(word.lower(), ()), *others)))

    def __call__(self, word: str) -> tuple[str, ...]:
        """Other words for a word in lower case."""
        return self._others.get(word, ())


def read_list(path: Path, name: str) -> WordList:
    """A list of one's own; lines that start with # are left out.

    Raises:
        DataError: It cannot be read, or holds no two words in a line.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is not UTF-8"
        raise DataError(f"the list of words cannot be read ({said})", at=name) from None
    groups = [line for line in lines if line.count(",") and not line.lstrip().startswith("#")]
    if not groups:
        raise DataError("no line of the list has two words", at=name, hint="such as: good, fine, great")
    return WordList(groups)


@cache
def wordnet(folder: Path) -> WordNet:
    """WordNet out of a folder, read once a process.

    Raises:
        MissingExtraError: It is not there.
    """
    return WordNet(folder)
