"""Exporters that ship with Seedbed, one module each; `papers/`, `files/` and `shaping/` hold what they share."""

from .alpaca import Alpaca
from .arrow import Arrow
from .browser import Browser
from .bundle import Bundle
from .c_header import CHeader
from .croissant import Croissant
from .csv import Csv
from .docker import Docker
from .duckdb import Duckdb
from .fine_tuning import FineTuning
from .folder import Folder
from .hub import Hub
from .jsonl import Jsonl
from .numpy import Numpy
from .onnx import Onnx
from .openai_chat import OpenaiChat
from .parquet import Parquet
from .pickle import Pickle
from .prompt_completion import PromptCompletion
from .sharegpt import Sharegpt
from .space import Space
from .squad import Squad
from .tf_data import TfData
from .tfrecord import Tfrecord
from .tokens import Tokens
from .torch import Torch
from .webdataset import Webdataset

__all__ = [
    "Alpaca",
    "Arrow",
    "Browser",
    "Bundle",
    "CHeader",
    "Croissant",
    "Csv",
    "Docker",
    "Duckdb",
    "FineTuning",
    "Folder",
    "Hub",
    "Jsonl",
    "Numpy",
    "Onnx",
    "OpenaiChat",
    "Parquet",
    "Pickle",
    "PromptCompletion",
    "Sharegpt",
    "Space",
    "Squad",
    "TfData",
    "Tfrecord",
    "Tokens",
    "Torch",
    "Webdataset",
]
