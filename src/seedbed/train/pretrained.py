"""Pretrained networks: where they are, and how they are read, quietly and as data."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.core.digest import of_file
from seedbed.core.errors import ModelError
from seedbed.core.packages import SCHEME, located

from .course import read as read_course
from .course import write as write_course

#: Files that say what a network is.
_FILES = (".json", ".safetensors", ".txt", ".gguf", ".jinja")
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
    gguf: str | None = None
    """The file in that folder that holds all of it, where it is a GGUF."""

    @property
    def options(self) -> dict[str, Any]:
        """What `from_pretrained` is told of it."""
        return {"local_files_only": self.local, "trust_remote_code": False} | (
            {"gguf_file": self.gguf} if self.gguf else {}
        )

    def made_from(self) -> dict[str, str]:
        """Digests of its files, by name, where it is on this machine."""
        if not self.local:
            return {}
        inside = Path(self.name)
        files = [inside / self.gguf] if self.gguf else sorted(inside.glob("*.*"))
        return {file.name: of_file(file) for file in files if file.suffix in _FILES}


def placed(address: str, base: Path) -> Place:
    """What an address means: `pkg://DISTRIBUTION/inside`, a folder (relative ones start from `base`), or a hub id.

    Raises:
        ModelError: It means a folder, and none with a `config.json` is there, nor is it a GGUF file.
        MissingExtraError: The package is not installed.
    """
    folder = located(address) if address.startswith(SCHEME) else base / Path(address).expanduser()
    if folder.suffix == ".gguf" and folder.is_file():
        return Place(str(folder.parent), True, address, folder.name)
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

    with quiet(), _told(place), redirect_stderr(io.StringIO()) if place.gguf else nullcontext():
        tokenizer = AutoTokenizer.from_pretrained(place.name, **place.options)
    for key in ("local_files_only", "is_local"):  # how it was read is not how it reads
        tokenizer.init_kwargs.pop(key, None)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return tokenizer


def load_network(place: Place, tokenizer: Any, *, labels: Sequence[str], problem: str = "single_label") -> Any:
    """A network with a new head for these labels.

    Args:
        place: Where it is.
        tokenizer: Its tokenizer.
        labels: The outputs' names.
        problem: `single_label`, `multi_label`, or `regression`.

    Raises:
        ModelError: There is none, or it cannot be read.
    """
    return load_as(
        "AutoModelForSequenceClassification",
        place,
        tokenizer,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: code for code, label in enumerate(labels)},
        problem_type=problem if problem == "regression" else f"{problem}_classification",
        ignore_mismatched_sizes=True,  # a head for other labels gives way to a new one
    )


def load_as(kind: str, place: Place, tokenizer: Any, **more: Any) -> Any:
    """A network, in float32.

    Args:
        kind: The class of transformers that knows which network it is, such as `AutoModelForCausalLM`.
        place: Where it is.
        tokenizer: Its tokenizer.
        more: For its configuration.

    Raises:
        ModelError: There is none, or it cannot be read.
    """
    import transformers

    family = getattr(transformers, kind)
    # The reader of GGUF files shows bars whatever it is told.
    with quiet(), _told(place), redirect_stderr(io.StringIO()) if place.gguf else nullcontext():
        network = family.from_pretrained(
            place.name,
            use_safetensors=True,  # anything else would be a pickle
            **place.options,
            **more,
        )
        if place.gguf:  # what was unpacked is kept as numbers, which the library would refuse to save
            network = _unpacked(family, network)
    if place.local:
        read_course(network, Path(place.name))
        for tensor in (*network.parameters(), *network.buffers()):  # else mapped: who overwrites the file changes them
            tensor.data = tensor.data.clone()
    network.config.pad_token_id = tokenizer.pad_token_id
    # Where it was read from is this machine's affair.
    network.config._name_or_path = network.name_or_path = tokenizer.name_or_path = "" if place.local else place.name
    return network.float()


def _unpacked(family: Any, network: Any) -> Any:
    config = network.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    fresh = family.from_config(config).float()
    fresh.load_state_dict(network.state_dict())
    fresh.tie_weights()
    fresh.generation_config = network.generation_config
    return fresh


def save_network(network: Any, tokenizer: Any, folder: Path) -> None:
    """Write what `from_pretrained` reads: `config.json`, `model.safetensors`, `tokenizer.json`, …"""
    with quiet():
        network.save_pretrained(folder, max_shard_size="1TB")  # one file, whatever its size
        tokenizer.save_pretrained(folder)
    # The library lets nobody else read the weights; they are as public as what stands beside them.
    (folder / "model.safetensors").chmod((folder / "config.json").stat().st_mode)
    write_course(network, folder)


def longest(network: Any, tokenizer: Any) -> int | None:
    """Most tokens that a network reads, where it says so."""
    told = (tokenizer.model_max_length, getattr(network.config, "max_position_embeddings", None))
    return min((limit for limit in told if isinstance(limit, int) and limit < _NO_LIMIT), default=None)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' own bars and warnings off the screen while the body runs."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
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
            hint="it must be a network of the right kind, with model.safetensors and tokenizer.json"
            if place.local
            else "check the name; without a network, name a folder or pkg://DISTRIBUTION/inside",
        ) from None
