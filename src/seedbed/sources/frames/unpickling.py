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

from .soundness import FILLED, UnsoundError, is_checked, refuse_damaged, refuse_state

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


def _index(kind: type, options: dict[str, Any]) -> Any:
    for held in options.values():  # an index may look at values at once
        refuse_damaged(held)
    return importlib.import_module("pandas.core.indexes.base")._new_Index(kind, options)


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
    if room == "pandas" and name == "_new_Index":
        return _index
    if room == "pandas" and name in _PANDAS:
        return getattr(importlib.import_module(_PANDAS[name]), name)
    if name in plain.get(module, ()) or (module == "pyarrow.lib" and name in _PYARROW):
        return getattr(importlib.import_module(module), name)
    raise RefusedError(f"{module}.{name}")


class _Unpickler(pickle._Unpickler):  # the one in Python: its steps can be checked one by one
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(pickle._Unpickler.dispatch)
    stack: list[Any]
    metastack: list[list[Any]]

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self._seen: list[Any] = []

    def find_class(self, module: str, name: str) -> Any:
        """Look a name up in the tables."""
        return _named(module, name)

    def persistent_load(self, pid: Any) -> Any:
        """Refuse what stands outside the pickle."""
        raise RefusedError(f"something outside, {str(pid)[:50]!r}")

    def load_build(self) -> None:
        """Give an object its state; a class or a function keeps its own."""
        made, state = self.stack[-2:]
        if isinstance(made, type) or callable(made):
            raise RefusedError(f"a change of {getattr(made, '__name__', made)!s}")
        refuse_state(made, state)
        super().load_build()  # type: ignore[misc]
        if is_checked(made):
            refuse_damaged(made)
            self._seen.append(made)

    def load_reduce(self) -> None:
        """Call a function, or a class that holds no values."""
        _refuse_call(self.stack[-2], True)
        super().load_reduce()  # type: ignore[misc]
        if is_checked(self.stack[-1]):  # perhaps without its state yet
            self._seen.append(self.stack[-1])

    def load_newobj(self) -> None:
        """Make an object; one that holds values is empty at first."""
        _refuse_call(*self.stack[-2:])
        super().load_newobj()  # type: ignore[misc]

    def load_old(self) -> None:
        """Refuse what no table is written with: classes of Python 2, calls with names."""
        raise RefusedError("an object of an old kind")

    def load_append(self) -> None:
        """Add a value to a list."""
        _refuse_change(self.stack[-2])
        super().load_append()  # type: ignore[misc]

    def load_setitem(self) -> None:
        """Put a value into a dict."""
        _refuse_change(self.stack[-3])
        super().load_setitem()  # type: ignore[misc]

    def load_appends(self) -> None:
        """Add values to a list."""
        _refuse_change(self.metastack[-1][-1])
        super().load_appends()  # type: ignore[misc]

    def load_setitems(self) -> None:
        """Put values into a dict."""
        _refuse_change(self.metastack[-1][-1])
        super().load_setitems()  # type: ignore[misc]

    def load_additems(self) -> None:
        """Add values to a set."""
        _refuse_change(self.metastack[-1][-1])
        super().load_additems()  # type: ignore[misc]

    def looked_at(self) -> Any:
        """What the pickle holds; what was found sound on the way may have changed since."""
        found = self.load()
        for made in self._seen:
            refuse_damaged(made)
        return found

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.NEWOBJ[0]] = load_newobj
    dispatch[pickle.APPEND[0]] = load_append
    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.APPENDS[0]] = load_appends
    dispatch[pickle.SETITEMS[0]] = load_setitems
    dispatch[pickle.ADDITEMS[0]] = load_additems
    dispatch |= dict.fromkeys((pickle.OBJ[0], pickle.INST[0], pickle.NEWOBJ_EX[0]), load_old)


def _refuse_call(called: Any, arguments: Any) -> None:
    if isinstance(called, type) and called.__name__ in FILLED and arguments:
        raise RefusedError(f"a call of {called.__name__}")


def _refuse_change(held: Any) -> None:
    """What holds values and was looked at keeps them."""
    if type(held) not in (list, dict, set):
        raise RefusedError(f"a change of a {type(held).__name__}")


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
        return _Unpickler(data).looked_at()
    except RefusedError as error:
        raise DataError(
            f"asks for {error.name}, which is no part of a table: it was not run",
            at=at,
            hint="save the rows as Parquet or JSON where the pickle was made; if nobody you know made it, delete it",
        ) from None
    except UnsoundError as error:
        said = f"holds {error}, which may be read as anything: it was not read"
        raise DataError(said, at=at, hint="if nobody you know made it, delete it") from None
    except ImportError as error:
        raise MissingExtraError(f"holds a frame of pandas ({error})", at=at, hint="pip install pandas") from None
    except RecursionError:
        raise DataError("is nested too deep", at=at, hint="save the rows as Parquet where it was made") from None
    except Exception as error:  # noqa: BLE001 - a damaged pickle may fail anywhere, in anything
        said = clean(str(error).partition("\n")[0])[:150]
        raise DataError(
            f"is a damaged pickle ({type(error).__name__}: {said})", at=at, hint="fetch it again, or write it anew"
        ) from None
