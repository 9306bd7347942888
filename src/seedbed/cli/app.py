"""The commands, and what each error does to the exit code. Parts are imported by the commands, not here."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer

import seedbed
from seedbed.core.errors import DataError, RecipeError, SeedbedError

from .commands import finished, models, recipes, tables
from .commands.groups import runs, store
from .terminal import clean, complain, say, survive_any_encoding

_INTERRUPTED = 130

#: What a system says that has no room for a file, that lets nobody have it, or where no file can be.
_UNWRITABLE = [
    os.strerror(one)
    for one in (
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO),
        *(errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG),
    )
]

#: The same in words alone, as TensorFlow and pathlib tell it.
_UNWRITABLE_SAID = [os.strerror(errno.ENOSPC), "Symlink loop"]

app = typer.Typer(
    name="seedbed",
    help="From raw, messy sources to a dataset you can defend and a model you can trust, with one recipe.",
    epilog="Exit codes: 0 done · 1 a gate or check stopped it · 2 the recipe or the command line is wrong · "
    "3 a source or its data cannot be used · 4 a model or service failed · 130 (Ctrl-C) or 143 interrupted, and "
    "resumable.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for group in (recipes, tables, finished, models):
    app.add_typer(group.app)
app.add_typer(runs, name="runs")
app.add_typer(store, name="store")


def _version(asked: bool) -> None:
    if asked:
        say(f"seedbed {seedbed.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with its exit code."""
    survive_any_encoding()
    try:
        code = _exit_code(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone: the rest has nowhere to go, and Python must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _exit_code(arguments: Sequence[str] | None) -> int:
    try:
        result: Any = app(args=None if arguments is None else list(arguments), standalone_mode=False)
        code = result if isinstance(result, int) else 0
        return _interrupted() if code == _INTERRUPTED else code  # as which typer returns a KeyboardInterrupt
    except SeedbedError as error:
        complain(f"error: {error}")
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever else happens, nobody is shown a traceback)
        return _usage(error) if hasattr(error, "format_message") else _unexpected(error)
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of libraries in Rust, which is no Exception
            raise
        return _unexpected(error)


def _interrupted() -> int:
    from .interrupting import TOLD, interrupted

    complain(TOLD)
    return interrupted()


def _usage(error: Any) -> int:
    """A wrong command line, as click tells it."""
    if not error.format_message().strip():
        return RecipeError.exit_code  # no command was named, and the help has been shown
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "seedbed"
    complain(f"error: {error.format_message()}\n  hint: {path} --help")
    return RecipeError.exit_code


def _unexpected(error: BaseException) -> int:
    known = _UNWRITABLE if isinstance(error, OSError) else _UNWRITABLE_SAID
    said = next((why for why in known if why in str(error)), "")
    if said:
        place = getattr(error, "filename", None)
        where = f"{clean(str(place))}: " if place else ""
        hint = "is there room, may you write there, and is every folder on the way a folder?"
        complain(f"error: {where}a file cannot be read or written ({said})\n  hint: {hint}")
        return DataError.exit_code
    what = clean(f"{type(error).__name__}: {error}").partition("\n")[0][:200]
    complain(
        f"error: this is a fault in Seedbed or in a part, not in what you did: {what}\n"
        f"  {_details(error)}\n"
        "  hint: please report it, with that file and the recipe"
    )
    return 1


def _details(error: BaseException) -> str:
    """Keep what whoever mends it must know; says where."""
    try:
        with tempfile.NamedTemporaryFile("w", prefix="seedbed-", suffix=".txt", delete=False, encoding="utf-8") as file:
            file.write(f"seedbed {seedbed.__version__}, Python {sys.version}, {sys.platform}\n\n")
            file.write("".join(traceback.format_exception(error)))
    except OSError as why:
        return f"the details cannot be kept: {clean(str(why))}"
    return f"the details are in {file.name}"
