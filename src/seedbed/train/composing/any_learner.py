"""A learner inside a learner's options, written as one under `train`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, ValidationError, ValidationInfo, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from seedbed.core import digest
from seedbed.core.errors import SeedbedError, did_you_mean
from seedbed.core.learner import Learner
from seedbed.core.part import BASE, Placed


def a_learner(given: Any, info: ValidationInfo) -> Learner:
    """A learner from what a recipe says under an option.

    Raises:
        ValidationError: It names no learner that is known, or an option is wrong: with its place below the option.
    """
    if isinstance(given, Learner):
        return given
    if not isinstance(given, Mapping) or "use" not in given:
        raise refused((), "needs a learner, as under `train`", "write {use: NAME} and its options")
    name = str(given["use"])
    known = Learner.named(name)
    if known is None:
        raise refused(("use",), f"there is no learner {name[:40]!r}", did_you_mean(name, Learner.catalogue))
    try:
        found = known.model_validate(dict(given), context=info.context)
    except SeedbedError as error:
        raise refused((), error.problem, error.hint) from None
    assert isinstance(found, Learner)
    return found


def refused(at: tuple[str | int, ...], problem: str, hint: str = "") -> ValidationError:
    """An error for a validator to raise, about a place below the option that it looks at."""
    error = PydanticCustomError("seedbed", "{problem}", {"problem": problem, "hint": hint})
    return ValidationError.from_exception_data("learner", [InitErrorDetails(type=error, loc=at, input=None)])


def said_of(learner: Learner) -> dict[str, Any]:
    """A learner as a recipe says it: what was left out stays left out, because what tunes may choose that."""
    return {"use": learner.use, **learner.model_dump(mode="json", exclude_unset=True)}


def changed(learner: Learner, options: Mapping[str, Any]) -> Learner:
    """A learner with other values of some options.

    Raises:
        ValidationError: An option cannot be that.
    """
    base = learner._base if isinstance(learner, Placed) else Path.cwd()
    return type(learner).model_validate({**said_of(learner), **options}, context={BASE: base})


def origin_of(learner: Learner) -> Any:
    """What a learner's work depends on besides its options, its own code among it: for the store's keys."""
    type(learner).check_needs()
    return [digest.of_file(Path(inspect.getfile(type(learner)))), learner.made_from()]


@cache
def code_here() -> str:
    """Digest of the code of this room, which learners share."""
    here = Path(__file__).parents[1]
    files = ((file.relative_to(here).as_posix(), digest.of_file(file)) for file in here.rglob("*.py"))
    return digest.of_json(sorted(files))


AnyLearner = Annotated[
    Learner,
    BeforeValidator(a_learner),
    PlainSerializer(said_of, return_type=dict[str, Any]),
    WithJsonSchema({"type": "object", "required": ["use"], "properties": {"use": {"type": "string"}}}),
]
