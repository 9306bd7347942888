"""The papers that go with a dataset: card, datasheet and Croissant description, and what only people can answer."""

from .answers import QUESTIONS, REQUIRED, Answers, blanks, licence, read_answers
from .card import card
from .croissant import croissant
from .datasheet import datasheet
from .writing import write_papers

__all__ = [
    "QUESTIONS",
    "REQUIRED",
    "Answers",
    "blanks",
    "card",
    "croissant",
    "datasheet",
    "licence",
    "read_answers",
    "write_papers",
]
