"""The state of a training, kept in the store while it goes on: plain tensors in one file that is there whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from seedbed.core.context import Context
from seedbed.core.digest import of_json
from seedbed.core.version import __version__
from seedbed.store.store import Store, arriving

KIND = "trainings"
_FILE = "state.safetensors"
#: What AdamW keeps of each parameter.
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


@dataclass
class Progress:
    """How far a training is, and what was best."""

    step: int = 0
    """Steps that are done."""
    value: float | None = None
    """Of the best epoch, on validation rows."""
    waited: int = 0
    """Epochs since."""
    best: dict[str, Any] | None = None
    """Weights of that epoch, by name."""
    curves: dict[str, list[list[float]]] = field(default_factory=dict)
    """What was noted of steps, by name: (step from 1, value)."""

    def note(self, name: str, value: float) -> None:
        """Note a number of the last step."""
        self.curves.setdefault(name, []).append([self.step, value])


@dataclass(frozen=True)
class Kept:
    """Where the state of one training is: that of a network, rows and options."""

    store: Store
    key: str

    @classmethod
    def of(cls, context: Context, name: str, learning: Mapping[str, Any], about: Any) -> Self:
        """The place of a training.

        Args:
            context: Its store.
            name: Who learns.
            learning: The parameters as they are before the first step.
            about: What else it depends on, as JSON.
        """
        import torch

        hashed = hashlib.sha256()
        for parameter, values in learning.items():
            hashed.update(f"{parameter} {tuple(values.shape)}".encode())
            hashed.update(values.detach().cpu().contiguous().numpy().tobytes())
        return cls(
            Store.of(context), of_json([__version__, torch.__version__, name, hashed.hexdigest(), about, _MOMENTS])
        )

    def write(self, progress: Progress, learning: Mapping[str, Any], optimiser: Any) -> None:
        """Keep the state, in place of an earlier one."""
        from safetensors.torch import save_file

        tensors = {f"weight.{name}": one.detach() for name, one in learning.items()}
        for name, one in learning.items():  # what no loss depends on has no moments
            tensors |= {
                f"{moment}.{name}": state for moment, state in optimiser.state[one].items() if moment in _MOMENTS
            }
        tensors |= {f"best.{name}": one for name, one in (progress.best or {}).items()}
        whole = {name: one.cpu().contiguous() for name, one in tensors.items()}
        told = {"step": progress.step, "value": progress.value, "waited": progress.waited, "curves": progress.curves}
        with arriving(self.store.artefact(KIND, self.key).folder / _FILE) as file:
            save_file(whole, file, metadata={"progress": json.dumps(told)})

    def read(self, learning: Mapping[str, Any], optimiser: Any) -> Progress:
        """Bring parameters and optimiser into the state that was kept; nothing is changed where there is none."""
        file = self._file
        found = _read(file) if file.is_file() else None
        if found is None:
            return Progress()
        import torch

        told, tensors = found
        with torch.no_grad():
            for name, one in learning.items():
                one.copy_(tensors[f"weight.{name}"])
        for name, one in learning.items():
            if f"{_MOMENTS[0]}.{name}" in tensors:
                # Parameters that began to learn later have taken fewer steps.
                there = {moment: tensors[f"{moment}.{name}"] for moment in _MOMENTS}
                fused = one.is_cuda  # counts steps where the parameter is
                optimiser.state[one] = {
                    moment: state if moment == "step" and not fused else state.to(one.device)
                    for moment, state in there.items()
                }
        best = {name: tensors[f"best.{name}"] for name in learning} if told["value"] is not None else None
        return Progress(told["step"], told["value"], told["waited"], best, told["curves"])

    def forget(self) -> None:
        """The training is over."""
        self.store.look_at(KIND, self.key).forget()
        with suppress(OSError):  # others may be going on there
            self._file.parent.parent.rmdir()

    @property
    def _file(self) -> Path:
        return self.store.look_at(KIND, self.key).folder / _FILE


def _read(file: Path) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """What was kept; none where the file is damaged: then the training begins anew."""
    from safetensors import SafetensorError, safe_open

    with suppress(SafetensorError, OSError, ValueError, KeyError, TypeError), safe_open(file, "pt") as opened:
        told = json.loads(opened.metadata()["progress"])
        return told, {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (it is no mapping)
    return None
