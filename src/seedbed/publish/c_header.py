"""A linear text model as a C header."""

from __future__ import annotations

import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from pydantic import Field

from seedbed.core.context import Context
from seedbed.core.counted import AsCounted, Counted
from seedbed.core.errors import ModelError
from seedbed.core.model_exporter import ModelExporter, Shipped
from seedbed.core.numbers import size, things
from seedbed.core.part import Example
from seedbed.core.version import __version__

from .shipping.c.writing import Header, Weights, header, strongest
from .shipping.parity import Agreement, Answers, agreement, in_words, refuse, texts, write_parity
from .shipping.placing import after_steps, arriving_at, as_json, facts_of, more_in, place_of, write_golden

#: Compilers that are looked for, in this order.
_COMPILERS = ("cc", "gcc", "clang")
#: What the header must stand without a word.
FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-O2")
_SECONDS = 600
#: Learners whose models are weighted sums of terms.
_LINEAR = ("tfidf_logistic", "tfidf_svm", "naive_bayes", "tfidf_ridge")


class CHeader(ModelExporter):
    """Write a linear text model as one C header, for a microcontroller or any program, and hold it against the model.

    `model.h` is C99 that needs `<math.h>` alone, allocates nothing and holds the model's terms as hashes, with their
    weights; `seedbed_predict` reads UTF-8 and answers with probabilities (or a number). Beside it: `example.c`,
    `golden.json`, `parity.json`, `model.json`, a `README.md`.

    ## Why
    Counting terms needs no runtime: a spam filter fits into the flash of a small board, answers in under a millisecond
    and no text leaves it. The header is compiled here, with all warnings as errors, and what it answers to held-out
    rows is compared with the model's answers; where they agree too rarely, nothing is written.

    ## Limits
    Linear models on terms only: `tfidf_logistic`, `tfidf_svm`, `naive_bayes`, `tfidf_ridge`. The recipe's steps stay
    outside. A term that the model does not know has the hash of one that it knows once in 2^32 / terms (2^64 beyond
    50,000 terms). Letters, white space and lower case are Python's, but for the Greek sigma at a word's end. A text may
    have 2,047 different terms that are known (`SEEDBED_MOST_TERMS`; 8 bytes of memory each); of a longer one the rest
    is not counted, and the function says so. A C compiler must be installed.
    """

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Weights of 8 bits, at most 20,000 terms",
            options={"path": "out/c", "most_terms": 20_000},
            before={"run": ["run.json", "models/tfidf_logistic/bundle.json"]},
            after={"folder": ["example.c", "golden.json", "model.h", "model.json", "parity.json"]},
        ),
    )

    use: Literal["c_header"] = "c_header"
    weights: Weights = Field("int8", description="How weights are kept: `int8`, a byte each, or `float32`, four.")
    most_terms: int | None = Field(
        None, ge=1, description="Terms to keep, those that move answers most; all when left out."
    )
    agreement: float = Field(
        0.95, gt=0, le=1, description="Share of held-out rows that it must answer as the model does."
    )
    rows: int = Field(1_000, ge=1, le=1_000_000, description="Held-out rows for that, at most.")

    def ship(self, shipped: Shipped, context: Context) -> tuple[str, ...]:
        """Write the folder.

        Raises:
            ModelError: The model is no linear one on terms, there is no compiler, or the header answers otherwise.
            RecipeError: The folder is not one that may be replaced.
            DataError: It cannot be written.
        """
        at = place_of(self)
        counted, compiler = _counted(shipped, at), _compiler(at)
        if self.most_terms is not None:
            counted = strongest(counted, self.most_terms)
        labels = shipped.labels or ("number",)
        said = f"{shipped.name} ({shipped.use}), a model by Seedbed {__version__}."
        made = header(counted, labels, weights=self.weights, said=said)
        rows = shipped.rows(self.rows)
        with arriving_at(self, shipped, context) as folder:
            (folder / "model.h").write_text(made.text, "utf-8")
            (folder / "example.c").write_bytes(files(f"{__package__}.shipping.c").joinpath("example.c").read_bytes())
            asked = Compiled(folder, compiler, shipped.reads, at)
            found = {"model.h": agreement(shipped, rows, asked, least=self.agreement, size=made.tables)}
            refuse("model.h", found["model.h"], at)
            how = {"compiler": Path(compiler).name, "flags": list(FLAGS), "terms": made.terms, "bytes_are": "tables"}
            write_parity(folder, shipped, found, how)
            as_json(folder / "model.json", facts_of(shipped) | {"weights": self.weights, "terms": made.terms})
            write_golden(folder, shipped)
            for name, held in more_in(shipped).items():
                (folder / name).write_bytes(held)
            (folder / "README.md").write_text(_readme(shipped, made, found["model.h"]), "utf-8")
        exact = ("`weights: float32` (--set weights=float32) rounds nothing, at four times the size of the weights",)
        more = exact if self.weights == "int8" and found["model.h"].differ else ()
        return (f"{things(made.terms, 'term')}, {size(made.tables)} of tables", *in_words(shipped, found), *more)


class Compiled:
    """`example.c` with `model.h`, compiled into a folder of its own and run once for all rows.

    Args:
        folder: Holds both.
        compiler: A C compiler.
        reads: The column of the texts.
        at: For messages.
    """

    def __init__(self, folder: Path, compiler: str, reads: tuple[str, ...], at: str) -> None:
        self.folder, self.compiler, self.reads, self.at = folder, compiler, reads, at

    def __call__(self, rows: pl.DataFrame) -> Answers:
        """Answers, shape (rows, outputs).

        Raises:
            ModelError: It does not compile, or does not run.
        """
        asked = [one.replace("\x00", " ").encode() for one in texts(rows, self.reads)]
        with TemporaryDirectory(prefix="seedbed-") as folder:
            program = Path(folder) / "example"
            self._run([self.compiler, *FLAGS, str(self.folder / "example.c"), "-lm", "-o", str(program)])
            said = self._run([str(program), "-0"], b"".join(one + b"\x00" for one in asked))
        lines = said.decode("ascii", "replace").splitlines()
        found = [[float(field) for field in line.removesuffix("\ttoo long").split("\t")] for line in lines]
        return np.array(found, dtype=np.float64)

    def _run(self, command: list[str], given: bytes = b"") -> bytes:
        try:
            done = subprocess.run(command, input=given, capture_output=True, timeout=_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ModelError(f"{Path(command[0]).name} failed ({type(error).__name__})", at=self.at) from None
        if done.returncode:
            said = (done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {done.returncode}"])[0]
            raise ModelError(f"{Path(command[0]).name} failed: {said[:200]}", at=self.at)
        return done.stdout


def _counted(shipped: Shipped, at: str) -> Counted:
    found = shipped.model.counted() if isinstance(shipped.model, AsCounted) else None
    if found is None:
        raise ModelError(
            f"{shipped.use} is no weighted sum of terms, so it cannot be a C header",
            at=at,
            hint=_instead(shipped),
        )
    return found


def _instead(shipped: Shipped) -> str:
    """The models of the same run that can."""
    here = [name for name, use in shipped.beside.items() if use in _LINEAR]
    if not here:
        return f"{', '.join(_LINEAR[:-1])} and {_LINEAR[-1]} can; others export to onnx"
    return f"of this run's models {', '.join(here)} can: --set model={here[0]} (in a recipe `model: {here[0]}`)"


def _compiler(at: str) -> str:
    found = next(filter(None, map(shutil.which, _COMPILERS)), None)
    if found is None:
        raise ModelError(
            "there is no C compiler here to check the header with", at=at, hint="apt install gcc, or clang"
        )
    return found


def _readme(shipped: Shipped, made: Header, found: Agreement) -> str:
    return (
        f"# {shipped.name}\n\nA model that Seedbed exported as C. `model.h` holds {things(made.terms, 'term')} and "
        f"takes {size(made.tables)} of read-only memory; a `seedbed_state` takes about 16 KB more while it reads.\n\n"
        '```sh\ncc -O2 example.c -lm -o example && echo "a text" | ./example\n```\n\n'
        f"{after_steps(shipped)}\nOn {found.rows:,} {shipped.rows_are} rows it gives the same answer as the model for "
        f"{found.rows - found.differ:,} ({found.said()}); the largest difference is "
        f"{found.largest_difference:.2g}.\n"
    )
