"""A PostgreSQL server that is only read from: its connection, what a query gives, and its errors in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pyarrow as pa

from seedbed.core.context import conceal, expand
from seedbed.core.errors import DataError, RecipeError, did_you_mean
from seedbed.core.ledger import mask
from seedbed.core.numbers import things
from seedbed.core.showing import clean

from .asked import Value, quoted

SCHEMES = ("postgresql", "postgres")
#: Types that come as they are; the server writes all others as text.
_AS_THEY_ARE = frozenset(
    ("int2", "int4", "int8", "float4", "float8", "text", "varchar", "bpchar", "name", "bool", "bytea")
) | {"date", "time", "timestamp", "timestamptz"}
#: What a key is compared as, by its type.
KEYS = {
    **dict.fromkeys(("int2", "int4", "int8"), "bigint"),
    **dict.fromkeys(("text", "varchar"), "text"),
    **{name: name for name in ("uuid", "date", "timestamp", "timestamptz", "numeric")},
}
#: So the same values are written in the same way, whatever the server's defaults are.
_SETTINGS = (
    *("default_transaction_read_only = on", "TimeZone = 'UTC'", "DateStyle = 'ISO, YMD'", "IntervalStyle = 'iso_8601'"),
    *("bytea_output = 'hex'", "extra_float_digits = 1", "lc_monetary = 'C'", "client_encoding = 'UTF8'"),
)
_BEGIN = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
_PLACEHOLDER = re.compile(r"\$\{env:\w+\}")
_PASSWORD = re.compile(r"(?i)([?&](?:ssl)?password=)([^&#]+)")
_CONNECTING = 15
_BATCH = 4 << 20


@dataclass(frozen=True)
class Column:
    """A column of an answer."""

    name: str
    type: str
    """The server's name of its type."""
    kind: pa.DataType

    @property
    def wanted(self) -> str:
        """How it is asked for."""
        name = f"q.{quoted(self.name)}"
        if pa.types.is_list(self.kind) or pa.types.is_struct(self.kind):
            return f"to_json({name})::text AS {quoted(self.name)}"
        return name if self.comes_as_it_is else f"{name}::text AS {quoted(self.name)}"

    @property
    def comes_as_it_is(self) -> bool:
        """Whether the value has a type of ours."""
        return self.type in _AS_THEY_ARE


class Server:
    """An open connection, in one transaction that sees one state of the database and can change nothing.

    Args:
        url: As the recipe writes it.
        timeout: Seconds that a statement may take.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self.url, self._timeout = url, timeout
        self._shown = shown(url)
        self._connection: Any = None

    def __enter__(self) -> Server:
        from adbc_driver_postgresql import dbapi

        address = _expanded(self.url)
        wait = max(2, round(min(self._timeout, _CONNECTING)))
        more = f"connect_timeout={wait}&tcp_user_timeout={round(self._timeout * 1000)}&application_name=seedbed"
        with self._failures("connecting"):
            self._connection = dbapi.connect(_with(address, more), autocommit=True)
        try:
            with self._failures("connecting"):
                for setting in (*_SETTINGS, f"statement_timeout = {max(1, round(self._timeout * 1000))}"):
                    self._do(f"SET {setting}")
                self._do(_BEGIN)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # what was to be read is read, or lost already
            self._connection.close()

    def _do(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)

    def columns(self, query: str, values: Sequence[Value], about: str) -> list[Column]:
        """What a query gives, without running it.

        Raises:
            DataError: The server refuses the query.
            RecipeError: Two of its columns have one name.
        """
        with self._failures(about), self._connection.cursor() as cursor:
            schema = cursor.adbc_execute_schema(query, list(values) or None)
        found = [Column(f.name, (f.metadata or {}).get(b"POSTGRESQL:type", b"").decode(), f.type) for f in schema]
        twice = {one.name for one in found if sum(other.name == one.name for other in found) > 1}
        if twice:
            some = ", ".join(sorted(twice))
            raise RecipeError(f"the query has several columns named {some}", at=about, hint="name them apart with AS")
        if not found:
            raise RecipeError("the query has no columns", at=about, hint="one SELECT with columns is needed")
        return found

    def rows(self, query: str, values: Sequence[Value], about: str) -> pa.Table:
        """All that a query gives, in memory. Raises as `batches` does."""
        with self._failures(about), self._connection.cursor() as cursor:
            cursor.execute(query, list(values) or None)
            return cursor.fetch_arrow_table()

    def batches(self, query: str, values: Sequence[Value], about: str) -> Iterator[pa.RecordBatch]:
        """What a query gives, batch by batch; memory does not grow with it.

        Raises:
            DataError: The server refuses the query, breaks it off or is gone; says after how many rows.
        """
        came = 0
        if not values:
            with self._failures(about, lambda: came), self._connection.cursor() as cursor:
                cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(_BATCH)})
                cursor.execute(query)
                for batch in cursor.fetch_record_batch():
                    came += batch.num_rows
                    yield batch
            return
        # The driver would hold what a query with parameters gives in memory; the server's cursor hands it out.
        with self._failures(about, lambda: came):
            with self._connection.cursor() as cursor:
                cursor.execute(f"DECLARE seedbed NO SCROLL CURSOR FOR {query}", list(values))
            while True:
                with self._connection.cursor() as cursor:
                    cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})
                    cursor.execute("FETCH 10000 FROM seedbed")
                    table = cursor.fetch_arrow_table()
                if not table.num_rows:
                    return
                came += table.num_rows
                yield from table.to_batches()

    def again(self) -> None:
        """Begin another transaction: after an error the server does nothing more in the one that had it."""
        with self._failures("beginning again"):
            self._do("ROLLBACK")
            self._do(_BEGIN)

    @property
    def version(self) -> str:
        """Of the server."""
        return str(self.rows("SELECT current_setting('server_version')", (), "version").column(0)[0])

    @contextmanager
    def _failures(self, about: str, came: Any = None) -> Iterator[None]:
        import adbc_driver_manager

        try:
            yield
        except (adbc_driver_manager.Error, pa.ArrowException, OSError) as error:
            raise self._told(error, about, came() if came else 0) from None
        except UnicodeError:
            raise DataError("the server sent text that is not UTF-8", at=self._shown, hint="check it") from None

    def _told(self, error: Exception, about: str, came: int) -> DataError:
        state = getattr(error, "sqlstate", None) or _state_in(str(error))
        said = self._words(str(error))
        after = f" after {things(came, 'row')}" if came else ""
        if about == "connecting":
            return DataError(f"no connection to the database: {said}", at=self._shown, hint=_way_in(said, self.url))
        if state == "57014":
            told = f"the query was broken off after {self._timeout:g} seconds{after}"
            return DataError(told, at=about, hint="`timeout` says how long it may take; a `key` reads it in pages")
        return DataError(f"the database refused the query{after}: {mask(said)}", at=about, hint=self._way_out(state))

    def _words(self, said: str) -> str:
        """What the server says, in a line, without our statement, and without what nobody may see."""
        cut = re.split(r"\n\nQuery was: |\. SQLSTATE: ", said)[0]
        found = re.search(r"(?:ERROR|FATAL):\s*(.*)", cut, re.S)
        lines = [line.strip() for line in (found[1] if found else cut).splitlines()]
        lines = [line for line in lines if line and not re.match(r"LINE \d+:|\^|CONTEXT:|QUERY:", line)]
        text = " ".join(lines[:3]) if found else re.sub(r"^.*?\[libpq\]\s*", "", " ".join(lines))
        text = re.sub(r"^(Failed to connect|Execution error \[\w+\]): ", "", text)
        for secret in sorted(_secrets(self.url), key=len, reverse=True):
            text = text.replace(secret, "…")
        return clean(conceal(text, self.url))[:300]

    def _way_out(self, state: str) -> str:
        if state == "42P01":
            return "is it in another schema? SCHEMA.TABLE names one"
        if state == "42883":
            return "a parameter that is no text or number is written with its type: $1::date"
        if state in ("25006", "0A000"):
            return "a source only reads: give a SELECT that changes nothing"
        if state == "42501":
            return "the user needs the right to SELECT"
        if state.startswith("08") or not state:
            return "run again: it goes on after what was kept" if not state else ""
        return ""


def tables_like(server: Server, names: Sequence[str]) -> str:
    """A hint that names the tables that a missing one may have meant."""
    server.again()
    query = (
        "SELECT table_schema::text, table_name::text FROM information_schema.tables WHERE table_schema NOT IN ($1, $2)"
    )
    found = server.rows(query, ("pg_catalog", "information_schema"), "tables").to_pylist()
    known = [one["table_name"] if one["table_schema"] == "public" else ".".join(one.values()) for one in found]
    return did_you_mean(".".join(names), known, show=6)


def check(url: str, at: str) -> None:
    """Refuse an address of another kind, or one with a password in it.

    Raises:
        RecipeError: It is not PostgreSQL's, or a secret would stand in everything that is made from the recipe.
    """
    scheme = urlsplit(_PLACEHOLDER.sub("x", url)).scheme
    if not url.startswith("${env:") and scheme not in SCHEMES:
        way = "use: sqlite reads SQLite files" if scheme.startswith("sqlite") else "export it to Parquet or CSV"
        raise RecipeError(f"reads PostgreSQL (postgresql://…), not {scheme or 'this'}", at=at, hint=way)
    if _literal(url):
        hint = "write ${env:PGPASSWORD} in its place: the recipe is copied into every run"
        raise RecipeError("a password stands in the recipe", at=at, hint=hint)


def shown(url: str) -> str:
    """The address for people, without a password that somebody wrote into it."""
    literal = _literal(url)
    return url.replace(literal, "…") if literal else url


def _literal(url: str) -> str:
    """The password that stands in an address as such; empty where there is none."""
    found = re.match(r"\w+://[^/?#]*?:(.*)@", url)  # a password with a slash ends at the last @, all the same
    said: list[str] = [found[1] if found else "", *(value for _, value in _PASSWORD.findall(url))]
    return next((text for text in said if _PLACEHOLDER.sub("", text)), "")


def _expanded(url: str) -> str:
    """The address with its placeholders filled in: in front of the host what they stand for is quoted."""
    head, mark, tail = url.rpartition("@")
    if not mark or "://" not in head:
        return expand(url, at=shown(url))
    quoted_in: str = _PLACEHOLDER.sub(lambda found: quote(expand(found[0], at=shown(url)), safe=""), head)
    return f"{quoted_in}{mark}{expand(tail, at=shown(url))}"


def _password_of(url: str) -> str:
    """Where the password comes from, in words."""
    found = re.match(r"\w+://[^/?#]*?:(.*)@", url)
    said = [found[1] if found else "", *(value for _, value in _PASSWORD.findall(url))]
    names = _PLACEHOLDER.findall(" ".join(said)) or (_PLACEHOLDER.findall(url) if url.startswith("${env:") else [])
    return " and ".join(names) or "PGPASSWORD (or in libpq's password file)"


def _with(address: str, more: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}{more}"


def _secrets(url: str) -> set[str]:
    """Passwords in the address as it is used, and in the environment, in every form; too short ones are none."""
    import os

    try:
        used = _expanded(url)
    except RecipeError:
        used = url
    found = {os.environ.get("PGPASSWORD", ""), _literal(used), *(value for _, value in _PASSWORD.findall(used))}
    forms = {form for one in found for form in (one, unquote(one), quote(one, safe=""), quote(one))}
    return {form for form in forms if len(form) >= 4}


def _state_in(said: str) -> str:
    """The SQLSTATE of an error that has lost it on the way through Arrow, as far as its words tell."""
    known = {"statement timeout": "57014", "read-only transaction": "25006", "division by zero": "22012"}
    return next((state for words, state in known.items() if words in said), "")


def _way_in(said: str, url: str) -> str:
    if "authentication failed" in said:
        return f"is the user's name right, and the password in {_password_of(url)}?"
    if "password" in said:
        return "give user and password: postgresql://USER:${env:PGPASSWORD}@HOST/DATABASE"
    if "does not exist" in said:
        return "is the name of the database or user right?"
    if "translate host name" in said:
        return "is the host's name right?"
    if "timeout" in said or "refused" in said:
        return "is the server running, at that port, and does a firewall let us through?"
    return ""
