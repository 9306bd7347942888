"""Pretrained networks that texts are classified with: where they are, and how they are read, quietly and as data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.core.errors import ModelError
from seedbed.core.packages import SCHEME, located

_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
#: A tokenizer that does not know its longest text says a number beyond this.
_NO_LIMIT = 1_000_000


@dataclass(frozen=True)
class Place:
    """Where a network is."""

    name: str
    """A folder on this machine, or an id on the Hugging Face hub."""
    local: bool
    said: str
    """As the recipe says it, for messages."""


def placed(address: str, base: Path) -> Place:
    """What an address means: `pkg://DISTRIBUTION/inside`, a folder (relative ones start from `base`), or a hub id.

    Raises:
        ModelError: It means a folder, and none with a `config.json` is there.
        MissingExtraError: The package is not installed.
    """
    folder = located(address) if address.startswith(SCHEME) else base / Path(address).expanduser()
    if (folder / "config.json").is_file():
        return Place(str(folder), True, address)
    if folder.exists() or address.startswith((SCHEME, ".", "/", "~")) or not _HUB_ID.fullmatch(address):
        raise ModelError(
            "there is no config.json in this folder" if folder.is_dir() else "there is no such folder",
            at=address,
            hint="name a folder as Hugging Face's save_pretrained writes it, or an id of the hub",
        )
    return Place(address, False, address)


def load_tokenizer(place: Place) -> Any:
    """A fast tokenizer that can pad.

    Raises:
        ModelError: There is none, or it cannot be read.
    """
    from transformers import AutoTokenizer

    with quiet(), _told(place):
        tokenizer = AutoTokenizer.from_pretrained(place.name, local_files_only=place.local, trust_remote_code=False)
    for key in ("local_files_only", "is_local"):  # how it was read is not how it reads
        tokenizer.init_kwargs.pop(key, None)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return tokenizer


def load_network(place: Place, labels: Sequence[str], tokenizer: Any) -> Any:
    """A network with a new head for these labels.

    Raises:
        ModelError: There is none, or it cannot be read.
    """
    from transformers import AutoModelForSequenceClassification

    with quiet(), _told(place):
        network = AutoModelForSequenceClassification.from_pretrained(
            place.name,
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
            label2id={label: code for code, label in enumerate(labels)},
            problem_type="single_label_classification",
            ignore_mismatched_sizes=True,  # a head for other labels gives way to a new one
            local_files_only=place.local,
            use_safetensors=True,  # anything else would be a pickle
            trust_remote_code=False,
        )
    network.config.pad_token_id = tokenizer.pad_token_id
    return network.float()


def longest(network: Any, tokenizer: Any) -> int | None:
    """Most tokens that a network reads, where it says so."""
    told = (tokenizer.model_max_length, getattr(network.config, "max_position_embeddings", None))
    return min((limit for limit in told if isinstance(limit, int) and limit < _NO_LIMIT), default=None)


def freeze(network: Any, layers: int, at: str) -> None:
    """Keep the embeddings and the lowest layers as they are.

    Raises:
        ModelError: The network has fewer layers.
    """
    from torch.nn import ModuleList

    body = network.base_model
    stacks = [module for module in body.modules() if isinstance(module, ModuleList)]
    stack = max(stacks, key=len, default=())
    if layers > len(stack):
        raise ModelError(f"the network has {len(stack)} layers, and {layers} cannot be frozen", at=at)
    embeddings = getattr(body, "embeddings", None) or body.get_input_embeddings()
    for module in (embeddings, *stack[:layers]):
        module.requires_grad_(False)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the library's own bars and warnings off the screen while the body runs."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def _told(place: Place) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError) as error:
        said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelError(
            f"this network cannot be read: {said[:200]}"
            if place.local
            else f"there is no such folder, and the hub did not give it: {said[:200]}",
            at=place.said,
            hint="it must be a text classifier or encoder with model.safetensors and tokenizer.json"
            if place.local
            else "check the name; without a network, name a folder or pkg://DISTRIBUTION/inside",
        ) from None
