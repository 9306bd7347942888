"""The tracker `mlflow`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import Field

from seedbed.core.context import Context, conceal, expand
from seedbed.core.errors import DataError
from seedbed.core.learner import Learner
from seedbed.core.part import Example
from seedbed.core.run import ModelRecord, Run
from seedbed.core.tracker import Tracker

from .telling.flat import Training, options, scores
from .telling.in_mlflow import dataset_inputs, dataset_name, digest_of, quietly, write_model

_T = TypeVar("_T")
#: What MLflow takes at once, and how much of a text it keeps.
_PARAMS, _METRICS, _LONGEST, _LONGEST_NAME = 100, 1000, 500, 250
#: Of a run's folder, what is kept with it besides the models.
_FILES = ("report.html", "run.json", "recipe.yaml", "recipe.lock", "certificate.json", "dataset/README.md")
_DATABASE, _ARTEFACTS = "mlflow.db", "mlartifacts"


class Mlflow(Tracker):
    """Enters the run and each of its models in MLflow: options, scores with intervals, datasets, models.

    The experiment of [MLflow](https://mlflow.org) is called as the recipe. A run of Seedbed is a run there, and each
    model is a run below it, whose parameters are the learner's options and whose metrics are `SPLIT/METRIC`, with
    `/low` and `/high` for the ends of the interval and `SPLIT/METRIC/minus/MODEL` for the difference from another
    model. Where a network was taught, `train/loss`, `train/learning_rate` and what was measured on validation rows
    stand by step. Each split is a dataset with its schema, named by the dataset's digest. Each model is a logged model
    that `mlflow.pyfunc.load_model` opens and `mlflow models serve` serves: the bundle as it is and no pickle, so that
    raw rows go in, as with `seedbed predict`.

    ## Why
    Where a team compares its experiments in MLflow, what comes from Seedbed belongs there, too, in words that MLflow
    knows.

    ## Limits
    Without `uri`, a SQLite database `mlflow.db` and a folder `mlartifacts` stand beside the store; `mlflow server
    --backend-store-uri sqlite:///mlflow.db` shows them (the page is in the package `mlflow`; to write, `mlflow-skinny`
    is enough). Logged models need a server of MLflow 3. Quick looks (`--limit`) are not tracked. With a server, what
    the report quotes of the data and the examples in the models leave this machine: `artefacts: false` sends
    numbers, options and names alone. A model with functions of its maker (`python`) opens only with
    `model_config={"trust": True}`.
    """

    use: Literal["mlflow"] = "mlflow"
    uri: str | None = Field(
        None,
        min_length=1,
        description="Address of a server (`http://…`) or database (`sqlite:///…`), as MLflow writes it; "
        "`${env:NAME}` keeps a password out. `mlflow.db` beside the store when left out.",
    )
    experiment: str | None = Field(None, min_length=1, description="Name there; the recipe's when left out.")
    artefacts: bool = Field(True, description="Whether the report and the models go there, too, and not only numbers.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="in a database beside the recipe",
            options={"experiment": "reviews"},
            before={"models": ["majority", "naive_bayes"]},
            after={
                "experiments": ["Default", "reviews"],
                "runs below the run": ["majority", "naive_bayes"],
                "metrics of a model": ["test/macro_f1", "test/macro_f1/high", "test/macro_f1/low"],
            },
        ),
    )
    extra: ClassVar[str] = "track"
    needs: ClassVar[tuple[str, ...]] = ("mlflow", "alembic", "sqlalchemy", "pandas")

    def track(self, run: Run, folder: Path, context: Context) -> str:
        """Enter the run."""
        beside = context.store.parent
        uri = expand(self.uri, at="mlflow, uri") if self.uri else f"sqlite:///{beside / _DATABASE}"
        with quietly():
            from mlflow import MlflowClient
            from mlflow.exceptions import MlflowException

            try:
                client = MlflowClient(tracking_uri=uri)
                experiment = self._experiment(client, run, None if self.uri else beside / _ARTEFACTS)
                entered = _Entered(client, experiment, run, folder, self.artefacts)
                number = entered.whole()
            except MlflowException as error:
                said = conceal(str(error).partition("\n")[0][:200], self.uri or "")
                hint = "is the server running, and of MLflow 3?" if self.uri else ""
                raise DataError(f"MLflow does not take it: {said}", at=self.uri or _DATABASE, hint=hint) from None
        where = self.uri or str(beside / _DATABASE)
        return f"{where}, experiment {self.experiment or run.name}, run {number}"

    def _experiment(self, client: Any, run: Run, artefacts: Path | None) -> str:
        name = self.experiment or run.name
        found = client.get_experiment_by_name(name)
        if found is None:
            where = {"artifact_location": artefacts.resolve().as_uri()} if artefacts else {}
            return str(client.create_experiment(name, **where))
        if found.lifecycle_stage != "active":
            raise DataError(
                f"the experiment {name!r} was deleted there",
                at=f"mlflow, {self.uri or _DATABASE}",
                hint=f"mlflow experiments restore --experiment-id {found.experiment_id}, or another `experiment`",
            )
        return str(found.experiment_id)


class _Entered:
    """A run on its way into MLflow."""

    def __init__(self, client: Any, experiment: str, run: Run, folder: Path, artefacts: bool) -> None:
        self.client, self.experiment, self.run, self.folder, self.artefacts = client, experiment, run, folder, artefacts
        self.began = int(datetime.fromisoformat(run.started).timestamp() * 1000)
        self.ended = self.began + int(run.seconds * 1000)

    def whole(self) -> str:
        """Enter the run and its models; the id that MLflow gave it."""
        run = self.run
        tags = {
            "seedbed.state": run.state,
            "seedbed.stopped_by": "; ".join(run.stopped_by)[:_LONGEST],
            "seedbed.best": run.best or "",
            "seedbed.metric": run.metric,
        }
        with self._begun(run.id, tags) as number:
            params = {"seed": run.seed, "task": run.task, "rows": dict(run.dataset.splits)}
            self._params(number, options(params))
            books = {"rows/read": run.rows.read, "rows/kept": run.rows.kept, "seconds": run.seconds}
            best = [(split, name, value) for split, name, value in self._best() if split in run.dataset.splits]
            self._metrics(number, [("", name, float(value)) for name, value in books.items()] + best)
            if run.dataset.splits:
                self.client.log_inputs(number, datasets=dataset_inputs(run, self.folder))
            for name in _FILES if self.artefacts else ():
                if (self.folder / name).is_file():
                    self.client.log_artifact(number, str(self.folder / name))
            for model in run.models:
                self._model(model, number)
        return number

    def _best(self) -> Iterator[tuple[str, str, float]]:
        """Scores of the best model stand with the whole run, so that runs can be compared where they are listed."""
        best = self.run.best_model
        return iter(scores(self.run, best)) if best else iter(())

    def _model(self, model: ModelRecord, parent: str) -> None:
        tags = {"mlflow.parentRunId": parent, "seedbed.learner": model.use}
        tags["seedbed.best"] = str(model.name == self.run.best).lower()
        with self._begun(model.name, tags) as number:
            self._params(number, options({"use": model.use, **model.options}))
            logged = self._logged(model, number) if self.artefacts else None
            measured = list(scores(self.run, model))
            measured += [("train", "seconds", model.seconds), ("train", "bytes", float(model.bytes))]
            self._metrics(number, measured, logged)
            for name, points in Training.of(self.folder / "models" / model.name).curves.items():
                self._curve(number, name, points)
            if self.run.dataset.splits:
                self.client.log_inputs(number, datasets=dataset_inputs(self.run, self.folder))

    def _logged(self, model: ModelRecord, number: str) -> str:
        """Log the model itself; the id that MLflow gave it."""
        from mlflow.entities import LoggedModelOutput

        part = Learner.catalogue.get(model.use)
        with tempfile.TemporaryDirectory(prefix="seedbed-mlflow-") as place:
            folder = Path(place, "model")
            write_model(self.folder / "models" / model.name, model, part.extra if part else "", folder)
            logged = self.client.create_logged_model(
                self.experiment,
                name=model.name,
                source_run_id=number,
                params=dict(_cut(options(model.options))),
                tags=self._tags({}),
                model_type=model.use,
            )
            self.client.log_model_artifacts(logged.model_id, str(folder))
        self.client.finalize_logged_model(logged.model_id, "READY")
        self.client.log_outputs(number, [LoggedModelOutput(logged.model_id, step=0)])
        return str(logged.model_id)

    def _tags(self, more: Mapping[str, str]) -> dict[str, str]:
        run = self.run
        told = {
            "seedbed.run": run.id,
            "seedbed.version": run.seedbed,
            "seedbed.dataset": run.dataset.digest,
            "seedbed.task": str(run.task.get("kind", "")),
            "mlflow.source.name": "seedbed",
            "mlflow.source.type": "LOCAL",
        }
        return {name: value for name, value in {**told, **more}.items() if value}

    def _begun(self, name: str, tags: Mapping[str, str]) -> _Begun:
        return _Begun(self, name, self._tags(tags))

    def _params(self, number: str, named: Iterable[tuple[str, str]]) -> None:
        from mlflow.entities import Param

        params = [Param(name, value) for name, value in _cut(named)]
        for some in _pieces(params, _PARAMS):
            self.client.log_batch(number, params=some)

    def _metrics(self, number: str, found: Iterable[tuple[str, str, float]], model: str | None = None) -> None:
        """Numbers of splits; those of rows say which dataset they were measured on."""
        from mlflow.entities import Metric

        run = self.run
        metrics = []
        for split, name, value in found:
            there = split in run.dataset.splits
            about = {"dataset_name": dataset_name(run, split), "dataset_digest": digest_of(run)} if there else {}
            of = {"model_id": model, "run_id": number} if model else {}
            metrics.append(Metric(name, value, self.ended, 0, **about, **of))
        for some in _pieces(metrics, _METRICS):
            self.client.log_batch(number, metrics=some)

    def _curve(self, number: str, name: str, points: Sequence[tuple[int, float]]) -> None:
        from mlflow.entities import Metric

        for some in _pieces([Metric(name, value, self.began + step, step) for step, value in points], _METRICS):
            self.client.log_batch(number, metrics=some)


class _Begun:
    """A run of MLflow's that is over when the body is: well or, where that fails, killed."""

    def __init__(self, of: _Entered, name: str, tags: Mapping[str, str]) -> None:
        self.of, self.name, self.tags = of, name, tags

    def __enter__(self) -> str:
        of = self.of
        made = of.client.create_run(of.experiment, start_time=of.began, tags=dict(self.tags), run_name=self.name)
        self.number = str(made.info.run_id)
        return self.number

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        from mlflow.exceptions import MlflowException

        of = self.of
        if kind is not None:
            with suppress(MlflowException):
                of.client.set_terminated(self.number, "KILLED")
            return
        of.client.set_terminated(self.number, "FINISHED" if of.run.state == "passed" else "FAILED", of.ended)


def _cut(named: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Names and texts as long as MLflow takes them."""
    for name, value in named:
        yield name[:_LONGEST_NAME], value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"


def _pieces(all_of_them: Iterable[_T], size: int) -> Iterator[list[_T]]:
    given = iter(all_of_them)
    while some := list(islice(given, size)):
        yield some
