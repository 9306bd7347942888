"""Whether what a pickle holds of arrays and tables is sound: NumPy and pandas believe it, and read and write memory by
it. A pickle was written by whoever wanted to, so an array of objects may hold numbers in place of addresses, and a
code may stand for a category that is not there.
"""

from __future__ import annotations

from typing import Any

#: Classes of pandas that hold values: a pickle makes an empty one and gives it its state, and calls none of them.
FILLED = frozenset(
    (
        "DataFrame", "Series", "Index", "RangeIndex", "MultiIndex", "DatetimeIndex", "TimedeltaIndex",
        "CategoricalIndex", "Categorical", "ArrowStringArray", "ArrowExtensionArray", "StringArray", "IntegerArray",
        "FloatingArray", "BooleanArray", "DatetimeArray", "TimedeltaArray",
    )
)  # fmt: skip
_BY_CODES, _MANAGERS = ("Categorical", "CategoricalIndex", "MultiIndex"), ("BlockManager", "SingleBlockManager")
_OF_DTYPE = 8
"""Values of the state of a dtype; a ninth are its metadata (the unit of dates)."""


class UnsoundError(Exception):
    """What it says of itself cannot be."""


def refuse_state(made: Any, state: Any) -> None:
    """Refuse a state that NumPy would believe.

    Args:
        made: The object that is to get it.
        state: As the pickle has it.

    Raises:
        UnsoundError: It says of a dtype more than which way round its bytes are, or is that of an array that has one.
    """
    import numpy as np

    if isinstance(made, np.dtype):
        told = state if isinstance(state, tuple) and len(state) >= _OF_DTYPE else (0, "", 0)
        size_and_flags = told[2:5] == (None, None, None) and told[5] in (-1, made.itemsize) and told[7] == made.flags
        if not size_and_flags or told[1] not in ("|", "<", ">", "="):
            raise UnsoundError(f"a dtype that is no {made}")
    elif isinstance(made, np.ndarray) and (made.shape != (0,) or made.dtype != np.int8 or made.base is not None):
        raise UnsoundError("an array that gets other values")


def is_checked(made: Any) -> bool:
    """Whether `refuse_damaged` has something to look at."""
    return type(made).__name__ in (*_BY_CODES, *_MANAGERS)


def refuse_damaged(made: Any) -> None:
    """Refuse a table whose parts do not fit each other.

    Raises:
        UnsoundError: They do not.
    """
    match type(made).__name__:
        case "Categorical":
            _refuse_codes(made.codes, made.dtype.categories)
        case "CategoricalIndex":
            _refuse_codes(made._data.codes, made._data.dtype.categories)
        case "MultiIndex":
            if len(made._levels) != len(made._codes) or len({len(codes) for codes in made._codes}) > 1:
                raise UnsoundError("an index whose levels do not fit")
            for codes, level in zip(made._codes, made._levels, strict=True):
                _refuse_codes(codes, level)
        case "BlockManager" | "SingleBlockManager":
            _refuse_blocks(made)


def _refuse_codes(codes: Any, known: Any) -> None:
    """Codes are places in what is known, or -1."""
    import numpy as np

    codes = np.asarray(codes)
    if codes.dtype.kind != "i" or codes.ndim != 1:
        raise UnsoundError("codes that are no whole numbers")
    if len(codes) and not (codes.min() >= -1 and codes.max() < len(known)):
        raise UnsoundError("codes of values that are not there")


def _refuse_blocks(made: Any) -> None:
    """Each column is in one block, and each block as long as the table."""
    import numpy as np

    shape = tuple(len(axis) for axis in made.axes)
    for block in made.blocks:
        if block.shape[1:] != shape[1:] or (len(shape) == 1 and block.shape != shape):
            raise UnsoundError("a column that is not as long as the table")
        if len(shape) > 1 and block.shape[0] != len(block.mgr_locs):
            raise UnsoundError("columns that are elsewhere")
    if len(shape) > 1:
        held = sum(len(block.mgr_locs) for block in made.blocks)
        places = [block.mgr_locs.as_array for block in made.blocks] if held == shape[0] else []
        found = np.sort(np.concatenate(places)) if places else np.zeros(0, np.intp)
        if held != shape[0] or not np.array_equal(found, np.arange(shape[0])):
            raise UnsoundError("columns that are elsewhere")
