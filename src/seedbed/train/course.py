"""How the training of a network went, step by step: what trackers draw, and nobody learns from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

#: Beside the weights: `loss`, `rate` and `validation` as lists of (step from 1, value), and what `validation` measures.
FILE = "training.json"
#: Where a network carries it until it is saved.
_CARRIED = "seedbed_course"
#: Points of a curve that are kept.
MOST = 1000

Curve = Sequence[Sequence[float]]


def carry(network: Any, curves: Mapping[str, Curve], measure: str) -> None:
    """Have a network carry how its training went; the one inside, where matrices stand beside its layers (LoRA)."""
    inner = network.get_base_model() if hasattr(network, "get_base_model") else network
    setattr(inner, _CARRIED, {**{name: thinned(one) for name, one in curves.items()}, "measure": measure})


def thinned(curve: Curve, most: int = MOST) -> list[list[float]]:
    """At most so many points, evenly, the first and the last among them."""
    last = len(curve) - 1
    places = range(len(curve)) if last < most else [round(place * last / (most - 1)) for place in range(most)]
    return [list(curve[place]) for place in places]


def write(network: Any, folder: Path) -> None:
    """Write it beside the network, if it carries any."""
    told = getattr(network, _CARRIED, None)
    if told is not None:
        (folder / FILE).write_text(json.dumps(told), "utf-8")


def read(network: Any, folder: Path) -> None:
    """Have a network that was read from a folder carry what stands there; nothing where that is damaged."""
    with suppress(OSError, ValueError):
        setattr(network, _CARRIED, json.loads((folder / FILE).read_bytes()))
