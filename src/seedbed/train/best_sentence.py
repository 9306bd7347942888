"""best_sentence: the sentence that is most like the question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import orjson
import polars as pl
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.learner import FrameModel, Learner, Model
from seedbed.core.part import Example
from seedbed.core.task import QuestionAnswering, Task

from .no_answer import choose_threshold
from .saved_terms import load_terms, save_terms
from .target import enough, texts_of
from .terms import Lengths, TermOptions, Terms, features_of

#: From a character that is no white space to the end of a sentence or of a line.
_SENTENCE = re.compile(r"\S[^\n]*?(?:[.!?…]+[\"'”’)\]]*(?=\s|$)|[。！？]+|(?=\n)|$)")
_ROWS = 2_000


class BestSentenceModel(FrameModel):
    """TF-IDF of words and characters, and how similar question and sentence must be.

    Confidence is the cosine of the question and the sentence where it answers (the mean of that of words and that of
    characters), else 1 minus the best of the text's sentences.
    """

    def __init__(self, *, question: str, context: str, terms: tuple[Terms, ...], threshold: float | None) -> None:
        self.question, self.context, self.terms, self.threshold = question, context, terms, threshold

    def predict(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`text`, `start` (characters) and `confidence` of each row; no text where no sentence is similar enough.

        Raises:
            ModelError: The rows do not have both columns.
        """
        found = self.most_alike(rows)
        silent = pl.lit(False) if self.threshold is None else pl.col("alike") < self.threshold
        return found.select(
            pl.when(silent).then(None).otherwise(pl.col("text")).alias("text"),
            pl.when(silent).then(None).otherwise(pl.col("start")).alias("start"),
            pl.when(silent).then(1 - pl.col("alike")).otherwise(pl.col("alike")).clip(0, 1).alias("confidence"),
        )

    def most_alike(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Each row's most similar sentence, the first of equals: `text`, `start` and how `alike` it is."""
        questions, contexts = texts_of(rows, self.question), texts_of(rows, self.context)
        schema = {"text": pl.String, "start": pl.Int64, "alike": pl.Float64}
        pieces = [
            self._some(questions[at : at + _ROWS], contexts[at : at + _ROWS]) for at in range(0, len(questions), _ROWS)
        ]
        return pl.DataFrame([row for piece in pieces for row in piece], schema=schema, orient="row")

    def _some(self, questions: Sequence[str], contexts: Sequence[str]) -> list[tuple[str, int, float]]:
        places = {context: sentences(context) for context in dict.fromkeys(contexts)}
        first, texts = {}, list[str]()
        for context, found in places.items():
            first[context] = len(texts)
            texts += [context[start:end] for start, end in found]
        told = features_of(self.terms, texts) if texts else None
        asked = features_of(self.terms, questions)
        best = []
        for row, context in enumerate(contexts):
            found = places[context]
            if told is None or not found:
                best.append(("", 0, 0.0))
                continue
            here = told[first[context] : first[context] + len(found)]
            alike = (here @ asked[[row]].T).toarray()[:, 0] / len(self.terms)
            place = int(alike.argmax())
            start, end = found[place]
            best.append((context[start:end], start, float(alike[place])))
        return best

    def save(self, folder: Path) -> None:
        """Write `model.json`, `vocabulary.json` and `weights.safetensors`."""
        from safetensors.numpy import save_file

        told = {"question": self.question, "context": self.context, "threshold": self.threshold}
        (folder / "model.json").write_bytes(orjson.dumps(told))
        save_file(save_terms(self.terms, folder), folder / "weights.safetensors")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file

        told = orjson.loads((folder / "model.json").read_bytes())
        return cls(**told, terms=load_terms(folder, load_file(folder / "weights.safetensors")))


class BestSentence(TermOptions, Learner):
    """Answers with the sentence that shares most with the question, by TF-IDF.

    How similar it must be at least is chosen on the validation rows (on the training rows where there are none), where
    some questions have no answer: the value that gives the best mean F1 of words, as SQuAD's evaluator chooses it.

    ## Why
    It is the yardstick of SQuAD's authors, who began with a sliding window: what a model finds that this does not, it
    found by reading. A whole sentence as the answer shows whether the right place is found, for a few seconds of work.

    ## Limits
    Answers are whole sentences, so that `exact_match` is near 0; read `token_f1`. It knows no other word for what is
    asked, and nothing of grammar. Sentences end at `.`, `!`, `?`, `…`, their ideographic kin, and line ends; "Dr. No"
    is cut in two.
    """

    learns: ClassVar[tuple[str, ...]] = ("question_answering",)
    model: ClassVar[type[Model[Any]]] = BestSentenceModel

    use: Literal["best_sentence"] = "best_sentence"
    words: Lengths | None = Field((1, 1), description="Shortest and longest run of words to count; null for none.")
    min_df: int = Field(1, ge=1, description="Sentences and questions that a term must occur in to be counted.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="where it stands",
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
            after={
                "text": ["Anna built the mill.", "It burnt in 1848.", "Bread is baked there.", "The mill is in Bonn."],
                "start": [0, 21, 39, 61],
            },
        ),
    )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> BestSentenceModel:
        """Count terms, and choose how similar a sentence must be.

        Raises:
            DataError: There are too few rows, or no term occurs often enough.
        """
        assert isinstance(task, QuestionAnswering)
        enough(train, task.answers)
        contexts = dict.fromkeys(texts_of(train, task.context))
        texts = [text[start:end] for text in contexts for start, end in sentences(text)]
        terms, _ = self.learn_terms([*texts, *texts_of(train, task.question)], column=task.context)
        model = BestSentenceModel(question=task.question, context=task.context, terms=terms, threshold=None)
        known = validation if validation.height else train
        found = model.most_alike(known)
        model.threshold = choose_threshold(found["alike"].to_list(), found["text"].to_list(), known[task.answers])
        return model


def sentences(text: str) -> list[tuple[int, int]]:
    """Where each sentence of a text is, from and up to, in characters, without white space around it."""
    spans = ((found.start(), found.start() + len(found[0].rstrip())) for found in _SENTENCE.finditer(text))
    return list(spans)
