"""What a learner of learners has from those that it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from seedbed.core.learner import Learner
from seedbed.core.task import AnyTask, Task


class FromInner:
    """A class attribute of `Learner` that each learner has from the learners inside it; the class has the widest."""

    def __init__(self, of_class: Callable[[], Any], of_learner: Callable[[Any], Any]) -> None:
        self.of_class, self.of_learner = of_class, of_learner

    def __get__(self, learner: Learner | None, owner: type[Learner]) -> Any:
        return self.of_class() if learner is None else self.of_learner(learner)


def kinds(*says: str) -> tuple[str, ...]:
    """Kinds of tasks, or those that are answered in some ways."""
    return tuple(kind for kind, task in _tasks().items() if not says or task.says in says)


def _tasks() -> Mapping[str, type[Task]]:
    return {task.model_fields["kind"].default: task for task in get_args(get_args(AnyTask)[0])}
