"""A model that is asked for each row's answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray
from pydantic import TypeAdapter

from seedbed.core import digest
from seedbed.core.context import running, store_of
from seedbed.core.errors import ModelError
from seedbed.core.learner import ArrayModel
from seedbed.core.numbers import things
from seedbed.core.rows import ROW
from seedbed.store.answers import KeptAnswers

from .as_tuned import AsTuned
from .asking import Asking, How, Request
from .reading import Reading, Said
from .rows import Nearest, Reader, Showing, Shown
from .wording import Wording

_MODEL, _EXAMPLES = "model.json", "examples.json"
_WORDING: TypeAdapter[Wording | AsTuned] = TypeAdapter(Wording | AsTuned)


class PromptedModel(ArrayModel):
    """Asks a model behind an endpoint about each row; answers that were kept are not asked for again.

    Where training rows are shown and are not part of the bundle, they come from the store of the run that made it.
    """

    def __init__(
        self,
        *,
        how: How,
        reading: Reading,
        reader: Reader,
        wording: Wording | AsTuned,
        instead: NDArray[np.float64],
        showing: Showing,
        shown: Shown | None = None,
        examples: str = "",
    ) -> None:
        """Keep what is asked and how.

        Args:
            how: How the endpoint is asked.
            reading: Reads answers.
            reader: Tells rows.
            wording: Asks.
            instead: What stands for an answer that says nothing, shape (labels,) or (1,).
            showing: Which training rows a prompt shows.
            shown: Training rows that may be shown; none where they are still to be read from the store.
            examples: Their digest.
        """
        self.labels, self.how, self.reading, self.reader, self.wording = reading.labels, how, reading, reader, wording
        self.instead, self.showing = instead, showing
        self.examples = examples or (digest.of_json(shown.saved()) if shown else "")
        self._shown = shown
        self._asking = Asking(how, reading.form)
        self.lost: Counter[str] = Counter()
        """Answers so far that said nothing, by what was wrong with them."""
        self._answers = 0

    def predict(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """Probability of each label for each row, shape (rows, labels), or its number, shape (rows, 1).

        Raises:
            ModelError: The endpoint fails, a cap is met, the examples are not there, or the rows lack a column.
            RecipeError: The template or the key is wrong.
        """
        texts = self.reader(rows)
        if not texts:
            return np.zeros((0, len(self.instead)))
        near = self._near(texts)
        self._note(rows, near)
        spoken = self.wording.conversations(rows, texts, near, self.reading)
        asked = [Request(self.how, messages) for messages in spoken]
        bodies = self._asking(asked)
        said = {key: self.reading(body) for key, body in bodies.items()}
        answers = [said[one.digest] for one in asked]
        self._tell(answers)
        return self.reading.probabilities(answers, self.instead)

    def _note(self, rows: pl.DataFrame, near: Sequence[Sequence[tuple[str, Any]]]) -> None:
        """Have the run know what leaves this machine, before it does."""
        context, service = running(), self.how.service
        if context is not None and service is not None:
            ids = rows[ROW].cast(pl.String).to_list() if ROW in rows.columns else []
            context.sends(service, ids, {text for some in near for text, _ in some})

    def _near(self, texts: Sequence[str]) -> list[list[tuple[str, Any]]]:
        """The examples that each text is shown with."""
        if not self.showing.many or not self.examples:
            return [[] for _ in texts]
        if self.showing.choose == "nearest":
            return self._nearest(texts)
        fixed = self._examples.some(range(len(self._examples)))
        return [fixed for _ in texts]

    @cached_property
    def _nearest(self) -> Nearest:
        return Nearest(self._examples, self.showing.many)

    @property
    def _examples(self) -> Shown:
        if self._shown is None:
            self._shown = self._read_examples()
        return self._shown

    def _read_examples(self) -> Shown:
        """The training rows that are shown, out of the store.

        Raises:
            ModelError: They are not there.
        """
        root = self._asking.store or store_of(Path.cwd())
        found = KeptAnswers.of(root, self.examples).find(self.examples) if root.is_dir() else None
        shown = None if found is None else _shown(found)
        if shown is None or digest.of_json(shown.saved()) != self.examples:
            raise ModelError(
                "the training rows that the prompt shows are not part of this model, and not in the store",
                at=str(root),
                hint="set SEEDBED_STORE to the store of the run, or train with `keep_examples: true`",
            )
        return shown

    def _tell(self, answers: Sequence[Said]) -> None:
        """Say which answers cannot be used: now, and in the run's record."""
        lost = Counter(one.why for one in answers if one.why)
        self.lost += lost
        self._answers += len(answers)
        context = running()
        if lost and context is not None:
            context.progress.say(f"{self.how.model}: {self._unused(lost, len(answers))}")
        self.told = (self._unused(self.lost, self._answers),) if self.lost else ()

    def _unused(self, lost: Counter[str], answers: int) -> str:
        why = ", ".join(f"{n:,} {reason}" for reason, n in lost.most_common())
        counted = f"{lost.total():,} of {things(answers, 'answer')}"
        return f"{counted} cannot be used ({why}) and count as {self._said_instead}"

    @property
    def _said_instead(self) -> str:
        if self.reading.says == "number":
            return f"{self.instead[0]:g}, the median of training rows"
        if self.reading.says == "labels":
            return "the labels that most training rows have"
        return f"{self.labels[int(self.instead.argmax())]!r}, the most frequent label"

    def use_store(self, store: Path) -> None:
        """Keep answers there; and the training rows that are shown, where a bundle does not."""
        self._asking.store = store
        if self._shown is not None and not self.showing.keep:
            KeptAnswers.of(store, self.examples).keep(self.examples, orjson.dumps(self._shown.saved()))

    def save(self, folder: Path) -> None:
        """Write `model.json`, and `examples.json` if that is wanted. There is no key in it."""
        settings = {
            "how": self.how.model_dump(mode="json"),
            "reading": asdict(self.reading),
            "reader": asdict(self.reader),
            "wording": self.wording.model_dump(mode="json"),
            "instead": self.instead.tolist(),
            "showing": asdict(self.showing),
            "examples": self.examples,
        }
        (folder / _MODEL).write_bytes(orjson.dumps(settings, option=orjson.OPT_INDENT_2))
        if self.showing.keep and self.examples:
            (folder / _EXAMPLES).write_bytes(orjson.dumps(self._examples.saved()))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        told = orjson.loads((folder / _MODEL).read_bytes())
        kept = folder / _EXAMPLES
        reading, reader = told["reading"], told["reader"]
        return cls(
            how=How.model_validate(told["how"]),
            reading=Reading(**{**reading, "labels": tuple(reading["labels"])}),
            reader=Reader(**{**reader, "columns": tuple(reader["columns"])}),
            wording=_WORDING.validate_python(told["wording"]),
            instead=np.array(told["instead"], dtype=np.float64),
            showing=Showing(**told["showing"]),
            shown=_shown(kept.read_bytes()) if kept.is_file() else None,
            examples=told["examples"],
        )


def _shown(packed: bytes) -> Shown | None:
    """Examples as they were saved; none where they are damaged."""
    try:
        told = orjson.loads(packed)
        return Shown(tuple(told["texts"]), tuple(told["answers"]))
    except (ValueError, KeyError, TypeError):
        return None
