"""What a served model's page gets besides answers: the training rows of its run, and a place for what is said wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from seedbed.core.errors import RecipeError
from seedbed.core.reported import FOLDER, Reports
from seedbed.serve.predictor import Predictor
from seedbed.serve.server import WithheldError
from seedbed.serve.server_name import is_here

if TYPE_CHECKING:
    from seedbed.serve.near import Near

#: Who may look up training rows: `auto` lets this machine, `names` tells others names and labels, `texts` all.
Similar = Literal["auto", "names", "texts", "off"]
SIMILAR: tuple[Similar, ...] = ("auto", "names", "texts", "off")
AUTO = Path("auto")


def near_of(predictor: Predictor, how: Similar, host: str, store: Path) -> Near | None:
    """The training rows of the run that made a model, where they stand around it and may be looked up.

    A bundle alone holds none. `auto` gives them to who sits at this machine, which holds them anyway, and to nobody
    while others can reach the server.

    Raises:
        WithheldError: Texts are to be shown to other machines, and a source's licence is not known, or forbids it.
        RecipeError: They were asked for, and there are none.
    """
    task = predictor.bundle.task
    run = predictor.folder.resolve().parents[1]
    files = tuple(sorted((run / "dataset" / "data").glob("train-*.parquet"))) if predictor.run else ()
    if how == "off" or (how == "auto" and not is_here(host)):
        return None
    trained = predictor.preparation.trained
    compares = task.shown is not None or bool(trained)
    if not files or not compares or task.says not in ("label", "labels", "number"):
        if how == "auto":
            return None
        problem = "training rows" if compares else "columns of numbers or few categories"
        hint = "serve the run, not a copy of its model" if compares else "leave --similar out"
        raise RecipeError(f"there are no {problem} to look up", at=f"--similar {how}", hint=hint)
    if how == "texts" and not is_here(host):
        _refuse_unlicensed(predictor)
    from seedbed.serve.near import Near

    return Near(files, task, store, texts=how != "names", here=how == "auto", trained=trained)


def _refuse_unlicensed(predictor: Predictor) -> None:
    """Refuse to show others the texts of sources of which nobody said that they may be shown."""
    run = predictor.run
    assert run is not None
    unknown = [one.name for one in run.sources if not one.license]
    told = [f"nobody said under which licence {unknown[0]!r} is"] if unknown else []
    told += list(run.licences.problems) if run.licences else []
    if told:
        raise WithheldError(
            f"training rows are not shown to other machines: {told[0]}",
            at="--similar texts",
            hint="say `license` of each source in the recipe and run again, or --similar names",
        )


def reports_of(predictor: Predictor, folder: Path | None) -> Reports | None:
    """Where it is kept what people say is wrong: in a folder, or beside the recipe (`auto`).

    Raises:
        RecipeError: Answers of its task cannot be reported; or no run stands around the model, so that nothing tells
            whose reports they are.
    """
    if folder is None:
        return None
    task = predictor.bundle.task
    if task.says not in ("label", "labels", "number"):
        problem = f"a model of {task.kind} takes no reports of what is wrong: there is no label to say"
        raise RecipeError(
            problem, at=f"--feedback {folder}", hint="leave it out; --log --log-texts keeps what is asked"
        )
    run = predictor.run
    if run is None:
        hint = "serve the run, or one of its models in its folder"
        raise RecipeError("no run stands around this model", at=f"--feedback {folder}", hint=hint)
    return Reports.of(feedback_folder(predictor.folder.resolve().parents[1]) if folder == AUTO else folder, run.name)


def feedback_folder(run: Path) -> Path:
    """The folder of reports beside the recipe of a run."""
    from .finished import open_run

    finished = open_run(run)
    if run.parts[-3:] == ("runs", finished.run.name, finished.run.id):
        return run.parents[2] / FOLDER
    from .reviewing.rows import RunRows  # knows more ways, and imports much

    return RunRows(finished).base / FOLDER
