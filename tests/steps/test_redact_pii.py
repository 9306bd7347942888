"""`redact_pii`, the detectors behind it, and what of a value may be seen afterwards: nothing."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from planted import Planted, planted
from planted_personal import PERSONAL
from predicting_sample import rows as sample_rows
from predicting_sample import small_run
from seedbed import load_model
from seedbed.core.detecting.personal import finding
from seedbed.core.detecting.personal.finding import found_in
from seedbed.core.detecting.personal.kinds import COUNTRIES, KINDS, ORDER, Span, asked, without_overlaps
from seedbed.core.errors import RecipeError
from seedbed.core.ledger import mask
from seedbed.core.rows import number_rows
from seedbed.engine.kernel import Kernel, Outcome
from seedbed.steps import RedactPii

pytest.importorskip("phonenumbers", reason="the extra `pii` is not installed")
pytest.importorskip("stdnum", reason="the extra `pii` is not installed")

ALL = asked(KINDS, COUNTRIES)


@pytest.fixture(scope="module")
def some() -> Planted:
    return planted(1500, seed=21)


def spans(text: str, kinds: Sequence[str] = ALL, countries: Sequence[str] = COUNTRIES) -> list[tuple[str, str]]:
    found = found_in(pl.Series([text]), kinds, countries).to_list()[0]
    return [(one["kind"], text[one["start"] : one["end"]]) for one in found]


def passed(step: RedactPii, texts: Sequence[str | None], **more: Any) -> Outcome:
    table = pl.DataFrame({"text": texts, **more}, schema_overrides={"text": pl.String})
    records = pl.Series(range(1, table.height + 1), dtype=pl.UInt64)
    return Kernel((("redact_pii", step),))(number_rows(table, file_number=0, source="s", file="f", records=records))


# What is found


def test_planted_values_are_found_where_they_stand_and_near_misses_are_not(some: Planted) -> None:
    both = some.rows.join(some.truth, on="id").with_columns(found=found_in(some.rows["text"], ALL, COUNTRIES))
    right = wrong = missed = 0
    for row in both.iter_rows(named=True):
        true = {(one["kind"], one["start"], one["end"]) for one in row["pii"]}
        said = {(one["kind"], one["start"], one["end"]) for one in row["found"]}
        right, wrong, missed = right + len(true & said), wrong + len(said - true), missed + len(true - said)
    assert right > 100
    assert missed <= 1
    assert wrong <= 1


@pytest.mark.parametrize("kind", PERSONAL)
def test_one_figure_less_is_nothing(kind: str) -> None:
    """A detector that looks at the form only would not notice."""
    checked = {"card", "iban", "gb_nhs", "de_tax_id", "fr_nir", "es_dni", "it_codice_fiscale", "nl_bsn"}
    rng = np.random.default_rng(4)
    seen = 0
    for _ in range(20):
        name, value, before = PERSONAL[kind](rng)
        assert (name, value) in spans(f"so {before}{value} it is"), value
        if kind in checked:
            at = max(place for place, sign in enumerate(value) if sign.isdigit())
            other = value[:at] + str((int(value[at]) + 1) % 10) + value[at + 1 :]
            seen += name in {found for found, _ in spans(f"so {before}{other} it is")}
    assert seen <= 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to a@b.co, or <c.d@e-f.org>.", ["a@b.co", "c.d@e-f.org"]),
        ("ann@host, @ann, a@b, me@localhost, 5@6pm", []),
        ("https://me:secret@example.com/x and https://example.com/@me", ["me:secret"]),
        ("212-555-0112 415-555-0123", ["212-555-0112", "415-555-0123"]),
        ("2125550112 is an order, call 2125550112", ["2125550112"]),
        ("$212-555-0112, id=212-555-0112", []),
        ("card 4111 1111 1111 1111 12/27 123", ["4111 1111 1111 1111"]),
        ("4111 1111 1111 1112 and 1234 5678 9012 3456", []),
        ("DE89 3704 0044 0532 0130 00 IS MINE", ["DE89 3704 0044 0532 0130 00"]),
        ("12:30:45, a::b, std::vec, ::1, 127.0.0.1, v1.2.3.4, 1.2.3.4.5", []),
        ("at fe80::1ff:fe23:4567:890a or 8.8.8.8.", ["fe80::1ff:fe23:4567:890a", "8.8.8.8"]),
        ("on 2024-03-07 10:15, 07.03.2024, 2019-2024, 3.14159265", []),
        ("078-05-1120 and 000-12-3456 and 666-12-3456", []),
        ("in the years 1642-1649, the Civil War; 1699-172, 1914-18, 1939 - 1945 and 1990/1995", []),
    ],
)
def test_forms(text: str, expected: list[str]) -> None:
    assert [value for _, value in spans(text)] == expected


def test_a_word_says_what_a_number_is() -> None:
    assert spans("it is 943 476 5919") == [("phone", "943 476 5919")]  # one of Indiana's
    assert spans("NHS no. 943 476 5919") == [("gb_nhs", "943 476 5919")]
    assert spans("NHS no. 943 476 5918", ["gb_nhs"]) == []
    assert spans("order 111222333, BSN 111222333") == [("nl_bsn", "111222333")]


def test_telephone_numbers_are_those_of_the_countries() -> None:
    assert spans("ring 020 7946 0123", countries=["GB"]) == [("phone", "020 7946 0123")]
    assert spans("ring 020 7946 0123", countries=["US"]) == []
    assert spans("ring +44 20 7946 0123", countries=[]) == [("phone", "+44 20 7946 0123")]


def test_of_two_that_overlap_one_is_left_over_both() -> None:
    found = [Span("phone", 0, 10), Span("card", 5, 20), Span("ip", 20, 25), Span("email", 30, 40), Span("ip", 32, 35)]
    assert without_overlaps(found[::-1]) == [Span("card", 0, 20), Span("ip", 20, 25), Span("email", 30, 40)]


PIECES = st.one_of(
    st.sampled_from(list(PERSONAL)).flatmap(
        lambda kind: st.integers(0, 50).map(lambda seed: PERSONAL[kind](np.random.default_rng(seed))[1])
    ),
    st.sampled_from(
        ["call ", "SSN ", "BSN ", " ", ", ", "-", ".", "/", "@", "+", "(", ")", "😀", "é", "\n", "0", "12"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
TEXTS = st.lists(PIECES, max_size=6).map("".join)


@given(st.lists(TEXTS, max_size=5))
@settings(max_examples=80)
def test_places_are_characters_of_the_text_and_passed_over_rows_hold_nothing(texts: list[str]) -> None:
    quick = found_in(pl.Series(texts, dtype=pl.String), ALL, COUNTRIES).to_list()
    for text, found in zip(texts, quick, strict=True):
        every: list[Span] = []
        for kind in ALL:  # without the patterns that pass rows over
            every += finding._looker(kind, COUNTRIES)(text)
        assert [Span(**one) for one in found] == without_overlaps(every)
        places = [(one["start"], one["end"]) for one in found]
        assert all(0 <= start < end <= len(text) for start, end in places)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(places))
        assert all(one["kind"] in ORDER for one in found)


# What becomes of it


@given(st.lists(st.none() | TEXTS, min_size=1, max_size=5), st.integers(0, 5))
@settings(max_examples=60)
def test_redaction_leaves_all_else_and_batches_do_not_matter(texts: list[str | None], cut: int) -> None:
    step = RedactPii(column="text")
    outcome = passed(step, texts)
    assert outcome.kept.height == len(texts)
    new = outcome.kept["text"].to_list()
    found = found_in(pl.Series(texts, dtype=pl.String), ALL, COUNTRIES).to_list()
    for before, after, there in zip(texts, new, found, strict=True):
        if before is None:
            assert after is None
            continue
        rest = before
        for one in reversed(there):
            rest = rest[: one["start"]] + f"[{one['kind']}]" + rest[one["end"] :]
        assert after == rest
    halves = [passed(step, part).kept["text"].to_list() for part in (texts[:cut], texts[cut:])]
    assert halves[0] + halves[1] == new


def test_redacted_texts_are_redacted_once(some: Planted) -> None:
    for step in (RedactPii(column="text"), RedactPii(column="text", mode="hash", salt="${env:PATH}")):
        once = passed(step, some.rows["text"].to_list()).kept["text"]
        assert passed(step, once.to_list()).kept["text"].equals(once)
        assert found_in(once, ALL, COUNTRIES).list.len().sum() == 0


def test_hashes_are_equal_for_equal_values_and_another_key_gives_others(monkeypatch: pytest.MonkeyPatch) -> None:
    step = RedactPii(column="text", mode="hash", salt="${env:PII_KEY}")
    texts = ["4111 1111 1111 1111", "4111111111111111", "Ann@example.com", "ann@example.com", "5500 0000 0000 0004"]
    monkeypatch.setenv("PII_KEY", "one key of sixteen or more")
    first, made_from = passed(step, texts).kept["text"].to_list(), step.made_from()
    assert first[0] == first[1] != first[4]
    assert first[2] == first[3]
    assert all(re.fullmatch(r"\[(card|email):[a-p]{16}\]", text) for text in first)
    monkeypatch.setenv("PII_KEY", "another key, also of sixteen")
    assert not set(first) & set(passed(step, texts).kept["text"])
    assert step.made_from() != made_from
    assert "another key" not in json.dumps(step.made_from())


def test_a_key_that_is_missing_or_short_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    step = RedactPii(column="text", mode="hash", salt="${env:PII_KEY}")
    monkeypatch.delenv("PII_KEY", raising=False)
    with pytest.raises(RecipeError, match="PII_KEY is not set"):
        step.work()
    monkeypatch.setenv("PII_KEY", "short")
    with pytest.raises(RecipeError, match="5 characters"):
        step.work()


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "hash"},
        {"salt": "${env:K}"},
        {"mode": "hash", "salt": "plain text in a recipe"},
        {"mode": "mark"},
        {"kinds": ["person"]},
        {"kinds": []},
    ],
)
def test_options_that_do_not_fit_together(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RedactPii.model_validate({"use": "redact_pii", "column": "text", **options})


# What may be seen


@pytest.mark.parametrize("mode", ["redact", "drop_row"])
def test_the_ledger_tells_kinds_and_places_of_every_row_and_no_value(some: Planted, mode: str) -> None:
    step = RedactPii.model_validate({"column": "text", "mode": mode})
    entries = passed(step, some.rows["text"].to_list()).entries
    truth = some.truth.filter(pl.col("pii").list.len() > 0)
    assert entries.height >= truth.height - 1
    told = dict(zip(entries["row"], map(json.loads, entries["evidence"]), strict=True))
    shown = entries.drop("record").write_json()
    for id_, values in truth.select("id", "pii").iter_rows():
        for one in values:
            places = {(span["kind"], span["start"], span["end"]) for span in told[f"s:f#{id_ + 1}"]["found"]}
            assert (one["kind"], one["start"], one["end"]) in places
            assert one["value"] not in shown
    assert all("before" not in evidence for evidence in told.values())


def test_excerpts_mask_what_the_detectors_find(some: Planted) -> None:
    for text, values in zip(some.rows["text"], some.truth["pii"], strict=True):
        for one in values:
            assert one["value"] not in mask(text)


def test_a_run_shows_no_value_and_its_model_redacts_what_it_is_given(tmp_path: Path, some: Planted) -> None:
    rows = sample_rows(300)
    values = [one["value"] for pii in some.truth["pii"] for one in pii][:100]
    for row, value in zip(rows, values, strict=False):
        row["said"] = f"{row['said']} SSN BSN NHS Steuer call {value}"
    # `text_length` comes first: what it rejects is masked.
    steps = [
        {"use": "text_length", "at_most": 100},
        {"use": "redact_pii"},
        {"use": "drop_missing", "columns": ["said"]},
    ]
    checks = [{"use": "pii_left", "on_fail": "stop"}]
    finished = small_run(tmp_path, rows, steps=steps, checks=checks, train=[{"use": "naive_bayes"}])
    assert finished.run.state == "passed"
    assert finished.run.rows.changed["redact_pii"] > 50
    for file in (tmp_path / "out").rglob("*"):
        if file.suffix == ".parquet":
            text = pl.read_parquet(file).write_json()
        else:
            text = file.read_bytes().decode(errors="replace") if file.is_file() else ""
        assert [value for value in values if value in text] == [], file
    model = load_model(tmp_path / "out" / "models" / "naive_bayes")
    said = ["a great and lovely film, ask ann.lee@example.com", "a great and lovely film, ask bob@example.org"]
    table = model.preparation(pl.DataFrame({"said": said})).rows
    assert table["said"].to_list() == ["a great and lovely film, ask [email]"] * 2


# Presidio


@pytest.mark.slow
def test_presidio_finds_names_and_asks_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("presidio_analyzer", reason="the extra `presidio` is not installed")
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    step = RedactPii(column="text", engine="both", kinds=["person", "place", "email", "card", "national_id"])
    outcome = passed(step, ["My name is John Smith from Paris, j@example.com", "SSN 536-90-4399", None])
    assert outcome.kept["text"].to_list() == ["My name is [person] from [place], [email]", "SSN [us_ssn]", None]
    assert "Smith" not in outcome.entries.write_json()
    alone = passed(RedactPii(column="text", engine="presidio"), ["mail j@example.com of 4111 1111 1111 1111"])
    assert alone.kept["text"].to_list() == ["mail [email] of [card]"]
