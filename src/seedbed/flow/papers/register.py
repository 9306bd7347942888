"""Enters a finished run in the index of runs, and has the store keep its dataset and models by digest."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from seedbed.core.context import Context
from seedbed.core.held_out import noted
from seedbed.core.run import DatasetRecord, Run
from seedbed.store.going import Journal, forget_resumed
from seedbed.store.objects import Objects, digest_of
from seedbed.store.runs import Best, Entry, Index, InputFile, KeptModel


def register_run(folder: Path, run: Run, context: Context) -> None:
    """Enter a run that stands at its place. The run is done without it, so that a failure is only told."""
    index = Index(context.store)
    try:
        with index.held():
            index.write(_entry(folder.resolve(), run, context))
        if isinstance(context.used, Journal):
            context.used.end()
        forget_resumed(context.store, context.used)
    except OSError as error:
        context.progress.say(f"the run could not be entered in the index of runs: {error.strerror or error}")


def _entry(folder: Path, run: Run, context: Context) -> Entry:
    objects = Objects(context.store)
    files = objects.keep_folder(folder / "dataset") if run.dataset.digest else ()
    kept = {model.name: objects.keep_folder(folder / "models" / model.name) for model in run.models}
    return Entry(
        id=run.id,
        name=run.name,
        folder=str(folder),
        started=run.started,
        state=run.state,
        seedbed=run.seedbed,
        rows=run.rows.kept,
        dataset=run.dataset.digest,
        splits=run.dataset.splits,
        files=files,
        models=tuple(KeptModel(name=name, digest=digest_of(one), files=one) for name, one in kept.items()),
        best=_best(run),
        limit=run.limit,
        inputs=tuple(_inputs(json.loads((folder / "lineage.json").read_text("utf-8")))),
        used=tuple(sorted(context.used)),
        task=str(run.task.get("kind", "")),
        test_reads=len(run.test_reads),
    )


def read_before(dataset: DatasetRecord | None, context: Context) -> int:
    """How often earlier runs of the store read the test rows of the same dataset, what was noted later included."""
    if dataset is None or "test" not in dataset.splits:
        return 0
    runs = [one for one in Index(context.store).readable()[0] if one.dataset == dataset.digest]
    return sum(one.test_reads + len(noted(Path(one.folder))) for one in runs)


def _best(run: Run) -> Best | None:
    model, split = run.best_model, run.judging_split
    if model is None:
        return None
    score = model.scores.get(split, {}).get(run.metric)
    measured = score is not None and not math.isnan(score.value)
    return Best(model=model.name, metric=run.metric, split=split, score=score if measured else None)


def _inputs(lineage: dict[str, Any]) -> list[InputFile]:
    read = [(source["name"], file["name"], file) for source in lineage["sources"] for file in source["files"]]
    read += [(file["step"], file["file"], file) for file in lineage["files"]]
    return [InputFile(source=a, file=b, sha256=file["sha256"], bytes=file["bytes"]) for a, b, file in read]
