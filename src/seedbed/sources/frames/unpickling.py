"""Load a pickle that may hold tables and plain values, and nothing that runs anything else.

A pickle is a small program: it names functions and calls them. Here each name is looked up in the tables below; any
other is refused before it is imported, let alone called. What is called is never what the pickle's author defined.
"""

from __future__ import annotations

import copyreg
import importlib
import io
import pickle
from collections.abc import Callable
from typing import Any, ClassVar

from seedbed.core.errors import DataError, MissingExtraError
from seedbed.core.showing import clean

#: Names of pandas by where they are now: pickles of pandas 2 and 3 name other modules, but the same things.
_PANDAS = {
    **dict.fromkeys(
        (
            "DataFrame", "Series", "Index", "RangeIndex", "MultiIndex", "DatetimeIndex", "TimedeltaIndex",
            "CategoricalIndex", "Categorical", "CategoricalDtype", "DatetimeTZDtype", "StringDtype", "ArrowDtype",
            "BooleanDtype", "Float32Dtype", "Float64Dtype", "Int8Dtype", "Int16Dtype", "Int32Dtype", "Int64Dtype",
            "UInt8Dtype", "UInt16Dtype", "UInt32Dtype", "UInt64Dtype", "NA",
        ),
        "pandas",
    ),
    **dict.fromkeys(
        (
            "ArrowStringArray", "ArrowExtensionArray", "StringArray", "IntegerArray", "FloatingArray", "BooleanArray",
            "DatetimeArray", "TimedeltaArray",
        ),
        "pandas.arrays",
    ),
    **dict.fromkeys(("BlockManager", "SingleBlockManager"), "pandas.core.internals.managers"),
    "_unpickle_block": "pandas._libs.internals",
    "_new_Index": "pandas.core.indexes.base",
    "_new_DatetimeIndex": "pandas.core.indexes.datetimes",
    "__pyx_unpickle_NDArrayBacked": "pandas._libs.arrays",
    "_nat_unpickle": "pandas._libs.tslibs.nattype",
    "_timedelta_unpickle": "pandas._libs.tslibs.timedeltas",
    "_unpickle_timestamp": "pandas._libs.tslibs.timestamps",
    **dict.fromkeys(("Day", "Hour", "Minute", "Second", "MonthEnd", "MonthBegin"), "pandas._libs.tslibs.offsets"),
}  # fmt: skip
_PYARROW = frozenset(
    (
        "py_buffer",
        "type_for_alias",
        "field",
        "list_",
        "large_list",
        "struct",
        "timestamp",
        "decimal128",
        "chunked_array",
    )
)
_DATETIME = frozenset(("date", "datetime", "time", "timedelta", "timezone"))
_BUILTINS = frozenset(("object", "slice", "bytearray", "int", "float", "str", "bytes", "bool", "list", "dict", "tuple"))
_ARRAYS = ("numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric")


class _Ndarray:
    """Stands for `numpy.ndarray` in a pickle: it is named, and never called."""


class _ZoneInfo:
    """Stands for `zoneinfo.ZoneInfo` in a pickle."""


def _reconstruct(kind: type, shape: tuple[int, ...], _: bytes) -> Any:
    import numpy as np

    if kind is not _Ndarray or tuple(shape) != (0,):
        raise pickle.UnpicklingError("an array that begins with values")
    return np.ndarray((0,), "b")


def _scalar(dtype: Any, value: Any = b"") -> Any:
    import numpy as np

    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise pickle.UnpicklingError("a number that is an object")
    return np.frombuffer(value, dtype)[0]


def _frombuffer(buffer: Any, dtype: Any, shape: Any, order: str) -> Any:
    import numpy as np

    return np.frombuffer(buffer, dtype).reshape(shape, order=order)  # type: ignore[call-overload]


def _restored(data: Any) -> Any:
    from pyarrow import lib

    found = lib._restore_array(data)
    found.validate(full=True)
    return found


def _encoded(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"text in {encoding!r}")
    return text.encode("latin1")


def _remade(kind: type, base: type, state: Any) -> Any:
    if base is not object or state is not None:
        raise pickle.UnpicklingError(f"a {kind.__name__} that is made from another thing")
    return copyreg._reconstructor(kind, object, None)  # type: ignore[attr-defined]


def _got(of: Any, name: str) -> Any:
    if of is not _ZoneInfo or name != "_unpickle":
        raise pickle.UnpicklingError(f"an attribute {name!r}")
    return _zone


def _zone(key: str, _: bool) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(key)


_OURS: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Ndarray,
    ("zoneinfo", "ZoneInfo"): _ZoneInfo,
    ("builtins", "getattr"): _got,
    ("copyreg", "_reconstructor"): _remade,
    ("_codecs", "encode"): _encoded,
    ("pyarrow.lib", "_restore_array"): _restored,
    **{(module, "_reconstruct"): _reconstruct for module in _ARRAYS},
    **{(module, "scalar"): _scalar for module in _ARRAYS},
    **{(module, "_frombuffer"): _frombuffer for module in _ARRAYS},
}
_OLD = {"__builtin__": "builtins", "copy_reg": "copyreg"}


class RefusedError(Exception):
    """A pickle asks for what is not in the tables.

    Attributes:
        name: Which, as `module.name`.
    """

    def __init__(self, name: str) -> None:
        self.name = clean(name)[:100]
        super().__init__(self.name)


def _named(module: str, name: str) -> Any:
    module = _OLD.get(module, module)
    if (module, name) in _OURS:
        return _OURS[module, name]
    room = module.partition(".")[0]
    plain = {"builtins": _BUILTINS, "datetime": _DATETIME, "decimal": {"Decimal"}, "numpy": {"dtype"}}
    if room == "pandas" and name in _PANDAS:
        return getattr(importlib.import_module(_PANDAS[name]), name)
    if name in plain.get(module, ()) or (module == "pyarrow.lib" and name in _PYARROW):
        return getattr(importlib.import_module(module), name)
    raise RefusedError(f"{module}.{name}")


class _Unpickler(pickle._Unpickler):  # the one in Python: its steps can be checked one by one
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        """Look a name up in the tables."""
        return _named(module, name)

    def persistent_load(self, pid: Any) -> Any:
        """Refuse what stands outside the pickle."""
        raise RefusedError(f"something outside, {str(pid)[:50]!r}")

    def load_build(self) -> None:
        """Give an object its state; a class or a function keeps its own."""
        made = self.stack[-2]  # type: ignore[attr-defined]
        if isinstance(made, type) or callable(made):
            raise RefusedError(f"a change of {getattr(made, '__name__', made)!s}")
        super().load_build()  # type: ignore[misc]

    dispatch[pickle.BUILD[0]] = load_build


def loaded(data: bytes, at: str) -> Any:
    """What a pickle holds.

    Args:
        data: All of it.
        at: The file, for messages.

    Raises:
        DataError: It is damaged, or asks for anything but tables and plain values. That was not run.
        MissingExtraError: It holds a frame of pandas, which is not installed.
    """
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except RefusedError as error:
        raise DataError(
            f"asks for {error.name}, which is no part of a table: it was not run",
            at=at,
            hint="save the rows as Parquet or JSON where the pickle was made; if nobody you know made it, delete it",
        ) from None
    except ImportError as error:
        raise MissingExtraError(f"holds a frame of pandas ({error})", at=at, hint="pip install pandas") from None
    except RecursionError:
        raise DataError("is nested too deep", at=at, hint="save the rows as Parquet where it was made") from None
    except Exception as error:  # noqa: BLE001 - a damaged pickle may fail anywhere, in anything
        said = clean(str(error).partition("\n")[0])[:150]
        raise DataError(
            f"is a damaged pickle ({type(error).__name__}: {said})", at=at, hint="fetch it again, or write it anew"
        ) from None
