"""fine_tuned_remote: a model that a service fine-tuned on training rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from seedbed.core.context import Context, expand
from seedbed.core.errors import DataError
from seedbed.core.learner import Learner, Model
from seedbed.core.numbers import things
from seedbed.core.part import Example, Placed
from seedbed.core.sending import Service
from seedbed.core.task import AnyTask, Task

from .example_rows import MESSAGES
from .prompting.as_tuned import EXAMPLES, AsTuned, Job, tuned_on
from .prompting.asking import How
from .prompting.model import PromptedModel
from .prompting.options import KINDS, AskingOptions
from .prompting.reading import Reading
from .prompting.rows import Reader, Showing, instead_of
from .target_numbers import numbers_of
from .target_sets import coded

#: What the exporter says where there are no labels.
_NONE = "none"


class FineTunedRemote(Placed, AskingOptions, Learner):
    """Asks the model that `publish: fine_tuning` had fine-tuned, in the words that it was tuned with.

    `job` is the folder of that exporter: `job.json` there tells the model and the service. The options `prompt`,
    `completion` and `system` are the exporter's, and must be the same: training rows are written as examples and
    looked up in `training.jsonl`, the file that was sent. Answers are kept, and caps hold, as of `prompted`.

    ## Why
    Somebody paid for that model: whether it is better than one that learns in seconds on this machine, the same test
    rows and intervals say. A prompt that differs by a word from those that it was tuned with makes it look worse.

    ## Limits
    The rows' texts go to the service: `may_send` says why they may, and the report and the card say which. The model
    stays there, which may take it away or change it: what makes a run repeatable is what was kept. It was tuned on
    training rows of the run that was exported. A validation row that is among them is refused; test rows cannot be
    looked up, so judge it under the same split. A completion must hold `answer` once, and only columns that the task
    reads may stand in `prompt` and `system`. An answer that is none of the labels counts as the most frequent one (of
    numbers as the median), which is told.
    """

    extra: ClassVar[str] = "generate"
    needs: ClassVar[tuple[str, ...]] = ("openai", "jsonschema")
    learns: ClassVar[tuple[str, ...]] = KINDS
    model: ClassVar[type[Model[Any]]] = PromptedModel

    use: Literal["fine_tuned_remote"] = "fine_tuned_remote"
    job: str = Field(min_length=1, description="Folder of `publish: fine_tuning`; relative to the recipe's.")
    endpoint: str | None = Field(
        None, min_length=1, description="Base address of the endpoint, where it is another than that of the job."
    )
    prompt: str | None = Field(None, min_length=1, description="The exporter's `prompt`.")
    completion: str | None = Field(None, min_length=1, description="The exporter's `completion`.")
    system: str | None = Field(None, min_length=1, description="The exporter's `system`.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Tuned on these messages",
            options={"job": ".", "prompt": "Spam or ham? {{ text }}"},
            files={
                "job.json": [
                    '{"endpoint": "http://127.0.0.1:8000/v1", "files": {}, "jobs": {"x": {"model": "small", '
                    '"digest": "y", "status": "succeeded", "fine_tuned_model": "ft:small:1"}}}'
                ],
                "training.jsonl": [
                    '{"messages": [{"role": "user", "content": "Spam or ham? win cash now"}, '
                    '{"role": "assistant", "content": "spam"}]}'
                ],
            },
            before=MESSAGES,
            after={"predicted": MESSAGES["label"]},
        ),
    )

    def made_from(self) -> Any:
        """The model that was fine-tuned.

        Raises:
            DataError: There is none.
        """
        return Job.of(self._folder).model_dump()

    def services(self) -> tuple[Service, ...]:
        """The endpoint, or that of the job.

        Raises:
            DataError: There is no job.
        """
        return (Service(self.endpoint or Job.of(self._folder).endpoint, self.may_send or ""),)

    @property
    def _folder(self) -> Path:
        return (self._base / expand(self.job, at=f"{self.use}.job")).resolve()

    def fit(self, train: pl.DataFrame, validation: pl.DataFrame, task: Task, context: Context) -> PromptedModel:
        """Find the model, and see that it is asked as it was tuned. Nothing is asked yet.

        Raises:
            DataError: There is no such model, it was not tuned with these words, or on rows that are to judge it.
            RecipeError: A template cannot be used.
            MissingExtraError: A package is not installed.
        """
        self.check_needs()
        labels: tuple[str, ...] = ()
        if task.says == "number":
            numbers_of(train, task)
        else:
            labels = coded(train, task).labels
        job = Job.of(self._folder)
        told: AnyTask = task  # type: ignore[assignment]
        wording = AsTuned(task=told, prompt=self.prompt, completion=self.completion, system=self.system)
        reader = Reader.of(train, task, 1 << 30)
        wording.check(task, reader.columns)
        before, after = wording.around()
        reading = Reading(
            task.says, labels, plain=True, before=before, after=after, none=_NONE, smoothing=self.smoothing
        )
        self._compare(wording, train, validation)
        sure = self.logprobs and task.says == "label"
        model = PromptedModel(
            how=How.of(self.endpoint or job.endpoint, job.model, self, "none", logprobs=sure),
            reading=reading,
            reader=reader,
            wording=wording,
            instead=instead_of(train, task, labels),
            showing=Showing(),
        )
        model.use_store(context.store)
        return model

    def _compare(self, wording: AsTuned, train: pl.DataFrame, validation: pl.DataFrame) -> None:
        """Look rows up in the examples that the model was tuned on.

        Raises:
            DataError: No training row is there, or a validation row is.
        """
        known = tuned_on(self._folder)
        if not known:
            return
        place = str(self._folder / EXAMPLES)
        learned = wording.examples(train)
        if not any(one in known for one in learned):
            raise DataError(
                f"none of {things(train.height, 'training row')} is among the examples that the model was tuned on",
                at=place,
                hint="are `prompt`, `completion` and `system` those of the exporter, and the rows those of its run?",
            )
        others = known - set(learned)
        seen = sum(one in others for one in wording.examples(validation))
        if seen:
            raise DataError(
                f"the model was tuned on {seen:,} of {things(validation.height, 'validation row')}",
                at=place,
                hint="split as in the run that was exported, or tune again on these training rows",
            )
