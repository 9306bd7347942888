"""Tokenizers that are trained on the training rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokens_sample import exported, opened

from seedbed.core.errors import DataError
from seedbed.core.tokenizing import Tokens as Open

LABELLED = {"kind": "text_classification", "text": "text", "label": "label"}
TEXTS = ["Köln is a town", "a film about a town", "towns and films, films and towns", "the film of the year"] * 12
ROWS = pl.DataFrame({"text": TEXTS, "label": ["a", "b"] * 24})


def _trained(base: Path, rows: Any = ROWS, **options: Any) -> tuple[Open, pl.DataFrame]:
    found, _ = exported(base, LABELLED, rows, tokenizer={"vocabulary": 320, **options})
    return opened({"use": "huggingface", "path": str(base / "out/tokenizer")}), found


@pytest.mark.parametrize("use", ["bpe", "wordpiece"])
def test_it_is_kept_and_used(tmp_path: Path, use: str) -> None:
    tokens, found = _trained(tmp_path, use=use)
    frame = tokens.single
    for text, ids in zip(TEXTS, found["input_ids"].to_list(), strict=True):
        assert ids == [*frame.before, *tokens.encode([text])[0], *frame.after]
        said = tokens.decode(ids)
        assert said == text if use == "bpe" else said.replace(" ,", ",") == text.lower().replace("ö", "o")
    words = tokens.encode(["town"])
    assert words.lengths.tolist() == [1]  # it was seen often
    told = json.loads((tmp_path / "out/tokens.json").read_text())
    assert told["tokenizer"]["name"] == f"{use}, trained" and told["tokenizer"]["vocabulary"] <= 320


@pytest.fixture(scope="module")
def bpe(tmp_path_factory: pytest.TempPathFactory) -> Open:
    return _trained(tmp_path_factory.mktemp("bpe"), use="bpe")[0]


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.characters(exclude_categories=("Cs",)), max_size=40))
def test_bpe_writes_any_text_and_reads_it_back(bpe: Open, text: str) -> None:
    assert bpe.decode(bpe.encode([text])[0], specials=True) == text


def test_it_learns_from_training_rows_alone(tmp_path: Path) -> None:
    strange = pl.DataFrame({"text": ["zyzzyva zyzzyva"] * 50, "label": ["a"] * 50})
    alone, _ = _trained(tmp_path / "1", use="bpe")
    beside, _ = _trained(tmp_path / "2", {"train": ROWS, "test": strange}, use="bpe")
    among, _ = _trained(tmp_path / "3", pl.concat([ROWS, strange]), use="bpe")
    texts = ["zyzzyva", "Köln is a town"]
    assert alone.digest == beside.digest
    assert alone.count(texts).tolist() == beside.count(texts).tolist()
    assert among.count(texts)[0] < alone.count(texts)[0]


@pytest.mark.parametrize("use", ["bpe", "wordpiece"])
def test_the_same_rows_give_the_same_tokenizer(tmp_path: Path, use: str) -> None:
    one, other = (_trained(tmp_path / name, use=use)[0] for name in ("1", "2"))
    assert one.digest == other.digest  # what the library's WordPiece trainer learns depends on chance


def test_it_needs_training_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no training rows"):
        exported(tmp_path, LABELLED, {"test": ROWS}, tokenizer={"use": "bpe"})
    with pytest.raises(DataError, match="no text to learn"):
        exported(tmp_path / "2", LABELLED, {"train": ROWS.clear()}, tokenizer={"use": "wordpiece"})
