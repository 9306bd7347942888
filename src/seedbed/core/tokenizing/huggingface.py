"""Tokenizers in the form of Hugging Face: `tokenizer.json`, computed by the library `tokenizers`."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import ConfigDict, Field

from seedbed.core.digest import of_file, of_json
from seedbed.core.errors import DataError, MissingExtraError, RecipeError
from seedbed.core.packages import SCHEME, located
from seedbed.core.part import Placed, told_inline

from .tokens import Encoded, Frame, Ids, Places, Specials, Tokens

TOKENIZER, CONFIG, SPECIALS, TEMPLATE = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
)
_OF_HUB = re.compile(r"\w[\w.-]*/[\w.-]+(@[\w./-]+)?")
#: Special tokens as most tokenizers write them, where no file beside says which is which.
_USUAL = {
    "pad": ("[PAD]", "<pad>", "<|pad|>", "<|endoftext|>"),
    "bos": ("<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "[BOS]"),
    "eos": ("</s>", "<eos>", "<|endoftext|>", "<|end_of_text|>", "<|im_end|>", "[EOS]"),
    "sep": ("[SEP]", "</s>"),
    "cls": ("[CLS]", "<s>"),
    "unk": ("[UNK]", "<unk>"),
}
_NO_LIMIT = 1 << 30


class HuggingfaceTokenizer(Placed):
    """The tokenizer of a model in Hugging Face's form."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=told_inline)

    use: Literal["huggingface"] = Field("huggingface", description="A `tokenizer.json`.")
    path: str = Field(
        min_length=1,
        description="A folder with `tokenizer.json`, the file, `pkg://DISTRIBUTION/path` for one in an installed "
        "package, or `OWNER/NAME[@REVISION]` on the Hub.",
    )

    def open(self, at: str = "", *, offline: bool = False) -> Tokens:
        """Open it.

        Args:
            at: Where a recipe names it.
            offline: Whether nothing may be fetched from the Hub.

        Raises:
            MissingExtraError: `tokenizers` is not installed, or the package that carries the file.
            RecipeError: There is no such file or folder.
            DataError: It is no tokenizer, or cannot be had from the Hub.
        """
        try:
            import tokenizers  # noqa: F401 (whether it is there)
        except ImportError:
            hint = "pip install 'seedbed[tokens]'"
            raise MissingExtraError("tokenizers is not installed", at=at, hint=hint) from None
        path = located(self.path) if self.path.startswith(SCHEME) else self._base / Path(self.path).expanduser()
        if not path.exists() and _OF_HUB.fullmatch(self.path):
            path = _fetched(self.path, at, offline)
        file = path / TOKENIZER if path.is_dir() else path
        if not file.is_file():
            raise RecipeError(
                f"there is no {TOKENIZER}" if path.is_dir() else "there is no such file or folder",
                at=f"{at} {self.path}".strip(),
                hint=f"path: a folder with {TOKENIZER}, the file, pkg://DISTRIBUTION/path, or OWNER/NAME on the Hub",
            )
        told = file.stat()
        return _opened(file.resolve(), self.path, told.st_mtime_ns, told.st_size)


def _fetched(named: str, at: str, offline: bool) -> Path:
    """The folder that the Hub's client keeps a tokenizer in."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        hint = "pip install 'seedbed[hub]', or name a folder"
        raise MissingExtraError("huggingface_hub is not installed", at=f"{at} {named}".strip(), hint=hint) from None
    name, _, revision = named.partition("@")
    wanted = [TOKENIZER, CONFIG, SPECIALS, TEMPLATE]
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=wanted, local_files_only=offline))
    except Exception as error:  # noqa: BLE001 (the Hub's, the network's, and those of names that it does not take)
        said = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
        raise DataError(
            f"is neither here nor to be had from the Hub ({said})",
            at=f"{at} {named}".strip(),
            hint=f"path: a folder with {TOKENIZER}, the file, or pkg://DISTRIBUTION/path",
        ) from None


@lru_cache(maxsize=4)
def _opened(file: Path, named: str, _changed: int, _size: int) -> Tokens:
    from tokenizers import Tokenizer

    try:
        return Huggingface(Tokenizer.from_file(str(file)), f"huggingface {named}", of_file(file), file.parent)
    except Exception as error:  # noqa: BLE001 (the library raises plain exceptions)
        said = (str(error).splitlines() or [""])[0][:120]
        raise DataError(f"is no tokenizer ({said})", at=str(file), hint=f"a {TOKENIZER} of Hugging Face") from None


class Huggingface(Tokens):
    """A tokenizer of the library `tokenizers`.

    Args:
        tokenizer: Of that library; its padding and truncation are switched off.
        name: For people.
        digest: Of its file.
        beside: Folder of the files that say more of it.
    """

    def __init__(self, tokenizer: Any, name: str, digest: str, beside: Path | None = None) -> None:
        self._tokenizer, self._beside, self.name = tokenizer, beside, name
        tokenizer.no_padding()
        tokenizer.no_truncation()
        config = _json(beside and beside / CONFIG)
        self.specials = self._named({**_json(beside and beside / SPECIALS), **config})
        added = tokenizer.get_added_tokens_decoder().items()
        self.control = {one.content: id for id, one in added if one.special}
        self.single, self.pair = _frame(tokenizer, pair=False), _frame(tokenizer, pair=True)
        inputs = config.get("model_input_names")
        framed = len(self.pair) > 0 and self.pair.types[1] != 0
        self.typed = "token_type_ids" in inputs if isinstance(inputs, list) else framed
        self.longest = limit if isinstance(limit := config.get("model_max_length"), int) and limit < _NO_LIMIT else None
        self.chat_template = _template(config, beside)
        self.digest = of_json([digest, self.specials.__dict__, self.chat_template])

    @property
    def size(self) -> int:
        """Ids that there are."""
        return int(self._tokenizer.get_vocab_size(with_added_tokens=True))

    def encode(self, texts: Sequence[str], *, spans: bool = False) -> Encoded:
        """Texts as ids; a special token that a text spells out is that token, as in `transformers`."""
        encode = self._tokenizer.encode_batch if spans else self._tokenizer.encode_batch_fast
        found = encode(list(texts), add_special_tokens=False)
        return Encoded.of([one.ids for one in found], [one.offsets for one in found] if spans else None)

    def count(self, texts: Sequence[str], *, framed: bool = False) -> Places:
        """Tokens of each text; no ids are made."""
        found = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=framed)
        return np.fromiter(map(len, found), np.int64, len(found))

    def decode(self, ids: Sequence[int] | Ids, *, specials: bool = False) -> str:
        """The text."""
        return str(self._tokenizer.decode([int(i) for i in ids], skip_special_tokens=not specials))

    def written(self, id: int) -> str:
        """A token as its vocabulary has it."""
        return str(self._tokenizer.id_to_token(id))

    def save(self, folder: Path) -> tuple[str, ...]:
        """`tokenizer.json`, and the files beside it that say more."""
        folder.mkdir(parents=True, exist_ok=True)
        self._tokenizer.save(str(folder / TOKENIZER))
        others = [name for name in (CONFIG, SPECIALS, TEMPLATE) if self._beside and (self._beside / name).is_file()]
        for name in others:
            assert self._beside is not None
            shutil.copyfile(self._beside / name, folder / name)
        return (TOKENIZER, *others)

    def _named(self, told: dict[str, Any]) -> Specials:
        def id_of(role: str) -> int | None:
            said = told.get(f"{role}_token")
            names = [said["content"] if isinstance(said, dict) else said] if said else []
            if not any(key.endswith("_token") and value for key, value in told.items()):
                names = list(_USUAL[role])
            return next((id for name in names if (id := self._tokenizer.token_to_id(str(name))) is not None), None)

        return Specials(**{role: id_of(role) for role in _USUAL})


def _frame(tokenizer: Any, *, pair: bool) -> Frame:
    """What the tokenizer puts around texts, seen by having it encode some."""
    plain = [tokenizer.encode(text, add_special_tokens=False).ids for text in ("a", "b")]
    found = tokenizer.encode("a", "b") if pair else tokenizer.encode("a")
    ids, types = found.ids, found.type_ids
    texts = plain if pair else plain[:1]
    places: list[int] = []
    at = 0
    for text in texts:  # special tokens may be spelt like text, so it is looked for in order
        while ids[at : at + len(text)] != text:
            if at > len(ids):
                raise ValueError("it changes texts when it puts special tokens around them")
            at += 1
        places.append(at)
        at += len(text)
    first, last = places[0], places[-1]
    between = slice(first + len(texts[0]), last) if pair else slice(0, 0)
    after = slice(last + len(texts[-1]), None)
    return Frame(
        before=tuple(ids[:first]),
        between=tuple(ids[between]),
        after=tuple(ids[after]),
        types=(types[first] if first < len(types) else 0, types[last] if last < len(types) else 0),
        types_before=tuple(types[:first]),
        types_between=tuple(types[between]),
        types_after=tuple(types[after]),
    )


def _template(config: dict[str, Any], beside: Path | None) -> str | None:
    """The chat template: a file of its own, or in the configuration, where it may be one of several."""
    if beside and (beside / TEMPLATE).is_file():
        return (beside / TEMPLATE).read_text("utf-8")
    told = config.get("chat_template")
    if isinstance(told, list):
        told = {one.get("name"): one.get("template") for one in told if isinstance(one, dict)}.get("default")
    return told if isinstance(told, str) else None


def _json(path: Path | None) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text("utf-8")) if path and path.is_file() else {}
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read ({str(error)[:100]})", at=str(path)) from None
    return told if isinstance(told, dict) else {}
