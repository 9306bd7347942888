"""Documents, packed and not, texts that are to be written, and answers in texts, as tokens."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import polars as pl
import pytest
from tokens_sample import BERT, BYTES, MINILM, TIKTOKEN, exported, opened

from seedbed.core.errors import RecipeError
from seedbed.core.packages import located
from seedbed.core.task.question_answering import ANSWERS
from seedbed.publish.tokenizing import writing

DOCUMENTS = {"kind": "causal_lm", "text": "text"}
PAIRS = {"kind": "text_to_text", "text": "en", "target": "de"}
ANSWERED = {"kind": "question_answering"}
SKIPPED = -100


def _documents(many: int) -> pl.DataFrame:
    random = Random(1)
    words = ["Köln", "a", "film", "is", "北京", "long", ".", "\n"]
    return pl.DataFrame({"text": [" ".join(random.choices(words, k=random.randint(1, 40))) for _ in range(many)]})


@pytest.mark.parametrize("across", [True, False])
def test_blocks_hold_every_token_once_and_in_order(tmp_path: Path, across: bool) -> None:
    rows = _documents(50)
    found, told = exported(tmp_path, DOCUMENTS, rows, tokenizer=TIKTOKEN, most_tokens=32, pack={"across": across})
    tokens = opened(TIKTOKEN)
    stream = list(chain.from_iterable([*tokens.encode([text])[0].tolist(), 100257] for text in rows["text"]))
    ids, mask = found["input_ids"].to_list(), found["attention_mask"].to_list()
    assert set(map(len, ids)) == {32} and len(ids) == -(-len(stream) // 32)
    seen = [i for row, on in zip(ids, mask, strict=True) for i, there in zip(row, on, strict=True) if there]
    assert seen == stream and told["splits"]["train"]["tokens_written"] == len(stream)
    labels = [label for row in found["labels"].to_list() for label in row]
    if across:
        assert labels == stream + [SKIPPED] * (32 * len(ids) - len(stream))
        assert "position_ids" not in found.columns
        return
    for row in found.iter_rows(named=True):
        _parts_are_apart(row, rows)


def _parts_are_apart(row: dict[str, Any], rows: pl.DataFrame) -> None:
    """Each document of a block has positions and a number of its own, and begins with what is not learned."""
    tokens = opened(TIKTOKEN)
    numbers = np.array(row["document_ids"])
    there = np.array(row["attention_mask"]) == 1
    assert (numbers[~there] == -1).all() and set(numbers[there]) == set(range(len(row["rows"])))
    for number, (name, start) in enumerate(zip(row["rows"], row["starts"], strict=True)):
        of_part = np.flatnonzero(numbers == number)
        ids = np.array(row["input_ids"])[of_part]
        document = [*tokens.encode([rows["text"][int(name.split("#")[1]) - 1]])[0], 100257]
        assert ids.tolist() == document[start : start + len(ids)]
        assert np.array(row["position_ids"])[of_part].tolist() == list(range(len(ids)))
        assert np.array(row["labels"])[of_part].tolist() == [SKIPPED, *ids[1:]]


def test_blocks_do_not_depend_on_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _documents(60)
    options: dict[str, Any] = {"tokenizer": BYTES, "most_tokens": 64, "pack": {"across": False}}
    whole, _ = exported(tmp_path / "whole", DOCUMENTS, rows, **options)
    monkeypatch.setattr(writing, "BYTES_AT_ONCE", 300)
    assert whole.equals(exported(tmp_path / "pieces", DOCUMENTS, rows, **options)[0])


def test_the_last_block_may_be_dropped(tmp_path: Path) -> None:
    rows = pl.DataFrame({"text": ["abcdefg"]})  # 8 tokens with the end
    pack = {"last": "drop"}
    found, told = exported(tmp_path / "5", DOCUMENTS, rows, tokenizer=BYTES, most_tokens=5, pack=pack)
    assert found["input_ids"].to_list() == [[97, 98, 99, 100, 101]]
    assert told["splits"]["train"]["tokens_of_the_last_block_dropped"] == 3
    found, told = exported(tmp_path / "9", DOCUMENTS, rows, tokenizer=BYTES, most_tokens=9, pack=pack)
    assert found.height == 0 and found.columns == ["rows", "starts", "input_ids", "attention_mask", "labels"]


def test_documents_that_are_not_packed(tmp_path: Path) -> None:
    rows = pl.DataFrame({"text": ["abcd", "ab"]})
    found, told = exported(tmp_path / "cut", DOCUMENTS, rows, tokenizer=BYTES, most_tokens=4)
    assert found["input_ids"].to_list() == [[97, 98, 99, 100], [97, 98, 258]] == found["labels"].to_list()
    assert told["splits"]["train"]["tokens_lost"] == 1
    found, _ = exported(tmp_path / "on", DOCUMENTS, rows, tokenizer=BYTES, most_tokens=4, stride=0, pad="right")
    assert found["labels"].to_list() == [[97, 98, 99, 100], [258] + [SKIPPED] * 3, [97, 98, 258, SKIPPED]]


def test_translations_for_an_encoder_decoder(tmp_path: Path) -> None:
    rows = pl.DataFrame({"en": ["good day", "hi"], "de": ["guten Tag", "na"]})
    found, told = exported(tmp_path / "1", PAIRS, rows, tokenizer=BERT, most_tokens=4, most_target=3)
    tokens = opened(BERT)
    whole = [[101, *tokens.encode([text])[0], 102] for text in rows["en"]]
    assert told["model"] == "encoder_decoder" and found["input_ids"].to_list() == whole
    assert [len(row) for row in found["labels"].to_list()] == [3, 3]
    assert told["splits"]["train"]["targets_cut"] == 1
    padded, _ = exported(tmp_path / "2", PAIRS, rows, tokenizer=BERT, most_tokens=6, most_target=5, pad="right")
    assert [len(row) for row in padded["labels"].to_list()] == [5, 5]
    assert padded["labels"].to_list()[1][-2:] == [SKIPPED, SKIPPED]


def test_a_prompt_is_read_and_its_completion_learned(tmp_path: Path) -> None:
    task = {"kind": "regression", "text": "text", "target": "price"}
    rows = pl.DataFrame({"text": ["a lamp " * 30, "sofa"], "price": [12.5, 300.0], "shop": ["x", "y"]})
    options: dict[str, Any] = {
        "tokenizer": BYTES,
        "model": "decoder",
        "prompt": "{{ shop }}: {{ text }}\nPrice is $",
        "completion": "{{ '%.2f' % target }}",
    }
    found, told = exported(tmp_path / "1", task, rows, **options, most_tokens=40, side="left", most_prompt=20)
    tokens = opened(BYTES)
    for row, said in zip(found.iter_rows(named=True), ["12.50", "300.00"], strict=True):
        learned = [i for i, label in zip(row["input_ids"], row["labels"], strict=True) if label != SKIPPED]
        assert [label for label in row["labels"] if label != SKIPPED] == learned
        assert tokens.decode(learned) == said and learned[-1] == 258
        assert tokens.decode(row["input_ids"]).endswith(f"Price is ${said}")
    assert len(tokens.decode(found["input_ids"][0])) == 20 + 5 and told["splits"]["train"]["rows_cut"] == 1
    _, told = exported(tmp_path / "2", task, rows, **options, most_tokens=7)
    assert told["splits"]["train"]["rejected"]["completion_too_long"] == {"rows": 1, "such_as": ["0:t.csv#2"]}
    with pytest.raises(RecipeError, match=r"(?s)publish: tokens: out.prompt.*'nobody' is undefined"):
        exported(tmp_path / "3", task, rows, **{**options, "prompt": "{{ nobody }}"})


def _answered(many: int) -> pl.DataFrame:
    """Texts with an answer somewhere, some without; of letters that tokenizers cut in odd places."""
    random = Random(2)
    words = ["Köln", "naïve", "film", "北京", "Γειά", "1984", "co-op", "👩‍👩‍👧", "don't", "x"]
    found: dict[str, list[Any]] = {"question": [], "context": [], "answers": []}
    for place in range(many):
        spoken = random.choices(words, k=random.randint(1, 90))
        first = random.randrange(len(spoken))
        last = min(first + random.randint(1, 3), len(spoken))
        start = len(" ".join(spoken[:first])) + (first > 0)
        text = " ".join(spoken[first:last])
        found["question"].append("Who said that, and where " * random.choice([1, 1, 9]) + "?")
        found["context"].append(" ".join(spoken))
        found["answers"].append([{"text": text, "start": start}] if place % 5 else [])
    return pl.DataFrame(found, schema_overrides={"answers": ANSWERS})


@pytest.mark.parametrize("options", [BERT, BYTES, TIKTOKEN], ids=["bert", "bytes", "tiktoken"])
def test_the_tokens_of_an_answer_are_the_answer(tmp_path: Path, options: dict[str, Any]) -> None:
    rows, size = _answered(120), 4 if options == BYTES else 1
    most, stride = 64 * size, 24 * size
    found, told = exported(tmp_path, ANSWERED, rows, tokenizer=options, most_tokens=most, stride=stride, offsets=True)
    tokens, said = opened(options), told["splits"]["train"]
    seen = set()
    for row in found.iter_rows(named=True):
        assert len(row["input_ids"]) <= most
        place = int(row["row"].split("#")[1]) - 1
        context, answers = rows["context"][place], rows["answers"][place]
        if (row["start_positions"], row["end_positions"]) == (0, 0):
            continue
        seen.add(place)
        offsets = row["offset_mapping"][row["start_positions"] : row["end_positions"] + 1]
        assert context[offsets[0][0] : offsets[-1][1]].strip() == answers[0]["text"]
        part = row["input_ids"][row["start_positions"] : row["end_positions"] + 1]
        if options != BERT:  # which lowers letters
            assert tokens.decode(part).strip() == answers[0]["text"]
    answered = {place for place, answers in enumerate(rows["answers"].to_list()) if answers}
    assert seen <= answered and said["answers_lost"] == len(answered - seen) and said["unanswerable"] == 24
    assert len(seen) >= 0.95 * len(answered)


@pytest.mark.parametrize("side", ["right", "left"])
def test_windows_of_a_text_are_those_of_the_library(tmp_path: Path, side: str) -> None:
    from tokenizers import Tokenizer

    rows = _answered(40).filter(pl.col("question").str.len_chars() < 40)
    found, _ = exported(tmp_path, ANSWERED, rows, tokenizer=BERT, most_tokens=32, stride=8, side=side)
    tokenizer = Tokenizer.from_file(str(located(MINILM) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(32, stride=8, strategy="only_second", direction=side)
    whole = [tokenizer.encode(*pair) for pair in rows.select("question", "context").iter_rows()]
    pieces = [one for first in whole for one in (first, *first.overflowing)]
    assert found["input_ids"].to_list() == [one.ids for one in pieces]
    assert found["token_type_ids"].to_list() == [one.type_ids for one in pieces]


def test_windows_do_not_depend_on_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, options = (
        _answered(60),
        {"tokenizer": BERT, "most_tokens": 40, "stride": 25},
    )  # more than long questions leave
    whole, told = exported(tmp_path / "whole", ANSWERED, rows, **options)
    monkeypatch.setattr(writing, "BYTES_AT_ONCE", 1_000)
    pieces, same = exported(tmp_path / "pieces", ANSWERED, rows, **options)
    assert whole.equals(pieces) and told == same and told["splits"]["train"]["questions_cut"] > 0


def test_an_answer_within_a_word_takes_no_sign_beside_it(tmp_path: Path) -> None:
    answers = [[{"text": "1984", "start": 4}], [{"text": "öl", "start": 1}]]
    rows = pl.DataFrame(
        {"question": ["?", "?"], "context": ["Own(1984)", "Köln"], "answers": answers},
        schema_overrides={"answers": ANSWERS},
    )
    found, told = exported(tmp_path, ANSWERED, rows, tokenizer=BYTES, most_tokens=64)
    tokens = opened(BYTES)
    starts, ends = found["start_positions"].to_list(), found["end_positions"].to_list()
    parts = [ids[a : b + 1] for ids, a, b in zip(found["input_ids"].to_list(), starts, ends, strict=True)]
    assert [tokens.decode(part) for part in parts] == ["1984", "öl"]
    assert told["splits"]["train"]["answers_within_tokens"] == 0
    _, told = exported(tmp_path / "bert", ANSWERED, rows, tokenizer=BERT, most_tokens=64)
    assert told["splits"]["train"]["answers_within_tokens"] == 1  # of "koln", which is one token
