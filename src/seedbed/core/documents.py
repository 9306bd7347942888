"""YAML that a person writes: read safely and strictly, with the line of every value; and written back.

Scalars follow the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema): `true` and `false` are the
only booleans, so `yes`, `no`, `on` and `off` stay text, and so do dates, `1_000` and `12:30`. Keys are always text, as
written. A key that is given twice, a tag that would build an object and aliases that unfold without end are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.error import MarkedYAMLError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver, Resolver
from yaml.scanner import Scanner

from .errors import RecipeError, did_you_mean

#: Where a value stands: keys of mappings and indices of lists, from the top.
KeyPath = tuple[str | int, ...]

MOST_BYTES = 1_000_000
MOST_VALUES = 100_000
DEEPEST = 100

_TAG = "tag:yaml.org,2002:"
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBERS: tuple[tuple[re.Pattern[str], Callable[[str], int | float]], ...] = (
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0o[0-7]+"), lambda text: int(text[2:], 8)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text[2:], 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)"), lambda text: float(text.replace(".", ""))),
    (re.compile(r"\.(nan|NaN|NAN)"), lambda text: float("nan")),
)


@dataclass(frozen=True)
class Document:
    """A YAML document as plain values, and where each stands."""

    data: Any
    """Dicts with text keys, lists, text, numbers, booleans and None."""
    at: str
    """The file's name, for messages."""
    text: str
    lines: Mapping[KeyPath, int] = field(repr=False)
    """Line (from 1) of each key or list item, by its path."""

    def line(self, path: KeyPath) -> int:
        """Line of the key or list item at a path, or of its nearest parent that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def place(self, path: KeyPath = ()) -> str:
        """`FILE:LINE` of a path."""
        return f"{self.at}:{self.line(path)}"


def open_document(path: Path, *, what: str = "recipe") -> Document:
    """Read a YAML file.

    Raises:
        RecipeError: It is not there, or not a text file in UTF-8, or not YAML.
    """
    at = str(path)
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise RecipeError(
                f"has {size:,} bytes, and a {what} has at most {MOST_BYTES:,}", at=at, hint=f"is it the {what}?"
            )
        raw = path.read_bytes()
    except FileNotFoundError:
        near = [other.name for other in path.parent.glob("*.y*ml")]
        hint = did_you_mean(path.name, near) or f"check the path; relative ones start from {Path.cwd()}"
        raise RecipeError(f"there is no such {what}", at=at, hint=hint) from None
    except IsADirectoryError:
        raise RecipeError(f"is a folder, not a {what}", at=at, hint="name the YAML file in it") from None
    except OSError as error:
        raise RecipeError(f"cannot be read: {error.strerror or error}", at=at) from None
    return read_document(_decoded(raw, at=at), at=at)


def read_document(text: str, *, at: str) -> Document:
    """Read a YAML document; `data` is None when it is empty.

    Args:
        text: The document.
        at: The file's name, for messages.

    Raises:
        RecipeError: It is not YAML, or breaks a rule of this module; with line and column.
    """
    if len(text) > MOST_BYTES:
        raise RecipeError(f"has more than {MOST_BYTES:,} characters", at=at)
    try:
        node = _Loader(text).get_single_node()
    except ReaderError as error:
        raise _unprintable(error, text, at) from None
    except MarkedYAMLError as error:
        raise _syntax(error, text, at) from None
    except RecursionError:
        raise RecipeError(f"is nested more than {DEEPEST} levels deep", at=at) from None
    values = _Values(at)
    data = None if node is None else values.of(node, ())
    return Document(data=data, at=at, text=text, lines=values.lines)


def write_document(data: Any) -> str:
    """YAML of plain values, that `read_document` reads back as they were; the keys' order is kept."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def scalar(text: str) -> Any:
    """The value of an unquoted YAML 1.2 scalar."""
    if text in _WORDS:
        return _WORDS[text]
    for pattern, convert in _NUMBERS:
        if pattern.fullmatch(text):
            return convert(text)
    return text


class _Plain(BaseResolver):
    """Leaves scalars untyped (`_Values` types them), but for the merge key."""


_Plain.add_implicit_resolver(_TAG + "merge", re.compile(r"<<"), ["<"])
# Quoted scalars get the tag `str` and stay text; unquoted ones this, and are typed by `scalar`.
_Plain.add_implicit_resolver(_TAG + "plain", re.compile(r""), None)


class _Loader(Reader, Scanner, Parser, Composer, _Plain):
    """Text to nodes; nothing here builds objects."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        _Plain.__init__(self)


class _Dumper(yaml.SafeDumper):
    """Quotes every text that YAML 1.1 or 1.2 would take for something else, and writes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text_node(dumper: _Dumper, text: str) -> ScalarNode:
    tag = Resolver.resolve(dumper, ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    taken = scalar(text) is not text or tag != _TAG + "str"
    # PyYAML folds these line breaks of Unicode as if they were "\n"; only double quotes escape them.
    style = '"' if re.search("[\x85\u2028\u2029]", text) else "'" if taken else None
    return dumper.represent_scalar(_TAG + "str", text, style=style)


_Dumper.add_representer(str, _text_node)


class _Values:
    """Turns nodes into plain values and notes their lines."""

    def __init__(self, at: str) -> None:
        self.at = at
        self.lines: dict[KeyPath, int] = {}
        self.count = 0

    def of(self, node: Node, path: KeyPath) -> Any:
        self.within(node, len(path))
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, MappingNode) and node.tag == _TAG + "map":
            return self.mapping(node, path)
        if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
            return [self.of(item, (*path, i)) for i, item in enumerate(node.value)]
        if isinstance(node, ScalarNode):
            return self.scalar(node)
        raise self.error(f"the tag {_shown(node.tag)} is not allowed", node, hint="write the plain value")

    def scalar(self, node: ScalarNode) -> Any:
        if node.tag == _TAG + "str":
            return node.value
        if node.tag not in (_TAG + "plain", _TAG + "merge"):
            raise self.error(f"the tag {_shown(node.tag)} is not allowed", node, hint="write the plain value")
        try:
            return scalar(node.value)
        except ValueError:  # Python refuses to read an integer of thousands of digits
            raise self.error("a number has too many digits", node, hint="quote it if it is text") from None

    def mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        found = {}
        for key, (key_node, value_node) in self.pairs(node, len(path)).items():
            self.lines[(*path, key)] = key_node.start_mark.line + 1
            found[key] = self.of(value_node, (*path, key))
        return found

    def pairs(self, node: MappingNode, depth: int) -> dict[str, tuple[ScalarNode, Node]]:
        """Keys of a mapping with their nodes; what `<<` brings in yields to what stands there."""
        own: dict[str, tuple[ScalarNode, Node]] = {}
        inherited: dict[str, tuple[ScalarNode, Node]] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                raise self.error("a key must be a word, not a list or a mapping", key_node, hint="quote the key")
            key = key_node.value
            if key in own:
                first = own[key][0].start_mark.line + 1
                raise self.error(
                    f"the key {key!r} is given twice; the first stands on line {first}",
                    key_node,
                    hint="keep one of them",
                )
            if key_node.tag == _TAG + "merge":
                for merged in value_node.value if isinstance(value_node, SequenceNode) else [value_node]:
                    inherited = {**self.merged(merged, depth), **inherited}
            else:
                own[key] = key_node, value_node
        return {**inherited, **own}

    def merged(self, node: Node, depth: int) -> dict[str, tuple[ScalarNode, Node]]:
        if not isinstance(node, MappingNode):
            raise self.error("'<<' takes a mapping, or a list of them", node, hint="write `<<: *name`")
        self.within(node, depth + 1)
        return self.pairs(node, depth + 1)

    def within(self, node: Node, depth: int) -> None:
        self.count += 1
        if self.count > MOST_VALUES:
            raise self.error(f"holds more than {MOST_VALUES:,} values, its aliases (*name) unfolded", node)
        if depth > DEEPEST:
            raise self.error(f"is nested more than {DEEPEST} levels deep, or an alias (*name) holds itself", node)

    def error(self, problem: str, node: Node, hint: str = "") -> RecipeError:
        return RecipeError(problem, at=_at(self.at, node.start_mark.line, node.start_mark.column), hint=hint)


def _shown(tag: str) -> str:
    return tag.replace(_TAG, "!!")


def _at(at: str, line: int, column: int) -> str:
    return f"{at}:{line + 1}:{column + 1}"


def _decoded(raw: bytes, *, at: str) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise RecipeError("is UTF-16, not UTF-8", at=at, hint="save the file as UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start)
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1)
        raise RecipeError(
            f"is not UTF-8 text: there is a byte 0x{raw[error.start]:02x}",
            at=_at(at, line, column),
            hint="save the file as UTF-8",
        ) from None


def _unprintable(error: ReaderError, text: str, at: str) -> RecipeError:
    line, column = text.count("\n", 0, error.position), error.position - (text.rfind("\n", 0, error.position) + 1)
    code = error.character if isinstance(error.character, int) else ord(error.character)
    name = "a NUL byte" if code == 0 else f"the control character U+{code:04X}"
    return RecipeError(f"holds {name}", at=_at(at, line, column), hint="is it a text file? Remove the character")


# What PyYAML says, and how a person would say it: problem and way out. Those of `_OPENED` are about where it began.
_SAID: dict[str, tuple[str, str]] = {
    "unexpected end of stream": ("a quote is opened here and never closed", "close it, or drop it"),
    "expected ',' or ']'": ("a list is opened with '[' and not closed, or a comma is missing", "close it with ']'"),
    "expected ',' or '}'": ("a mapping is opened with '{' and not closed, or a comma is missing", "close it with '}'"),
    "mapping values are not allowed": (
        "a second ': ' on one line, or wrong indentation",
        "quote a value that holds ': '; the keys of one mapping start in one column",
    ),
    "expected <block end>": (
        "this line does not fit those above it",
        "the keys of one mapping, and the dashes of one list, start in one column",
    ),
    "could not find expected ':'": ("a key without a value", "write `key: value`, with a space after the colon"),
    "expected alphabetic or numeric": (
        "a value that starts with '*' or '&' means something else in YAML",
        'put quotes around it, as in "*.csv"',
    ),
    "found undefined alias": ("an alias (*name) that no anchor (&name) defines", "quote a text that starts with '*'"),
    "duplicate anchor": ("an anchor (&name) that stands there already", "give it another name"),
    "another document": ("a second document starts here ('---')", "one file holds one document"),
    "expected the node content": (
        "a value is missing, or something opened before is not closed",
        "quote a text that starts with a special character",
    ),
    "cannot start any token": ("a character that cannot start a value", "quote the text that it starts"),
}
_OPENED = ("unexpected end of stream", "expected ',' or ']'", "expected ',' or '}'")


def _syntax(error: MarkedYAMLError, text: str, at: str) -> RecipeError:
    mark = error.problem_mark or error.context_mark
    said = f"{error.problem or error.context or error}".strip()
    lines = text.splitlines()
    marks = [m.line for m in (error.problem_mark, error.context_mark) if m]
    for number in sorted({line + step for line in marks for step in (-1, 0)}):
        indent = re.match(r" *(\t)", lines[number]) if 0 <= number < len(lines) else None
        if indent:
            return RecipeError(
                "a tab cannot indent YAML", at=_at(at, number, indent.start(1)), hint="use spaces instead of tabs"
            )
    known = next((words for words in _SAID if words in said), None)
    problem, hint = _SAID[known] if known else (f"is not YAML: {said}", "")
    if known in _OPENED:
        mark = error.context_mark or mark
    return RecipeError(problem, at=_at(at, mark.line, mark.column) if mark else at, hint=hint)
