"""A recipe, run again on what has come in since: the new model takes the old one's place only if it is better."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from seedbed.core.context import Context, Progress
from seedbed.core.numbers import things
from seedbed.core.promotion import RETRAINED, RETRAINED_PAGE, Contender, Retrained
from seedbed.flow.beginning import told_apart_by
from seedbed.flow.finished import Finished, open_run
from seedbed.flow.naming import find_run, store_of_run
from seedbed.flow.running import run
from seedbed.report.retraining import render
from seedbed.splits.time import Time
from seedbed.store.champions import Champions
from seedbed.store.places import write_whole

from .again import again
from .judging import Verdict, judge_both


def retrain(
    named: str | Path,
    *,
    add: Sequence[Path] = (),
    recipe: Path | None = None,
    feedback: Path | None = None,
    out: Path | None = None,
    promote: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Retrained:
    """Run the recipe of a run again, and promote the new model if it is better and nowhere worse.

    The champion is who stands for the recipe's name; where nobody does, the run that is named becomes it. Its rows stay
    in their splits, so that its test rows, frozen, judge both. The challenger is promoted if its run passed its checks
    and gates, it is better on those rows by the metric that decides (a paired test), and on no slice of them worse
    (Holm-corrected over slices).

    Args:
        named: A run, however it is named.
        add: Files with more rows, read as the recipe's first source is.
        recipe: The recipe's file; the copy that the champion's folder holds when left out.
        feedback: Folder of what people said of the model where it is served; the one beside the recipe when left out.
        out: Folder for the challenger; `runs/NAME/ID` beside the recipe when left out.
        promote: Whether to promote it; only told whether it would be, if not.
        workers: Worker processes.
        progress: Where progress is shown.

    Returns:
        What was found. It stands beside the challenger's record, too.

    Raises:
        RecipeError: The recipe cannot be run again like this.
        DataError: The data cannot be read, or the champion's folder is gone.
        ModelError: A model could not be trained.
    """
    begun = time.monotonic()
    given = open_run(named)
    champions = Champions(store_of_run(given.folder))
    champion = _standing(champions, given)
    if champions.champion(given.run.name) is None:
        champions.promote(given.run.name, given.run.id, "it was there when the first challenger came")
    context = Context(progress=progress) if progress else Context()
    loaded = again(champion, add, recipe, feedback)
    challenger = run(loaded, out=out, workers=workers, progress=progress, command=_command(named, add))
    with context.stage("Comparing with the champion"):
        time_of = loaded.recipe.split.column if isinstance(loaded.recipe.split, Time) else None
        found = judge_both(champion, challenger, told_apart_by(loaded.recipe), time=time_of)
    told = Retrained(
        name=champion.run.name,
        champion=_contender(champion),
        challenger=_contender(challenger),
        frozen=champion.run.dataset.splits.get("test", 0),
        rows=len(found.frozen.pairs),
        judges="later" if found.frozen.later else "frozen",
        later=found.frozen.later,
        grown=found.frozen.grown,
        relabelled=found.frozen.relabelled,
        comparison=found.comparison,
        slices=found.slices,
        read_before=len(champion.run.test_reads),
        read_why=champion.run.test_reads_told,
        against=tuple(_against(challenger, found)),
        promoted=False,
        seconds=time.monotonic() - begun,
    )
    if promote and not told.against:
        told = _promoted(told, champions)
    told = told.model_copy(update={"history": champions.history(told.name)})
    write_whole(challenger.folder / RETRAINED, told.model_dump_json(indent=1).encode() + b"\n")
    write_whole(challenger.folder / RETRAINED_PAGE, render(told).encode())
    return told


def _promoted(told: Retrained, champions: Champions) -> Retrained:
    """The challenger in the champion's place, unless somebody else took it while it was trained."""
    new, old = told.challenger.run, told.champion.run
    standing = champions.promote(told.name, new, _because(told), over=old)
    if standing.run == new:
        return told.model_copy(update={"promoted": True})
    why = f"run {standing.run} became champion meanwhile, and it was not compared with that: retrain again"
    return told.model_copy(update={"against": (*told.against, why)})


def _standing(champions: Champions, given: Finished) -> Finished:
    """Who stands for the name of a run; the run itself where nobody does."""
    standing = champions.champion(given.run.name)
    if standing is None or standing.run == given.run.id:
        return given
    return open_run(find_run(f"{given.run.name}@champion", store=champions.root))


def _contender(finished: Finished) -> Contender:
    run = finished.run
    return Contender(
        run=run.id, folder=str(finished.folder), model=run.best, splits=run.dataset.splits, started=run.started
    )


def _against(challenger: Finished, found: Verdict) -> Iterator[str]:
    """What speaks against promoting the challenger."""
    if challenger.run.state != "passed":
        yield f"its run was stopped: {'; '.join(challenger.run.stopped_by[:3])}"
    if found.why_not:
        yield found.why_not
    elif found.comparison is not None and found.comparison.verdict != "better":
        which = "later" if found.frozen.later else "frozen"
        yield f"on the {which} rows it is {_said(found.comparison.verdict)}"
    for one in found.slices:
        if one.comparison.verdict == "worse":
            yield f"it is worse on {one.by}: {one.value}"
    copies = found.frozen.grown.copies if found.frozen.grown and not found.frozen.later else {}
    if leaked := copies.get("train", 0) + copies.get("validation", 0):
        yield f"it learned from {things(leaked, 'copy', 'copies')} of frozen test rows"


def _said(verdict: str) -> str:
    return "worse" if verdict == "worse" else "not distinguishable from the champion"


def _because(told: Retrained) -> str:
    comparison = told.comparison
    assert comparison is not None
    return (
        f"{comparison.metric} {comparison.difference:+.4f} ({comparison.low:+.4f} to {comparison.high:+.4f}) against "
        f"{told.champion.run} on {told.rows:,} {told.judges} test rows, and worse on none of {len(told.slices)} slices"
    )


def _command(named: str | Path, add: Sequence[Path]) -> str:
    return " ".join(["seedbed retrain", str(named), *(f"--add {path}" for path in add)])
