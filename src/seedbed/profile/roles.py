"""Which column is the text and which the label, and what a table is fit for when it has neither.

Values decide; a column's name only tips the scales, so that tables in any language are told.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.numbers import things, word

from .columns import ColumnProfile

Kind = Literal[
    "text_classification",
    "regression",
    "question_answering",
    "chat",
    "text_to_text",
    "causal_lm",
    "tabular_classification",
    "tabular_regression",
]

#: A classifier with more labels than this is most likely given an id or a text.
MOST_LABELS = 1_000
#: A label has on average at least so many rows.
_FEWEST_ROWS = 3
#: Numbers with more values than this are quantities, not names of classes.
_MOST_NUMBERS = 20
#: What a label loses for its holes: where three in five rows have none, even its name does not outweigh them.
_HOLES = 5
#: Labels of more words than this are texts that repeat, most likely.
_MOST_WORDS = 4
#: Values shorter than this, in words and in characters, are names where a table has so many other columns, of which so
#: many hold numbers: cities and counties, with figures about each.
_NAME_WORDS, _NAME_CHARACTERS, _FEWEST_COLUMNS, _FEWEST_NUMBERS = 2.5, 25, 3, 2
#: Where the column is called a name, it may have so many words: titles and all.
_CALLED_WORDS = 6


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


TEXT_NAMES = _set(
    "text texts body content contents message messages msg review comment sentence tweet post question utterance "
    "document article description abstract statement sms query prompt input snippet feedback transcript email mail "
    "texto texte inhalt nachricht kommentar satz mensaje comentario contenido avis phrase"
)
_LABEL = _set(
    "label labels class classes category categories target y sentiment topic intent gold annotation polarity stance "
    "emotion spam ham toxic genre tag kind type rating stars score grade airline_sentiment "
    "etikett klasse kategorie etiqueta clase categoria etiquette classe categorie"
)
_CONTEXT = _set(
    "split fold subset partition set source origin lang language locale country city state region year month day date "
    "time timestamp hour id index idx uuid key user username author name writer annotator worker session gender sex "
    "age platform device version file filename path url confidence trusted unit golden retweet retweets likes shares "
    "count verified"
)
_NAMES = _set("name names fullname firstname lastname surname nom nombre vorname nachname")
_CHAT = _set("messages conversations conversation dialog dialogue turns")
_GROUP = _set(
    "user username author speaker patient customer client session thread conversation group person subject participant "
    "employee student household account device sensor station"
)
#: Different values from which on a column of which each stands in equally many rows is taken for one that names things.
_PANEL, _TWICE = 20, 2
_SPLITS = _set("train training test testing dev valid validation val eval")


class Roles(BaseModel):
    """What the columns are to a task."""

    model_config = ConfigDict(frozen=True)

    kind: Kind = Field(description="What the table looks fit for.")
    text: str | None = None
    label: str | None = None
    why_text: str = Field("", description="Why that column, in a clause.")
    why_label: str = Field("", description="Why that column, in a clause.")
    other_texts: tuple[str, ...] = Field((), description="Columns that hold texts, too.")
    other_labels: tuple[str, ...] = Field((), description="Columns that could be the label, too.")
    quantities: tuple[str, ...] = Field((), description="Columns of many different numbers.")
    groups: tuple[str, ...] = Field((), description="Columns whose rows may have to stay together, such as an author.")
    splits: tuple[str, ...] = Field((), description="Columns that seem to say train or test.")


def roles_of(columns: Sequence[ColumnProfile], text: str | None = None, label: str | None = None) -> Roles:
    """Choose the text and the label.

    Args:
        columns: All columns.
        text: The text, where a person has said so.
        label: The label, where a person has said so.
    """
    texts = [name for name in _texts(columns) if name != label]
    names = _names_in_table(columns)
    texts = [name for name in texts if name not in names]
    chosen_text = text or next(iter(texts), None)
    labels = [one.name for one in _labels(columns) if one.name != chosen_text]
    if chosen_text is None:  # texts so alike that they look like categories: the most various of them
        short = [c for c in columns if c.looks == "category" and c.words > 1 and c.name not in names]
        spare = sorted(short, key=lambda c: -c.unique)
        longest = next((c.name for c in spare if c.name != label and (label or len(labels) > 1)), None)
        chosen_text, labels = longest, [name for name in labels if name != longest]
    chosen_label = label or next(iter(labels), None)
    by_name = {column.name: column for column in columns}
    others = tuple(name for name in texts if name != chosen_text and by_name[name].words > 1.5)
    quantities = tuple(c.name for c in columns if c.looks == "number" and c.name not in labels)
    return Roles(
        kind=_kind(columns, chosen_text, chosen_label, others, quantities),
        text=chosen_text,
        label=chosen_label,
        why_text="as you said" if text else _why_text(by_name.get(chosen_text or ""), texts),
        why_label="as you said" if label else _why_label(by_name.get(chosen_label or ""), labels),
        other_texts=others,
        other_labels=tuple(name for name in labels if name != chosen_label),
        quantities=quantities,
        groups=tuple(
            c.name
            for c in sorted(columns, key=lambda c: not words_of(c.name) & _GROUP)
            if (words_of(c.name) & _GROUP or _panel(c)) and 1 < c.unique < c.filled and c.name != chosen_label
        ),
        splits=tuple(c.name for c in columns if c.values and {v.strip().lower() for v in c.values} <= _SPLITS),
    )


def _panel(column: ColumnProfile) -> bool:
    """Whether each of many values stands in equally many rows: as where each person was asked every year."""
    if column.looks == "date" or column.unique < _PANEL or column.frequent < _TWICE:
        return False
    return column.frequent * column.unique == column.filled


def words_of(name: str) -> set[str]:
    """The words that a column's name is made of, and the whole of it, in lower case."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return {*re.split(r"[\W_]+", spaced.casefold()), name.casefold()} - {""}


def _texts(columns: Sequence[ColumnProfile]) -> list[str]:
    """Columns of texts, the likeliest first."""

    def rank(column: ColumnProfile) -> float:
        various = math.log2(1 + column.characters) * math.sqrt(column.distinct) * (column.filled / column.rows)
        words = words_of(column.name)
        return various + 3 * bool(words & TEXT_NAMES) - 2 * bool(words & _CONTEXT) - 6 * column.pointers

    texts = [column for column in columns if column.looks == "text"]
    return [column.name for column in sorted(texts, key=rank, reverse=True)]


def _names_in_table(columns: Sequence[ColumnProfile]) -> set[str]:
    """Columns of short names that stand among columns of figures, and are no texts to learn from."""
    others = [c for c in columns if c.looks in ("number", "amount", "category", "boolean", "date")]
    figures = sum(c.looks in ("number", "amount") for c in others)
    called = {c.name for c in columns if c.looks == "text" and words_of(c.name) & _NAMES and c.words < _CALLED_WORDS}
    if figures < _FEWEST_NUMBERS:
        return called if figures and len(others) >= _FEWEST_COLUMNS else set()
    return called | {
        c.name
        for c in columns
        if c.looks in ("text", "category")
        and c.words < _NAME_WORDS
        and c.characters < _NAME_CHARACTERS
        and not words_of(c.name) & TEXT_NAMES
        and sum(other.name != c.name for other in others) >= _FEWEST_COLUMNS
    }


def could_be_label(column: ColumnProfile) -> bool:
    """Whether a column's values could be the names of classes: few, short, and most of them repeated."""
    counted = column.looks == "number" and column.whole and column.unique <= _MOST_NUMBERS
    if not (counted or column.looks in ("category", "boolean")) or not 2 <= column.unique <= MOST_LABELS:
        return False
    if sorted(column.values.values())[-2] < 2:  # all rows but single ones are of one class: nothing to learn
        return False
    return column.filled >= _FEWEST_ROWS * column.unique or column.unique <= min(5, column.filled - 1)


def _labels(columns: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """Columns that could be the label, the likeliest first."""
    places = {column.name: place for place, column in enumerate(columns)}

    def rank(column: ColumnProfile) -> float:
        words, place = words_of(column.name), places[column.name]
        largest = max(column.values.values(), default=0) / max(column.filled, 1)
        return (
            3 * bool(words & _LABEL)
            - 3 * bool(words & _CONTEXT)
            - 3 * ({value.strip().lower() for value in column.values} <= _SPLITS)
            + (1 if column.unique <= _MOST_NUMBERS else 0)
            + (0 if column.looks == "number" else 0.5)
            - 2 * (column.words > _MOST_WORDS)
            + (0.3 if place == len(columns) - 1 else 0.2 if place == 0 else 0)
            - _HOLES * column.missing / column.rows
            - 1 * (largest > 0.995)
            - column.unique / MOST_LABELS
        )

    return sorted(filter(could_be_label, columns), key=rank, reverse=True)


def _kind(
    columns: Sequence[ColumnProfile],
    text: str | None,
    label: str | None,
    others: Sequence[str],
    quantities: Sequence[str],
) -> Kind:
    names = {word for column in columns for word in words_of(column.name)}
    if text and label:
        return "text_classification"
    if any(column.looks == "nested" and words_of(column.name) & _CHAT for column in columns):
        return "chat"
    if {"question", "answer"} <= names or {"question", "answers"} <= names:
        return "question_answering" if "context" in names else "text_to_text"
    if text:
        return "text_to_text" if others else "regression" if quantities else "causal_lm"
    return "tabular_classification" if label else "tabular_regression"


def _why_text(column: ColumnProfile | None, texts: Sequence[str]) -> str:
    if column is None:
        return ""
    length = f"{column.characters:,.0f} characters on average"
    if column.looks != "text":
        return f"it has the most different texts, {length}"
    if len(texts) == 1:
        return f"the only column of free text, {length}"
    return f"free text, {length}" + (", and its name says so" if words_of(column.name) & TEXT_NAMES else "")


def _why_label(column: ColumnProfile | None, labels: Sequence[str]) -> str:
    if column is None:
        return ""
    only = "the only column with few values that repeat" if len(labels) == 1 else "few values that repeat"
    named = ", and its name says so" if words_of(column.name) & _LABEL else ""
    bare = f"{column.missing:,} of {things(column.rows, 'row')} {word(column.missing, 'has', 'have')} none"
    holes = f", though {bare}" if column.missing else ""
    return only + named + holes
