"""Who stands for a recipe's name, as a person says so: a line in a file, for which nothing is loaded that trains."""

from __future__ import annotations

from pathlib import Path

from seedbed.core.champion import Promotion
from seedbed.core.errors import RecipeError
from seedbed.flow.naming import find_entry, find_run, store_of_run
from seedbed.store.champions import Champions


def promote_run(named: str, why: str, store: Path | None = None) -> tuple[str, Promotion]:
    """Make a run the champion of its recipe, because a person says so; the name, and what was noted.

    Raises:
        RecipeError: The index knows no such run, or it has no model.
        DataError: Several runs are meant, its folder is gone, or the champions cannot be read.
    """
    root = store or store_of_run(None)
    entry = find_entry(named, root)
    if entry.best is None:
        raise RecipeError("this run has no model", at=named, hint="promote a run that trained one")
    if entry.state != "passed":
        hint = "mend that and run again, or waive it in the recipe with a reason"
        raise RecipeError("a check or gate stopped this run", at=named, hint=hint)
    find_run(entry.id, store=root)  # a champion that is not there serves nobody
    return entry.name, Champions(root).promote(entry.name, entry.id, why or "somebody promoted it")


def roll_back(name: str, why: str, store: Path | None = None) -> tuple[Promotion, Promotion]:
    """Give the champion's place back to the one before; who was champion, and who is.

    Raises:
        RecipeError: There was none before.
        DataError: The champions cannot be read, or the folder of the one before is gone.
    """
    root = store or store_of_run(None)
    champions = Champions(root)
    standing = [one for one in champions.history(name) if one.undone is None]
    if len(standing) > 1:
        from seedbed.flow.finished import open_run

        open_run(find_run(standing[-2].run, store=root))  # a champion that is not there serves nobody
    return champions.roll_back(name, why or "somebody rolled it back")
