"""The recipe of a run, to be run again: what was judged stays what judges, and new rows and decisions come in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seedbed.core.documents import read_document
from seedbed.core.errors import RecipeError
from seedbed.core.reported import FOLDER, SOURCE
from seedbed.core.source import FileSource
from seedbed.core.splitter import ByShares, ByValue, Folding
from seedbed.flow.finished import Finished
from seedbed.recipe.loading import Loaded, dump, load, parse
from seedbed.recipe.recipe import Recipe
from seedbed.splits.time import Time
from seedbed.steps.apply_review import ApplyReview

#: What `seedbed review` writes its decisions into where nobody says otherwise.
REVIEW = "review.jsonl"


def again(champion: Finished, add: Sequence[Path], recipe: Path | None, feedback: Path | None = None) -> Loaded:
    """The champion's recipe, with more files and what people decided, its rows split as they were.

    Args:
        champion: Its rows stay in their splits.
        add: Files with more rows, read as the first source is.
        recipe: The recipe's file; the copy in the champion's folder when left out.
        feedback: Folder of what people said of the model where it is served; the one beside the recipe when left out.

    Raises:
        RecipeError: The recipe splits in a way that leaves no test rows for good, or its sources are not files.
    """
    loaded = load(recipe or champion.folder / "recipe.yaml")
    if loaded.recipe.name != champion.run.name:
        problem = f"this is the recipe of {loaded.recipe.name!r}, and the run is of {champion.run.name!r}"
        raise RecipeError(problem, at=str(recipe), hint="name the recipe that made the run")
    data: dict[str, Any] = read_document(dump(loaded.recipe), at="recipe").data
    data["split"] = split_as_in(champion, loaded.recipe)
    data["sources"] += _more(loaded.recipe, data["sources"][0], add)
    data["sources"] += _reported(loaded, feedback)
    steps = data.get("steps") or []
    if (loaded.base / REVIEW).is_file() and not any(one.use == "apply_review" for one in loaded.recipe.steps):
        data["steps"] = [{"use": "apply_review"}, *steps]
    made = parse(data, loaded.base)
    return Loaded(made.recipe, made.base, made.text, of_run=loaded.of_run)


def _reported(loaded: Loaded, feedback: Path | None) -> list[dict[str, Any]]:
    """A source for the rows that the model answered wrong, as reviewers agreed; none where there are none."""
    from seedbed.flow.reviewing.reported import reported_source

    recipe, folder = loaded.recipe, loaded.base / FOLDER if feedback is None else feedback
    if any(one.name == SOURCE for one in recipe.sources):
        return []
    decided = next((one.path for one in recipe.steps if isinstance(one, ApplyReview)), REVIEW)
    found = reported_source(loaded.base, recipe.name, Path(decided), folder)
    return [found] if found else []


def split_as_in(champion: Finished, recipe: Recipe) -> dict[str, Any]:
    """The recipe's split, made so that rows of the champion stay where they are.

    Raises:
        RecipeError: Rows do not stay in such a split.
    """
    split = recipe.split
    if isinstance(split, Time):
        _refuse_other_reading(champion, recipe)
    if isinstance(split, Time) or (isinstance(split, ByValue) and split.use == "predefined"):
        return split.model_dump(mode="json", exclude_unset=True) | {"use": split.use}
    if isinstance(split, Folding):
        raise RecipeError(
            "in folds every row trains the champion, and none is left to judge it beside a challenger",
            at=f"split: {split.use}",
            hint="choose by folds of the training rows (`evaluate: {folds: 5}`) and split with a test: stratified",
        )
    if not isinstance(split, ByShares):
        raise RecipeError(
            "a challenger and the champion are judged on the same test rows, which this split does not keep",
            at=f"split: {split.use}",
            hint="use a splitter with shares, or run the recipe again and look at `seedbed compare`",
        )
    kept = ("train", "validation", "test", "seed", "keep_together", "group", "label")
    told = split.model_dump(mode="json", exclude_unset=True)
    shares = {name: getattr(split, name) for name in ("train", "validation", "test")}
    return {
        **{name: value for name, value in told.items() if name in kept},
        **shares,
        "use": "hashed",
        "seed": split.seed,
        "as_in": str(champion.folder.resolve()),
    }


def _refuse_other_reading(champion: Finished, recipe: Recipe) -> None:
    """Of a split by time: the champion is asked about rows of the challenger's, so both must read rows alike.

    Raises:
        RecipeError: They do not.
    """
    if recipe.prepare:
        raise RecipeError(
            "rows of a later window are prepared by what the challenger learned, which the champion does not read",
            at="prepare",
            hint="run the recipe again and look at `seedbed compare`, or keep what is learned inside the learner",
        )
    before = load(champion.folder / "recipe.yaml").recipe
    one, other = ([step for step in of.steps if not isinstance(step, ApplyReview)] for of in (before, recipe))
    if one != other:
        raise RecipeError(
            "the champion reads rows that went through other steps, so it cannot be asked about the challenger's",
            at="steps",
            hint="run the recipe, name that run champion (`seedbed runs promote`), and retrain from there",
        )


def _more(recipe: Recipe, first: dict[str, Any], add: Sequence[Path]) -> list[dict[str, Any]]:
    """A source for each file that is added, read as the recipe's first is."""
    if not add:
        return []
    source = recipe.sources[0]
    if not isinstance(source, FileSource):
        problem = f"files cannot be added to what {source.use!r} reads"
        raise RecipeError(problem, at="--add", hint="where its data has grown, retrain without --add reads it")
    for path in add:
        if not path.exists():
            raise RecipeError("there is no such file", at=f"--add {path}", hint="name files like those of the recipe")
    taken = {one.name for one in recipe.sources}
    more = []
    for path in add:
        name = next(f"added{n}" for n in range(1, len(taken) + 2) if f"added{n}" not in taken)
        taken.add(name)
        more.append({**first, "path": str(path.resolve()), "name": name})
    return more
