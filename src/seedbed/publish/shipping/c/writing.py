"""The tables of a linear text model as C."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.core.counted import Counted, CountedKind
from seedbed.core.errors import ModelError

Weights = Literal["float32", "int8"]

#: FNV-1a (Fowler, Noll & Vo): prime and basis by bits.
_FNV = {32: (16777619, 2166136261), 64: (1099511628211, 14695981039346656037)}
#: With more terms two of them would have the same 32 bits too often.
_MANY_TERMS = 50_000
_TRIES = 64
_LINKS = {"softmax": 0, "logistic": 1, "identity": 2, "exponential": 3}
_CODE_POINTS = range(0x110000)
#: Numbers of a table's row.
_IN_A_ROW = 12


@dataclass(frozen=True)
class Header:
    """A model as C."""

    text: str
    tables: int
    """Bytes that its tables take where the program is kept."""
    terms: int


def header(counted: Counted, labels: Sequence[str], *, weights: Weights, said: str) -> Header:
    """The whole of `model.h`.

    Args:
        counted: The model.
        labels: Names of the outputs.
        weights: How weights are kept.
        said: A line on what it is.

    Raises:
        ModelError: Its terms cannot be told apart by their hashes.
    """
    kinds = {one.kind: one for one in counted.kinds}
    bits = 64 if len(counted.weights) > _MANY_TERMS else 32
    lines = [
        f"/* {_comment(said)}",
        " *",
        " * C99; needs <math.h>. Call seedbed_predict(), at the end. Texts are UTF-8, as the steps leave them.",
        " */",
        "#ifndef SEEDBED_MODEL_H",
        "#define SEEDBED_MODEL_H",
        "#include <math.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <string.h>",
        f"typedef uint{bits}_t seedbed_hash;",
        f"#define SEEDBED_PRIME {_FNV[bits][0]}u{'ll' * (bits == 64)}",
    ]
    order, hashes, start = [], [], 0
    for place in _ORDER:
        one = kinds.get(place)
        basis, own = _hashes(one.terms, bits) if one else (_FNV[bits][1], np.zeros(0, dtype=np.uint64))
        sort = np.argsort(own)
        before = sum(len(other.terms) for other in counted.kinds[: counted.kinds.index(one)]) if one else 0
        order.append(sort + before)
        hashes.append(own[sort])
        upper = place.upper()
        shortest, longest = one.lengths if one else (1, 1)
        lines += [
            f"#define SEEDBED_{upper} {len(own)}u",
            f"#define SEEDBED_SHORTEST_{upper} {shortest}u",
            f"#define SEEDBED_LONGEST_{upper} {longest}u",
            f"#define SEEDBED_BASIS_{upper} {basis}u{'ll' * (bits == 64)}",
        ]
        start += len(own)
    places = np.concatenate(order)
    lines += _layer(counted, places, weights, labels)
    tables = places.size * (bits // 8) + _bytes_of(counted, places.size, weights)
    lines.append(_array(f"uint{bits}_t", "seedbed_hashes", np.concatenate(hashes).tolist(), "u" + "ll" * (bits == 64)))
    told, unicode = _unicode()
    algorithm = files(__package__).joinpath("algorithm.h").read_text("utf-8")
    return Header("\n".join([*lines, told, "", algorithm]), tables + unicode, places.size)


_ORDER: tuple[Literal["words", "characters"], ...] = ("words", "characters")


def _layer(counted: Counted, places: NDArray[np.int64], weights: Weights, labels: Sequence[str]) -> list[str]:
    """The arrays of the layer, with its terms in another order."""
    outputs, told = counted.weights.shape[1], counted.weights[places].astype(np.float64)
    tfidf = counted.kinds[0].rarity is not None
    rarity = np.concatenate(
        [one.rarity if one.rarity is not None else np.ones(len(one.terms)) for one in counted.kinds]
    )
    rarity = rarity[places].astype(np.float64)
    lines = [
        f"#define SEEDBED_OUTPUTS {outputs}u",
        f"#define SEEDBED_LINK {_LINKS[counted.link]}",
        f"#define SEEDBED_TEMPERATURE {_float(counted.temperature)}",
        f"#define SEEDBED_TFIDF {int(tfidf)}",
        f"static const char *const seedbed_labels[] = {{{', '.join(map(_string, labels))}}};",
        f"static const float seedbed_intercepts[] = {{{', '.join(map(_float, counted.intercepts.tolist()))}}};",
    ]
    if weights == "float32":
        return [
            *lines,
            "#define SEEDBED_RARITY(term) seedbed_rarities[term]",
            f"#define SEEDBED_WEIGHT(term, output) seedbed_weights[(term) * {outputs}u + (output)]",
            _array("float", "seedbed_rarities", [_float(one) for one in rarity]),
            _array("float", "seedbed_weights", [_float(one) for one in told.ravel()]),
        ]
    scales = np.maximum(np.abs(told).max(axis=0), 1e-30) / 127
    step = rarity.max() / 65535
    return [
        *lines,
        f"#define SEEDBED_RARITY(term) ((float)seedbed_rarities[term] * {_float(step)})",
        f"static const float seedbed_scales[] = {{{', '.join(map(_float, scales.tolist()))}}};",
        f"#define SEEDBED_WEIGHT(term, output) ((float)seedbed_weights[(term) * {outputs}u + (output)] * "
        "seedbed_scales[output])",
        _array("uint16_t", "seedbed_rarities", np.rint(rarity / step).astype(int).tolist()),
        _array("int8_t", "seedbed_weights", np.rint(told / scales).astype(int).ravel().tolist()),
    ]


def _bytes_of(counted: Counted, terms: int, weights: Weights) -> int:
    each, rarity = (4, 4) if weights == "float32" else (1, 2)
    return int(terms * (each * counted.weights.shape[1] + rarity))


def strongest(counted: Counted, most: int) -> Counted:
    """The layer with those terms alone that can move its scores apart most: by weight, times how rare they are.

    Args:
        counted: The layer.
        most: Terms to keep.
    """
    if len(counted.weights) <= most:
        return counted
    apart = np.abs(counted.weights).max(axis=1) if counted.weights.shape[1] == 1 else np.ptp(counted.weights, axis=1)
    rarity = [one.rarity if one.rarity is not None else np.ones(len(one.terms)) for one in counted.kinds]
    kept = np.sort(np.argsort(-apart * np.concatenate(rarity), kind="stable")[:most])
    kinds, start = [], 0
    for one in counted.kinds:
        here = kept[(kept >= start) & (kept < start + len(one.terms))] - start
        start += len(one.terms)
        terms = [one.terms[place] for place in here]
        if terms:
            kinds.append(CountedKind(one.kind, one.lengths, terms, None if one.rarity is None else one.rarity[here]))
    return replace(counted, kinds=tuple(kinds), weights=counted.weights[kept])


def _hashes(terms: Sequence[str], bits: int) -> tuple[int, NDArray[np.uint64]]:
    """A basis with which no two terms have the same hash, and these."""
    prime, basis = _FNV[bits]
    encoded = [term.encode() for term in terms]
    for salt in range(_TRIES):
        own = _fnv(encoded, basis ^ salt, prime, bits)
        if len(np.unique(own)) == len(own):
            return basis ^ salt, own
    raise ModelError("terms of this model cannot be told apart by hashes", hint="keep fewer: most_terms")


def _fnv(encoded: Sequence[bytes], basis: int, prime: int, bits: int) -> NDArray[np.uint64]:
    """FNV-1a of all terms, a byte of each at a time."""
    lengths = np.array([len(one) for one in encoded])
    padded = np.zeros((len(encoded), int(lengths.max())), dtype=np.uint64)
    for row, one in enumerate(encoded):
        padded[row, : len(one)] = np.frombuffer(one, dtype=np.uint8)
    mask, found = np.uint64((1 << bits) - 1), np.full(len(encoded), basis, dtype=np.uint64)
    for at in range(padded.shape[1]):
        longer = lengths > at
        with np.errstate(over="ignore"):
            found[longer] = ((found[longer] ^ padded[longer, at]) * np.uint64(prime)) & mask
    return found


@lru_cache(maxsize=1)
def _unicode() -> tuple[str, int]:
    r"""What Python calls letters (`\w`), white space and lower case, as tables; and the bytes that they take."""
    letter, space = re.compile(r"\w").fullmatch, str.isspace
    letters = list(_ranges(point for point in _CODE_POINTS if letter(chr(point))))
    spaces = list(_ranges(point for point in _CODE_POINTS if space(chr(point))))
    lowered = list(_lowered())
    told = [
        f"#define SEEDBED_LETTERS {len(letters)}u\n#define SEEDBED_SPACES {len(spaces)}u",
        f"#define SEEDBED_LOWERED {len(lowered)}u",
        _table("uint32_t", "seedbed_letters", letters),
        _table("uint32_t", "seedbed_spaces", spaces),
        "/* First, last, step, and what is added. */",
        _table("int32_t", "seedbed_lowered", lowered),
    ]
    return "\n".join(told), 8 * (len(letters) + len(spaces)) + 16 * len(lowered)


def _ranges(points: Iterator[int]) -> Iterator[tuple[int, int]]:
    first = last = -2
    for point in points:
        if point != last + 1:
            if last >= 0:
                yield first, last
            first = point
        last = point
    yield first, last


def _lowered() -> Iterator[tuple[int, int, int, int]]:
    """Characters beyond ASCII whose lower case is one other character."""
    run: list[int] = []  # first, last, step, what is added
    for point in _CODE_POINTS[0x80:]:
        low = chr(point).lower()
        if len(low) != 1 or ord(low) == point:
            continue
        added = ord(low) - point
        if run and run[3] == added and (step := point - run[1]) <= 2 and run[2] in (0, step):
            run[1], run[2] = point, step
            continue
        if run:
            yield run[0], run[1], run[2] or 1, run[3]
        run = [point, point, 0, added]
    yield run[0], run[1], run[2] or 1, run[3]


def _array(kind: str, name: str, values: Sequence[Any], ending: str = "") -> str:
    rows = [values[at : at + _IN_A_ROW] for at in range(0, len(values), _IN_A_ROW)]
    held = ",\n".join(", ".join(f"{one}{ending}" for one in row) for row in rows)
    return f"static const {kind} {name}[] = {{\n{held}}};"


def _table(kind: str, name: str, rows: Sequence[tuple[int, ...]]) -> str:
    held = ", ".join(f"{{{', '.join(map(str, row))}}}" for row in rows)
    return f"static const {kind} {name}[][{len(rows[0])}] = {{{held}}};"


def _float(value: float) -> str:
    if value == -np.inf:
        return "-INFINITY"
    told = repr(float(np.float32(value)))
    return (told if "." in told or "e" in told else f"{told}.0") + "f"


def _string(text: str) -> str:
    """A C string: bytes of UTF-8 as octal, so that no letter after one is taken for a part of it."""
    plain = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\?' else f"\\{byte:03o}" for byte in text.encode()
    )
    return f'"{plain}"'


def _comment(text: str) -> str:
    """A text inside a comment."""
    return re.sub(r"\s+", " ", text).replace("*/", "* /").encode("ascii", "replace").decode()
