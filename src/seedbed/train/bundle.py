"""A bundle: a folder with a model, what it was learned with, and the preprocessing that its texts must pass.

```
bundle.json        learner, options, labels, task, calibration, scores, digest of the dataset, versions, SHA-256 of the
                   other files
preprocess.json    the columns that a row must bring, the steps before the model, and golden examples to check any
                   runtime against
reference.json     what held-out rows, and the answers to them, are like: what later ones are compared with
requirements.txt   versions of the packages that it was made with
README.md          the model's card
…                  the model's own files
```
All of it is data: nothing in a bundle is executed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

import orjson
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from seedbed.core import digest
from seedbed.core.errors import ModelError, SeedbedError, did_you_mean
from seedbed.core.learner import Learner, Model, Serving
from seedbed.core.metric import Score
from seedbed.core.run import Calibration
from seedbed.core.task import AnyTask, Task
from seedbed.core.version import __version__

from .calibrated import Calibrated

BUNDLE, PREPROCESS = "bundle.json", "preprocess.json"
REFERENCE, REQUIREMENTS, CARD = "reference.json", "requirements.txt", "README.md"

InputType = Literal["text", "integer", "number", "boolean", "date", "datetime", "any"]


class Golden(BaseModel):
    """A raw input and what the bundle makes of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: dict[str, Any] = Field(description="Values of the columns, before any step.")
    text: str = Field(description="What the model reads, after the steps, as text.")
    predicted: Any = Field(
        validation_alias=AliasChoices("predicted", "probabilities"),
        description="What it answers: the probability of each label, a number, or the fields of the answer.",
    )


class Input(BaseModel):
    """A column that a row brings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    type: InputType = Field(
        "text", description="What its values were in training, and are turned into; `any` are taken as they come."
    )
    known_as: tuple[str, ...] = Field((), description="Other names that the sources of training had for it.")


class Carried(BaseModel):
    """A step of the recipe that rows pass before the model reads them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="Its name in the ledger.")
    part: dict[str, Any] = Field(description="`use` and options.")
    code: dict[str, str] = Field(
        default_factory=dict, description="Files that its options name and that it runs; never without trust."
    )
    state: dict[str, Any] | None = Field(None, description="What it learned from training rows, where it learns.")
    writes: tuple[str, ...] = Field(
        (), description="The columns that it writes here; what else it would write, nobody reads."
    )


class Preprocess(BaseModel):
    """What a row passes before the model reads it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: tuple[Input, ...] = Field(description="The columns that a row must bring, before any step.")
    unseen: tuple[Input, ...] = Field((), description="Columns that steps look at and no row brings: always missing.")
    steps: tuple[Carried, ...] = Field(
        description="In order. What rejects rows in training only warns here, and the row goes on."
    )
    golden: tuple[Golden, ...] = Field(description="Examples that any runtime must reproduce.")
    reads: tuple[str, ...] = Field((), description="Columns that the model reads, after the steps.")
    truth: Preprocess | None = Field(
        None,
        description="The same for what is right: what a row of the source says passes these steps before the model's "
        "answers are held against it. Nothing where the answer is no column of its own.",
    )


class Origin(BaseModel):
    """Where a model comes from."""

    model_config = ConfigDict(frozen=True)

    dataset: str = Field("", description="Name of the dataset.")
    digest: str = Field("", description="Its digest.")
    scores: dict[str, dict[str, Score]] = Field(default_factory=dict, description="By split and metric.")
    needs: dict[str, str] = Field(default_factory=dict, description="Versions of packages, by name.")


class Bundle(BaseModel):
    """What a bundle says about its model."""

    model_config = ConfigDict(frozen=True)

    seedbed: str = Field(description="Version of Seedbed that wrote it.")
    use: str = Field(description="The learner.")
    options: dict[str, Any] = Field(description="The learner's options.")
    labels: tuple[str, ...] = Field(description="The labels, if any, in the order of the model's probabilities.")
    task: AnyTask
    calibration: Calibration | None = Field(
        None, description="What the model's own probabilities are put right by; `load_bundle` does."
    )
    origin: Origin = Field(Origin(), description="Where the model comes from, as far as it is known.")
    files: dict[str, str] = Field(description="SHA-256 of each other file, by name.")
    preprocess: Preprocess = Field(description="What `preprocess.json` holds.", exclude=True)


def save_bundle(
    model: Model[Any],
    folder: Path,
    *,
    learner: Learner,
    task: Task,
    preprocess: Preprocess,
    origin: Origin | None = None,
    more: Mapping[str, str] | None = None,
) -> Bundle:
    """Write a bundle. `bundle.json` comes last: a folder without it is not one.

    Args:
        model: What `learner` learned; its calibration, if it has one, is kept, too.
        folder: Where to; made if need be, and empty.
        learner: The part that learned the model.
        task: What the model does.
        preprocess: What rows pass before the model reads them, with examples.
        origin: Where the model comes from.
        more: Other files for people and tools, by name: the card, versions, the reference.

    Raises:
        ModelError: The folder is not empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ModelError("a bundle needs an empty folder, and this one is not", at=str(folder))
    model.save(folder)
    _write(folder / PREPROCESS, preprocess)
    for name, text in (more or {}).items():
        (folder / name).write_text(text, "utf-8")
    written = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in written:  # safetensors lets nobody else read what it writes
        path.chmod((folder / PREPROCESS).stat().st_mode)
    bundle = Bundle(
        seedbed=__version__,
        use=learner.use,
        options=learner.model_dump(mode="json", exclude={"use"}),
        labels=model.labels,
        task=cast(Any, task),
        calibration=model.calibration if isinstance(model, Calibrated) else None,
        origin=origin or Origin(),
        files={path.relative_to(folder).as_posix(): digest.of_file(path) for path in written},
        preprocess=preprocess,
    )
    _write(folder / BUNDLE, bundle)
    return bundle


def stamp_of(folder: Path) -> str:
    """What is another text once somebody wrote to a file of a bundle, or put another in its place.

    Raises:
        OSError: Files come and go there.
    """
    files = sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    told = ((path.relative_to(folder), path.stat()) for path in files if path.is_file())
    return "\n".join(f"{name} {one.st_ino} {one.st_mtime_ns} {one.st_size}" for name, one in told)


def load_bundle(folder: Path, *, serving: Serving | None = None) -> tuple[Model[Any], Bundle]:
    """Read what `save_bundle` wrote. The learner's part must have been imported, as Seedbed's own are.

    A model that was calibrated comes as `Calibrated`, which gives calibrated probabilities.

    Args:
        folder: The bundle.
        serving: Read the model as light as it knows how to be (`Model.serving`).

    Raises:
        ModelError: The folder is not a bundle, a file is missing or damaged, or its learner is not known.
        MissingExtraError: The model needs packages that are not installed.
    """
    said = _read(folder / BUNDLE)
    try:
        bundle = Bundle.model_validate({**said, "preprocess": _read(folder / PREPROCESS)})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ModelError(
            f"this is not a model bundle of Seedbed ({place}: {first['msg']})",
            at=str(folder),
            hint=_hint_of(said.get("seedbed")),
        ) from None
    for name, expected in bundle.files.items():
        path = folder / name
        if not path.is_file() or digest.of_file(path) != expected:
            raise ModelError(
                "this file of the bundle is damaged or not the one that was saved"
                if path.is_file()
                else "this file of the bundle is missing",
                at=str(path),
                hint="copy the whole bundle again",
            )
    try:
        kind = _model_class(bundle, folder)
        model = kind.load(folder) if serving is None else kind.serving(folder, serving)
    except SeedbedError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever a library makes of files that are not as they were)
        why = (str(error).splitlines() or [""])[0][:200]
        raise ModelError(f"the model cannot be read ({type(error).__name__}: {why})", at=str(folder)) from None
    return (Calibrated(model, bundle.calibration) if bundle.calibration else model), bundle


def _hint_of(written_by: object) -> str:
    """What to do about a bundle that does not read as this version writes it."""
    if not isinstance(written_by, str) or written_by == __version__ or not re.fullmatch(r"[\w.+-]{1,40}", written_by):
        return "copy the whole bundle again, or run the recipe once more"
    return f"Seedbed {written_by} wrote it, and this is {__version__}: pip install 'seedbed>={written_by}'"


def _model_class(bundle: Bundle, folder: Path) -> type[Model[Any]]:
    part = Learner.catalogue.get(bundle.use)
    if part is None or not issubclass(part, Learner):
        raise ModelError(
            f"the bundle's learner {bundle.use!r} is not known",
            at=str(folder / BUNDLE),
            hint=did_you_mean(bundle.use, Learner.catalogue) + "; a plugin's learner needs its package installed",
        )
    return part.model


def _write(path: Path, record: BaseModel) -> None:
    path.write_bytes(
        orjson.dumps(record.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )


def _read(path: Path) -> Mapping[str, Any]:
    """A JSON object."""
    try:
        said = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        problem = "is not JSON" if isinstance(error, orjson.JSONDecodeError) else "cannot be read"
        raise ModelError(
            f"this is not a model bundle of Seedbed: {path.name} {problem}",
            at=str(path.parent),
            hint="a bundle is a folder models/NAME of a run",
        ) from None
    if not isinstance(said, dict):
        raise ModelError(f"this is not a model bundle of Seedbed: {path.name} is no object", at=str(path.parent))
    return said
