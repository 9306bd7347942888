"""The whole-table steps: who stays, who goes, and what the ledger is told."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from seedbed.core.errors import RecipeError
from seedbed.core.rows import NUMBER, ROW, number_rows
from seedbed.core.step import UNIT, Reduce
from seedbed.engine.plan import check_steps
from seedbed.steps import Cast, ConflictingLabels, ExactDuplicates, NearDuplicates, Sample

ROLES = {"text": "text", "label": "label"}


class InMemory:
    """Keys of some batches, in pieces by `key`."""

    def __init__(self, step: Reduce, rows: pl.DataFrame, *, pieces: int, batch: int) -> None:
        self.rows, self.pieces = rows, pieces
        self._survey = {name: int(rows.select(one.sum()).item() or 0) for name, one in step.survey().items()}
        columns = [NUMBER, *step.reads()]
        batches = list(rows.iter_slices(batch)) or [rows]
        self.keys = pl.concat([step.keys(one.select(columns), self.survey) for one in batches])

    @property
    def survey(self) -> Mapping[str, int]:
        return self._survey

    def partitions(self) -> Iterator[pl.DataFrame]:
        for piece in range(self.pieces):
            yield self.keys.filter(pl.col("key") % self.pieces == piece).sort(NUMBER)

    def lookup(self, numbers: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
        return self.rows.filter(pl.col(NUMBER).is_in(numbers.implode())).select(NUMBER, ROW, *columns).sort(NUMBER)

    def over(
        self, work: Callable[[pl.DataFrame], pl.DataFrame], units: pl.DataFrame, columns: Sequence[str]
    ) -> Iterator[pl.DataFrame]:
        for _, unit in units.group_by(UNIT, maintain_order=True):
            yield work(self.lookup(unit[NUMBER], columns).select(NUMBER, *columns))


def table(**columns: list[Any]) -> pl.DataFrame:
    rows = pl.DataFrame(columns, strict=False)
    records = pl.Series(range(1, rows.height + 1), dtype=pl.UInt64)
    return number_rows(rows, file_number=1, source="0", file="f", records=records)


def judged(step: Reduce, rows: pl.DataFrame, *, pieces: int = 3, batch: int = 4) -> list[dict[str, Any]]:
    """Verdicts by row; rows are named by their record (1, 2, …)."""
    verdicts = list(step.for_task(ROLES).judge(InMemory(step.for_task(ROLES), rows, pieces=pieces, batch=batch)))
    told: list[dict[str, Any]] = []
    for verdict in pl.concat(verdicts).sort(NUMBER).to_dicts() if verdicts else []:
        named = {k: int(v.split("#")[1]) if k in ("of", "kept") and v else v for k, v in verdict.items()}
        told.append({"row": named.pop(NUMBER) - (1 << 40), **named})
    assert len({verdict["row"] for verdict in told}) == len(told), "one verdict a row"
    return told


def rejected(step: Reduce, rows: pl.DataFrame, **how: int) -> list[int]:
    return [verdict["row"] for verdict in judged(step, rows, **how)]


# exact_duplicates


def test_exact_the_first_copy_stays_and_is_named() -> None:
    rows = table(text=["a", "b", "a", None, "", "a", None, "", "A"])
    base = {"reason": "exact_duplicate", "similarity": 1.0}
    assert judged(ExactDuplicates(), rows) == [
        {"row": 3, "of": 1, "kept": 1, **base},
        {"row": 6, "of": 1, "kept": 1, **base},
        {"row": 8, "of": 5, "kept": 5, **base},
    ]


@given(
    st.lists(st.none() | st.text("aA \u212b\u00c5", max_size=3)), st.integers(1, 5), st.integers(1, 9), st.booleans()
)
@settings(deadline=None)
def test_exact_is_what_a_set_does(texts: list[str | None], pieces: int, batch: int, same: bool) -> None:
    rows = table(text=pl.Series(texts, dtype=pl.String))
    seen: set[str] = set()
    expected = []
    for record, text in enumerate(texts, 1):
        if text is not None:
            known = " ".join(unicodedata.normalize("NFKC", text).casefold().split()) if same else text
            if known in seen:
                expected.append(record)
            seen.add(known)
    assert rejected(ExactDuplicates(normalise=same), rows, pieces=pieces, batch=batch) == expected


def test_exact_over_columns_of_any_type() -> None:
    rows = table(a=["x", "x", "x", "x|", "x"], b=[1.5, 2.5, 1.5, 1.5, None], c=[[1], [1], [1], [1], [1]])
    assert rejected(ExactDuplicates(columns=["a", "b", "c"]), rows) == [3]
    # Values do not run into each other.
    ones = "1" * 11
    apart = table(a=["1", "11", "1:1", ones, "1"], b=["11", "1", "1", "1", ones])
    assert rejected(ExactDuplicates(columns=["a", "b"]), apart) == []


# near_duplicates

FOOD = "The food was great and the staff were friendly"
HOUR = "Never again, we waited for an hour"


def jaccard(one: str, other: str) -> float:
    a, b = ({text.casefold()[i : i + 5] for i in range(len(text) - 4)} for text in (one, other))
    return len(a & b) / len(a | b)


def test_near_tells_neighbour_survivor_and_similarity() -> None:
    chain = [FOOD, FOOD + " and kind", FOOD + " and kind to all"]
    rows = table(text=[HOUR, *chain, None, "", HOUR.upper()], label=["n", "p", "p", "p", "n", "n", "p"])
    assert jaccard(chain[0], chain[2]) < 0.8 < jaccard(chain[0], chain[1]) < jaccard(chain[1], chain[2])
    base = {"reason": "near_duplicate", "shingles": "characters", "rule": "first"}
    assert judged(NearDuplicates(), rows) == [
        {"row": 3, "of": 4, "kept": 2, "similarity": round(jaccard(chain[1], chain[2]), 4), **base},
        {"row": 4, "of": 3, "kept": 2, "similarity": round(jaccard(chain[1], chain[2]), 4), **base},
        {"row": 7, "of": 1, "kept": 1, "similarity": 1.0, **base},
    ]


def test_near_conflicts_go_as_a_whole() -> None:
    rows = table(
        text=[FOOD, HOUR, FOOD + "!", HOUR + "!", FOOD + "!!", HOUR],
        label=["p", "n", "n", "n", "p", None],
    )
    told = judged(NearDuplicates(on_conflict="reject_all"), rows)
    torn = [(v["row"], v["kept"]) for v in told if v["reason"] == "conflicting_near_duplicates"]
    assert torn == [(1, None), (3, None), (5, None)]
    assert [(v["row"], v["kept"]) for v in told if v["reason"] == "near_duplicate"] == [(4, 2), (6, 2)]
    assert {v["rule"] for v in told if v["row"] in (1, 3, 5)} == {"reject_all"}
    assert all(v["of"] for v in told)
    assert rejected(NearDuplicates(), rows) == [3, 4, 5, 6]


def test_near_chooses_what_to_compare_by_length() -> None:
    long = " ".join(f"word{i}" for i in range(100))
    rows = table(text=[long, long + " more", "short"], label=["a"] * 3)
    assert [v["shingles"] for v in judged(NearDuplicates(), rows)] == ["words"]
    assert [v["shingles"] for v in judged(NearDuplicates(shingles="characters"), rows)] == ["characters"]
    # A table without any text is fine, and nulls do not count as short.
    assert judged(NearDuplicates(), table(text=pl.Series([None, None], dtype=pl.String))) == []
    rows = table(text=[long, long + " more", None, None, None], label=["a"] * 5)
    assert [v["shingles"] for v in judged(NearDuplicates(), rows)] == ["words"]


@st.composite
def similar_texts(draw: st.DrawFn) -> list[str]:
    """Texts of eight words that were copied and changed a little."""
    words = st.sampled_from(["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"])
    texts = draw(st.lists(st.lists(words, min_size=8, max_size=8), min_size=1, max_size=4))
    for _ in range(draw(st.integers(0, 8))):
        copy = list(draw(st.sampled_from(texts)))
        copy[draw(st.integers(0, 7))] = draw(words)
        texts.append(copy)
    return [" ".join(text) for text in draw(st.permutations(texts))]


@given(similar_texts(), st.integers(1, 7), st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_near_is_true_and_does_not_depend_on_pieces(texts: list[str], pieces: int, batch: int) -> None:
    rows = table(text=texts)
    told = judged(NearDuplicates(at_least=0.7), rows, pieces=1, batch=100)
    assert judged(NearDuplicates(at_least=0.7), rows, pieces=pieces, batch=batch) == told
    gone = {verdict["row"]: verdict for verdict in told}
    for row, verdict in gone.items():
        similarity = jaccard(texts[row - 1], texts[verdict["of"] - 1])
        assert verdict["similarity"] == round(similarity, 4)
        assert similarity >= 0.7
        others = [(-jaccard(texts[row - 1], other), at) for at, other in enumerate(texts, 1) if at != row]
        assert verdict["of"] == min(others)[1], "the most similar, and the first of those"
        assert verdict["kept"] < row and verdict["kept"] not in gone
    # Of equal texts one stays at most; a row like no other stays.
    stay = [text for row, text in enumerate(texts, 1) if row not in gone]
    assert len(stay) == len(set(stay))
    for row, text in enumerate(texts, 1):
        others = [jaccard(text, other) for at, other in enumerate(texts, 1) if at != row]
        assert row not in gone or max(others) >= 0.7


def test_near_sums_up_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = table(text=[f"{FOOD} {'!' * (i % 4)}{' again' * (i % 3)}" for i in range(40)], label=["p"] * 40)
    told = judged(NearDuplicates(at_least=0.6), rows)
    assert len(told) > 30
    monkeypatch.setattr("seedbed.core.similarity.clusters._WAITING", 3)
    monkeypatch.setattr("seedbed.core.similarity.candidates._WAITING", 3)
    monkeypatch.setattr("seedbed.core.similarity.candidates.UNIT_SHINGLES", 200)
    monkeypatch.setattr("seedbed.steps.near_duplicates._TOGETHER", 7)
    monkeypatch.setattr("seedbed.steps.comparing.survivors._TOGETHER", 7)
    assert judged(NearDuplicates(at_least=0.6), rows, pieces=50) == told
    monkeypatch.setattr("seedbed.steps.near_duplicates.EXACT_ROWS", 0)
    assert judged(NearDuplicates(at_least=0.6), rows, pieces=50) == told
    longest = judged(NearDuplicates(at_least=0.6, keep="longest"), rows)
    kept = {verdict["kept"] for verdict in longest}
    assert [len(rows["text"][row - 1]) for row in kept] == [rows["text"].str.len_chars().max()]


def test_near_by_bands_is_what_comparing_all_says(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(3)
    words = [f"{a}{b}{c}" for a in "klmnprst" for b in "aeiou" for c in ("rit", "no", "stan", "vel", "gu")]
    texts = []
    for _ in range(60):
        text = draw.choice(words, 20)
        for _ in range(3):
            text = np.where(draw.random(20) < 0.05, draw.choice(words, 20), text)
            texts.append(" ".join(text))
    rows = table(text=texts)
    told = judged(NearDuplicates(at_least=0.7), rows)
    assert len(told) > 60
    monkeypatch.setattr("seedbed.steps.near_duplicates.EXACT_ROWS", 10)
    assert judged(NearDuplicates(at_least=0.7), rows) == told


def kept_by(step: NearDuplicates, rows: pl.DataFrame) -> dict[int, int]:
    told = judged(step, rows)
    assert {verdict["rule"] for verdict in told} == {step.keep}
    return {verdict["row"]: verdict["kept"] for verdict in told}


def test_near_the_longest_stays() -> None:
    rows = table(text=[FOOD, HOUR, FOOD + " and kind", FOOD + "!!", FOOD + "! and kind", HOUR])
    assert kept_by(NearDuplicates(keep="longest", at_least=0.7), rows) == {1: 5, 3: 5, 4: 5, 6: 2}
    # Equal as sets of shingles, and still one is longer.
    rows = table(text=["ha ha", HOUR, "ha ha ha ha ha ha ha", "ha ha ha ha ha ha"])
    assert kept_by(NearDuplicates(keep="longest", at_least=0.9), rows) == {4: 3}


def test_near_the_best_stays_and_a_missing_number_is_worst() -> None:
    texts = [FOOD, FOOD + "!", FOOD + "!!", HOUR, HOUR.upper(), HOUR + "."]
    rows = table(text=texts, stars=[2.0, 4.0, 4.0, None, float("nan"), -1.0])
    assert kept_by(NearDuplicates(keep="best", quality="stars"), rows) == {1: 2, 3: 2, 4: 6, 5: 6}
    rows = table(text=texts, stars=pl.Series([None] * 6, dtype=pl.Int32))
    assert kept_by(NearDuplicates(keep="best", quality="stars"), rows) == {2: 1, 3: 1, 5: 4, 6: 4}


def test_near_what_says_which_row_is_best_must_be_a_number_and_the_hint_makes_it_one() -> None:
    schema = pl.Schema({"text": pl.String(), "stars": pl.String()})
    step = NearDuplicates(column="text", keep="best", quality="stars")
    with pytest.raises(RecipeError, match=r"steps\.0\.quality.*'stars' holds String") as told:
        check_steps([step], schema)
    written = re.search("`(.*)`", told.value.hint)
    assert written is not None
    check_steps([Cast.model_validate(yaml.safe_load(written[1])), step], schema)


def test_near_the_most_trusted_source_stays() -> None:
    texts = [FOOD, FOOD + "!", FOOD + "!!", HOUR, HOUR.upper(), FOOD.upper()]
    rows = table(text=texts).with_columns(
        (pl.Series(["web", "lab", "web", "web", "blog", "lab:2"]) + ":f#" + pl.Series(list("123456"))).alias(ROW)
    )
    step = NearDuplicates(keep="most_trusted", trust=["lab", "blog"])
    assert kept_by(step, rows) == {1: 2, 3: 2, 4: 5, 6: 2}
    step = NearDuplicates(keep="most_trusted", trust=["lab:2", "lab"])
    assert kept_by(step, rows) == {1: 6, 2: 6, 3: 6, 5: 4}


def test_near_rules_need_what_they_go_by() -> None:
    for wrong in ({"keep": "best"}, {"quality": "stars"}, {"keep": "most_trusted"}, {"trust": ["lab"]}):
        with pytest.raises(ValidationError, match="go together"):
            NearDuplicates(**wrong)
    assert ("quality", "stars") in NearDuplicates(keep="best", quality="stars").columns_used()


def test_near_of_a_crowd_all_go_but_one() -> None:
    texts = [f"Your code is {i:04}. Do not give this code to anyone, not even to us. Thank you." for i in range(1_500)]
    told = judged(NearDuplicates(), table(text=texts), batch=500)
    assert [verdict["row"] for verdict in told] == list(range(2, 1_501))
    assert {verdict["kept"] for verdict in told} == {1}
    for verdict in told[::100]:
        assert verdict["similarity"] == round(jaccard(texts[verdict["row"] - 1], texts[verdict["of"] - 1]), 4) >= 0.8


def test_near_needs_the_columns_that_it_uses() -> None:
    with pytest.raises(RecipeError, match=r"near_duplicates\.column"):
        NearDuplicates().reads()
    with pytest.raises(RecipeError, match=r"near_duplicates\.label"):
        NearDuplicates(column="text", on_conflict="reject_all").reads()
    assert NearDuplicates(column="text").reads() == ["text"]


def test_near_refuses_what_breaks_its_promise() -> None:
    with pytest.raises(ValidationError, match="16 permutations find too few pairs"):
        NearDuplicates(at_least=0.3, permutations=16)
    assert NearDuplicates(at_least=0.3).permutations is None


# conflicting_labels


def test_conflicts_name_a_row_with_another_label_and_all_labels() -> None:
    rows = table(
        text=["x", "y", "X ", "x", "y", "x", None, None, " ", ""],
        label=["n", "p", "p", "n", "p", None, "n", "p", "n", "p"],
    )
    base = {"reason": "conflicting_labels", "labels": ["n", "p"]}
    assert judged(ConflictingLabels(), rows) == [
        {"row": 1, "of": 3, **base},
        {"row": 3, "of": 1, **base},
        {"row": 4, "of": 3, **base},
    ]
    assert judged(ConflictingLabels(normalise=False), rows) == []


@given(
    st.lists(st.tuples(st.sampled_from("xyzX"), st.sampled_from([None, "a", "b", "c"]))),
    st.integers(1, 5),
    st.integers(1, 9),
)
@settings(deadline=None)
def test_conflicts_leave_no_text_with_two_labels(rows: list[tuple[str, str | None]], pieces: int, batch: int) -> None:
    given_rows = table(text=pl.Series([t for t, _ in rows], dtype=pl.String), label=[label for _, label in rows])
    labels: dict[str, set[str]] = {}
    for text, label in rows:
        labels.setdefault(text.casefold(), set()).update([label] if label else [])
    told = judged(ConflictingLabels(), given_rows, pieces=pieces, batch=batch)
    torn = [i for i, (text, label) in enumerate(rows, 1) if label and len(labels[text.casefold()]) > 1]
    assert [verdict["row"] for verdict in told] == torn
    for verdict in told:
        (text, label), (other_text, other) = rows[verdict["row"] - 1], rows[verdict["of"] - 1]
        assert text.casefold() == other_text.casefold() and other not in (None, label)
        assert verdict["labels"] == sorted(labels[text.casefold()])


def test_numbers_can_be_labels() -> None:
    assert rejected(ConflictingLabels(), table(text=["x", "x", "y"], label=[1, 2, 1])) == [1, 2]


# sample


@pytest.mark.parametrize("pieces", [1, 2, 13])
@pytest.mark.parametrize(
    ("size", "kept"), [({"rows": 1}, 1), ({"rows": 250}, 250), ({"rows": 5_000}, 1_000), ({"share": 0.1}, 100)]
)
def test_sample_keeps_exactly_as_many(size: dict[str, Any], kept: int, pieces: int) -> None:
    rows = table(text=[str(i) for i in range(1_000)])
    gone = rejected(Sample(**size), rows, pieces=pieces, batch=90)
    assert len(gone) == 1_000 - kept
    assert gone == rejected(Sample(**size), rows, pieces=1, batch=1_000)


def test_sample_is_drawn_evenly_and_by_seed() -> None:
    rows = table(text=[str(i) for i in range(2_000)])
    first = set(rejected(Sample(rows=1_000), rows, batch=2_000))
    other = set(rejected(Sample(rows=1_000, seed=14), rows, batch=2_000))
    assert 400 < len(first & other) < 600
    assert 400 < sum(row <= 1_000 for row in first) < 600
    smaller = set(rejected(Sample(rows=100), rows, batch=2_000))
    assert first < smaller, "a smaller sample lies within a larger one"


def test_sample_takes_the_lowest_hashes() -> None:
    # More rows than bins, so that the cut falls among rows whose hashes begin alike.
    rows = table(text=["x"] * 400_000)
    groups = InMemory(Sample(rows=1), rows, pieces=2, batch=400_000)
    for wanted in (1, 3, 200_000, 200_003, 399_999):
        gone = pl.concat(Sample(rows=wanted).judge(groups))[NUMBER]
        kept = groups.keys.filter(~pl.col(NUMBER).is_in(gone.implode()))
        assert sorted(kept["key"]) == sorted(groups.keys["key"])[:wanted]


def test_sample_needs_one_size() -> None:
    for size in ({}, {"rows": 3, "share": 0.5}):
        with pytest.raises(ValidationError, match="either rows or share"):
            Sample(**size)


# All


@pytest.mark.parametrize(
    "step", [ExactDuplicates(), NearDuplicates(), ConflictingLabels(), Sample(rows=1), Sample(share=0.5)]
)
def test_no_rows(step: Reduce) -> None:
    rows = table(text=pl.Series([], dtype=pl.String), label=pl.Series([], dtype=pl.String))
    assert judged(step, rows) == []


@pytest.mark.parametrize("step", [ExactDuplicates(), NearDuplicates(), ConflictingLabels(), Sample(rows=1)])
def test_keys_have_one_schema_whatever_the_batch(step: Reduce) -> None:
    rows = table(text=[FOOD, None, HOUR], label=["a", "b", None])
    part = step.for_task(ROLES)
    schemas = {
        tuple(part.keys(rows[a:b].select(NUMBER, *part.reads()), {"rows": 2, "short": 2}).schema.items())
        for a, b in [(0, 0), (1, 2), (0, 3)]
    }
    assert len(schemas) == 1
    assert np.isin(["key", NUMBER], [name for name, _ in schemas.pop()]).all()


def test_labels_that_conflict_are_masked_in_the_evidence() -> None:
    found = judged(ConflictingLabels(), table(text=["x", "x"], label=["ann@example.org", "a"]))
    assert [verdict["labels"] for verdict in found] == [["a", "[e-mail]"]] * 2
