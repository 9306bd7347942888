"""Which columns are chosen, and why."""

from __future__ import annotations

import polars as pl
import pytest

from seedbed.profile import Roles, Sample, column_profile, header_is_a_row, profile_of, roles_of

N = 60
TEXT = [f"word{n} and some more words, {n} of them in this row" for n in range(N)]
LONG = [f"{text}. {text}. {text}." for text in TEXT]
FEW = ["red", "green", "blue"] * 20
TWO = ["in", "out"] * 30
NUMBERS = [n / 7 for n in range(N)]


def chosen(columns: dict[str, list[object]], text: str | None = None, label: str | None = None) -> Roles:
    return roles_of([column_profile(pl.Series(name, values)) for name, values in columns.items()], text, label)


@pytest.mark.parametrize(
    ("columns", "text", "label"),
    [
        ({"a": TEXT, "b": FEW}, "a", "b"),
        ({"text": FEW, "label": TEXT}, "label", "text"),
        ({"title": TEXT, "body": LONG, "c": TWO}, "body", "c"),
        (
            {"url": [f"https://example.org/a/long/path/{n}?with=arguments" for n in range(N)], "b": TEXT, "c": TWO},
            "b",
            "c",
        ),
        ({"colour": FEW, "split": ["train", "test"] * 30, "t": TEXT}, "t", "colour"),
        ({"language": ["en", "de"] * 30, "t": TEXT, "colour": FEW}, "t", "colour"),
        ({"a": FEW, "sentiment": TWO, "z": FEW, "t": TEXT}, "t", "sentiment"),
        ({"t": TEXT, "airlineSentiment": FEW, "colour": TWO}, "t", "airlineSentiment"),
        ({"t": TEXT, "n": [0, 1] * 30, "price": NUMBERS}, "t", "n"),
        ({"a": TEXT, "half": [None, "x", "y", None] * 15, "b": FEW}, "a", "b"),
        ({"t": TEXT, "category": TWO, "label": [None, *"xyxyxyxyx"] * 6}, "t", "category"),
        ({"t": TEXT, "colour": TWO, "label": [None, None, "x", "y", None, None] * 10}, "t", "colour"),
        ({"t": TEXT, "colour": TWO, "label": [None, "x", "y", "x"] * 15}, "t", "label"),
        ({"t": TEXT, "label": [None, "x", "y", None, None] * 12}, "t", "label"),
    ],
)
def test_what_a_person_would_choose(columns: dict[str, list[object]], text: str, label: str) -> None:
    found = chosen(columns)
    assert (found.text, found.label, found.kind) == (text, label, "text_classification")
    assert found.why_text and found.why_label


def test_others_are_named() -> None:
    found = chosen({"title": TEXT, "body": LONG, "topic": TWO, "section": FEW, "author": FEW, "price": NUMBERS})
    assert found.other_texts == ("title",)
    assert found.other_labels == ("section", "author")
    assert found.quantities == ("price",)
    assert found.groups == ("author",)


def test_what_a_person_says_is_done() -> None:
    found = chosen({"title": TEXT, "body": LONG, "topic": TWO, "section": FEW}, text="title", label="section")
    assert (found.text, found.label, found.why_text, found.why_label) == (
        "title",
        "section",
        "as you said",
        "as you said",
    )


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ({"t": TEXT, "score": NUMBERS}, "regression"),
        ({"t": TEXT}, "causal_lm"),
        ({"t": TEXT, "u": LONG}, "text_to_text"),
        ({"question": TEXT, "context": LONG, "answer": TEXT}, "question_answering"),
        ({"messages": [[{"role": "user", "content": "a"}]] * N}, "chat"),
        ({"a": NUMBERS, "b": FEW}, "tabular_classification"),
        ({"a": NUMBERS, "b": NUMBERS}, "tabular_regression"),
        ({"t": TEXT, "one": ["x"] * N}, "causal_lm"),
        ({"t": TEXT, "one row": ["x"] * (N - 1) + ["y"]}, "causal_lm"),
    ],
)
def test_other_tasks_are_told(columns: dict[str, list[object]], kind: str) -> None:
    assert chosen(columns).kind == kind


@pytest.mark.parametrize(
    ("names", "rows", "is_row"),
    [
        (["label", "text"], [("ham", "one two three four five six"), ("spam", "seven eight nine ten")], False),
        (["ham", "Hello there, how are you doing?"], [("ham", "one two three"), ("spam", "four five six seven")], True),
        (["0", "1"], [("1", "one two three four five"), ("0", "six seven eight nine ten")], False),
        (["4", "some text that stands in the first row of all"], [("2", "one two"), ("4", "three four five")], True),
        (["spam", "text"], [("spam", "one two three four"), ("ham", "five six seven eight")], False),
        (["ham", "words"], [("ham", "one two three four"), ("spam", "five six seven eight")], True),
    ],
)
def test_headers(names: list[str], rows: list[tuple[str, str]], is_row: bool) -> None:
    many = [(one, f"{two} {n}") for n in range(20) for one, two in rows]
    table = pl.DataFrame(many, schema=names, orient="row")
    assert bool(header_is_a_row([column_profile(column) for column in table], table)) == is_row


def test_a_header_that_stands_there_again_is_no_sign_of_a_row() -> None:
    rows = [*zip(FEW, TEXT, strict=True)]
    table = pl.DataFrame([*rows[:30], ("a", "b"), ("a", "b"), *rows[30:]], schema=["a", "b"], orient="row")
    assert header_is_a_row([column_profile(column) for column in table], table) == ""
    assert profile_of(Sample(table, {}, 1.0)).repeated_headers == 2


def test_a_label_with_holes_says_so() -> None:
    assert "though 15 of 60 rows have none" in chosen({"t": TEXT, "label": [None, "x", "y", "x"] * 15}).why_label
    assert "though" not in chosen({"t": TEXT, "label": TWO}).why_label
