"""extractive_qa: a pretrained network that points at the answer."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.errors import RecipeError
from seedbed.core.learner import FrameModel, Learner, Model
from seedbed.core.part import Example
from seedbed.core.task import QuestionAnswering, Task

from .fine_tuning import fine_tune
from .networks import NetworkOptions, load_model, save_model, settings_of
from .no_answer import choose_threshold
from .objective import by_length
from .pretrained import load_as
from .target import enough, texts_of
from .windows import Pointing, Window, best_span, outputs, read_together, windows

_KIND = "AutoModelForQuestionAnswering"
#: Windows that are read together when predicting.
_BATCH = 32
_FOUND = {"text": pl.String, "start": pl.Int64, "odds": pl.Float64}


class ExtractiveQaModel(FrameModel):
    """A network that says of each token how much speaks for it as the first and as the last of the answer.

    The best span of all windows is held against the first special token, which stands for "no answer" (the least that
    speaks for it in any window, as Devlin et al. 2019 do it); it is given if it is ahead by `threshold`. Confidence is
    the logistic function of how far it is ahead of that.
    """

    def __init__(self, *, network: Any, tokenizer: Any, settings: dict[str, Any]) -> None:
        self.network, self.tokenizer, self.settings = network, tokenizer, settings
        self._reading = Lock()

    def predict(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`text`, `start` (characters) and `confidence` of each row; no text where there is no answer.

        Raises:
            ModelError: The rows do not have both columns.
        """
        threshold = self.settings["threshold"]
        found = self.most_likely(rows)
        ahead = pl.col("odds") - (threshold or 0.0)
        silent = pl.col("text").is_null() | (pl.lit(False) if threshold is None else ahead < 0)
        sure = 1 / (1 + (-ahead.clip(-500, 500)).exp())
        return found.select(
            pl.when(silent).then(None).otherwise(pl.col("text")).alias("text"),
            pl.when(silent).then(None).otherwise(pl.col("start")).alias("start"),
            pl.when(silent).then(1 - sure).otherwise(sure).alias("confidence"),
        )

    def most_likely(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Each row's best span: `text`, `start`, and its `odds`: how far it is ahead of "no answer"."""
        import torch

        contexts = texts_of(rows, self.settings["context"])
        with self._reading:  # a fast tokenizer must not be asked by two threads at once
            read = windows(
                self.tokenizer,
                texts_of(rows, self.settings["question"]),
                contexts,
                most=self.settings["max_tokens"],
                stride=self.settings["stride"],
            )
        best: list[tuple[float, int, int] | None] = [None] * rows.height
        none = np.full(rows.height, np.inf)
        self.network.eval()
        with torch.inference_mode():
            for places in by_length([len(one.read["input_ids"]) for one in read], _BATCH):
                batch = read_together([read[place].read for place in places], self.tokenizer.pad_token_id)
                told = outputs(self.network, {name: one.to(self.network.device) for name, one in batch.items()})
                first, last = (one.double().cpu().numpy() for one in told)
                for line, place in enumerate(places):
                    one = read[place]
                    none[one.row] = min(none[one.row], first[line, 0] + last[line, 0])
                    span = self._span(one, first[line], last[line])
                    best[one.row] = max((some for some in (best[one.row], span) if some), key=_rank, default=None)
        return pl.DataFrame(
            [
                (contexts[row][span[1] : span[2]], span[1], span[0] - none[row]) if span else (None, None, -500.0)
                for row, span in enumerate(best)
            ],
            schema=_FOUND,
            orient="row",
        )

    def _span(self, window: Window, first: Any, last: Any) -> tuple[float, int, int] | None:
        if not len(window.inside):
            return None
        start, end, score = best_span(first[window.inside], last[window.inside], self.settings["max_answer_tokens"])
        return score, int(window.spans[start, 0]), int(window.spans[end, 1])

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
        ExtractiveQa.check_needs()
        network, tokenizer = load_model(folder, partial(load_as, _KIND))
        return cls(network=network, tokenizer=tokenizer, settings=settings_of(folder))


def _rank(span: tuple[float, int, int]) -> tuple[float, int]:
    """Of equally good spans, the first in the text."""
    return span[0], -span[1]


class ExtractiveQa(NetworkOptions, Learner):
    """A pretrained transformer that learns to point at the first and the last token of the answer.

    Long texts are read in windows that overlap. After each epoch the loss is measured on the validation rows: the best
    epoch stays. How far an answer must be ahead of "no answer" is then chosen on validation rows, where some questions
    have none, for the best mean F1 of words (Devlin et al. 2019, "BERT", on SQuAD 2.0). A training that was killed goes
    on where its state was last kept, and ends with the same weights.

    ## Why
    It finds the words that answer, where `best_sentence` finds at most the sentence, and it knows when the text says
    nothing. What is saved is an ordinary Hugging Face folder.

    ## Limits
    It needs thousands of questions: the default network (22 million parameters, English, lower case) has seen none.
    Without validation rows, or where none lacks an answer, the threshold is 0 or there is none. Confidence is not
    calibrated. An answer is one run of the text; a window that cuts it in two does not have it, so let `stride` be
    longer than answers are. The first of several right answers is learned.
    """

    learns: ClassVar[tuple[str, ...]] = ("question_answering",)
    model: ClassVar[type[Model[Any]]] = ExtractiveQaModel

    use: Literal["extractive_qa"] = "extractive_qa"
    max_tokens: int = Field(384, ge=16, le=8192, description="Tokens of a window: question, text and special ones.")
    stride: int = Field(128, ge=0, le=4096, description="Tokens that neighbouring windows share; less than half.")
    max_answer_tokens: int = Field(30, ge=1, le=512, description="Tokens of an answer at most.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Four questions, learned by heart",
            options={
                "epochs": 16, "learning_rate": 5e-4, "warmup": 0, "batch": 4, "max_tokens": 48, "stride": 8,
                "patience": None,
            },
            before={
                "question": ["Who built the mill?", "When did it burn?", "What is baked there?", "Where is the mill?"],
                "context": ["Anna built the mill. It burnt in 1848. Bread is baked there. The mill is in Bonn."] * 4,
                "answers": [
                    [{"text": "Anna", "start": 0}],
                    [{"text": "1848", "start": 33}],
                    [{"text": "Bread", "start": 39}],
                    [{"text": "Bonn", "start": 76}],
                ],
            },
            after={"text": ["Anna", "1848", "Bread", "Bonn"], "start": [0, 33, 39, 76]},
        ),
    )  # fmt: skip

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> ExtractiveQaModel:
        """Fine-tune; validation rows choose the epoch and the threshold.

        Raises:
            DataError: There are too few rows.
            RecipeError: Windows share more than half of their tokens.
            ModelError: The network is not there or cannot be read, or the memory does not suffice.
            MissingExtraError: torch or transformers is not installed.
        """
        self.check_needs()
        assert isinstance(task, QuestionAnswering)
        enough(train, task.answers)
        if 2 * self.stride + 8 > self.max_tokens:
            raise RecipeError("windows would share half of their tokens or more", at="stride", hint="a smaller stride")
        model = self._model(task, context)
        learned, known = (
            [window.pointing(_first(some[task.answers], window.row)) for window in self._windows(model, some, task)]
            for some in (train, validation)
        )
        fine_tune(model.network, learned, known, Pointing(self.use, model.tokenizer.pad_token_id), self, context)
        if validation.height:
            told = model.most_likely(validation)
            said = told["text"].fill_null("").to_list()
            model.settings["threshold"] = choose_threshold(told["odds"].to_list(), said, validation[task.answers])
        elif (train[task.answers].list.len() == 0).any():
            model.settings["threshold"] = 0.0
        return model

    def _model(self, task: QuestionAnswering, context: Context) -> ExtractiveQaModel:
        network, tokenizer = self.start(partial(load_as, _KIND), context)
        settings = {
            "question": task.question,
            "context": task.context,
            "max_tokens": self.max_tokens,
            "stride": self.stride,
            "max_answer_tokens": self.max_answer_tokens,
            "threshold": None,
        }
        return ExtractiveQaModel(network=network, tokenizer=tokenizer, settings=settings)

    def _windows(self, model: ExtractiveQaModel, rows: pl.DataFrame, task: QuestionAnswering) -> list[Window]:
        questions, contexts = texts_of(rows, task.question), texts_of(rows, task.context)
        return windows(model.tokenizer, questions, contexts, most=self.max_tokens, stride=self.stride)


def _first(answers: pl.Series, row: int) -> dict[str, Any] | None:
    """The first answer of a row, if there is one."""
    return next(iter(answers[row].to_list()), None) if len(answers[row]) else None
