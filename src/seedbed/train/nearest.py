"""nearest: the answer of the training row that was asked most nearly the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import orjson
import polars as pl

from seedbed.core.context import Context
from seedbed.core.errors import DataError
from seedbed.core.learner import FrameModel, Learner, Model
from seedbed.core.part import Example
from seedbed.core.task import Task

from .asked import column_asked, last_said, pairs_of, series_of, turns_of
from .saved_terms import load_terms, save_terms
from .target import enough
from .terms import TermOptions, Terms, features_of

#: Similarities that are held at once.
_CELLS = 8_000_000


class NearestModel(FrameModel):
    """Texts that were asked, as TF-IDF, and the answer of each.

    Similarity is the cosine of words plus that of characters; of equally similar texts the first counts. Where no term
    is shared with any, the answer that was given most often is given.
    """

    def __init__(
        self, *, column: str, terms: tuple[Terms, ...], vectors: Any, answers: Sequence[str], usual: str
    ) -> None:
        self.column, self.terms, self.vectors = column, terms, vectors
        self.answers, self.usual = tuple(answers), usual

    def predict(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`text`: the answer of the most similar training row.

        Raises:
            ModelError: The rows do not have the column.
        """
        series_of(rows, self.column)
        texts = [last_said(turns) for turns in turns_of(rows, self.column)]
        found: list[str] = []
        step = max(1, _CELLS // max(1, len(self.answers)))
        for start in range(0, len(texts), step):
            asked = features_of(self.terms, texts[start : start + step])
            alike = (asked @ self.vectors.T).toarray()
            places = alike.argmax(axis=1)
            near = alike[np.arange(len(places)), places] > 0
            found += [self.answers[i] if some else self.usual for i, some in zip(places, near, strict=True)]
        return pl.DataFrame({"text": pl.Series(found, dtype=pl.String)})

    def save(self, folder: Path) -> None:
        """Write `model.json`, `vocabulary.json` and `vectors.safetensors` (a sparse matrix, CSR, and idf)."""
        from safetensors.numpy import save_file

        told = {"column": self.column, "usual": self.usual, "answers": self.answers}
        (folder / "model.json").write_bytes(orjson.dumps(told))
        arrays = save_terms(self.terms, folder)
        matrix = {"data": self.vectors.data, "indices": self.vectors.indices, "indptr": self.vectors.indptr}
        save_file(arrays | matrix, folder / "vectors.safetensors")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        from safetensors.numpy import load_file
        from scipy.sparse import csr_array

        told = orjson.loads((folder / "model.json").read_bytes())
        arrays = load_file(folder / "vectors.safetensors")
        terms = load_terms(folder, arrays)
        shape = (len(told["answers"]), sum(len(one.vocabulary) for one in terms))
        vectors = csr_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape=shape)
        return cls(**told, terms=terms, vectors=vectors)


class Nearest(TermOptions, Learner):
    """Answers as the training row did that was asked most nearly the same: nearest neighbour by TF-IDF.

    ## Why
    It is the least that a model which writes must beat: it can only say what somebody said before, yet where questions
    come again, as in support, that is hard to beat. What it does well, a look into a table would do. Of a chat, it
    reads what the user said last.

    ## Limits
    It writes nothing new, and a number or a name in the question stays out of the answer. Earlier turns are not heard.
    Training rows are saved with the model: whoever has it can read them. A question that shares no term with any gets
    the answer that was most frequent.
    """

    learns: ClassVar[tuple[str, ...]] = ("text_to_text", "chat")
    model: ClassVar[type[Model[Any]]] = NearestModel

    use: Literal["nearest"] = "nearest"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="each finds itself",
            options={"min_df": 1},
            before={
                "text": ["where is my parcel", "I want my money back", "how do I log in", "is the shop open today"],
                "target": ["It is on its way.", "We pay it back.", "With your e-mail.", "From nine to five."],
            },
            after={"text": ["It is on its way.", "We pay it back.", "With your e-mail.", "From nine to five."]},
        ),
    )

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> NearestModel:
        """Remember the training rows.

        Raises:
            DataError: There are too few rows, none has an answer, or no term occurs often enough.
        """
        column = column_asked(task)
        enough(train, column)
        pairs = pairs_of(train, task)
        if not pairs:
            raise DataError("no training row has an answer in words", at=task.answer or column)
        answers = [answer for _, answer in pairs]
        terms, vectors = self.learn_terms([last_said(turns) for turns, _ in pairs], column=column)
        usual = Counter(answers).most_common(1)[0][0]
        return NearestModel(column=column, terms=terms, vectors=vectors, answers=answers, usual=usual)
