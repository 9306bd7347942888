"""How numbers are written for people, on every page and on the terminal: one way for each kind."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .score import Score

NOTHING = "–"
MINUS = "−"
GAP = "\u00a0"
"""Between a number and its unit: no line ends there."""

#: Metrics whose usual name is no reading of the one in recipes.
_METRICS = {
    "rmse": "RMSE", "mae": "MAE", "mse": "MSE", "rmsle": "RMSLE", "r2": "R²", "chrf": "chrF", "rouge_l": "ROUGE-L",
}  # fmt: skip

_TYPED = str.maketrans({NOTHING: "-", MINUS: "-", GAP: " "})
_ON_ONE_LINE = str.maketrans(dict.fromkeys("\t\n\v\f\r\x85\u2028\u2029", " "))


def typed(text: str) -> str:
    """A text as one types it, for terminals, which may lack the minus sign and break no lines anyway."""
    return text.translate(_TYPED)


def count(value: float) -> str:
    """A number of things, with thousands separators: `38,158`."""
    return f"{value:,.0f}".replace("-", MINUS) if math.isfinite(value) else NOTHING


def word(number: int, one: str, many: str = "") -> str:
    """The word that goes with a number: `row` or `rows`, `is` or `are`; `many` where it is not one `s` more."""
    return one if number == 1 else many or f"{one}s"


#: Names in capitals that are read as words; others are spelled out.
_READ_AS_WORDS = ("ROUGE",)


def article(name: str) -> str:
    """The article before a name, by how it begins when it is said: `a macro-F1`, `an RMSE`, `an accuracy`."""
    first = re.split(r"[\s-]", name, maxsplit=1)[0]
    spelled = first.isupper() and first not in _READ_AS_WORDS
    return "an" if first[:1].lower() in ("aefhilmnorsx" if spelled else "aeio") else "a"


def things(number: int, one: str, many: str = "") -> str:
    """A count with what is counted: `1 row`, `38,158 rows`."""
    return f"{count(number)} {word(number, one, many)}"


def percent(part: float, whole: float = 1) -> str:
    """A share of a whole: `93.8 %`, two decimals below 1 %; `–` of nothing."""
    if not whole or not math.isfinite(part / whole):
        return NOTHING
    share = 100 * part / whole
    if share in (0, 100):
        return f"{share:.0f}{GAP}%"
    if 99.95 <= share < 100:
        return f">{GAP}99.9{GAP}%"
    if share < 1:
        return f"<{GAP}0.01{GAP}%" if share < 0.005 else f"{share:.2f}{GAP}%"
    return f"{share:.1f}{GAP}%"


def amount(value: float) -> str:
    """A number of unknown size, to four figures, and as people write it: `123,800`, `0.075`."""
    if not math.isfinite(value):
        return NOTHING
    rounded = float(f"{value:.4g}")
    if rounded and not 1e-4 <= abs(rounded) < 1e12:
        return f"{value:.4g}".replace("-", MINUS)
    figures = max(0, 3 - math.floor(math.log10(abs(rounded)))) if rounded else 0
    whole, point, decimals = f"{rounded:,.{figures}f}".partition(".")
    decimals = decimals.rstrip("0")
    return f"{whole}{point if decimals else ''}{decimals}".replace("-", MINUS)


def value(of: float) -> str:
    """A value of a column, as `amount`; up to four digits stand together, for it may be a year: `1998`, `12,500`."""
    return amount(of) if abs(of) >= 10_000 else amount(of).replace(",", "")


def score(value: float | None, like: float | None = None) -> str:
    """A score, with three decimals: `0.737`; fewer from a hundred on, where they would say nothing: `3,366`.

    Args:
        value: The score.
        like: What it belongs to, and has as many decimals as; itself when left out.
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    size = abs(value if like is None or not math.isfinite(like) else like)
    decimals = 3 if size < 100 else 1 if size < 1000 else 0
    return f"{value:,.{decimals}f}".replace("-", MINUS)


def signed(value: float, like: float | None = None) -> str:
    """A difference of scores, with its sign: `+0.538`; with the decimals of what it is `like`, as `score` has them."""
    return f"+{score(value, like)}" if value > 0 else score(value, like)


def signed_ends(of: Any) -> str:
    """The ends of a difference's interval, `+0.518 to +0.550`, with as many decimals as the difference.

    Args:
        of: What has `low` and `high`, and a `difference`, a `value` or a `gain` between them.
    """
    named = (getattr(of, name, None) for name in ("difference", "value", "gain"))
    middle = next((found for found in named if found is not None), None)
    return f"{signed(of.low, middle)} to {signed(of.high, middle)}"


def interval(of: Score) -> str:
    """The ends of an interval, with as many decimals as the score: `0.722 to 0.752`."""
    return f"{score(of.low, of.value)} to {score(of.high, of.value)}"


def span(of: Score) -> str:
    """The ends of an interval where room is short: `0.722–0.752`; `−0.1 to 0.3` where one is negative."""
    if of.low < 0:
        return interval(of)
    return f"{score(of.low, of.value)}–{score(of.high, of.value)}"


def scored(of: Score | None) -> str:
    """A score with its interval: `0.737 (0.722 to 0.752)`."""
    return f"{score(of.value)} ({interval(of)})" if of else "not measured"


def level(share: Any) -> str:
    """What an interval is called: `95 % interval` where the level is known."""
    return f"{100 * share:g}{GAP}% interval" if isinstance(share, float) else "interval"


def chance(p: float) -> str:
    """A p-value: `0.412`, or `< 0.001`."""
    return f"<{GAP}0.001" if p < 0.001 else score(p)


def probability(p: float) -> str:
    """A p-value in a sentence: `p = 0.412`, or `p < 0.001`."""
    return f"p{GAP}{chance(p)}" if p < 0.001 else f"p{GAP}={GAP}{chance(p)}"


def seconds(value: float) -> str:
    """A duration: `21.4 s`."""
    return f"{value:,.1f}{GAP}s" if value >= 0.1 or value == 0 else f"<{GAP}0.1{GAP}s"


def duration(left: float) -> str:
    """A time that is still to pass, as roughly as it is known: `40 s`, `3 min`, `2 h 10 min`."""
    if left < 90:
        return f"{max(round(left), 1)} s"
    minutes = round(left / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def size(value: float) -> str:
    """A number of bytes in decimal units: `4.4 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:,.0f}{GAP}{unit}" if unit == "B" else f"{value:,.1f}{GAP}{unit}"
        value /= 1000
    return f"{value:,.1f}{GAP}TB"


def fact(value: Any) -> str:
    """What a check measured: numbers as elsewhere, texts as they are, the rest as JSON."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return score(value)
    return verbatim(value)


def verbatim(value: Any) -> str:
    """An option or setting as a recipe writes it: texts as they are, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def metric(name: str) -> str:
    """A metric's name for people: `macro_f1` reads `macro-F1`, `roc_auc` reads `ROC AUC`."""
    return _METRICS.get(name) or name.replace("_f1", "-F1").replace("roc_auc", "ROC AUC").replace("_", " ")


def short(text: str, most: int = 28) -> str:
    """The start of a text that has to fit into a line; a character twice as wide as others counts as two."""
    text = text.translate(_ON_ONE_LINE)
    if len(text) <= most and (text.isascii() or sum(map(_wide, text)) <= most):
        return text
    room = most - 1
    for place, character in enumerate(text):
        room -= _wide(character)
        if room < 0:
            return text[:place] + "…"
    return text


def _wide(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
