"""The lowest layers of a network that learn nothing: without dropout, and computed once for each text.

What such layers make of a text is the same in every epoch. So it is computed once and kept, in memory or, where it is
large, in a file of the run's workspace; each step then computes only what is above. The weights that are learned are
those that would be learned without that, up to rounding.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.core.context import Context
from seedbed.core.errors import ModelError
from seedbed.core.numbers import size
from seedbed.store.store import Store

from .objective import Objective, Row, by_length

#: Bytes of states that are kept in memory; more are kept in a file, of at most this share of the free disk.
IN_MEMORY, OF_DISK = 512 * 2**20, 0.5
#: Rows that are read together.
_BATCH = 32
#: What rounding may change of a loss, relative to it.
_ROUNDING = 1e-3

#: Computes in what precision the training does.
Computing = Callable[[], AbstractContextManager[Any]]


def freeze(network: Any, layers: int, at: str) -> None:
    """Keep the embeddings and the lowest layers as they are.

    Raises:
        ModelError: The network has fewer layers.
    """
    embeddings, *stack = parts_of(network)
    if layers > len(stack):
        raise ModelError(f"the network has {len(stack)} layers, and {layers} cannot be frozen", at=at)
    for module in (embeddings, *stack[:layers]):
        module.requires_grad_(False)


def parts_of(network: Any) -> list[Any]:
    """What embeds tokens, and the layers, lowest first."""
    from torch.nn import ModuleList

    body = network.base_model
    stacks = [module for module in body.modules() if isinstance(module, ModuleList)]
    return [getattr(body, "embeddings", None) or body.get_input_embeddings(), *max(stacks, key=len, default=())]


def _frozen(network: Any) -> list[Any]:
    """What embeds tokens and the lowest layers, as far as nothing in them learns; nothing where no layer is so."""
    parts = parts_of(network)
    learns = [any(one.requires_grad for one in part.parameters()) for part in parts]
    still = learns.index(True) if True in learns else len(parts)
    return parts[:still] if still > 1 else []


@contextmanager
def computed_once(
    network: Any, rows: Sequence[Row], objective: Objective, context: Context, *, again: bool, computing: Computing
) -> Iterator[None]:
    """Have a network leave dropout out of its frozen layers, and keep what they make of texts.

    A network whose frozen layers hand on more than states computes them in each step; one batch tells.

    Args:
        network: Where it computes; it is as before when the body is left.
        rows: All that will be read.
        objective: What is learned.
        context: Store and progress.
        again: Whether rows are read more than once, so that keeping pays.
        computing: Computes in what precision the training does.
    """
    frozen = _frozen(network)
    with ExitStack() as left:
        for module in frozen:
            left.enter_context(_resting(module))
        if frozen and again and rows:
            kept = _States(network, frozen[1:], computing)
            folder = left.enter_context(Store.of(context).workspace("states"))
            with context.stage("Reading the frozen layers", kept.texts(rows), "texts") as stage:
                useful = kept.fill(rows, objective, folder, stage.advance)
            if useful:
                where = "in memory" if kept.size <= IN_MEMORY else "in a file"
                context.progress.say(f"{objective.name}: states of frozen layers are kept {where} ({size(kept.size)})")
                left.enter_context(kept.used())
        yield


@contextmanager
def _resting(module: Any) -> Iterator[None]:
    """Without dropout, whatever the whole network is told."""
    module.eval()
    module.train = lambda _mode=True: module
    try:
        yield
    finally:
        del module.train


class _Enough(Exception):
    """What was wanted of the network is known."""


class _States:
    """What the frozen layers of a network make of texts: states of their tokens, one text beneath the other."""

    def __init__(self, network: Any, layers: Sequence[Any], computing: Computing) -> None:
        self.network, self.layers, self.computing = network, layers, computing
        self.places: dict[bytes, tuple[int, int]] = {}
        self.values: NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)
        self.wrapped = False
        """Whether layers hand their states on within a tuple."""
        self._now: Any = None

    @property
    def size(self) -> int:
        """Bytes."""
        return self.values.nbytes

    def texts(self, rows: Sequence[Row]) -> int:
        """Different texts; their places are known from now on."""
        ends = 0
        for row in rows:
            if (key := _key(row["input_ids"])) not in self.places:
                self.places[key] = (ends, ends := ends + len(row["input_ids"]))
        return len(self.places)

    def fill(self, rows: Sequence[Row], objective: Objective, folder: Path, done: Callable[[int], object]) -> bool:
        """Compute all states; whether the network comes to the same with them.

        Args:
            rows: All rows; their texts have places.
            objective: What is learned.
            folder: Where a file may stand.
            done: Told how many more texts are done.
        """
        different = list({_key(row["input_ids"]): row for row in rows}.values())
        self.network.eval()
        for places in by_length([len(row["input_ids"]) for row in different], _BATCH):
            some = [different[place] for place in places]
            batch = self._batch(objective, some)
            states = self._computed(batch)
            if states is None or (not self.size and not self._room(states.shape[-1], folder)):
                return False
            mask = batch["attention_mask"].bool()
            for row, state, seen in zip(some, states, mask, strict=True):
                start, end = self.places[_key(row["input_ids"])]
                self.values[start:end] = state[seen].float().cpu().numpy()
            done(len(some))
        return self._same(self._batch(objective, rows[:_BATCH]), objective)

    @contextmanager
    def used(self) -> Iterator[None]:
        """Have the network take states from here, in place of its frozen layers."""

        def look_up(_network: Any, _given: Any, named: Mapping[str, Any]) -> None:
            self._now = self._found(named["input_ids"], named["attention_mask"])

        hook = self.network.register_forward_pre_hook(look_up, with_kwargs=True)
        *lower, last = self.layers
        for layer in lower:
            layer.forward = lambda states, *_, **__: self._handed_on(states)
        last.forward = lambda *_, **__: self._handed_on(self._now)
        try:
            yield
        finally:
            hook.remove()
            for layer in self.layers:
                del layer.forward
            self._now = None

    def _batch(self, objective: Objective, rows: Sequence[Row]) -> dict[str, Any]:
        return {name: values.to(self.network.device) for name, values in objective.collate(rows).items()}

    def _room(self, width: int, folder: Path) -> bool:
        """Make room in memory or in a file; whether there is any."""
        shape = (max(end for _, end in self.places.values()), width)
        many = 4 * shape[0] * shape[1]
        if many <= IN_MEMORY:
            self.values = np.empty(shape, dtype=np.float32)
        elif many <= OF_DISK * shutil.disk_usage(folder).free:
            self.values = np.memmap(folder / "states", dtype=np.float32, mode="w+", shape=shape)
        return bool(self.size)

    def _computed(self, batch: Mapping[str, Any]) -> Any:
        """States after the last frozen layer, shape (rows, tokens, width); none where it hands on something else."""
        import torch

        told: list[Any] = []

        def take(_layer: Any, _given: Any, output: Any) -> None:
            told.append(output)
            raise _Enough

        hook = self.layers[-1].register_forward_hook(take)
        try:
            with self.computing():  # with gradients: that none comes from below is found out, too
                self.network(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
        except _Enough:
            pass
        finally:
            hook.remove()
        if not told:
            return None
        self.wrapped = isinstance(told[0], tuple)
        states = told[0][0] if self.wrapped and len(told[0]) == 1 else told[0]
        fit = isinstance(states, torch.Tensor) and states.ndim == 3 and not states.requires_grad
        return states if fit else None

    def _same(self, batch: Mapping[str, Any], objective: Objective) -> bool:
        """Whether a batch costs as much with the states as without them."""
        import torch

        with torch.no_grad(), self.computing():
            before = float(objective.loss(self.network, batch))
            try:
                with self.used():
                    after = float(objective.loss(self.network, batch))
            except (RuntimeError, TypeError, ValueError, LookupError, AttributeError):
                return False
        return abs(after - before) <= _ROUNDING * max(abs(before), 1.0)

    def _found(self, ids: Any, mask: Any) -> Any:
        """States of a batch, shape (rows, tokens, width); 0 where it was filled up."""
        import torch

        tokens, seen = ids.cpu().numpy(), mask.cpu().numpy().astype(bool)
        found = np.zeros((*tokens.shape, self.values.shape[1]), dtype=np.float32)
        for row, (some, here) in enumerate(zip(tokens, seen, strict=True)):
            start, end = self.places[_key(some[here])]
            found[row, here] = self.values[start:end]
        return torch.from_numpy(found).to(ids.device)

    def _handed_on(self, states: Any) -> Any:
        return (states,) if self.wrapped else states


def _key(ids: Any) -> bytes:
    """A text by its tokens."""
    return np.asarray(ids, dtype=np.int32).tobytes()
