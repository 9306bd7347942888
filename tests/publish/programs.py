"""What programs that we did not write make of files: each function fails where its program does not take them."""

from __future__ import annotations

import csv
import json
import os
import pickle
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from tasks_of_all_kinds import ROWS, splits_of_task

if TYPE_CHECKING:
    from accepting import Case

os.environ["HF_HUB_OFFLINE"] = "1"

#: Rows of the first split, which most look at.
TRAIN = ROWS["train"]


def rows(case: Case, split: str = "train") -> pl.DataFrame:
    """The rows that were exported."""
    return splits_of_task(case.task)[split]


def lines(path: Path) -> list[Any]:
    """What stands in JSON lines."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


# Datasets


def load_dataset(kind: str, *patterns: str) -> Callable[[Path, Case], None]:
    """`datasets` loads the files, or with no kind the folder with its card, and has the values."""

    def accepts(out: Path, case: Case) -> None:
        import datasets

        files = {name: str(out / pattern.format(name)) for name in ROWS for pattern in patterns}
        where: Any = {"path": kind, "data_files": files} if kind else {"path": str(out)}
        loaded = datasets.load_dataset(**where, cache_dir=str(out.parent / "cache"))
        for name, count in ROWS.items():
            assert loaded[name].num_rows == count
        found, expected = loaded["train"], rows(case)
        if kind != "json":
            labels = {one: kept.int2str for one, kept in found.features.items() if hasattr(kept, "int2str")}
            for column in expected:
                given = [labels.get(column.name, lambda value: value)(value) for value in found[column.name]]
                assert _plain(given) == _plain(column.to_list()), column.name

    return accepts


def _plain(values: list[Any]) -> Any:
    """Values as JSON, so that a list is a list whoever holds it."""
    return json.loads(json.dumps(values, default=lambda one: one.tolist() if hasattr(one, "tolist") else str(one)))


def token_rows(out: Path, case: Case) -> None:
    """`datasets` loads the tokens of every row, and gives them as tensors of PyTorch."""
    import datasets

    files = {name: str(out / "data" / f"{name}-*.parquet") for name in ROWS}
    loaded = datasets.load_dataset("parquet", data_files=files, cache_dir=str(out.parent / "cache"))
    for name, count in ROWS.items():
        assert loaded[name].num_rows >= count
    for row in loaded["train"].with_format("torch"):
        assert row["input_ids"].shape == row["attention_mask"].shape
        assert row["input_ids"].min() >= 0


def mlcroissant(out: Path, case: Case) -> None:
    """`mlcroissant` finds no error, and loads every record."""
    import mlcroissant as mlc

    found = mlc.Dataset(str(out / "croissant.json"))
    assert not found.metadata.ctx.issues.errors
    for name in ROWS:
        expected = rows(case, name)
        records = list(found.records(name))
        assert len(records) == expected.height
        for record, row in zip(records, expected.iter_rows(named=True), strict=True):
            assert {key.partition("/")[2]: _heard(value) for key, value in record.items()} == _heard(row)


def _heard(value: Any) -> Any:
    """A value of mlcroissant, in which texts are bytes and keys have the names of what they are in."""
    if isinstance(value, dict):
        return {key.rpartition("/")[2]: _heard(one) for key, one in value.items()}
    if isinstance(value, list) or (hasattr(value, "tolist") and getattr(value, "ndim", 0)):
        return [_heard(one) for one in value]
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if hasattr(value, "item") else value


def hub_card(out: Path, case: Case) -> None:
    """The Hub's own client parses the card, and finds the task and the splits in it."""
    from huggingface_hub import DatasetCard

    data = DatasetCard.load(out / "README.md").data.to_dict()
    assert data["task_categories"], case.task
    assert {one["split"] for one in data["configs"][0]["data_files"]} == set(ROWS)


# Tables


def frictionless(out: Path, case: Case) -> None:
    """Frictionless validates the data package with its schema."""
    from frictionless import Package, system

    with system.use_context(trusted=True):
        report = Package(str(out / "datapackage.json")).validate()
        assert report.valid, report.flatten()


def pandas_csv(out: Path, case: Case) -> None:
    """pandas reads the cells."""
    import pandas

    found = pandas.read_csv(out / "train.csv", keep_default_na=False, dtype=str)
    assert found.columns.tolist() == rows(case).columns
    assert len(found) == TRAIN


def python_csv(out: Path, case: Case) -> None:
    """No cell begins like a formula, to a reader that knows nothing of us."""
    with (out / "train.csv").open(newline="", encoding="utf-8") as file:
        found = list(csv.reader(file))
    assert len(found) == TRAIN + 1
    assert not any(cell[:1] in ("=", "+", "@") for row in found for cell in row)


def duckdb_parquet(out: Path, case: Case) -> None:
    """DuckDB reads the file with its nested columns."""
    import duckdb

    found = duckdb.sql(f"SELECT * FROM read_parquet('{out}/train.parquet')").to_arrow_table().to_pylist()
    assert found == rows(case).to_dicts()


def pandas_parquet(out: Path, case: Case) -> None:
    """pandas reads the file."""
    import pandas

    found = pandas.read_parquet(out / "train.parquet")
    assert found["row"].tolist() == rows(case)["row"].to_list()


def duckdb_database(out: Path, case: Case) -> None:
    """DuckDB opens the database."""
    import duckdb

    with duckdb.connect(str(out / "dataset.duckdb"), read_only=True) as database:
        assert database.sql("SELECT * FROM train").to_arrow_table().to_pylist() == rows(case).to_dicts()


def polars_arrow(out: Path, case: Case) -> None:
    """Polars reads the file."""
    assert pl.read_ipc(out / "train.arrow").to_dicts() == rows(case).to_dicts()


def python_pickle(out: Path, case: Case) -> None:
    """Python has the rows, as dictionaries."""
    with (out / "train.pkl").open("rb") as file:
        assert pickle.load(file) == rows(case).to_dicts()


def numpy_load(out: Path, case: Case) -> None:
    """NumPy loads every array, without pickles."""
    import numpy as np

    files = list((out / "train").glob("*.npy"))
    assert {path.name.partition(".")[0] for path in files} == set(rows(case).columns)
    for path in files:
        assert len(np.load(path, mmap_mode="r", allow_pickle=False)) >= TRAIN or path.name.endswith(".utf8.npy")


def webdataset(out: Path, case: Case) -> None:
    """`webdataset` streams the shards."""
    import webdataset

    shards = [str(path) for path in sorted((out / "train").glob("*.tar"))]
    found = [one["json"] for one in webdataset.WebDataset(shards, shardshuffle=False).decode()]
    assert found == rows(case).to_dicts()


def torch_loader(out: Path, case: Case) -> None:
    """PyTorch's `DataLoader` gives every row once to 4 workers."""
    from torch.utils.data import DataLoader

    from seedbed.publish.loading.torch import StreamRows

    loader: Any = DataLoader(StreamRows(out / "train", seed=13), batch_size=8, num_workers=4, collate_fn=list)
    found = [row for batch in loader for row in batch]
    key: Callable[[Any], str] = lambda row: str(row["row"])  # noqa: E731
    assert sorted(_plain(found), key=key) == sorted(_plain(rows(case).to_dicts()), key=key)


# TensorFlow


def tf_records(out: Path, case: Case) -> None:
    """`tf.io` parses every example: a feature where there is a value."""
    import tensorflow as tf

    expected = rows(case)
    names = [name for name, kind in expected.schema.items() if kind == pl.String]
    features = {name: tf.io.FixedLenFeature([], tf.string, default_value="") for name in names}
    raw = tf.data.TFRecordDataset(str(out / "train.tfrecord"))
    found = [tf.io.parse_single_example(one, features) for one in raw]
    assert [[str(row[name].numpy().decode()) for name in names] for row in found] == [
        [value or "" for value in row] for row in expected.select(names).rows()
    ]


def tf_load(out: Path, case: Case) -> None:
    """`tf.data` loads every element."""
    import tensorflow as tf

    found = [one["row"].decode() for one in tf.data.Dataset.load(str(out / "train")).as_numpy_iterator()]
    assert found == rows(case)["row"].to_list()


def keras_fit(out: Path, case: Case) -> None:
    """A Keras model fits the pairs."""
    import tensorflow as tf

    pairs = tf.data.Dataset.load(str(out / "train"))
    words = tf.keras.layers.TextVectorization(max_tokens=50, output_sequence_length=4)
    words.adapt(pairs.map(lambda text, label: text).batch(8))
    layers = [
        words,
        tf.keras.layers.Embedding(50, 4),
        tf.keras.layers.GlobalAveragePooling1D(),
        tf.keras.layers.Dense(2),
    ]
    model = tf.keras.Sequential(layers)
    model.compile(loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(pairs.batch(8), epochs=1, verbose=0)
    assert history.history["loss"][0] > 0


# Trainers of language models


@cache
def _tiny() -> tuple[Any, Any]:
    """A language model of a few thousand weights and its tokenizer, of bytes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(["a"], trainers.BpeTrainer(initial_alphabet=alphabet, special_tokens=["<pad>", "<eos>"]))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="<eos>")
    tokenizer.chat_template = (
        "{% for one in messages %}<|{{ one['role'] }}|>{{ one['content'] or '' }}"
        "{% for call in one.tool_calls or [] %}[{{ call.function.name }}]{% endfor %}{% endfor %}{{ eos_token }}"
    )
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=len(tokenizer), num_key_value_heads=2, eos_token_id=1, pad_token_id=0, **sizes)
    return LlamaForCausalLM(config), tokenizer


def trl(out: Path, case: Case) -> None:
    """TRL's `SFTTrainer` prepares the rows and takes a step of training; it reads what was said."""
    import datasets
    from trl import SFTConfig, SFTTrainer

    model, tokenizer = _tiny()
    said = lines(out / "train.jsonl")
    train = datasets.load_dataset("json", data_files=str(out / "train.jsonl"), cache_dir=str(out.parent / "cache"))
    named = {"text"} if case.exporter == "jsonl" else {"messages", "conversations", "prompt", "completion", "tools"}
    train = train["train"].select_columns([name for name in train["train"].column_names if name in named])
    config = SFTConfig(
        output_dir=str(out.parent / "sft"),
        report_to=[],
        use_cpu=True,
        bf16=False,
        max_steps=1,
        max_length=None,
        per_device_train_batch_size=2,
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
    )
    trainer = SFTTrainer(model=model, args=config, train_dataset=train, processing_class=tokenizer)
    prepared = trainer.train_dataset
    assert len(prepared) == len(said) > 0
    for row, record in zip(prepared, said, strict=True):
        read = tokenizer.decode(row["input_ids"])
        for text in _texts(record):
            assert text in read
    assert trainer.train().global_step == 1


def _texts(record: dict[str, Any]) -> Iterator[str]:
    """What was said in a record, in the words of any of the formats."""
    for one in record.get("messages", record.get("conversations", ())):
        yield one.get("content", one.get("value")) or ""
    yield from (record[name] for name in ("prompt", "completion", "text") if name in record)


def openai_types(out: Path, case: Case) -> None:
    """The types of OpenAI's client hold of every message."""
    from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageParam
    from pydantic import TypeAdapter

    messages = TypeAdapter(list[ChatCompletionMessageParam])
    tools = TypeAdapter(list[ChatCompletionFunctionToolParam])
    for record in lines(out / "train.jsonl"):
        messages.validate_python(record["messages"])
        tools.validate_python(record.get("tools", []))


def litgpt(out: Path, case: Case) -> None:
    """LitGPT's data module reads the instructions, and puts them into the prompt of Alpaca."""
    import torch
    from litgpt.data import JSON

    class Bytes:
        def encode(self, text: str, **_: Any) -> Any:
            return torch.tensor(list(text.encode()))

    said = lines(out / "train.jsonl")
    data = JSON(json_path=out / "train.jsonl", val_split_fraction=0.2)
    data.connect(tokenizer=Bytes(), batch_size=1, max_seq_length=100_000)
    data.setup()
    read = [
        bytes(row["input_ids"].tolist()).decode() for part in (data.train_dataset, data.test_dataset) for row in part
    ]
    assert len(read) == len(said)
    for record in said:
        assert any(record["instruction"] in text and text.endswith(record["output"]) for text in read)


def squad_evaluator(out: Path, case: Case) -> None:
    """The official evaluator gives the gold answers 100 of 100 points, and wrong ones none."""
    from official.nlp.tools import squad_evaluate_v1_1, squad_evaluate_v2_0

    told = json.loads((out / "train.json").read_bytes())
    asked = [one for article in told["data"] for part in article["paragraphs"] for one in part["qas"]]
    gold = {one["id"]: one["answers"][0]["text"] if one["answers"] else "" for one in asked}
    assert len(gold) == len(asked) > 0
    wrong = dict.fromkeys(gold, "something else")
    if told["version"] == "1.1":
        evaluate: Any = squad_evaluate_v1_1.evaluate
        assert evaluate(told["data"], gold) == {"exact_match": 1.0, "final_f1": 1.0}
        assert evaluate(told["data"], wrong) == {"exact_match": 0.0, "final_f1": 0.0}
        return
    right, none = (squad_evaluate_v2_0.evaluate(told["data"], one) for one in (gold, wrong))
    assert (right["exact"], right["f1"], none["exact"]) == (100.0, 100.0, 0.0)
    assert right["total"] == len(asked)
