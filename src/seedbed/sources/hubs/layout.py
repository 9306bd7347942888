"""Which files of a dataset are meant: by its card, or by their names, as the `datasets` library reads both.

Nothing is fetched for that, and no script is run: the library looks at a folder of empty files that have the names.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.showing import clean

CARD = "README.md"
#: Bytes of a card that are looked at.
LONGEST_CARD = 4 << 20
#: Values at its head: a few aliases of YAML in one another stand for millions.
_MOST_TOLD = 200_000
#: What a pattern of a card may hold of what stands for anything: each more may cost as many times the length of a name.
_STARS, _MOST_STARS = re.compile(r"\*+|\{"), 5
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
#: Which source reads a file, by the end of its name.
_READ_BY = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".arrow": "arrow",
}
_DEFAULT = "default"


@dataclass(frozen=True)
class Asked:
    """What a recipe says of the files."""

    config: str | None = None
    split: str | None = None
    files: tuple[str, ...] = ()
    """Globs, in place of both."""


@dataclass(frozen=True)
class Chosen:
    """The files that are meant."""

    names: tuple[str, ...]
    reads: str
    """The source that reads them."""
    config: str
    split: str


def card_of(text: bytes) -> dict[str, Any]:
    """What stands at the head of a card, between lines of dashes, as YAML; nothing where there is none."""
    lines = text[:LONGEST_CARD].decode(errors="replace").lstrip("\ufeff").splitlines()
    if not lines or lines[0].strip() != "---":
        return {}
    end = next((place for place, line in enumerate(lines[1:], 1) if line.strip() == "---"), 0)
    text_of_head = "\n".join(lines[1:end])
    try:
        if _told(yaml.compose(text_of_head, yaml.SafeLoader), {}) > _MOST_TOLD:
            return {}
        held = yaml.safe_load(text_of_head)
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _told(node: Any, known: dict[int, float]) -> float:
    """Values that a node of YAML stands for, its aliases written out; without end where it holds itself."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if id(node) not in known:
        known[id(node)] = math.inf
        inner = node.value if isinstance(node, yaml.SequenceNode) else [one for pair in node.value for one in pair]
        known[id(node)] = 1 + sum(_told(one, known) for one in inner)
    return known[id(node)]


def license_of(card: Mapping[str, Any]) -> str:
    """The licence that a card states; several are told with commas, and `other` by its own name or address."""
    stated = card.get("license")
    named = [str(one) for one in (stated if isinstance(stated, list) else [stated]) if isinstance(one, str)]
    own = card.get("license_name") or card.get("license_link")
    return clean(", ".join(str(own) if one == "other" and own else one for one in named))[:200]


def choose(names: Iterable[str], card: Mapping[str, Any], asked: Asked, at: str) -> Chosen:
    """The files of a configuration and a split.

    Raises:
        RecipeError: There is no such configuration or split.
        DataError: The layout is not understood, or no source reads such files.
    """
    with TemporaryDirectory(prefix="seedbed-layout-") as folder:
        for name in names:
            place = Path(folder) / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        if asked.files:
            config, splits = "", {"": _matching(list(asked.files), Path(folder), at)}
        else:
            config, patterns, below = _patterns(card, asked, Path(folder), at)
            splits = {str(split): _matching(globs, below, at, root=Path(folder)) for split, globs in patterns.items()}
    splits = {split: found for split, found in splits.items() if found}
    if not splits:
        raise DataError("holds no data file", at=at, hint="name its files with `files`, such as 'data/*.csv'")
    split = "" if asked.files else _split(splits, asked, at)
    found, reads = _of_one_kind(splits[split], at)
    return Chosen(tuple(found), reads, config, split)


def _patterns(card: Mapping[str, Any], asked: Asked, root: Path, at: str) -> tuple[str, Mapping[str, list[str]], Path]:
    """The configuration, its globs by split, and the folder that they start from."""
    from datasets.data_files import get_data_patterns, sanitize_patterns

    configs = _configs(card, at)
    name = _config(configs, asked, at)
    options = configs.get(name, {})
    below = _below(root, options.get("data_dir"), at)
    try:
        if options.get("data_files"):
            return name, sanitize_patterns(options["data_files"]), below
        return name, get_data_patterns(below.as_posix()), below
    except (FileNotFoundError, ValueError, AssertionError) as error:
        said = clean(str(error)).partition("\n")[0].replace(root.as_posix(), "")[:160]
        hint = "name its files with `files`, such as 'data/*.csv'"
        raise DataError(f"its layout is not understood ({said})", at=at, hint=hint) from None


def _configs(card: Mapping[str, Any], at: str) -> dict[str, dict[str, Any]]:
    from datasets.utils.metadata import MetadataConfigs
    from huggingface_hub import DatasetCardData

    try:
        return dict(MetadataConfigs.from_dataset_card_data(DatasetCardData(configs=card.get("configs"))))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        said = clean(str(error)).partition("\n")[0][:160]
        raise DataError(f"the `configs` of its card are not understood ({said})", at=at) from None


def _config(configs: Mapping[str, Mapping[str, Any]], asked: Asked, at: str) -> str:
    if asked.config is not None:
        if asked.config not in configs and (configs or asked.config != _DEFAULT):
            known = did_you_mean(asked.config, configs) or "it has no configurations"
            raise RecipeError(f"{at} has no configuration {asked.config!r}", at="config", hint=known)
        return asked.config
    marked = [name for name, one in configs.items() if one.get("default") is True]
    if len(configs) <= 1 or marked or _DEFAULT in configs:
        return (marked or [one for one in configs if one == _DEFAULT] or list(configs) or [_DEFAULT])[0]
    raise RecipeError(f"{at} has {len(configs)} configurations", at="config", hint=did_you_mean("", configs))


def _split(splits: Mapping[str, Sequence[str]], asked: Asked, at: str) -> str:
    if asked.split is None:
        if len(splits) == 1:
            return next(iter(splits))
        raise RecipeError(f"{at} has the splits {', '.join(splits)}: which is to be read?", at="split", hint="split: …")
    if asked.split not in splits:
        raise RecipeError(f"{at} has no split {asked.split!r}", at="split", hint=did_you_mean(asked.split, splits))
    return asked.split


def _below(root: Path, folder: Any, at: str) -> Path:
    below = Path(os.path.normpath(root / str(folder or "")))
    if not below.is_relative_to(root):
        raise DataError(f"the card's `data_dir` leads out of the dataset: {str(folder)[:80]!r}", at=at)
    return below


def _matching(globs: Sequence[str], below: Path, at: str, *, root: Path | None = None) -> list[str]:
    """Names of the files that globs mean, each once, in order."""
    from datasets.data_files import resolve_pattern

    of_card, root = root is not None, root or below
    found: dict[str, None] = {}
    for pattern in globs:
        if "://" in pattern or "::" in pattern or ".." in PurePosixPath(pattern).parts or pattern.startswith("/"):
            hint = "use the source of their kind, with a URL"
            raise DataError(f"its data files lie elsewhere ({clean(pattern)[:80]!r})", at=at, hint=hint)
        if of_card and len(_STARS.findall(pattern)) > _MOST_STARS:
            hint = "name its files with `files`, such as 'data/*.csv'"
            said = f"a pattern of its card would be matched for ever ({clean(pattern)[:80]!r})"
            raise DataError(said, at=at, hint=hint)
        try:
            matched = resolve_pattern(pattern, below.as_posix())
        except FileNotFoundError:
            continue
        found |= dict.fromkeys(Path(one).relative_to(root).as_posix() for one in sorted(matched))
    return list(found)


def kind_of(name: str) -> str:
    """The source that reads a file of such a name; nothing where there is none."""
    low = name.lower()
    for packed in _PACKED:
        low = low.removesuffix(packed)
    return _READ_BY.get(PurePosixPath(low).suffix, "")


def _of_one_kind(names: Sequence[str], at: str) -> tuple[list[str], str]:
    """The files that one source reads: descriptions beside the data are no data."""
    kinds = Counter(kind for name in names if (kind := kind_of(name)))
    if not kinds:
        shown = ", ".join(clean(name) for name in names[:3])
        hint = "scripts are not run; name files with `files`, or use another source for what they are"
        raise DataError(f"no source reads its files ({shown})", at=at, hint=hint)
    if len(kinds) > 1 and "json" in kinds:  # `state.json`, `dataset_infos.json`
        del kinds["json"]
    if len(kinds) > 1:
        told = ", ".join(f"{n:,} {kind}" for kind, n in kinds.most_common())
        raise DataError(f"its files are of several kinds ({told})", at=at, hint="name those to read with `files`")
    [kind] = kinds
    return [name for name in names if kind_of(name) == kind], kind
