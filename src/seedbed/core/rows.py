"""How a row is known: the number that orders it and the name a person reads.

Every row carries two columns besides its own. `ROW` reads `SOURCE:FILE#RECORD` and stands in every ledger, prediction
and dataset file. `NUMBER` is an integer that sorts like the rows were read: the file's place in the run in the high
bits and the record within the file (from 1) in the low 40. Neither depends on workers or batches.
"""

from __future__ import annotations

import polars as pl

ROW = "row"
NUMBER = "_n"
RECORD_BITS = 40
#: How much a training row counts for learners that heed it; scikit-learn's word.
WEIGHT = "sample_weight"
#: The rows that a made row was made from: a list of their `ROW` names, until it is in the dataset.
PARENTS = "parents"
#: In files of predictions, where rows are no independent draws: which belong together, numbered within the file.
GROUP = "group"


def number_rows(table: pl.DataFrame, *, file_number: int, source: str, file: str, records: pl.Series) -> pl.DataFrame:
    """Put the two identity columns before the columns of `table`.

    Args:
        table: The rows as a source parsed them.
        file_number: Place of the file among all files of the run, from 0.
        source: The source's name.
        file: The file's path relative to the root of the source's glob.
        records: Record number of each row within its file, from 1.
    """
    names = pl.Series(ROW, [f"{source}:{file}#"]).new_from_index(0, records.len()) + records.cast(pl.String)
    numbers = (records.cast(pl.UInt64) + (file_number << RECORD_BITS)).alias(NUMBER)
    return pl.DataFrame([numbers, names.alias(ROW), *table.get_columns()])


def data_columns(table: pl.DataFrame | pl.Schema) -> list[str]:
    """The columns that are the user's own."""
    names = table.columns if isinstance(table, pl.DataFrame) else table.names()
    return [name for name in names if name not in (ROW, NUMBER)]


def as_json(table: pl.DataFrame) -> pl.Series:
    """Each row as a JSON object, with its columns in the order of the table.

    What JSON cannot say is said in text: numbers that are none (`"NaN"`, `"inf"`), and bytes, in hexadecimal digits.
    """
    if not table.width:
        return pl.Series(["{}"]).new_from_index(0, table.height)
    told = [
        column.bin.encode("hex")
        if column.dtype == pl.Binary
        else column.cast(pl.String)
        if column.dtype.is_float() and not column.is_finite().all()
        else column
        for column in table
    ]
    return pl.DataFrame(told).select(pl.struct(pl.all()).struct.json_encode()).to_series()
