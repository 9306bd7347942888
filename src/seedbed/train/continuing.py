"""How texts go on: blocks of tokens to learn from, how likely texts are, and what a network writes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .objective import IGNORED, Objective, Row, by_length, padded
from .pretrained import quiet

#: Tokens whose probabilities are held at once.
_TOKENS = 2048
#: Prompts that are continued together.
_PROMPTS = 8


class Continuing(Objective):
    """Each token that has a label, from those before it: cross-entropy, added up over tokens."""

    def collate(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Tokens and labels."""
        return padded(rows, {"input_ids": self.pad, "labels": IGNORED})

    def loss(self, network: Any, batch: Mapping[str, Any]) -> Any:
        """Minus the log-likelihood of the labels."""
        return _losses(network, batch).sum()

    def total(self, rows: Sequence[Row]) -> float:
        """Tokens that are told."""
        return float(sum(label != IGNORED for row in rows for label in row["labels"][1:]))


def _losses(network: Any, batch: Mapping[str, Any]) -> Any:
    """Minus ln of the probability of each label after the first; 0 where there is none. Shape (rows, tokens - 1)."""
    from torch.nn.functional import cross_entropy

    told = network(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False)
    logits = told.logits[:, :-1].float()
    return cross_entropy(logits.transpose(1, 2), batch["labels"][:, 1:], ignore_index=IGNORED, reduction="none")


def begins(tokenizer: Any) -> int | None:
    """The token that stands before a text: that which begins one, else that which ends the one before."""
    found: int | None = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    return found


def encoded(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Each text's own tokens."""
    if not texts:
        return []
    found: list[list[int]] = tokenizer(
        list(texts), add_special_tokens=False, return_attention_mask=False, verbose=False
    )["input_ids"]
    return found


def packed(tokenizer: Any, texts: Sequence[str], most: int) -> list[Row]:
    """Texts one after the other, each with its beginning and end, cut into blocks of so many tokens."""
    first, last = begins(tokenizer), tokenizer.eos_token_id
    before = [] if first is None else [first]
    after = [] if last is None or last == first else [last]
    whole = list(chain.from_iterable([*before, *ids, *after] for ids in encoded(tokenizer, texts)))
    blocks = [whole[at : at + most] for at in range(0, len(whole), most)]
    return [{"input_ids": block, "labels": block} for block in blocks if len(block) > 1]


def likelihood(
    network: Any, tokenizer: Any, each: Sequence[Sequence[int]], *, most: int, stride: int
) -> NDArray[np.float64]:
    """Minus the log-likelihood of texts, shape (texts,), in nats.

    Long texts are read in windows of `most` tokens, each `stride` further than the one before; a token is told once,
    from all that the first window with it holds before it. Where nothing marks a beginning, the first token costs what
    equal chances would.

    Args:
        network: It.
        tokenizer: Its tokenizer.
        each: The tokens of each text.
        most: Tokens that the network reads.
        stride: Tokens that each window after the first tells; at most half of `most`.
    """
    import torch

    first = begins(tokenizer)
    found = np.zeros(len(each))
    rows: list[dict[str, Any]] = []
    for text, ids in enumerate(each):
        whole = [*([] if first is None else [first]), *ids]
        if first is None and ids:
            found[text] = np.log(network.config.get_text_config().vocab_size)
        told = 1
        for start in range(0, max(1, len(whole) - most + stride), stride):
            window = whole[start : start + most]
            labels = [IGNORED] * (told - start) + window[told - start :]
            if len(window) > 1:
                rows.append({"input_ids": window, "labels": labels, "text": text})
            told = start + most
    network.eval()
    fill = {"input_ids": tokenizer.pad_token_id, "labels": IGNORED}
    with torch.inference_mode():
        for places in _batches([len(row["input_ids"]) for row in rows]):
            batch = padded([rows[place] for place in places], fill)
            losses = _losses(network, {name: one.to(network.device) for name, one in batch.items()})
            sums = losses.double().sum(dim=1).cpu().numpy()
            np.add.at(found, [rows[place]["text"] for place in places], sums)
    return found


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Places of rows of similar length, together at most so many tokens with what fills them up."""
    found: list[list[int]] = []
    for (place,) in by_length(lengths, 1):
        if found and (len(found[-1]) + 1) * lengths[place] <= _TOKENS:
            found[-1].append(place)
        else:
            found.append([place])
    return found


def written(
    network: Any, prompts: Sequence[Sequence[int]], *, pad: int, ends: Sequence[int], most: int, seed: int | None = None
) -> list[list[int]]:
    """What comes after each prompt, until a token that ends it, or `most` are written.

    Args:
        network: It.
        prompts: Tokens.
        pad: The token that fills up.
        ends: Tokens that end it.
        most: Tokens that are written at most.
        seed: By which each token is drawn, by its chance; always the most likely one where there is none.
    """
    import torch
    from transformers import GenerationConfig

    drawn = seed is not None
    how = GenerationConfig(
        max_new_tokens=most,
        do_sample=drawn,
        num_beams=1,
        temperature=1.0 if drawn else None,
        top_p=1.0 if drawn else None,
        top_k=0 if drawn else None,
        pad_token_id=pad,
        eos_token_id=list(ends),
    )
    found: list[list[int]] = [[] for _ in prompts]
    network.eval()
    with quiet(), torch.inference_mode(), torch.random.fork_rng(enabled=drawn):
        if seed is not None:
            torch.manual_seed(seed)
        for places in by_length([len(prompt) for prompt in prompts], _PROMPTS):
            batch = padded([{"input_ids": list(prompts[place])} for place in places], {"input_ids": pad}, left=True)
            here = {name: one.to(network.device) for name, one in batch.items()}
            told = network.generate(**here, generation_config=how)[:, here["input_ids"].shape[1] :]
            for place, ids in zip(places, told.tolist(), strict=True):
                stop = next((at for at, id in enumerate(ids) if id in ends), len(ids))
                found[place] = ids[:stop]
    return found
