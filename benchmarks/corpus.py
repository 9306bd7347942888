"""A seeded corpus of JSON lines of any size, with known faults and known copies planted in it.

Usage: python benchmarks/corpus.py OUT.jsonl --size 50MB [--profile long|short] [--seed 13] [--only-copies]

Writes OUT.jsonl and OUT.truth.parquet, which says of every line what it is: `line` (from 1), `id` (null where the line
is no record), `kind`, `partner` (the id that it is a copy of) and `edited` (share of words that were changed). The same
seed, size and profile give the same bytes. Memory does not depend on the size.

The words are made up, their frequencies are those of real text (Zipf and Mandelbrot), and their order is random: two
documents that are not planted as copies share next to nothing. Lengths are log-normal.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from profiles import PROFILES, Profile

UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}


#: What share of the lines is what; the rest are plain documents.
SHARES = {
    "exact": 0.05,  # a copy, one in five of them with other white space or markup around the same words
    "near": 0.05,  # a copy with 1 to 20 % of its words changed
    "html": 0.10,
    "mojibake": 0.02,
    "signs": 0.12,  # typographic quotes, accents, emoji: sound text that is not ASCII
    "null": 0.005,
    "blank": 0.005,
    "short": 0.015,
    "long": 0.0005,
    "digits": 0.005,  # too few letters
    "malformed": 0.001,
}
_COPIES = ("exact", "near")
_CHUNK = 2_000
_REMEMBERED = 20_000
_VOCABULARY = 30_000
_DRAWN = 1 << 20  # draws from the vocabulary, made once; texts draw from these
_SCHEMA = pa.schema(
    [("line", pa.int64()), ("id", pa.int64()), ("kind", pa.string()), ("partner", pa.int64()), ("edited", pa.float32())]
)
_SIGNS = (
    "café naïve über señor façade jalapeño cre\u0300me Zürich Málaga Łódź smörgåsbord déjà-vu “so” ‘no’ — … 🙂 👍🏽"
)
_LINK = '<a href="https://example.org/a?b=1&amp;c=2">{}</a>'
_ACCENTED = _SIGNS.split()
# Bytes as Windows-1252 reads them; five have no meaning there and stay as they are.
_MISREAD = {byte: bytes([byte]).decode("cp1252") for byte in range(256) if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}


def size_of(text: str) -> int:
    """Bytes of a size such as `50MB`."""
    found = re.fullmatch(r"([\d.]+)\s*([KMG]B)", text.strip().upper())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write 50MB or 1GB")
    return int(float(found[1]) * UNITS[found[2]])


@dataclass
class Made:
    """One line to be written."""

    kind: str
    text: str | None
    partner: int | None = None
    edited: float | None = None


class Words:
    """Made-up words, the frequent ones short, drawn as often as words of real text."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 0])
        heads = re.split(" ", "b c d f g h j k l m n p r s t v w st tr pl br")
        cores, tails = "aeiou", re.split(" ", "n r s t l m nd st")
        words: dict[str, None] = {}
        while len(words) < _VOCABULARY:
            rare = len(words) > 300
            count = rng.integers(2, 5) if rare else rng.integers(1, 3)
            made = "".join(heads[rng.integers(len(heads))] + cores[rng.integers(5)] for _ in range(count))
            words[made + (tails[rng.integers(len(tails))] if rng.random() < 0.6 else "")] = None
        plain = sorted(words, key=len)
        plain = sorted(plain[:300], key=lambda _: rng.random()) + sorted(plain[300:], key=lambda _: rng.random())
        chances = 1 / (np.arange(_VOCABULARY) + 2.7) ** 1.05
        until = np.cumsum(chances / chances.sum())
        drawn = np.searchsorted(until, rng.random(_DRAWN)).clip(max=_VOCABULARY - 1)
        self._drawn = drawn.astype(np.int64) + rng.choice(4, _DRAWN, p=[0.86, 0.06, 0.07, 0.01]) * _VOCABULARY
        self._forms = [*plain, *(f"{w}," for w in plain), *(f"{w}." for w in plain), *(f"{w}.\n" for w in plain)]
        self._forms += [w.capitalize() for w in plain]

    def texts(self, lengths: np.ndarray[Any, Any], rng: np.random.Generator) -> list[str]:
        """Texts of some numbers of words, in sentences."""
        total = int(lengths.sum())
        drawn = self._drawn[rng.integers(_DRAWN, size=total)]
        ends = np.cumsum(lengths)
        drawn[ends - 1] = drawn[ends - 1] % _VOCABULARY + 2 * _VOCABULARY
        first = np.ones(total, bool)
        first[1:] = drawn[:-1] >= 2 * _VOCABULARY
        first[ends - lengths] = True
        drawn[first & (drawn < _VOCABULARY)] += 4 * _VOCABULARY
        words = list(map(self._forms.__getitem__, drawn.tolist()))
        return [" ".join(words[end - n : end]) for end, n in zip(ends.tolist(), lengths.tolist(), strict=True)]


def write_corpus(path: Path, size: int, *, profile: str = "long", seed: int = 13, only_copies: bool = False) -> int:
    """Write lines until the file has `size` bytes; how many lines.

    Args:
        path: Where the lines go; the truth goes beside it.
        size: Bytes.
        profile: One of `PROFILES`.
        seed: Of everything that is drawn.
        only_copies: Plant exact and near copies and nothing else.
    """
    shares = {kind: share for kind, share in SHARES.items() if not only_copies or kind in _COPIES}
    written = lines = 0
    with path.open("wb") as out, pq.ParquetWriter(truth_of(path), _SCHEMA) as truth:
        for chunk in _chunks(PROFILES[profile], shares, seed):
            records: list[tuple[int, int | None, str, int | None, float | None]] = []
            for number, (made, line) in enumerate(chunk, lines + 1):
                if written >= size:
                    break
                known = None if made.kind.startswith("malformed") else number
                records.append((number, known, made.kind, made.partner, made.edited))
                out.write(line)
                written += len(line)
            lines += len(records)
            truth.write_table(pa.Table.from_arrays([*map(pa.array, zip(*records, strict=True))], schema=_SCHEMA))
            if written >= size:
                return lines
    raise AssertionError("chunks never end")


def truth_of(path: Path) -> Path:
    """Where the truth about a corpus lies."""
    return path.with_suffix(".truth.parquet")


def _chunks(profile: Profile, shares: dict[str, float], seed: int) -> Iterator[list[tuple[Made, bytes]]]:
    words, memory, lines = Words(seed), _Memory(), 0
    kinds, odds = [*shares, "plain"], [*shares.values(), 1 - sum(shares.values())]
    for chunk in range(10**9):
        rng = np.random.default_rng([seed, 1, chunk])
        drawn = rng.choice(len(kinds), size=_CHUNK, p=odds)
        lengths = np.clip(rng.lognormal(np.log(profile.words), profile.spread, _CHUNK), 3, 2_500).astype(int)
        lengths = np.maximum(lengths, profile.least_words + 8)
        made: list[tuple[Made, bytes]] = []
        for place, text in enumerate(words.texts(lengths, rng)):
            lines += 1
            one = _MAKERS.get(kinds[drawn[place]], _plain)(text, kinds[drawn[place]], rng, memory, words)
            if one.kind in ("plain", "html", "mojibake", "signs"):
                memory.keep(lines, str(one.text), rng)
            made.append((one, _line(lines, one)))
        yield made


@dataclass
class _Memory:
    """Documents that copies are made of: of all so far, some, those of long ago as well as those of late."""

    documents: list[tuple[int, str]] = field(default_factory=list)

    def keep(self, number: int, text: str, rng: np.random.Generator) -> None:
        if len(self.documents) < _REMEMBERED:
            self.documents.append((number, text))
        elif rng.random() < 0.2:
            self.documents[rng.integers(_REMEMBERED)] = (number, text)

    def take(self, rng: np.random.Generator) -> tuple[int, str] | None:
        """A document; a near copy of it must not be made twice, or pairs would not be pairs."""
        if not self.documents:
            return None
        place = int(rng.integers(len(self.documents)))
        self.documents[place], self.documents[-1] = self.documents[-1], self.documents[place]
        return self.documents.pop()


def _plain(text: str, kind: str, rng: np.random.Generator, memory: _Memory, words: Words) -> Made:
    return Made("plain", text)


def _exact(text: str, kind: str, rng: np.random.Generator, memory: _Memory, words: Words) -> Made:
    found = memory.take(rng)
    if found is None:
        return Made("plain", text)
    if rng.random() < 0.3:  # may be copied again
        memory.documents.append(found)
    number, copied = found
    dress = rng.random()
    if dress < 0.1:
        return Made("exact_dressed", copied.replace(" ", "  ", 3) + " \n", number, 0)
    if dress < 0.2:
        return Made("exact_dressed", f"<div>{copied}</div>", number, 0)
    return Made("exact", copied, number, 0)


def _near(text: str, kind: str, rng: np.random.Generator, memory: _Memory, words: Words) -> Made:
    found = memory.take(rng)
    if found is None:
        return Made("plain", text)
    number, copied = found
    tokens = copied.split(" ")
    share = float(np.exp(rng.uniform(np.log(0.01), np.log(0.20))))
    count = max(1, round(share * len(tokens)))
    fresh = words.texts(np.array([count]), rng)[0].lower().replace(".", "").split()
    places = sorted(rng.choice(len(tokens), size=min(count, len(tokens) - 1), replace=False).tolist(), reverse=True)
    for place, word, how in zip(places, fresh, rng.random(len(places)).tolist(), strict=False):
        if how < 0.5:
            tokens[place] = word
        elif how < 0.75:
            del tokens[place]
        else:
            tokens.insert(place, word)
    return Made("near", " ".join(tokens), number, count / max(1, len(copied.split(" "))))


def _signs(text: str, kind: str, rng: np.random.Generator, memory: _Memory, words: Words) -> Made:
    tokens = text.split(" ")
    for place in rng.integers(len(tokens), size=1 + len(tokens) // 40).tolist():
        tokens[place] = _ACCENTED[rng.integers(len(_ACCENTED))]
    return Made(kind, " ".join(tokens))


def _mojibake(text: str, kind: str, rng: np.random.Generator, memory: _Memory, words: Words) -> Made:
    sound = str(_signs(text, kind, rng, memory, words).text) + " é"
    return Made(kind, sound.encode().decode("latin-1").translate(_MISREAD))


def _html(text: str, kind: str, rng: np.random.Generator, memory: _Memory, words: Words) -> Made:
    tokens = text.split(" ")
    marks = ("<b>{}</b>", "<i>{}</i>", "{}<br/>", "{} &amp;", "&quot;{}&quot;", _LINK)
    for place in rng.integers(len(tokens), size=1 + len(tokens) // 25).tolist():
        tokens[place] = marks[rng.integers(len(marks))].format(tokens[place])
    marked = " ".join(tokens)
    if rng.random() < 0.5:
        marked = "<div class='post'><p>" + marked.replace("\n", "</p>\n<p>") + "</p></div>"
    if rng.random() < 0.1:
        marked += "<script type='text/javascript'>var x = 1 < 2;</script><!-- end -->"
    return Made(kind, marked)


def _null(text: str, kind: str, rng: np.random.Generator, memory: _Memory, words: Words) -> Made:
    return Made(kind, None)


def _blank(text: str, kind: str, rng: np.random.Generator, memory: _Memory, words: Words) -> Made:
    return Made(kind, ("", "  ", "\n")[rng.integers(3)])


def _short(text: str, kind: str, rng: np.random.Generator, memory: _Memory, words: Words) -> Made:
    return Made(kind, " ".join(text.split()[: rng.integers(1, 3)]))


def _long(text: str, kind: str, rng: np.random.Generator, memory: _Memory, words: Words) -> Made:
    return Made(kind, words.texts(np.array([rng.integers(4_500, 7_000)]), rng)[0])


def _digits(text: str, kind: str, rng: np.random.Generator, memory: _Memory, words: Words) -> Made:
    count = max(15, len(text.split()))
    return Made(kind, " ".join(f"{n:06}" for n in rng.integers(10**6, size=count).tolist()))


def _malformed(text: str, kind: str, rng: np.random.Generator, memory: _Memory, words: Words) -> Made:
    how = ("cut", "two", "encoding", "surrogate", "no_object")[rng.integers(5)]
    return Made(f"malformed_{how}", text)


_MAKERS: dict[str, Callable[[str, str, np.random.Generator, _Memory, Words], Made]] = {
    "exact": _exact, "near": _near, "html": _html, "mojibake": _mojibake, "signs": _signs, "null": _null,
    "blank": _blank, "short": _short, "long": _long, "digits": _digits, "malformed": _malformed,
}  # fmt: skip


def _line(number: int, made: Made) -> bytes:
    source, score = f"feed-{number % 7}", number % 1000 / 1000
    record = {"id": number, "text": made.text, "source": source, "lang": "en", "score": score}
    line = orjson.dumps(record)
    match made.kind:
        case "malformed_cut":
            line = line[: max(10, len(line) * 2 // 3)]
        case "malformed_two":
            line += line
        case "malformed_encoding":
            line = line.replace(b" ", b" \xe9\xff", 1)
        case "malformed_surrogate":
            line = line.replace(b" ", b" \\ud83d", 1)
        case "malformed_no_object":
            line = b"[" + line + b"]"
    return line + b"\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=size_of, required=True, help="such as 50MB or 1GB")
    parser.add_argument("--profile", choices=PROFILES, default="long")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--only-copies", action="store_true", help="plant exact and near copies and no other fault")
    asked = parser.parse_args()
    lines = write_corpus(asked.out, asked.size, profile=asked.profile, seed=asked.seed, only_copies=asked.only_copies)
    kinds = pq.read_table(truth_of(asked.out), columns=["kind"])["kind"].value_counts().to_pylist()
    print(f"{lines:,} lines: " + ", ".join(f"{n['counts']:,} {n['values']}" for n in kinds))


if __name__ == "__main__":
    main()
