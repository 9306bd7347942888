"""Exporters that ship with Seedbed, one module each, and the papers that go with a dataset."""

from .answers import QUESTIONS, REQUIRED, Answers, blanks, licence, read_answers
from .card import card
from .croissant import croissant
from .datasheet import datasheet
from .folder import Folder
from .papers import write_papers

__all__ = [
    "QUESTIONS",
    "REQUIRED",
    "Answers",
    "Folder",
    "blanks",
    "card",
    "croissant",
    "datasheet",
    "licence",
    "read_answers",
    "write_papers",
]
