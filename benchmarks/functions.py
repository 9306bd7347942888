"""The curation in plain Python, one row at a time: what `datasets.map` is given, and what outputs are compared with.

They do what Seedbed's steps `fix_text` (without its table of Mac Roman signs), `strip_html`, `normalize`, `text_length`
and `where` do, and share no code with them: Seedbed is not installed in the peers' environments, and what outputs are
compared with must not repeat a mistake of Seedbed's. The lists of tags below are those of `strip_html`, written
again for that reason.
"""

from __future__ import annotations

import re
import unicodedata

import ftfy
import orjson
from ftfy.fixes import unescape_html
from profiles import Profile

_FIXES = ftfy.TextFixerConfig(unescape_html="auto", normalization="NFC", uncurl_quotes=False, explain=False)

_BREAKS = (
    "address article aside blockquote body br center dd details dialog dir div dl dt fieldset figcaption figure footer "
    "form frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li main menu nav ol optgroup option p pre "
    "section select summary table tbody tfoot thead title tr ul"
)
_INLINE = (
    "a abbr acronym applet area audio b base basefont bdi bdo bgsound big blink button canvas caption cite code col "
    "colgroup data datalist del dfn em embed font frame i iframe img input ins kbd label link map mark marquee math "
    "meta meter nobr noembed noframes noscript object output param picture progress q rp rt ruby s samp script search "
    "slot small source span strike strong style sub sup svg template textarea time track tt u var video wbr xmp"
)
_ATTRIBUTES = r"""(?:[\s/](?:[^<>"']|"[^"]*"|'[^']*')*|[\s/][^<>]*)?"""


def _tags(names: str) -> str:
    return rf"</?(?:{'|'.join(names.split())}){_ATTRIBUTES}>"


_MARKUP = [
    (re.compile(r"(?s)<!--.*?-->|<!\[CDATA\[|\]\]>"), ""),
    (re.compile(r"(?is)<script\b[^>]*>.*?</script\s*>|<style\b[^>]*>.*?</style\s*>"), " "),
    (re.compile(r"(?i)<!doctype\b[^>]*>|<\?xml\b[^>]*>"), ""),
    (re.compile(rf"(?i)\s*(?:{_tags(_BREAKS)}\s*)+"), "\n"),
    (re.compile(rf"(?i)\s*(?:{_tags('td th')}\s*)+"), " "),
    (re.compile(rf"(?i){_tags(_INLINE)}"), ""),
]
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u200b\ufeff]")
_SPACES = re.compile(r"\s+")
_OTHER_THAN_LETTERS = re.compile("[^a-zA-Z]+")


def record_of(line: bytes) -> dict[str, object] | None:
    """The JSON object of a line; None where it holds none."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return record if type(record) is dict else None


def clean(text: str) -> str:
    """Mend, strip of HTML, normalise."""
    return normalize(strip_html(fix_text(text)))


def fix_text(text: str) -> str:
    """As ftfy mends it."""
    return str(ftfy.fix_text(text, _FIXES))


def strip_html(text: str) -> str:
    """Without tags, entities turned into characters."""
    if "<" not in text and "&" not in text:
        return text
    marked = text
    for pattern, instead in _MARKUP:
        marked = pattern.sub(instead, marked)
    return str(unescape_html(marked if marked == text else marked.strip()))


def normalize(text: str) -> str:
    """In NFC, without control characters, runs of white space one blank."""
    return _SPACES.sub(" ", unicodedata.normalize("NFC", _CONTROL.sub("", text))).strip()


def fits(text: str, profile: Profile) -> bool:
    """Whether the quality filters keep a cleaned text."""
    least, most = profile.characters
    return (
        least <= len(text) <= most
        and len(text.split()) >= profile.least_words
        and len(_OTHER_THAN_LETTERS.sub("", text)) >= profile.letters * len(text)
    )


def shingles(text: str, kind: str) -> set[str]:
    """The shingles of a text: what near duplicates are defined by here, for all contenders.

    The text is put into NFKC, case folded, its runs of white space one blank. Then runs of three words (`\\w+`), or of
    five characters; what is shorter is one shingle.
    """
    normal = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    if kind == "characters":
        return {normal[at : at + 5] for at in range(max(1, len(normal) - 4))}
    words = re.findall(r"\w+", normal) or [normal]
    return {" ".join(words[at : at + 3]) for at in range(max(1, len(words) - 2))}


def jaccard(one: set[str], other: set[str]) -> float:
    """Shared shingles over all shingles of both."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)
