"""What a run does before its first stage: what it may know, what it refuses, and how it tells what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from seedbed.core.context import Context, Progress, store_of, workers_for
from seedbed.core.errors import DataError, RecipeError
from seedbed.core.part import Part
from seedbed.core.step import Fitted
from seedbed.recipe.loading import Loaded, refuse_astray
from seedbed.recipe.recipe import Recipe

from .judging.slices import ToldApart
from .papers.sent import refuse_sending


def refuse_both(offline: bool, refresh: bool) -> None:
    """Nothing can be fetched again by a run that fetches nothing.

    Raises:
        RecipeError: Both are asked for.
    """
    if offline and refresh:
        raise RecipeError("nothing can be fetched again offline", hint="say --offline or --refresh")


@contextmanager
def told_by(loaded: Loaded) -> Iterator[None]:
    """Errors of the body, as a person reads them who knows the recipe's file."""
    try:
        yield
    except RecipeError as error:
        raise RecipeError(error.problem, at=loaded.place(error.at) if error.at else "", hint=error.hint) from None
    except (OSError, pl.exceptions.ComputeError) as error:
        if not isinstance(error, OSError) and "os error" not in str(error):
            raise
        said = getattr(error, "strerror", None) or str(error).splitlines()[0][:200]
        raise DataError(
            f"a file cannot be read or written ({said})",
            at=str(getattr(error, "filename", None) or ""),
            hint="is the disk full, or may this folder not be written to? The same command goes on where this stopped",
        ) from error


def context_of(
    loaded: Loaded, workers: int | None, batch: int | None, progress: Progress | None, cluster: str | None = None
) -> Context:
    """What the stages of a run may know. With the address of a cluster, that does the work.

    Raises:
        RecipeError: The recipe is a run's own copy, and its sources are elsewhere.
    """
    refuse_astray(loaded)
    given = Context()
    return Context(
        base=loaded.base,
        store=store_of(loaded.base),
        seed=loaded.recipe.split.seed,
        workers=workers_for(workers),
        batch=batch or given.batch,
        progress=progress or given.progress,
        named=frozenset(loaded.recipe.task.roles.values()),
        engine="local" if cluster is None else "ray",
        address=cluster or "",
    )


def refuse_what_cannot_run(recipe: Recipe) -> None:
    """Say now what would only be found out after hours.

    Raises:
        RecipeError: The recipe asks for something that this version does not do.
        MissingExtraError: A part needs packages that are not installed.
    """
    first = (*recipe.sources, *recipe.steps, *recipe.prepare, *recipe.checks)
    for part in (*first, recipe.split, *recipe.train, *recipe.publish, *recipe.track):
        part.check_needs()
    for learner in recipe.train:
        learner.made_from()  # opens what it starts from: an encoder in a package that may not be there
    refuse_sending(recipe)


def later_parts(recipe: Recipe) -> tuple[tuple[str, Part], ...]:
    """Parts that name columns and run after the steps, with their places in the recipe."""
    slices, fairness = list(recipe.evaluate.slices), list(recipe.evaluate.fairness)
    told_apart = ToldApart(use="evaluate", slices=slices or None, fairness=fairness or None)
    return (
        ("split", recipe.split),
        *((f"checks.{place}", check) for place, check in enumerate(recipe.checks)),
        ("evaluate", told_apart),
        *((f"train.{place}", learner) for place, learner in enumerate(recipe.train)),
        *_prepared_first(recipe),
        *([] if recipe.prepare else published(recipe)),
    )


def told_apart_by(recipe: Recipe) -> list[str]:
    """Columns that rows are told apart by when models are judged."""
    return list(dict.fromkeys([*recipe.evaluate.slices, *recipe.evaluate.fairness]))


def published(recipe: Recipe) -> list[tuple[str, Part]]:
    """Its exporters, with their places in the recipe."""
    return [(f"publish.{place}", exporter) for place, exporter in enumerate(recipe.publish)]


def _prepared_first(recipe: Recipe) -> Iterator[tuple[str, Part]]:
    """Parts of `prepare` up to the first that may bring columns: what later ones name is not known before."""
    for place, step in enumerate(recipe.prepare):
        yield f"prepare.{place}", step
        if isinstance(step, Fitted):
            return
