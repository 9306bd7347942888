"""Texts with labels or numbers as tokens: windows as the library itself cuts them, labels, padding, losses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tokens_sample import BERT, BYTES, MINILM, TIKTOKEN, exported, run_of

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.packages import located
from seedbed.core.part import BASE
from seedbed.publish import Tokens
from seedbed.publish.tokenizing import writing

LABELLED = {"kind": "text_classification", "text": "text", "label": "label"}
TEXTS = [
    "a film",
    "",
    "Köln is a rather long film, said nobody who had seen it twice; " * 3,
    "short again",
    "one more film about people who talk at length about another film that they did not see",
]
ROWS = pl.DataFrame({"text": TEXTS, "label": ["pos", "neg", "neg", "pos", "pos"]})


def _by_library(most: int, side: str, stride: int | None) -> list[tuple[int, list[int]]]:
    """What `tokenizers` makes of the texts: parents and ids."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(located(MINILM) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(most, stride=stride or 0, direction=side)
    found = [tokenizer.encode(text) for text in TEXTS]
    each = [[one, *(one.overflowing if stride is not None else [])] for one in found]
    return [(row, piece.ids) for row, pieces in enumerate(each, 1) for piece in pieces]


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize(("most", "stride"), [(8, None), (8, 0), (8, 2), (12, 5), (3, 0), (200, 4)])
def test_windows_are_those_of_the_library(tmp_path: Path, most: int, side: str, stride: int | None) -> None:
    found, _ = exported(tmp_path, LABELLED, ROWS, tokenizer=BERT, most_tokens=most, side=side, stride=stride)
    rows = found["row"].str.split("#").list.last().cast(pl.Int64).to_list()
    assert list(zip(rows, found["input_ids"].to_list(), strict=True)) == _by_library(most, side, stride)
    assert found["labels"].to_list() == [{1: 1, 2: 0, 3: 0, 4: 1, 5: 1}[row] for row in rows]
    pieces = found.select(pl.col("piece"), same=pl.int_range(pl.len()).over("row"))
    assert pieces["piece"].to_list() == pieces["same"].to_list()


def test_what_is_lost_is_counted_by_label(tmp_path: Path) -> None:
    found, told = exported(tmp_path, LABELLED, ROWS, tokenizer=BERT, most_tokens=8)
    whole, _ = exported(tmp_path / "whole", LABELLED, ROWS, tokenizer=BERT, most_tokens=500)
    lengths = whole["input_ids"].list.len()
    kept = found["input_ids"].list.len()
    said = told["splits"]["train"]
    assert said["rows"] == said["rows_written"] == 5 and said["tokens"] == lengths.sum()
    assert said["tokens_lost"] == (lengths - kept).sum() and said["tokens_written"] == kept.sum()
    assert said["rows_cut"] == 2 and said["share_cut"] == 0.4
    assert said["by_label"]["neg"]["rows_cut"] == 1 and said["by_label"]["pos"]["rows"] == 3
    assert said["lengths"] == {"shortest": 2, "median": 4, "p90": lengths.max(), "p95": lengths.max(),
                               "p99": lengths.max(), "longest": lengths.max()}  # fmt: skip
    assert (told["id2label"], told["label2id"]) == ({"0": "neg", "1": "pos"}, {"neg": 0, "pos": 1})
    _, over = exported(tmp_path / "over", LABELLED, ROWS, tokenizer=BERT, most_tokens=8, stride=2)
    assert over["splits"]["train"]["tokens_lost"] == over["splits"]["train"]["rows_cut"] == 0
    assert over["splits"]["train"]["rows_written"] > 5


def test_losses_may_stop_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"2 of 5 rows of train would be cut .* 40.0 %, and `most_loss` allows 30"):
        exported(tmp_path, LABELLED, ROWS, tokenizer=BERT, most_tokens=8, most_loss=0.3)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))
    exported(tmp_path / "more", LABELLED, ROWS, tokenizer=BERT, most_tokens=8, most_loss=0.4)


@pytest.mark.parametrize("side", ["right", "left"])
def test_rows_are_filled_up(tmp_path: Path, side: str) -> None:
    plain, _ = exported(tmp_path / "plain", LABELLED, ROWS, tokenizer=BYTES, most_tokens=20)
    found, _ = exported(tmp_path / "padded", LABELLED, ROWS, tokenizer=BYTES, most_tokens=20, pad=side)
    for row, ids in zip(found.iter_rows(named=True), plain["input_ids"].to_list(), strict=True):
        fill, mask = [256] * (20 - len(ids)), [0] * (20 - len(ids))
        seen = [1] * len(ids)
        assert row["input_ids"] == (ids + fill if side == "right" else fill + ids)
        assert row["attention_mask"] == (seen + mask if side == "right" else mask + seen)


def test_several_labels_and_numbers(tmp_path: Path) -> None:
    several = {"kind": "multi_label_classification", "text": "text", "label": "label", "labels": ["c", "a", "b"]}
    rows = pl.DataFrame({"text": ["x", "y z", "q"], "label": [["a"], [], ["c", "b"]]})
    found, told = exported(tmp_path / "several", several, rows, tokenizer=BERT)
    assert found["labels"].to_list() == [[0, 1, 0], [0, 0, 0], [1, 0, 1]] and found["labels"].dtype == pl.List(
        pl.Float32
    )
    assert told["label2id"] == {"c": 0, "a": 1, "b": 2} and set(told["splits"]["train"]["by_label"]) == {"a", "b", "c"}
    number = {"kind": "regression", "text": "text", "target": "price"}
    rows = pl.DataFrame({"text": ["x", "y"], "price": [1.5, 2.0]})
    found, told = exported(tmp_path / "number", number, rows, tokenizer=TIKTOKEN)
    assert found["labels"].to_list() == [1.5, 2.0] and "id2label" not in told
    assert "token_type_ids" not in found.columns  # the model of tiktoken knows none


def test_it_does_not_depend_on_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pl.concat([ROWS] * 40)
    whole, told = exported(tmp_path / "whole", LABELLED, rows, tokenizer=BERT, most_tokens=8, stride=2)
    monkeypatch.setattr(writing, "BYTES_AT_ONCE", 700)
    pieces, same = exported(tmp_path / "pieces", LABELLED, rows, tokenizer=BERT, most_tokens=8, stride=2)
    assert whole.equals(pieces) and told == same


def test_files_of_a_split_and_a_split_without_rows(tmp_path: Path) -> None:
    splits = {"train": ROWS, "test": ROWS.clear(), "validation": ROWS[:2]}
    found, told = exported(tmp_path, LABELLED, splits, tokenizer=BERT, file_rows=2)
    names = sorted(path.name for path in (tmp_path / "out/data").iterdir())
    assert names[1:4] == [f"train-0000{i}-of-00003.parquet" for i in range(3)] and found.height == 5
    empty = pl.read_parquet(tmp_path / "out/data/test-00000-of-00001.parquet")
    assert empty.height == 0 and empty.schema == found.schema
    assert told["seedbed"]["files"] == [f"data/{name}" for name in [*names[1:4], names[4], names[0]]]
    only, _ = exported(tmp_path / "one", LABELLED, splits, tokenizer=BERT, splits=["train"])
    assert only.height == 5 and len(list((tmp_path / "one/out/data").iterdir())) == 1


def test_an_export_replaces_its_own_folder_alone(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", LABELLED, {"train": ROWS})
    exporter = Tokens.model_validate({"use": "tokens", "path": "out", "tokenizer": BERT}, context={BASE: tmp_path})
    context = Context(base=tmp_path, store=tmp_path / ".seedbed")
    exporter.export(run, context)
    exporter.export(run, context)
    assert {"tokenizer.json", "tokenizer_config.json"} <= {p.name for p in (tmp_path / "out/tokenizer").iterdir()}
    (tmp_path / "out/mine.txt").write_text("mine")
    with pytest.raises(RecipeError, match=r"mine\.txt"):
        exporter.export(run, context)
    assert (tmp_path / "out/mine.txt").exists()


@pytest.mark.parametrize(
    ("task", "options", "said"),
    [
        (LABELLED, {"most_tokens": 2}, "2 tokens has no room for a text"),
        (LABELLED, {"most_tokens": 8, "stride": 6}, "rows of 8 tokens cannot share 6"),
        (LABELLED, {"model": "encoder_decoder"}, "no encoder_decoder reads rows of text_classification"),
        (LABELLED, {"pack": {}}, "pack.*means nothing for text_classification"),
        (
            {"kind": "causal_lm", "text": "text"},
            {"pack": {}, "stride": 1},
            "stride.*means nothing where documents are packed",
        ),
        (LABELLED, {"splits": ["dev"]}, "no split 'dev'"),
        ({"kind": "tabular_classification", "label": "label"}, {}, "no text to tokenize in rows of tabular"),
    ],
)
def test_what_cannot_be(tmp_path: Path, task: dict[str, Any], options: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        exported(tmp_path, task, ROWS, tokenizer=BERT, **options)


def test_what_is_written_out_although_it_is_the_default_means_nothing(tmp_path: Path) -> None:
    found, _ = exported(tmp_path, LABELLED, ROWS, tokenizer=BERT, pack=None, too_long="cut", stride=None, offsets=False)
    assert found.height == 5


def test_the_record_says_how_it_was_made(tmp_path: Path) -> None:
    _, told = exported(tmp_path, LABELLED, ROWS, tokenizer=TIKTOKEN)
    assert told["tokenizer"]["name"] == "tiktoken cl100k_base" and len(told["tokenizer"]["digest"]) == 64
    assert told["options"]["most_tokens"] == 512 and told["task"] == "text_classification"
    assert told["seedbed"]["format"] == "tokens" and json.dumps(told)


def test_the_example_of_the_reference(tmp_path: Path) -> None:
    (example,) = Tokens.examples
    found, _ = exported(tmp_path, LABELLED, pl.DataFrame(example.before), **{**example.options, "path": "out"})
    assert {name: found[name].to_list() for name in example.after} == example.after
