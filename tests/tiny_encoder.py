"""A BERT encoder of a few hundred kilobytes, with random weights, as a Hugging Face folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece

from seedbed.core.learner import Learner
from seedbed.store.embeddings import EncoderOptions

WORDS = "the a is awful sad broken angry late lovely happy fine sunny early table chair lamp desk door"
CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": 24,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "max_position_embeddings": 40,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
}


def with_encoder(learner: Learner, folder: Path) -> Learner:
    """The learner, with this encoder if it uses one."""
    if not isinstance(learner, EncoderOptions):
        return learner
    return learner.model_copy(update={"encoder": str(folder)})


def write_tiny_encoder(folder: Path, seed: int = 1, before: str = "", **changes: object) -> Path:
    """Write one; `before` stands before the names of its weights, `changes` go to its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = [chr(c) for c in range(33, 127)]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS.split(), *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {word: i for i, word in enumerate(dict.fromkeys(words))}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.enable_padding(length=30)  # what comes with a tokenizer must not matter
    tokenizer.enable_truncation(5)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = CONFIG | {"vocab_size": len(vocabulary)} | changes
    (folder / "config.json").write_text(json.dumps(config))
    save_file(
        {before + name: value for name, value in _weights(config, np.random.default_rng(seed)).items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    return folder


def _weights(config: dict, random: np.random.Generator) -> dict[str, np.ndarray]:
    width, wide = config["hidden_size"], config["intermediate_size"]
    found: dict[str, np.ndarray] = {}

    def table(name: str, *shape: int, around: float = 0, spread: float = 0.15) -> None:
        found[name] = (random.normal(size=shape) * spread + around).astype(np.float32)

    def dense(name: str, into: int, out: int) -> None:
        table(f"{name}.weight", out, into)
        table(f"{name}.bias", out)

    def norm(name: str) -> None:
        table(f"{name}.weight", width, around=1)
        table(f"{name}.bias", width)

    table("embeddings.word_embeddings.weight", config["vocab_size"], width, spread=1)
    table("embeddings.position_embeddings.weight", config["max_position_embeddings"], width)
    table("embeddings.token_type_embeddings.weight", 2, width)
    norm("embeddings.LayerNorm")
    for i in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{i}."
        for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            dense(at + name, width, width)
        norm(at + "attention.output.LayerNorm")
        dense(at + "intermediate.dense", width, wide)
        dense(at + "output.dense", wide, width)
        norm(at + "output.LayerNorm")
    return found
