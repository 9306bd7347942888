"""Which parts of `prepare` bear on what somebody looks at afterwards, and which columns those need."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from seedbed.core.part import labels_of
from seedbed.core.step import Fitted, Step

from .prepare import Learning


def written_by(steps: Sequence[Step], learned: Sequence[Learning]) -> tuple[frozenset[str] | None, ...]:
    """Columns that each step wrote in a run; none where that is not known (or where it learned nothing).

    Args:
        steps: The recipe's `prepare`.
        learned: What became of those that learn.
    """
    known: Mapping[str, Learning] = {one.name: one for one in learned}
    return tuple(_written(known[name]) if name in known else None for name in labels_of(list(steps)))


def _written(one: Learning) -> frozenset[str] | None:
    expressions = (*one.step.columns(one.state), *one.step.train_columns(one.state))
    names = [expression.meta.output_name(raise_if_undetermined=False) for expression in expressions]
    return None if None in names else frozenset(name for name in names if name is not None)


def bearing(
    steps: Sequence[Step],
    written: Sequence[frozenset[str] | None],
    wanted: Collection[str],
    left_out: Collection[int] = (),
) -> tuple[frozenset[int], frozenset[str] | None]:
    """Steps that bear on some columns or on which rows there are, and the columns that these steps need.

    Args:
        steps: In order.
        written: What each wrote in the run.
        wanted: Columns that are looked at afterwards.
        left_out: Places of steps that are not done at all.

    Returns:
        Places of steps, and columns, the wanted ones among them; none: any column may be needed.
    """
    needed, places = set(wanted), set[int]()
    for place in reversed([place for place in range(len(steps)) if place not in left_out]):
        step, writes = steps[place], written[place]
        if _only_writes(step) and writes is not None and not writes & needed:
            continue
        places.add(place)
        if not step.by_name:
            return frozenset(places | set(range(place)) - set(left_out)), None
        needed |= {column for _, column in step.columns_used()}
    return frozenset(places), frozenset(needed)


def _only_writes(step: Step) -> bool:
    """Whether a step leaves all rows in place, and what it writes is known beforehand."""
    return isinstance(step, Fitted) and step.by_name and type(step).keep is Fitted.keep
