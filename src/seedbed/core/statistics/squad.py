"""How answers to questions are compared, as the official evaluator of SQuAD 2.0 does it (Rajpurkar et al. 2018)."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalized(text: str) -> str:
    """Lower case, without ASCII punctuation and English articles, single spaces."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def wanted(answers: Iterable[str]) -> list[str]:
    """The right answers, normalised; an empty text where the question has none (or only punctuation)."""
    return [norm for text in answers if (norm := normalized(text))] or [""]


def exact(right: Iterable[str], said: str | None) -> float:
    """1 if what was said is one of the right answers, normalised; else 0. None says that there is no answer."""
    return float(normalized(said or "") in wanted(right))


def token_f1(right: Iterable[str], said: str | None) -> float:
    """F1 of the words that an answer shares with a right one, the best of them; 0 or 1 where one of them is empty."""
    words = normalized(said or "").split()
    return max(_f1(one.split(), words) for one in wanted(right))


def _f1(right: list[str], said: list[str]) -> float:
    if not right or not said:
        return float(right == said)
    same = sum((Counter(right) & Counter(said)).values())
    return 2 * same / (len(right) + len(said))
