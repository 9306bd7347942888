"""Tokenizers that are trained on the training rows."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.digest import of_file
from seedbed.core.errors import DataError, MissingExtraError
from seedbed.core.exporter import Rows
from seedbed.core.part import told_inline
from seedbed.core.task import Task
from seedbed.core.tokenizing import Tokens
from seedbed.core.tokenizing.huggingface import CONFIG, TOKENIZER, Huggingface
from seedbed.core.values import said

Texts = Callable[[], Iterator[list[str]]]
#: Most letters of a vocabulary of words in pieces; rarer ones are unknown.
_LETTERS = 1_000


class Trained(BaseModel):
    """A tokenizer whose vocabulary is learned from the texts of the training rows, and of no others."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=told_inline)

    specials: ClassVar[dict[str, str]] = {}
    """Special tokens by what they are for."""
    config: ClassVar[dict[str, Any]] = {}
    """What `transformers` wants to know besides."""

    use: str
    vocabulary: int = Field(8_000, ge=300, description="Most tokens that it learns, special ones included.")
    least: int = Field(2, ge=1, description="Times that a pair or word must be seen to become a token.")

    def train(self, rows: Rows, task: Task, folder: Path, at: str) -> Tokens:
        """Train it and keep it. The same rows give the same tokenizer.

        Args:
            rows: Of the training split.
            task: Says which columns are read.
            folder: Where `tokenizer.json` and `tokenizer_config.json` go, as `transformers` reads them.
            at: Where a recipe names it.

        Raises:
            MissingExtraError: `tokenizers` is not installed.
            DataError: There is nothing to learn from.
        """
        try:
            import tokenizers  # noqa: F401 (whether it is there)
        except ImportError:
            hint = "pip install 'seedbed[tokens]'"
            raise MissingExtraError("tokenizers is not installed", at=at, hint=hint) from None
        if not any(any(texts) for texts in _texts(rows, task)):
            raise DataError("there is no text to learn a tokenizer from", at=at, hint="is the training split empty?")
        tokenizer = self.trained(lambda: _texts(rows, task))
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer.save(str(folder / TOKENIZER))
        told = {f"{role}_token": name for role, name in self.specials.items()}
        config = {"tokenizer_class": "PreTrainedTokenizerFast", **told, **self.config}
        (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", "utf-8")
        return Huggingface(tokenizer, f"{self.use}, trained", of_file(folder / TOKENIZER), folder)

    @abstractmethod
    def trained(self, texts: Texts) -> Any:
        """A tokenizer of the library `tokenizers`, trained."""


class Bpe(Trained):
    """Pairs of bytes that stand together often become tokens (byte-level BPE, as GPT-2 has it): any text, reversible.

    Source: Sennrich et al., 2016, https://aclanthology.org/P16-1162; Radford et al., 2019.
    """

    specials: ClassVar[dict[str, str]] = {"bos": "<|endoftext|>", "eos": "<|endoftext|>", "pad": "<|pad|>"}
    config: ClassVar[dict[str, Any]] = {
        "clean_up_tokenization_spaces": False,  # texts come back as they were
        "model_input_names": ["input_ids", "attention_mask"],
    }

    use: Literal["bpe"] = Field("bpe", description="Byte-level BPE, learned from the training rows; any text.")

    def trained(self, texts: Texts) -> Any:
        """All bytes are there from the start."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=self.vocabulary,
            min_frequency=self.least,
            special_tokens=[*dict.fromkeys(self.specials.values()), "<|im_start|>", "<|im_end|>"],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts(), trainer=trainer)
        return tokenizer


class Wordpiece(Trained):
    """Words in pieces, lower case and without accents, as BERT reads them.

    Source: Schuster & Nakajima, 2012; Devlin et al., 2019, https://arxiv.org/abs/1810.04805.
    """

    specials: ClassVar[dict[str, str]] = {
        "pad": "[PAD]",
        "unk": "[UNK]",
        "cls": "[CLS]",
        "sep": "[SEP]",
        "mask": "[MASK]",
    }
    config: ClassVar[dict[str, Any]] = {"model_input_names": ["input_ids", "token_type_ids", "attention_mask"]}

    use: Literal["wordpiece"] = Field("wordpiece", description="WordPiece, learned from the training rows, as BERT's.")
    lowercase: bool = Field(True, description="Whether letters become small and lose their accents.")

    def trained(self, texts: Texts) -> Any:
        """The library numbers letters by chance, which decides ties: it is given them in order."""
        from tokenizers import models, trainers

        first, further = self._letters(texts)
        names = list(self.specials.values())
        letters = sorted({*first, *further})
        pieces = [*sorted(first), *(f"##{letter}" for letter in sorted(further))]
        tokenizer = self._empty(models.WordPiece(unk_token="[UNK]"))
        trainer = trainers.WordPieceTrainer(
            vocab_size=self.vocabulary,
            min_frequency=self.least,
            special_tokens=[*names, *pieces],
            initial_alphabet=letters,
            limit_alphabet=len(letters),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts(), trainer=trainer)
        vocabulary = tokenizer.get_vocab(with_added_tokens=True)
        found = self._empty(models.WordPiece(vocabulary, unk_token="[UNK]"))
        found.add_special_tokens(names)
        return self._framed(found)

    def _letters(self, texts: Texts) -> tuple[set[str], set[str]]:
        """The commonest letters that words begin with, and those that stand further on."""
        from tokenizers import models

        empty = self._empty(models.WordPiece(unk_token="[UNK]"))
        first: Counter[str] = Counter()
        further: Counter[str] = Counter()
        for batch in texts():
            for text in batch:
                for word, _ in empty.pre_tokenizer.pre_tokenize_str(empty.normalizer.normalize_str(text)):
                    first[word[0]] += 1
                    further.update(word[1:])
        together = sorted((first + further).items(), key=lambda one: (-one[1], one[0]))
        known = {letter for letter, _ in together[: min(_LETTERS, self.vocabulary // 4)]}
        return known & first.keys(), known & further.keys()

    def _empty(self, model: Any) -> Any:
        """Words are split as BERT splits them."""
        from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers

        tokenizer = Tokenizer(model)
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=self.lowercase)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        return tokenizer

    def _framed(self, tokenizer: Any) -> Any:
        """`[CLS]` before, `[SEP]` after each text."""
        from tokenizers.processors import TemplateProcessing

        ids = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
        tokenizer.post_processor = TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ids
        )
        return tokenizer


def _texts(rows: Rows, task: Task) -> Iterator[list[str]]:
    """What rows say, column by column, a batch at a time."""
    columns = {role: name for role, name in task.roles.items() if role not in ("label", "start", "tools")}
    if task.says == "number":
        columns.pop("target", None)
    for batch in rows.batches():
        for name in dict.fromkeys([*columns.values(), *([task.shown] if task.shown else [])]):
            if name in batch.columns:
                yield said(batch[name]).cast(pl.String).drop_nulls().to_list()
