"""A run's dataset as tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.context import Context
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.exporter import Exporter, Rows
from seedbed.core.numbers import typed
from seedbed.core.part import Example, placed
from seedbed.core.task import Task
from seedbed.core.tokenizing import BytesTokenizer, HuggingfaceTokenizer, TiktokenTokenizer
from seedbed.core.tokenizing import Tokens as Open

from .files.described import below, write_description
from .files.splits import replaced, splits_of, wanted
from .shaping.shaped import task_of
from .tokenizing.choosing import Model, choice_of, faults_of
from .tokenizing.form import Asked, Form
from .tokenizing.losses import Losses, refuse_losses
from .tokenizing.outcome import Outcome
from .tokenizing.training import Bpe, Trained, Wordpiece
from .tokenizing.windows import Side
from .tokenizing.writing import Pad, Shards, as_table, bounded, in_order

#: Tokens of a row where neither the recipe nor the tokenizer says more.
_MOST = 512
#: Tokens that windows of a text share where answers are looked for in them.
_STRIDE_OF_ANSWERS = 128

AnyOrTrained = Annotated[
    HuggingfaceTokenizer | TiktokenTokenizer | BytesTokenizer | Bpe | Wordpiece, Field(discriminator="use")
]


class Packing(BaseModel):
    """How documents are put into blocks of the same length."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    across: bool = Field(
        True,
        description="Whether tokens may be learned from another document of their block; if not, `position_ids` begin "
        "anew with each document, `document_ids` tell them apart, and no first token is learned.",
    )
    last: Literal["pad", "drop"] = Field("pad", description="What becomes of a last block that is not full.")


class Tokens(Exporter):
    """Write a run's dataset as the tokens that a model is trained on.

    Each split becomes `data/SPLIT-NNNNN-of-NNNNN.parquet` with `input_ids`, `attention_mask`, `labels` and whatever
    else models of the task read; `datasets.load_dataset` and PyTorch read it as it is. `row` says which row of the
    dataset each one is of, `piece` which part of it. `tokens.json` holds tokenizer, options, numbers of labels and what
    was cut; the tokenizer itself goes into `tokenizer/`.

    ## Why
    Truncation loses text in silence: here what would be lost is counted by split and label, told before the folder
    appears, and may stop it (`most_loss`). Rows are encoded on all cores, a few megabytes at a time.

    ## Limits
    Tasks without a text have no tokens. A special token that a text spells out becomes that token where the tokenizer
    is one of Hugging Face's, as in `transformers`. Of several answers to a question the first is learned.
    """

    extra: ClassVar[str] = "tokens"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Bytes, four a row, and what does not fit goes on in another row",
            options={"path": "out/tokens", "tokenizer": {"use": "bytes"}, "most_tokens": 4, "stride": 1},
            before={"text": ["good", "bad"], "label": ["pos", "neg"]},
            after={
                "input_ids": [[103, 111, 111, 258], [111, 100, 258], [98, 97, 100, 258]],
                "labels": [1, 1, 0],
                "piece": [0, 1, 0],
            },
        ),
    )

    use: Literal["tokens"] = "tokens"
    path: str = Field(min_length=1, description="Folder to write; relative to the recipe's folder.")
    tokenizer: AnyOrTrained = Field(
        description="`{use: huggingface, path: …}`, `{use: tiktoken, encoding: …}` or `{use: bytes}`; or one that is "
        "trained on the training rows: `{use: bpe, vocabulary: 8000}` or `{use: wordpiece, vocabulary: 8000}`."
    )
    splits: list[str] | None = Field(None, min_length=1, description="Splits to write; all when left out.")
    model: Model | None = Field(None, description="Kind of model that reads the rows; the task's own when left out.")
    most_tokens: int | None = Field(
        None, ge=2, description="Most tokens of a row; what the tokenizer says when left out, else 512."
    )
    side: Side = Field("right", description="Side of a text that is cut.")
    stride: int | None = Field(
        None,
        ge=0,
        description="Long texts go on in another row, which shares so many tokens with the one before; they are cut "
        "when left out (for question answering it is 128 then).",
    )
    pad: Pad = Field(
        "none", description="Side that rows are filled up at, to `most_tokens`; `none` leaves it to loaders."
    )
    pack: Packing | None = Field(None, description="For `causal_lm`: documents fill blocks of `most_tokens`.")
    most_loss: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of a split's rows that may be cut or left out; with more nothing is written.",
    )
    template: str | None = Field(
        None, min_length=1, description="For `chat`: a chat template, or `chatml`; the tokenizer's own when left out."
    )
    most_turns: int | None = Field(None, ge=2, description="For `chat`: most turns; the oldest go.")
    too_long: Literal["cut", "reject"] = Field(
        "cut",
        description="For `chat`: whether conversations that are too long lose their oldest turns, or are left out.",
    )
    prompt: str = Field(
        "{{ text }}\n\n",
        min_length=1,
        description="For a `decoder` that continues: what it reads. A template of `text`, `target` and columns.",
    )
    completion: str = Field(
        "{{ target }}", min_length=1, description="For a `decoder` that continues: what it learns to write."
    )
    most_prompt: int | None = Field(
        None, ge=1, description="For a `decoder` that continues: most tokens of the prompt."
    )
    most_target: int | None = Field(None, ge=2, description="For an `encoder_decoder`: most tokens of the target.")
    offsets: bool = Field(False, description="For question answering: write the characters of each token, too.")
    file_rows: int = Field(1_000_000, ge=1, description="Most rows of a file.")

    @property
    def place(self) -> str:
        """The folder, as the recipe names it."""
        return self.path

    def faults(self, task: Task) -> Iterator[tuple[str, str, str]]:
        """Tasks without text, models that do not read them, options that mean nothing for them."""
        fields = type(self).model_fields.items()
        given = frozenset(name for name, field in fields if getattr(self, name) != field.default)
        yield from faults_of(task, self.model, given)

    def export(self, run: Path, context: Context) -> None:
        """Write the splits of a run's dataset.

        Raises:
            DataError: There is no dataset or tokenizer, more would be lost than may be, or nothing can be written.
            RecipeError: There is no such split, the task has no such form, or the folder may not be replaced.
            MissingExtraError: What the tokenizer needs is not installed.
        """
        at = f"publish: tokens: {self.path}"
        task, every = task_of(run), splits_of(run)
        splits = wanted(every, self.splits, at)
        for option, problem, hint in self.faults(task):
            raise RecipeError(problem, at=f"{at}: {option}", hint=hint)
        with replaced(self.path, run, context, at) as fresh:
            tokens = self.opened(every, task, fresh / "tokenizer", context, at)
            written = self.write(splits, task, tokens, fresh, context, at)
            options = self.model_dump(mode="json", exclude={"path"})
            write_description(fresh / "tokens.json", written.told(options, below(fresh)))

    def opened(self, splits: Mapping[str, Rows], task: Task, folder: Path, context: Context, at: str) -> Open:
        """The tokenizer, trained where that is asked for; its files go into a folder."""
        at = f"{at}: tokenizer"
        if not isinstance(self.tokenizer, Trained):
            tokens = self.tokenizer.open(at, offline=context.offline)
            tokens.save(folder)
            return tokens
        if "train" not in splits:
            raise DataError("there are no training rows to learn a tokenizer from", at=at)
        with context.stage("Training the tokenizer"):
            return self.tokenizer.train(splits["train"], task, folder, at)

    def write(
        self, splits: Mapping[str, Rows], task: Task, tokens: Open, folder: Path, context: Context, at: str
    ) -> Outcome:
        """Write splits.

        Raises:
            DataError: More would be lost than may be.
            RecipeError: Options do not fit together.
        """
        choice = choice_of(task, self.model)
        assert choice is not None
        asked = self._asked(task, tokens, next(iter(splits.values())).labels, at, context.progress.say)
        (folder / "data").mkdir(parents=True)
        losses = {name: Losses() for name in splits}
        files: list[str] = []
        for name, rows in splits.items():
            shards = Shards(folder / "data", name, self.file_rows)
            with context.stage(f"Tokenizing {name}", None, "rows") as stage, placed(at, self):
                form = choice.open(task, tokens, asked, packed=self.pack is not None)
                _write(form, rows, shards, losses[name], stage)
            files += [f"data/{file}" for file in shards.finish()]
            context.progress.say(typed(losses[name].said(name, asked.most_tokens)))
        refuse_losses(losses, self.most_loss, at)
        schema = pl.Schema(pl.read_parquet_schema(folder / files[-1]))
        return Outcome(task, choice.model, tokens, asked, losses, schema, tuple(files))

    def _asked(self, task: Task, tokens: Open, labels: tuple[str, ...], at: str, say: Callable[[str], None]) -> Asked:
        most = self.most_tokens or tokens.longest or _MOST
        spans = task.says == "spans"
        around = len(tokens.pair) + 2 if spans else len(tokens.single) + 1
        if most < around:
            raise RecipeError(f"a row of {most} tokens has no room for a text", at=f"{at}: most_tokens", hint="more")
        if tokens.longest and most > tokens.longest:
            say(f"{tokens.name} is of a model that reads at most {tokens.longest:,} tokens, and rows may have {most:,}")
        stride = self.stride
        if stride is None and spans:
            stride = min(_STRIDE_OF_ANSWERS, most // 4)
        if stride is not None and stride > most - around:
            hint = f"at most {most - around}"
            raise RecipeError(f"rows of {most} tokens cannot share {stride}", at=f"{at}: stride", hint=hint)
        return Asked(
            most_tokens=most,
            side=self.side,
            stride=stride,
            pad=self.pad,
            labels=labels,
            prompt=self.prompt,
            completion=self.completion,
            most_target=self.most_target or most,
            most_prompt=self.most_prompt or most,
            across=self.pack.across if self.pack else True,
            last=self.pack.last if self.pack else "pad",
            template=self.template,
            most_turns=self.most_turns,
            too_long=self.too_long,
            offsets=self.offsets,
        )


def _write(form: Form, rows: Rows, shards: Shards, losses: Losses, stage: Any) -> None:
    padding = form.padding

    def put(made: Any) -> None:
        shards.write(as_table(made, padding))
        losses.written += made.height
        losses.tokens_written += int(made.bounds[-1])

    batches = bounded(rows.batches())
    for encoded in in_order(form.encode, batches):
        for made in form.made(encoded, losses):
            put(made)
            stage.advance(made.height)
    for made in form.last(losses):
        put(made)
    if not shards.rows:
        for made in form.nothing(rows.schema):
            put(made)
