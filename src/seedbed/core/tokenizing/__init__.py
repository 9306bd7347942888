"""Tokenizers: which one a recipe names, and what one that is open can do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .bytes import BytesTokenizer
from .huggingface import HuggingfaceTokenizer
from .templates import ChatTemplate, Rendered
from .tiktoken import TiktokenTokenizer
from .tokens import Encoded, Frame, Specials, Tokens

#: A tokenizer, as an option: told apart by `use`.
AnyTokenizer = Annotated[HuggingfaceTokenizer | TiktokenTokenizer | BytesTokenizer, Field(discriminator="use")]

__all__ = [
    "AnyTokenizer",
    "BytesTokenizer",
    "ChatTemplate",
    "Encoded",
    "Frame",
    "HuggingfaceTokenizer",
    "Rendered",
    "Specials",
    "TiktokenTokenizer",
    "Tokens",
]
