"""A part is anything a recipe can name. One class is its options, schema, page, catalogue entry and test cases."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr
from pydantic.fields import FieldInfo

from .errors import MissingExtraError, RecipeError
from .rows import NUMBER, ROW
from .sending import Service

FAMILIES: dict[str, type[Part]] = {}

#: Key of the folder that a recipe's relative paths start from, in the context that parts are validated with.
BASE = "base"

#: An option that names a column of the rows. A recipe that names one that is not there is refused before rows are read.
Column = Annotated[str, Field(json_schema_extra={"column": True}, min_length=1)]
#: Several of them.
Columns = Annotated[list[Column], Field(json_schema_extra={"column": True}, min_length=1)]


def _not_an_id(name: str) -> str:
    if name in (ROW, NUMBER):
        raise ValueError(f"{name!r} is the name of the rows' own ids: choose another")
    return name


#: An option that names a column to write, which need not be there.
NewColumn = Annotated[str, AfterValidator(_not_an_id), Field(min_length=1)]
#: A column that is the task's text (or label) where the recipe leaves it out.
TextColumn = Annotated[str | None, Field(json_schema_extra={"column": True, "from_task": "text"})]
LabelColumn = Annotated[str | None, Field(json_schema_extra={"column": True, "from_task": "label"})]
#: A column that is what the task's rows are to be told of, a label, a set of them or a number, where it is left out.
AnswerColumn = Annotated[str | None, Field(json_schema_extra={"column": True, "from_task": "answer"})]


class Example(BaseModel):
    """A small table before and after: the reference page shows it and the tests run it.

    What `before` and `after` hold depends on the family: rows for steps, a file's lines and rows for sources, rows
    and a finding for checks, truth and guesses and a value for metrics.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    options: dict[str, Any] = Field(default_factory=dict)
    before: dict[str, list[Any]]
    after: dict[str, list[Any]]
    files: dict[str, list[str]] = Field(default_factory=dict)
    """Files that lie beside the recipe, as NAME: LINES."""


#: What the schema of a mapping with `use` says that is no part, so that it is described where it is an option.
INLINE = "inline"


def told_inline(schema: dict[str, Any]) -> None:
    """For `json_schema_extra` of such a mapping: `use` is required there, too, although it has a default."""
    _use_is_required(schema)
    schema[INLINE] = True


def _use_is_required(schema: dict[str, Any]) -> None:
    # `use` has a default so that Python callers may leave it out; a recipe may not.
    schema["required"] = ["use", *(name for name in schema.get("required", []) if name != "use")]


class Part(BaseModel):
    """Anything a recipe can name. Fields are its options; the docstring is its page; `use` is its name."""

    # What validates a part is made when it is first asked for: all parts are imported, and few are used.
    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, json_schema_extra=_use_is_required, defer_build=True
    )

    family: ClassVar[str] = ""
    room: ClassVar[str] = ""
    """The package that holds a family's parts, where it is called otherwise."""
    catalogue: ClassVar[dict[str, type[Part]]]
    examples: ClassVar[tuple[Example, ...]] = ()
    extra: ClassVar[str] = ""
    """The optional dependencies that this part needs (`pip install 'seedbed[EXTRA]'`)."""

    needs: ClassVar[tuple[str, ...]] = ()
    """Modules of that extra which it imports."""

    elsewhere: ClassVar[Mapping[str, str]] = {}
    """Options that people look for here, each with what to say instead."""

    use: str

    @property
    def called(self) -> str:
        """What it is named by in ledgers, reports and folders, before it is numbered."""
        return self.use

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if "family" in cls.__dict__:  # the head of a family, not a part
            cls.catalogue = {}
            FAMILIES[cls.family] = cls
            return
        name = cls.model_fields["use"].default
        if isinstance(name, str) and name:  # a part of the engine's own has no name that a recipe could use
            other = cls.catalogue.setdefault(name, cls)
            if other.__qualname__ != cls.__qualname__ or other.__module__ != cls.__module__:
                raise TypeError(f"{cls.__module__}.{cls.__qualname__}: {name!r} is already {other.__module__}")

    @classmethod
    def named(cls, use: str) -> type[Part] | None:
        """The part of this family that has a name, if there is one.

        A worker has imported no more parts than it was given: the module of a part is called as the part is.
        """
        if use not in cls.catalogue and use.isidentifier():
            with suppress(ModuleNotFoundError):
                importlib.import_module(f"seedbed.{cls.room or cls.family}.{use}")
        return cls.catalogue.get(use)

    @classmethod
    def any(cls) -> Any:
        """The type of a recipe field that holds any part of this family, told apart by `use`."""
        parts = list(cls.catalogue.values())
        return parts[0] if len(parts) == 1 else Annotated[reduce(or_, parts), Field(discriminator="use")]

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(cls) or "").partition("\n")[0]

    @classmethod
    def columns_named(cls) -> Iterator[str]:
        """Names of the options that hold column names; `OUTER.INNER` where an option is a model of its own."""
        yield from _columns_named(cls)

    def columns_used(self) -> Iterator[tuple[str, str]]:
        """The option and the column, for each column that the options name."""
        for option in self.columns_named():
            for column in _texts_at(self, option.split(".")):
                yield option, column

    def for_task(self, roles: dict[str, str]) -> Self:
        """This part with every option that the recipe left out and the task knows (its text or label column)."""
        missing = {
            name: roles[str(extra["from_task"])]
            for name, field in type(self).model_fields.items()
            if isinstance(extra := field.json_schema_extra, dict)
            and extra.get("from_task") in roles
            and getattr(self, name) is None
        }
        return self.model_copy(update=missing) if missing else self

    def services(self) -> tuple[Service, ...]:
        """Whom it, a part inside its options, or the model that it makes, asks about rows; nobody, as a rule."""
        inside = (one for option in type(self).model_fields for one in _parts_in(getattr(self, option)))
        return tuple(service for one in inside for service in one.services())

    def made_from(self) -> Any:
        """What its work depends on besides options and our code (files, versions), as JSON: for the store's keys."""
        return None

    @classmethod
    def check_needs(cls) -> None:
        """Fail with the command to type when a package that this part needs is not installed; imports none.

        Raises:
            MissingExtraError: One of `needs` is not there.
        """
        for module in cls.needs:
            if importlib.util.find_spec(module) is None:
                name = cls.model_fields["use"].default
                raise MissingExtraError(
                    f"{cls.family} {name!r} needs the package {module!r}, which is not installed",
                    hint=f"pip install 'seedbed[{cls.extra}]'" if cls.extra else f"pip install {module}",
                )


def _parts_in(value: Any) -> Iterator[Part]:
    if isinstance(value, Part):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _parts_in(one)


def base_of(context: Any) -> Path:
    """The folder that relative paths start from, out of the context that a part is validated with: the recipe's."""
    return Path(context[BASE]) if isinstance(context, Mapping) and BASE in context else Path.cwd()


@contextmanager
def placed(at: str, part: Part) -> Iterator[None]:
    """Give what a part refuses its place in the recipe: that of the option, where it names one, else the part's.

    Args:
        at: Where the part stands, such as `sources.0`.
        part: Names an option as `split`, or as `source 'hub', split`.

    Raises:
        RecipeError: With that place.
    """
    try:
        yield
    except RecipeError as error:
        option = error.at.removeprefix(f"{part.family.removesuffix('s')} {part.use!r}, ")
        if option.partition(".")[0] in type(part).model_fields:
            raise RecipeError(error.problem, at=f"{at}.{option}", hint=error.hint) from None
        about = f"{error.at}: " if error.at else ""
        raise RecipeError(f"{about}{error.problem}", at=at, hint=error.hint) from None


class Placed(BaseModel):
    """Options that name files: they note the folder that relative paths start from. Nothing is read yet."""

    _base: Path = PrivateAttr(default_factory=Path.cwd)

    def model_post_init(self, context: Any) -> None:
        """Note the folder."""
        self._base = base_of(context)


def _columns_named(model: type[BaseModel], before: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        pieces = [field, *_pieces(field.annotation)]
        if any(isinstance(piece, FieldInfo) and _says_column(piece) for piece in pieces):
            yield before + name
        for piece in pieces:
            if isinstance(piece, type) and issubclass(piece, BaseModel):
                yield from _columns_named(piece, f"{before}{name}.")


def _pieces(annotation: Any) -> Iterator[Any]:
    """A type, what it is made of, and what its parts are annotated with."""
    yield annotation
    for piece in get_args(annotation):
        yield from _pieces(piece)


def _says_column(field: FieldInfo) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("column"))


def _texts_at(value: Any, path: Sequence[str]) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for one in value:
            yield from _texts_at(one, path)
    elif path:
        yield from _texts_at(getattr(value, path[0], None), path[1:])
    elif isinstance(value, str):
        yield value


def labels_of(parts: list[Part] | tuple[Part, ...]) -> list[str]:
    """One name per part for ledgers and reports: what it is `called`, numbered from the second of it (`where.2`)."""
    seen: dict[str, int] = {}
    names = []
    for name in (part.called for part in parts):
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return names


def sections(part: type[BaseModel]) -> dict[str, str]:
    """The `## ` sections of a part's or task's docstring by lower-case title; what precedes them is under ``""``."""
    text = inspect.getdoc(part) or ""
    pieces = re.split(r"^## +(.+)$", text, flags=re.MULTILINE)
    return {
        "": pieces[0].strip(),
        **{t.strip().lower(): b.strip() for t, b in zip(pieces[1::2], pieces[2::2], strict=True)},
    }
