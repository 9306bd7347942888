"""A model fine-tuned at a service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from seedbed.core import digest
from seedbed.core.chatting.counting import counter
from seedbed.core.chatting.models import TunedModel, model_named
from seedbed.core.chatting.verdict import Verdict
from seedbed.core.context import Context, expand
from seedbed.core.errors import DataError, RecipeError, Refused
from seedbed.core.exporter import Exporter
from seedbed.core.numbers import things
from seedbed.core.part import Example
from seedbed.core.task import Task
from seedbed.core.tokenizing import AnyTokenizer

from .files.splits import failing, splits_of
from .openai_chat import OpenaiChat
from .shaping.shaped import task_of
from .tuning.following import Following, failed
from .tuning.sending import Written, write_examples
from .tuning.service import ENDED, Service
from .tuning.state import Asked, Kept, State

#: Files by the split that they are made of. Test rows are never sent.
_SENT = {"train": "training.jsonl", "validation": "validation.jsonl"}
_CHECK = "check chat_rules"
#: Times that services learn from each example where nobody says how often, for what it would cost.
_EPOCHS = 3
#: Fields of a job that other options say, and that its cost is reckoned by.
_SAID = {"model": "model", "training_file": "path", "validation_file": "validation", "n_epochs": "epochs"}


def _only_further(also_send: Mapping[str, Any]) -> Mapping[str, Any]:
    """Fields of a job that leave what is learned, from what and how often, as the other options say it."""
    for name, value in also_send.items():
        if name in _SAID:
            raise ValueError(f"`{name}` cannot be sent besides: `{_SAID[name]}` says that, and the cost hangs on it")
        if isinstance(value, Mapping):
            _only_further(value)
    return also_send


class FineTuning(Exporter):
    """Fine-tune a chat model at a service that speaks OpenAI's protocol: upload, start, follow, fetch.

    Training rows become `training.jsonl`, validation rows `validation.jsonl`; test rows are never sent, so that they
    can judge the model. Both are looked at by the rules of `chat_rules` first: what the service would refuse is not
    sent. Then the files are uploaded, the job is started and followed, and at its end the name of the model, its
    checkpoints and the result files are fetched. `job.json` in `path` says at each moment what was done; the same call
    goes on from there: nothing is uploaded or started twice, also where an answer was lost. Ctrl-C leaves the job
    running at the service, and the same command comes back to it.

    ## Why
    A file that breaks one rule is refused after the upload, or an hour later, in words that name no row. What costs
    money is told before it is started, and bounded by `most_cost`.

    ## Limits
    Rows of other tasks than chat become two or three turns, by `prompt`, `completion` and `system`, as `openai_chat`
    says them. The rows leave the house: publishing asks for the card's answers and for licences first, and `export`
    does not send them. Costs are those of the table of models, for the epochs that are asked for (3 where the service
    chooses). The model stays at the service, which may take it away again. A service that lists neither files nor jobs
    may be asked twice for the same, should an answer be lost.
    """

    extra: ClassVar[str] = "generate"
    needs: ClassVar[tuple[str, ...]] = ("openai",)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Uploaded, started, followed, fetched",
            options={"path": "out/tuned", "model": "gpt-4o-mini-2024-07-18", "api_key": "${env:OPENAI_API_KEY}"},
            before={"run": ["run.json", "dataset/data/train-00000-of-00001.parquet"]},
            after={"folder": ["job.json", "training.jsonl", "validation.jsonl", "result-file-abc123.csv"]},
        ),
    )

    use: Literal["fine_tuning"] = "fine_tuning"
    path: str = Field(min_length=1, description="Folder of what is sent, done and fetched; relative to the recipe's.")
    model: str = Field(min_length=1, description="Model to fine-tune, as the service calls it.")
    endpoint: str = Field(
        "https://api.openai.com/v1", min_length=1, description="Base address of the service, as http://HOST:PORT/v1."
    )
    api_key: str | None = Field(
        None, pattern=r"^\$\{env:\w+\}$", description="The key as `${env:NAME}`: never the key itself."
    )
    prompt: str | None = Field(
        None, min_length=1, description="Jinja template of what the user says, where the task is not chat."
    )
    completion: str | None = Field(
        None, min_length=1, description="Jinja template of what the assistant says, where the task is not chat."
    )
    system: str | None = Field(
        None, min_length=1, description="Jinja template of what the system says, where the task is not chat."
    )
    suffix: str | None = Field(None, min_length=1, max_length=64, description="Added to the fine-tuned model's name.")
    epochs: int | None = Field(None, ge=1, le=50, description="Epochs; the service chooses when left out.")
    batch_size: int | None = Field(None, ge=1, description="Examples of a batch; the service chooses when left out.")
    learning_rate_multiplier: float | None = Field(
        None, gt=0, description="Factor of the learning rate; the service chooses when left out."
    )
    seed: int | None = Field(None, ge=0, description="Of the job, for services that take one.")
    hyperparameters_as: Literal["method", "hyperparameters"] = Field(
        "method", description="Where epochs and the like stand in a request; older services take `hyperparameters`."
    )
    also_send: Annotated[dict[str, Any], AfterValidator(_only_further)] = Field(
        default_factory=dict, description="Further fields of the job, as the service has them."
    )
    validation: bool = Field(True, description="Whether validation rows are sent, to be measured on.")
    models: str | None = Field(
        None, min_length=1, description="A YAML table of limits and prices of models, which goes before ours."
    )
    most_cost: float | None = Field(None, gt=0, description="Start nothing that would cost more; needs a known price.")
    waive: str | None = Field(None, min_length=1, description="Why to send what a service may refuse.")
    follow: bool = Field(True, description="Whether to wait for the end; if not, the same call again does.")
    again: bool = Field(False, description="Start another job where the last one failed or was cancelled.")
    tokenizer: AnyTokenizer | None = Field(None, description="Counts tokens; the model's own when left out.")
    every: float = Field(5.0, gt=0, le=3600, description="Seconds between looks at first; later twelve times as many.")
    timeout: float = Field(120, gt=0, description="Seconds that an answer may take.")
    retries: int = Field(5, ge=0, le=20, description="Of a call that fails for now (429, 5xx, a broken connection).")

    @property
    def place(self) -> str:
        """The service and the folder, as the recipe writes them."""
        return f"{self.endpoint} ({self.path})"

    @property
    def leaves(self) -> bool:
        """Rows go to the service."""
        return True

    @property
    def _at(self) -> str:
        return f"publish: fine_tuning: {self.path}"

    def export(self, run: Path, context: Context) -> None:
        """Upload, start, follow, fetch; or go on where an earlier call stopped.

        Raises:
            RecipeError: The folder or the address cannot be used, or the task is not one that has turns.
            DataError: There is no dataset, or the folder cannot be written.
            Refused: The service would refuse the rows, or it would cost more than it may.
            ModelError: The service failed, or the job did.
        """
        if context.offline:
            raise RecipeError("nothing is sent with --offline", at=self._at, hint="leave it out")
        folder = (context.base / expand(self.path, at=self._at)).resolve()
        kept = Kept(folder, self.endpoint, self._at)
        kept.read()
        record, task = _record(run), task_of(run)
        for _, problem, hint in self.faults(task):
            raise RecipeError(problem, at=self._at, hint=hint)
        known = model_named(self.model, context.base / self.models if self.models else None)
        with failing(self._at), TemporaryDirectory(prefix="seedbed-") as scratch:
            files = self._written(run, task, Path(scratch), known)
            self._refuse(files, record, known, context)
            self._go(files, record, kept, context)

    def faults(self, task: Task) -> Iterator[tuple[str, str, str]]:
        """Tasks that cannot be said in turns."""
        for option, problem, hint in self._chat.faults(task):
            yield option, problem.replace(repr(self._chat.use), repr(self.use)), hint if option != "use" else ""

    @property
    def _chat(self) -> OpenaiChat:
        """How rows are said."""
        return OpenaiChat(path=self.path, prompt=self.prompt, completion=self.completion, system=self.system)

    def _written(self, run: Path, task: Task, folder: Path, known: TunedModel | None) -> dict[str, Written]:
        """The files to send, by split."""
        splits = splits_of(run)
        if "train" not in splits:
            raise DataError("the run has no training rows", at=str(run), hint="a dataset of one split trains nothing")
        count = counter(self.tokenizer, known, self._at, offline=False)
        saying = self._chat.saying(task, splits["train"].schema)
        wanted = [name for name in _SENT if name in splits and (name == "train" or self.validation)]
        verdicts = {name: Verdict(known, count, self.epochs or _EPOCHS) for name in wanted}
        return {name: write_examples(saying, splits[name], folder / _SENT[name], one) for name, one in verdicts.items()}

    def _refuse(
        self, files: Mapping[str, Written], record: Mapping[str, Any], known: TunedModel | None, context: Context
    ) -> None:
        """Say what is sent and what it costs, and stop before what would be refused.

        Raises:
            Refused: The service would, or it costs too much.
        """
        problems = [
            f"{_SENT[name]}: {problem}"
            for name, one in files.items()
            for problem in one.verdict.problems(training=name == "train")
        ]
        if problems and not self._waived(record):
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            hint = "the check `chat_rules` names the rows; or say why under `waive`"
            raise Refused(f"{problems[0]}{more}", at=self._at, hint=hint)
        train = files["train"].verdict
        context.progress.say(f"{self.model}: {train.measured()}")
        if self.most_cost is None:
            return
        cost = known.cost(train.tokens, train.epochs) if known else None
        if cost is None:
            hint = "a table under `models` says it, or leave `most_cost` out"
            raise RecipeError(f"the price of {self.model[:60]} is not known", at=self._at, hint=hint)
        if cost > self.most_cost:
            epochs, most = things(train.epochs, "epoch"), f"{self.most_cost:,.2f}"
            raise Refused(
                f"{epochs} would cost about {cost:,.2f}, and at most {most} may be",
                at=self._at,
                hint="fewer rows or `epochs`, or a higher `most_cost`",
            )

    def _waived(self, record: Mapping[str, Any]) -> str | None:
        told = {one["what"]: one["reason"] for one in record.get("waivers", ())}
        return self.waive or told.get(_CHECK)

    def _go(self, files: Mapping[str, Written], record: Mapping[str, Any], kept: Kept, context: Context) -> None:
        """Start or find the job, and follow it."""
        key = digest.of_json(self._asks({name: one.digest for name, one in files.items()}))
        service = Service(self.endpoint, self.api_key or "", self.timeout, self.retries, self._at)
        with closing(service):
            with kept.held() as state:
                asked = self._asked(key, files, record, state)
                if asked.id is None:
                    self._start(asked, files, service, state, kept, context)
            if asked.status == "succeeded" and all((kept.folder / name).is_file() for name in asked.results):
                context.progress.say(f"{asked.id} is done: the model is {asked.fine_tuned_model}")
            elif self.follow or asked.status in ENDED:
                following = Following(service, asked, lambda: kept.note(key, asked), kept.folder, self.every)
                following.to_the_end(context)

    def _asked(self, key: str, files: Mapping[str, Written], record: Mapping[str, Any], state: State) -> Asked:
        """The job that was asked for before, or a new one.

        Raises:
            ModelError: It did not end well, and another is not wanted.
        """
        asked = state.jobs.get(key)
        if asked is None or (asked.status in ("failed", "cancelled") and self.again):
            asked = state.jobs[key] = Asked(
                model=self.model,
                digest=record["dataset"]["digest"],
                examples={_SENT[name]: one.verdict.examples for name, one in files.items()},
                waived=self._waived(record),
            )
        if asked.status in ("failed", "cancelled"):
            raise failed(asked, self.endpoint)
        return asked

    def _start(
        self,
        asked: Asked,
        files: Mapping[str, Written],
        service: Service,
        state: State,
        kept: Kept,
        context: Context,
    ) -> None:
        """Upload what is not there, and start the job; or find it, if that was asked for before."""
        before = asked.sent
        asked.sent = True
        state.keep(kept.folder)
        with context.stage("Uploading", len(files), "files") as stage:
            for one in files.values():
                there = one.moved(kept.folder)
                if there.digest not in state.files:
                    state.files[there.digest] = service.upload(there.path, there.name)
                    state.keep(kept.folder)
                stage.advance(1, there.path.name)
        ids = {name: state.files[one.digest] for name, one in files.items()}
        others = {one.id for one in state.jobs.values() if one.id}
        job = service.start(self._asks(ids), others, may_be_there=before)
        asked.id, asked.status = job.id, service.shown(job.status)[:40]
        state.keep(kept.folder)
        context.progress.say(f"job {asked.id} was started at {self.endpoint}")

    def _asks(self, ids: Mapping[str, str]) -> dict[str, Any]:
        """What the service is asked for."""
        files = {
            "training_file": ids["train"],
            **({"validation_file": ids["validation"]} if "validation" in ids else {}),
        }
        return {"model": self.model, **files, **dict(self._more())}

    def _more(self) -> Iterator[tuple[str, Any]]:
        told = {
            "n_epochs": self.epochs,
            "batch_size": self.batch_size,
            "learning_rate_multiplier": self.learning_rate_multiplier,
        }
        said = {name: value for name, value in told.items() if value is not None}
        if said and self.hyperparameters_as == "method":
            yield "method", {"type": "supervised", "supervised": {"hyperparameters": said}}
        elif said:
            yield "hyperparameters", said
        for name in ("suffix", "seed"):
            if getattr(self, name) is not None:
                yield name, getattr(self, name)
        if self.also_send:
            yield "extra_body", self.also_send


def _record(run: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads((run / "run.json").read_bytes())
        record["task"]["kind"], record["dataset"]["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError("the run has no run.json", at=str(run), hint="export a run that came to its end") from None
    return record
