"""`export`: whatever a person names, in a format that they name."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from pydantic import ValidationError

import seedbed.publish
from seedbed.core.context import Context, expand
from seedbed.core.errors import DataError, RecipeError, SeedbedError, did_you_mean
from seedbed.core.exporter import Exporter, FileFormat, Rows
from seedbed.core.model_exporter import ModelExporter
from seedbed.core.numbers import things, word
from seedbed.core.part import BASE
from seedbed.core.run import Run
from seedbed.flow.finished import open_run
from seedbed.flow.naming import find_run, store_near
from seedbed.flow.shipping.opened import open_model_of, shipped
from seedbed.publish.files.splits import Splits
from seedbed.publish.shaping.shaped import Shaped, left_out_of, task_of
from seedbed.recipe.overrides import overridden
from seedbed.sources.reading.files import PACKED, is_local, local_path
from seedbed.store.places import arriving
from seedbed.train.bundle import BUNDLE

from .files import Opened, open_file
from .standing import obstacles

assert seedbed.publish  # importing it registers the formats


@dataclass(frozen=True)
class Asked:
    """What a person said of the export that they want."""

    to: str
    out: str | None = None
    splits: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    """As OPTION=VALUE."""
    trust: bool = False


@dataclass(frozen=True)
class Exported:
    """What came of it."""

    named: str
    out: str
    format: str
    read_as: str
    rows: dict[str, int]
    """By split; those of a file under an empty name."""
    malformed: dict[str, int] = field(default_factory=dict)
    """Records that could not be read, by reason."""
    rejected: str | None = None
    """The file that has them."""
    first: str = ""
    """Where the first of them is."""
    notes: tuple[str, ...] = ()
    model: str | None = None
    """The model, where one was exported and not rows."""
    told: tuple[str, ...] = ()
    """What is to know of it, a sentence each."""


def export(named: str, asked: Asked, context: Context | None = None) -> Exported:
    """Write a run's dataset, one of its models, or any file, in another format.

    Args:
        named: A run by its folder, the start of its id, a tag, or NAME@latest; a model's folder; or a file, folder,
            glob or URL.
        asked: The format, the place, options.
        context: Where relative paths start, and where progress is shown.

    Raises:
        RecipeError: There is no such format, option, split or column, or the place may not be replaced.
        DataError: Nothing is there, it cannot be read, or the format cannot say what it holds.
        MissingExtraError: The format needs packages that are not installed.
        ModelError: A model cannot be opened, or be said in that form.
    """
    context = context or Context(store=store_near())
    try:
        return _exported(named, asked, context)
    except SeedbedError as error:
        error.at = error.at.removeprefix("publish: ")  # where it stands in a recipe; nobody publishes here
        raise


def _exported(named: str, asked: Asked, context: Context) -> Exported:
    if issubclass(Exporter.catalogue.get(asked.to, Exporter), ModelExporter):
        return _model(named, asked, context)
    run = _run_of(named)
    if run is None and asked.to in Exporter.catalogue and (Path(named) / BUNDLE).is_file():
        forms = sorted(name for name, part in Exporter.catalogue.items() if issubclass(part, ModelExporter))
        raise RecipeError(
            f"{asked.to} is a format of rows, and this is a model",
            at=named,
            hint=f"models are exported as {', '.join(forms)}; rows are those of its run",
        )
    return _run(named, run, asked, context) if run else _file(named, asked, context)


def _run_of(named: str) -> Path | None:
    """The folder of a run; none where a file is meant."""
    path = Path(named)
    if path.name == "run.json":
        return path.parent
    if path.exists() or "://" in named or any(sign in named for sign in "*?["):
        return path if (path / "run.json").is_file() else None
    try:
        found = find_run(named)
    except SeedbedError:
        if path.suffix:  # a file that is not there: whoever reads it says so
            return None
        raise
    return found if (found / "run.json").is_file() else None


def exporter_for(asked: Asked, **given: Any) -> Exporter:
    """The exporter with its options.

    Raises:
        RecipeError: There is none of that name, or an option is not one of its.
    """
    known = Exporter.catalogue.get(asked.to)
    if known is None:
        hint = did_you_mean(asked.to, Exporter.catalogue, show=20)
        raise RecipeError(f"there is no format {asked.to[:40]!r}", at="--to", hint=hint)
    options: dict[str, Any] = {"use": asked.to, **given}
    overridden(options, asked.options)
    if options["use"] != asked.to:
        raise RecipeError("the format is named by --to", at="--set use")
    try:
        found = known.model_validate(options, context={BASE: Path.cwd()})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"]))
        hint = did_you_mean(at, [name for name in known.model_fields if name not in ("use", "path")])
        problem = f"{asked.to} has no option {at!r}" if first["type"] == "extra_forbidden" else first["msg"]
        if first["type"] == "missing":
            problem, hint = f"{asked.to} needs the option {at!r}", f"--set {at}=VALUE"
        shown = hint if "option" in problem else ""
        raise RecipeError(problem, at=f"--set {at}", hint=shown) from None
    assert isinstance(found, Exporter)
    found.check_needs()
    return found


def _run(named: str, folder: Path, asked: Asked, context: Context) -> Exported:
    run = open_run(folder).run
    if not run.dataset.splits:
        raise DataError("this run made no dataset: it was stopped before", at=named, hint="export another")
    out = asked.out or f"{run.name}-{asked.to}"
    given = {"splits": list(asked.splits)} if asked.splits else {}
    exporter = exporter_for(asked, path=out, **given)
    for option, problem, hint in exporter.faults(task_of(folder)):
        raise RecipeError(problem, at="--to" if option == "use" else f"--set {option}", hint=hint)
    exporter = exporter.for_task(roles_of(run))
    if exporter.leaves:
        hint = f"seedbed publish {named} --to {asked.to}: it asks for the card's answers, licences and gates first"
        raise RecipeError(f"{asked.to} sends rows to others, and an export is for one's own use", at="--to", hint=hint)
    exporter.export(folder, context)
    wanted = getattr(exporter, "splits", None) or run.dataset.splits
    left = left_out_of(context.base / expand(out, at="--out")) if isinstance(exporter, Shaped) else {}
    rows = {name: count - left.get(name, 0) for name, count in run.dataset.splits.items() if name in wanted}
    return Exported(named, out, asked.to, "run", rows, notes=tuple(_warnings(run)))


def _model(named: str, asked: Asked, context: Context) -> Exported:
    if asked.splits:
        raise RecipeError("a model has no splits", at="--split", hint="leave it out")
    # Its own options are looked at before the model is opened, which may take a while.
    exporter = exporter_for(asked, path=asked.out or "out")
    assert isinstance(exporter, ModelExporter)
    if exporter.leaves:
        hint = f"seedbed publish {named} --to {asked.to}: it asks for the card's answers, licences and gates first"
        raise RecipeError(
            f"{asked.to} sends the model to others there, and an export is for one's own use", at="--out", hint=hint
        )
    opened = shipped(open_model_of(Path(named), exporter.model, trust=asked.trust))
    out = asked.out or f"{opened.name}-{asked.to}"
    told = exporter.model_copy(update={"path": out}).ship(opened, context)
    return Exported(named, out, asked.to, "model", {}, notes=opened.owed[:1], model=opened.name, told=told)


def roles_of(run: Run) -> dict[str, str]:
    """Columns of the task that options may leave out."""
    return {role: name for role, name in run.task.items() if role in ("text", "label") and isinstance(name, str)}


def _warnings(run: Run) -> list[str]:
    """What would stop the run from being published: an export is for one's own use."""
    against = obstacles(run, run.licences.problems if run.licences else (), run.blanks)
    if not against:
        return []
    more = f" (and {len(against) - 1} more)" if len(against) > 1 else ""
    return [f"for your own use only; this stands against publishing: {against[0].told}{more}"]


def _file(named: str, asked: Asked, context: Context) -> Exported:
    if asked.splits:
        raise RecipeError("a file has no splits", at="--split", hint="leave it out, or name a run")
    exporter = exporter_for(asked, path=asked.out or "out")
    if not isinstance(exporter, Splits | Shaped):
        whole = [use for use, part in Exporter.catalogue.items() if issubclass(part, Splits | Shaped)]
        raise RecipeError(f"{asked.to} exports runs, not files", at="--to", hint=f"files go to {', '.join(whole)}")
    target = Path(expand(asked.out or _own_name(named, exporter), at="--out"))
    whole_target = (context.base / target).resolve()
    if whole_target.exists() and is_local(named) and local_path(named, context.base).resolve() == whole_target:
        raise RecipeError("this would replace the file that is read", at=f"--out {target}", hint="choose another name")
    with TemporaryDirectory(prefix="seedbed-") as folder:
        if not is_local(named):  # fetched each time it is named, and kept no longer than that
            context = replace(context, store=Path(folder) / "store")
        bad = Path(folder) / "rejected.jsonl"
        opened = open_file(named, bad, context, trust=asked.trust)
        exporter.write_alone(_some(opened, named), target, context)
        rejected = whole_target.with_name(f"{whole_target.name}.rejected.jsonl")
        rejected.unlink(missing_ok=True)  # of an earlier export to the same place
        if opened.passed.malformed:
            with arriving(rejected) as fresh:
                shutil.move(bad, fresh)
    left = left_out_of(whole_target) if isinstance(exporter, Shaped) else {}
    return Exported(
        named,
        str(target),
        asked.to,
        opened.read_as,
        {"": opened.passed.rows - left.get("", 0)},
        dict(opened.passed.malformed),
        str(target) + ".rejected.jsonl" if opened.passed.malformed else None,
        opened.passed.first,
        (*opened.notes, *_left_as_texts(opened, exporter)),
    )


def _left_as_texts(opened: Opened, exporter: FileFormat) -> Iterator[str]:
    """That numbers stay texts, where the other format could tell them apart."""
    if opened.numbers and exporter.use != "csv" and not isinstance(exporter, Shaped):
        named = ", ".join(name[:40] for name in opened.numbers[:4]) + (", …" if len(opened.numbers) > 4 else "")
        yield (
            f"a CSV holds texts, so {named} {word(len(opened.numbers), 'stays one', 'stay such')}, though every value "
            "looked at reads as a number: `cast` in a recipe makes numbers of them"
        )


def _some(opened: Opened, named: str) -> Rows:
    """The rows, of which there must be one if anything is there."""

    def batches() -> Iterator[pl.DataFrame]:
        yield from opened.rows.batches()
        if not opened.passed.rows and (bad := opened.passed.malformed):
            why, many = bad.most_common(1)[0]
            raise DataError(
                f"none of {things(sum(bad.values()), 'record')} can be read ({why}: {many:,})",
                at=named,
                hint="is it of the kind that its name says? `seedbed profile` tells more",
            )

    return Rows(opened.rows.schema, batches)


def _own_name(named: str, exporter: FileFormat) -> str:
    """Where a file goes when nobody says: its own name in the current folder, with the format's ending."""
    name = PurePosixPath(named.partition("?")[0]).name
    for ending in PACKED:
        name = name.removesuffix(ending)
    stem = re.sub(r"[^\w.-]+", "", PurePosixPath(name).stem) or "out"
    return f"{stem}{exporter.ending}" if exporter.ending else f"{stem}-{exporter.use}"
