"""Where a learner's options are searched: what they declare, narrowed or extended by a recipe."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, get_args

import orjson
from pydantic import ValidationError

from seedbed.core.errors import did_you_mean
from seedbed.core.learner import Learner
from seedbed.core.search import Range, Space, spaces_of
from seedbed.train.composing.any_learner import changed, refused

Over = Mapping[str, Range | list[Any] | None]


def searched(learner: Learner, over: Over) -> dict[str, Space]:
    """What is searched: options that declare where, unless the recipe fixes them, and those that `over` names.

    Raises:
        ValidationError: `over` names an option that is not there, or values that it cannot have; nothing is searched.
    """
    known = {name: field for name, field in type(learner).model_fields.items() if name != "use"}
    for name in over:
        if name not in known:
            problem = f"there is no such option of {learner.use}"
            raise refused(("over", name), problem, did_you_mean(name, known))
    declared = {name: space for name, space in spaces_of(type(learner)).items() if name not in learner.model_fields_set}
    found = {name: _each_once(space) for name, space in {**declared, **over}.items() if space is not None}
    if not found:
        hint = f"name some under `over`: {', '.join(known)}" if known else "train it as it is"
        raise refused(("over",), f"no option of {learner.use} is left to search", hint)
    for name, space in found.items():
        _refuse_misfits(learner, name, space)
    return found


def _each_once(space: Space) -> Space:
    """A list without values that stand in it before: each is a trial."""
    return list({_json(value): value for value in space}.values()) if isinstance(space, list) else space


def _refuse_misfits(learner: Learner, name: str, space: Space) -> None:
    """Refuse a space whose ends or values the option cannot have."""
    if isinstance(space, list) and not space:
        raise refused(("over", name), "has no values to try", "write [0.1, 1, 10], or null to leave it as it is")
    if isinstance(space, Range) and not _types(learner, name) & {int, float}:
        raise refused(("over", name), f"{name!r} is no number", "list the values to try: [.., ..]")
    for value in (space.low, space.high) if isinstance(space, Range) else space:
        try:
            changed(learner, {name: value})
        except ValidationError as error:
            said = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
            raise refused(("over", name), f"{value!r} cannot be tried: {said[:1].lower()}{said[1:]}") from None


def _types(learner: Learner, name: str) -> set[Any]:
    return set(_pieces(type(learner).model_fields[name].annotation))


def _pieces(annotation: Any) -> Iterator[Any]:
    yield annotation
    for piece in get_args(annotation):
        yield from _pieces(piece)


def distributions(learner: Learner, spaces: Mapping[str, Space]) -> dict[str, Any]:
    """The same for Optuna; of a list it gets the places."""
    import optuna

    found: dict[str, Any] = {}
    for name, space in spaces.items():
        if isinstance(space, list):
            found[name] = optuna.distributions.CategoricalDistribution(tuple(range(len(space))))
        elif float in _types(learner, name):
            found[name] = optuna.distributions.FloatDistribution(space.low, space.high, log=space.log)
        else:
            found[name] = optuna.distributions.IntDistribution(int(space.low), int(space.high), log=space.log)
    return found


def options_at(spaces: Mapping[str, Space], point: Mapping[str, Any]) -> dict[str, Any]:
    """Options from what Optuna says."""
    return {name: space[point[name]] if isinstance(space, list) else point[name] for name, space in spaces.items()}


def point_of(learner: Learner, spaces: Mapping[str, Space]) -> dict[str, Any] | None:
    """Where a learner as it stands is in the spaces; none where some option lies outside."""
    found: dict[str, Any] = {}
    for name, space in spaces.items():
        value = getattr(learner, name)
        if isinstance(space, list):
            there = [_json(one) for one in space]
            if _json(value) not in there:
                return None
            found[name] = there.index(_json(value))
        elif value is None or not space.low <= value <= space.high:
            return None
        else:
            found[name] = value
    return found


def every_point(learner: Learner, spaces: Mapping[str, Space], most: int) -> list[dict[str, Any]] | None:
    """All points, where they are no more than that."""
    axes: list[range] = []
    for name, space in spaces.items():
        if isinstance(space, list):
            axes.append(range(len(space)))
        elif float not in _types(learner, name):
            axes.append(range(int(space.low), int(space.high) + 1))
        else:
            return None
    if math.prod(map(len, axes)) > most:
        return None
    return [dict(zip(spaces, values, strict=True)) for values in product(*axes)]


def _json(value: Any) -> bytes:
    return orjson.dumps(value, default=lambda options: options.model_dump(mode="json"))
