"""Sources that ship with Seedbed, one module each."""

from .arrow import Arrow
from .csv import Csv
from .excel import Excel
from .frame import Frame
from .generate import Generate
from .html import Html
from .hub import Hub
from .json import Json
from .jsonl import Jsonl
from .parquet import Parquet
from .pdf import Pdf
from .pickle import Pickle
from .rest import Rest
from .sql import Sql
from .sqlite import Sqlite
from .text import Text
from .web import Web
from .xml import Xml

__all__ = [
    "Arrow",
    "Csv",
    "Excel",
    "Frame",
    "Generate",
    "Html",
    "Hub",
    "Json",
    "Jsonl",
    "Parquet",
    "Pdf",
    "Pickle",
    "Rest",
    "Sql",
    "Sqlite",
    "Text",
    "Web",
    "Xml",
]
