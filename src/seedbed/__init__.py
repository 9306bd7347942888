"""From raw, messy sources to a dataset you can defend and a model you can trust, with one recipe.

>>> finished = seedbed.run("recipe.yaml")           # doctest: +SKIP
>>> finished.run.models[-1].scores["test"]          # doctest: +SKIP
>>> finished.show()                                 # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .core.errors import BooksError, DataError, MissingExtraError, ModelError, RecipeError, SeedbedError
from .core.version import __version__

if TYPE_CHECKING:
    from .core.compared import Compared
    from .core.context import Progress
    from .flow import Finished
    from .serve import Predictor

__all__ = [
    "BooksError",
    "DataError",
    "MissingExtraError",
    "ModelError",
    "RecipeError",
    "SeedbedError",
    "__version__",
    "compare",
    "load_model",
    "open_run",
    "run",
]


def run(  # noqa: PLR0913 (each option is an argument)
    recipe: str | Path | Mapping[str, Any],
    *,
    out: str | Path | None = None,
    overrides: Sequence[str] = (),
    workers: int | None = None,
    batch: int | None = None,
    progress: Progress | None = None,
    engine: Literal["local", "ray"] = "local",
    limit: int | None = None,
    offline: bool = False,
    refresh: bool = False,
    ablate: bool = False,
) -> Finished:
    """Run a recipe to its end.

    Args:
        recipe: A recipe file, or what such a file would hold; then relative paths start from the current folder.
        out: Folder for the run; `runs/NAME/ID` beside the recipe when left out.
        overrides: `PATH=VALUE` texts that replace values of a recipe file, such as `train.1.c=4`.
        workers: Worker processes; the number of cores, at most 8, when left out.
        batch: Most rows that a step sees at once.
        progress: Where progress is shown; nowhere when left out.
        engine: Who does the work: processes of this machine, or the Ray cluster that `ray.init` connected or
            `RAY_ADDRESS` names; where there is none, one is started on this machine for the run.
        limit: Read at most so many records of each source: a quick look, which is not published and not `latest`.
        offline: Fetch nothing: read what earlier runs kept, and fail where they kept nothing.
        refresh: Fetch again what earlier runs kept.
        ablate: Also train the cheap learner without each step, to tell what the step is worth.

    Returns:
        The record of the run (`run`) and its `folder`. A run that a check or a gate stopped has `run.state` `failed`.

    Raises:
        RecipeError: The recipe is wrong, or does not fit the data.
        DataError: A source or its data cannot be read or used.
        ModelError: A model could not be trained, or a cluster cannot do the work.
        MissingExtraError: Packages that a part or the engine needs are not installed.
    """
    from .flow import run as run_loaded
    from .recipe.loading import load, parse

    loaded = parse(recipe) if isinstance(recipe, Mapping) else load(Path(recipe), overrides)
    place = Path(out) if out is not None else None
    cluster = "" if engine == "ray" else None
    return run_loaded(
        loaded,
        out=place,
        workers=workers,
        batch=batch,
        progress=progress,
        cluster=cluster,
        limit=limit,
        offline=offline,
        refresh=refresh,
        ablate=ablate,
    )


def open_run(folder: str | Path) -> Finished:
    """Read the folder of a run that is over.

    Args:
        folder: A run's folder; `runs/NAME/latest` is the last one of a recipe.

    Returns:
        As `run`: `show()` and `figures` draw it in a notebook.

    Raises:
        DataError: It is not the folder of a run, or of one by a newer version that this one cannot read.
    """
    from .flow import open_run as open_folder

    return open_folder(folder)


def compare(*runs: str | Path | Finished, metric: str | None = None) -> Compared:
    """Compare the models of two or more runs: scores side by side, paired differences where the same rows judge both.

    >>> found = seedbed.compare("before", "reviews@latest")        # doctest: +SKIP
    >>> [(one.b, one.verdict, one.a) for one in found.comparisons]  # doctest: +SKIP

    Args:
        runs: The oldest first: folders, ids, tags, NAME@latest, or what `run` and `open_run` gave.
        metric: What to compare by; the metric that decides in all of them when left out.

    Raises:
        DataError: One of them is not there or cannot be read.
        RecipeError: Fewer than two runs, one of them twice, or a metric that does not measure their task.
    """
    from .flow.versions.compare import compare as compare_runs

    return compare_runs(*runs, metric=metric)


def load_model(folder: str | Path, *, trust: bool = False) -> Predictor:
    """Open a model that was saved by a run, with the preprocessing that its texts passed.

    >>> model = seedbed.load_model("runs/reviews/latest")   # doctest: +SKIP
    >>> model.predict(["I like it"])["predicted"]           # doctest: +SKIP

    Args:
        folder: A model's folder, or a run's: then its best model.
        trust: Whether steps of the recipe that are functions of its maker (`python`) may run.

    Raises:
        ModelError: There is no model, it is damaged, or needs trust.
        DataError: The run's record cannot be read.
        MissingExtraError: Packages that it needs are not installed.
    """
    from .flow.predicting.opening import open_model

    return open_model(folder, trust=trust)
