"""Rows written by a language model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Annotated, Any, ClassVar, Literal, Self

import polars as pl
from pydantic import AfterValidator, BeforeValidator, Field, SerializeAsAny, WithJsonSchema, model_validator

from seedbed.core.any_source import SCHEMA, a_source
from seedbed.core.asking.answers import SHOWN, Form, read_answer
from seedbed.core.asking.calling import Endpoint, is_here
from seedbed.core.asking.caps import Caps, Price, only_further
from seedbed.core.context import Context
from seedbed.core.numbers import things
from seedbed.core.part import Example, NewColumn
from seedbed.core.sending import Service
from seedbed.core.source import Block, InputFile, Parsed, Scan, Source
from seedbed.store.snapshots import Kept, Snapshot, body_of

from .fetching.fetched import FetchingSource
from .generating.asking import Asking, remembered
from .generating.diversity import Texts
from .generating.examples import Examples, given, pools, read_examples, scanned
from .generating.prompts import Prompts, Request, a_prompt
from .generating.writing import Writing
from .reading.blocks import Malformed, malformed_table

OutputType = Literal["string", "integer", "number", "boolean"] | dict[str, Any]
#: Calls for each row that is wanted, where the recipe does not say how many there may be.
_CALLS = 4
_MORE_CALLS = 64


def _like(value: Any) -> Any:
    return value if value is None or isinstance(value, list) else a_source(value)


Like = Annotated[
    SerializeAsAny[Source] | list[dict[str, Any]] | None,
    BeforeValidator(_like),
    WithJsonSchema({"anyOf": [SCHEMA, {"type": "array", "items": {"type": "object"}}, {"type": "null"}]}),
]


def _a_text() -> dict[str, OutputType]:
    return {"text": "string"}


class Generate(FetchingSource):
    """Rows that a language model writes, at any endpoint that speaks the OpenAI protocol.

    Each call fills in `prompt`, a Jinja template that knows `label` (the class to write), `examples` (rows of `like`,
    by column), `number`, `rows` and `seed`. The answer is JSON and is checked by a schema made of `output`; a server
    that can be told so (`response_format`) is. An answer that is none is a row all the same, rejected in the ledger
    with its text: `not_json`, `not_by_schema`, `cut_short`, `refused`, `empty_answer`, `more_than_asked`. What is as
    it should be but too like to an example row, or to a row that was accepted before, is rejected as `too_similar`,
    with the row that it is like.

    Every answer is kept as it came, under what was asked: a run that is made again asks for nothing and finds the same
    rows, one that was cut goes on, and a recipe that asks for more pays for what is new. Calls are decided on in
    rounds, so how many are made at a time changes no row.

    ## Why
    Rows for a class that has too few are easily had, and easily wrong: they repeat each other and the examples, follow
    no schema, and flatter a model that is judged on them. So they are compared with each other, checked, counted, and
    train only: `train_only` keeps them, and the rows that they were made from, out of the splits that judge, and the
    certificate says how many rows that moved. The cost of a run is bounded before a call is made.

    ## Limits
    Models change behind an endpoint, and few obey `seed`: what makes a run repeatable is what was kept. A cap counts a
    call with the most tokens that it can be, so a little of it stays unspent. The example rows of a class come from a
    fixed few of them (`pool`): each that is a row of the run goes to train with what was made from it. At most 100,000
    rows of `like` are read, and held in memory with all that was accepted. Where a step removed an example row, rows
    made from it are kept together, but not with the copy that stayed.
    """

    extra: ClassVar[str] = "generate"
    needs: ClassVar[tuple[str, ...]] = ("openai", "jsonschema")
    not_parsed: ClassVar[frozenset[str]] = FetchingSource.not_parsed | {
        "api_key", "parallel", "timeout", "retries", "most_cost", "most_requests", "most_tokens", "train_only",
        "reason", "may_send",
    }  # fmt: skip
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="Two classes; an answer that repeats another, and one that is no JSON",
            options={
                "endpoint": "http://127.0.0.1:8000/v1",
                "model": "small",
                "prompt": "Write a short text message that is {{ label }}.",
                "output": {"text": "string"},
                "classes": {"spam": 2, "ham": 1},
            },
            before={
                "answers": [
                    '{"text": "Win a phone now"}',
                    '{"text": "See you at eight"}',
                    '{"text": "Win a phone now!"}',
                    "Sure! Here is one:",
                    '{"text": "Your loan is approved"}',
                ]
            },
            after={
                "text": ["Win a phone now", "See you at eight", "Your loan is approved"],
                "label": ["spam", "ham", "spam"],
            },
        ),
    )

    use: Literal["generate"] = "generate"
    name: str | None = Field(
        "generated", pattern=r"^[\w.-]+$", description="Name used in row ids; two such sources need two names."
    )
    endpoint: str = Field(min_length=1, description="Base address of the endpoint, such as `http://127.0.0.1:8000/v1`.")
    model: str = Field(min_length=1, description="Name of the model there.")
    api_key: str | None = Field(
        None, pattern=r"^\$\{env:\w+\}$", description="The key as `${env:NAME}`: never the key itself."
    )
    prompt: Annotated[str, AfterValidator(a_prompt)] = Field(
        min_length=1, description="Jinja template of what is asked."
    )
    system: str = Field("", description="What the model is told before, as it stands.")
    output: dict[str, OutputType] = Field(
        default_factory=_a_text,
        min_length=1,
        description="Columns that the model writes, as COLUMN: TYPE or COLUMN: JSON SCHEMA.",
    )
    answer: Literal["json", "text"] = Field(
        "json", description="`text`: the whole answer is the text of the only column, for models that cannot do JSON."
    )
    response_format: Literal["auto", "json_schema", "json_object", "none"] = Field(
        "auto",
        description="How the server is told what to answer; `auto` tries a JSON Schema and takes no for an answer.",
    )
    classes: dict[str, Annotated[int, Field(ge=1, le=1_000_000)]] | None = Field(
        None, min_length=1, description="Rows to write of each class, as CLASS: ROWS."
    )
    rows: int | None = Field(None, ge=1, le=1_000_000, description="Rows to write, where there are no classes.")
    label: NewColumn = Field("label", description="Column that gets the class.")
    per_request: int = Field(1, ge=1, le=100, description="Rows to ask for in one call.")
    like: Like = Field(None, description="Example rows: a source, as under `sources`, or rows as COLUMN: VALUE.")
    show: int = Field(
        3, ge=0, le=100, description="Example rows in a prompt, of the class to write where rows have one."
    )
    may_send: str | None = Field(
        None,
        min_length=1,
        description="Why example rows of a source may go to an endpoint on another machine, such as a contract, or "
        "that all of it is public: needed there, and printed in the report and on the card.",
    )
    pool: int = Field(20, ge=1, description="Example rows of each class that may be shown at all.")
    compare: str | None = Field(None, description="Column of texts to compare; the first of `output` when left out.")
    too_similar: float = Field(
        0.7, gt=0, le=1, description="Jaccard similarity from which a row is too like to another; 1 for copies only."
    )
    shingles: Literal["characters", "words"] = Field(
        "characters", description="What is compared: character 5-grams, or word 3-grams (for long texts)."
    )
    temperature: float | None = Field(1.0, ge=0, le=2, description="How freely the model writes; null sends none.")
    answer_tokens: int = Field(512, ge=1, description="Most tokens of an answer.")
    limit_as: Literal["max_tokens", "max_completion_tokens"] = Field(
        "max_tokens", description="What the server calls that."
    )
    also_send: Annotated[dict[str, Any], AfterValidator(only_further)] = Field(
        default_factory=dict, description="Further fields of each request, such as `top_p`, as the server has them."
    )
    seed: int = Field(13, ge=0, description="Of everything that is drawn; each call sends one of its own.")
    price: Price | None = Field(None, description="What tokens cost: {prompt: …, answer: …}.")
    most_cost: float | None = Field(None, gt=0, description="Stop before more than this is spent; needs `price`.")
    most_tokens: int | None = Field(None, ge=1, description="Stop before prompts and answers have more tokens.")
    most_requests: int | None = Field(
        None, ge=1, description="Stop after so many calls; four for each that is needed, and 64, when left out."
    )
    parallel: int = Field(4, ge=1, le=16, description="Calls at a time.")
    timeout: float = Field(120, gt=0, description="Seconds that a call may take.")
    retries: int = Field(5, ge=0, le=20, description="Of a call that fails for now (429, 5xx, a broken connection).")
    train_only: bool = Field(True, description="Whether its rows, and what they were made from, are only trained on.")
    reason: str | None = Field(
        None, min_length=1, description="Why its rows may judge models: `train_only: false` needs one."
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if (self.classes is None) == (self.rows is None):
            raise ValueError("say either how many rows of each class (`classes`) or how many `rows`")
        if self.classes is not None and self.label in self.output:
            raise ValueError(f"`output` names {self.label!r}, the column of the class: leave it out")
        if self.most_cost is not None and self.price is None:
            raise ValueError("`most_cost` needs the `price` of tokens")
        if not self.train_only and not self.reason:
            raise ValueError("`train_only: false` lets made rows judge models, and needs a `reason`")
        if self.compared not in self.output:
            raise ValueError(f"`compare` names {self.compared!r}, which is no column of `output`")
        if self.answer == "text" and (len(self.output) > 1 or self.per_request > 1):
            raise ValueError("`answer: text` is one column of one row")
        _check_schemas(self.form)
        return self

    @property
    def address(self) -> str:
        """The endpoint and the model."""
        return f"{self.endpoint} ({self.model})"

    @property
    def compared(self) -> str:
        """The column whose texts are compared."""
        return self.compare or next(iter(self.output))

    @property
    def form(self) -> Form:
        """What answers must look like."""
        fields = {name: {"type": one} if isinstance(one, str) else one for name, one in self.output.items()}
        return Form(fields, self.per_request, self.answer)

    @property
    def trains_only(self) -> bool:
        """As the recipe says."""
        return self.train_only

    # -- asking

    def services(self) -> tuple[Service, ...]:
        """Who is shown example rows of a source; what stands in the recipe itself was put there to be shown."""
        return (Service(self.endpoint, self.may_send or ""),) if isinstance(self.like, Source) and self.show else ()

    def asks(self) -> Any:
        """Everything but how it is asked."""
        told = self.model_dump(mode="json", exclude=_HOW | {"like"})
        return {**told, "like": self.like if isinstance(self.like, list) else None}

    def snapshot(self, context: Context) -> Snapshot:
        """Kept under what is asked, and under the files of the example rows."""
        return Snapshot.of({"use": self.use, "asks": self.asks(), "like": self._shown(context).read}, context)

    @property
    def _targets(self) -> dict[str | None, int]:
        """Rows wanted of each class; under none where there are no classes."""
        return {None: self.rows or 0} if self.classes is None else {label: n for label, n in self.classes.items()}

    def _shown(self, context: Context) -> Examples:
        if isinstance(self.like, Source):
            scan = scanned(self.like, context)
            return read_examples(self.like, scan, context)
        return given(self.like or [])

    def _writing(self, context: Context) -> Writing:
        """Rows about to be written."""
        self.form.check()
        shown = self._shown(context)
        targets = self._targets
        sent = {"temperature": self.temperature} if self.temperature is not None else {}
        prompts = Prompts(
            model=self.model,
            prompt=self.prompt,
            system=self.system,
            form=self.form,
            sent={**sent, self.limit_as: self.answer_tokens, **self.also_send},
            seed=self.seed,
            pool=pools(shown.rows, list(targets), self.label, self.pool, self.seed),
            show=self.show,
        )
        texts = Texts(self.shingles, self.too_similar)
        others = [(one.row, str(one.values[self.compared])) for one in shown.rows if one.values.get(self.compared)]
        texts.add_all([row for row, _ in others], [text for _, text in others])
        calls = sum(-(-rows // self.per_request) for rows in targets.values())
        prices = (self.price.prompt, self.price.answer) if self.price else (0.0, 0.0)
        caps = Caps(self.most_requests or _CALLS * calls + _MORE_CALLS, self.most_tokens, self.most_cost, prices)
        return Writing(targets, prompts, self.form, caps, (self.compared, texts), self.name or self.use, self.limit)

    def fetch(self, snapshot: Snapshot, context: Context) -> None:
        """Ask for what is not kept yet, a round at a time.

        Raises:
            ModelError: The endpoint cannot be reached, or refuses. What came before stays kept.
        """
        writing = self._writing(context)
        told = self.response_format
        known = {} if context.refresh else remembered(snapshot, self.endpoint, context)
        total = sum(writing.targets.values())
        with (
            closing(Endpoint(
                self.endpoint, self.api_key or "", self.form, told, self.parallel, self.timeout, self.retries
            )) as endpoint,
            context.stage(f"Asking {self.model}", total, "rows") as stage,
        ):  # fmt: skip
            asking = Asking(snapshot, endpoint, known, self.address)
            writing.write(asking, lambda rows: stage.advance(rows, things(len(writing.pages), "answer")))
        snapshot.end(
            requests=len(writing.pages),
            found=asking.found,
            prompt_tokens=writing.spent.prompt,
            answer_tokens=writing.spent.answer,
            **({"cost": round(writing.cost, 6)} if self.price else {}),
            stopped=writing.capped,
            rows={str(one.label or "all"): one.got for one in writing.classes},
        )

    # -- reading

    def look(self, snapshot: Snapshot, context: Context) -> Scan:
        """Judge the answers that are kept, in the order in which they were asked for."""
        held = {kept.name: kept for kept in snapshot.kept}
        writing = self._writing(context)

        def bodies(requests: Sequence[Request]) -> list[bytes | None]:
            kept = [held.get(one.name) for one in requests]
            return [
                snapshot.body(one, at=self.address) if one and one.state["request"] == request.digest else None
                for one, request in zip(kept, requests, strict=True)
            ]

        writing.write(bodies)
        for service in self.services():
            if not is_here(service.address):
                context.sends(service, (), {one.row for page in writing.pages for one in page.request.shown})
        files = [_file(snapshot, held[page.request.name]) for page in writing.pages]
        named = {self.label: pl.String()} if self.classes else {}
        pages = [
            [page.request.label, page.records, [[n, *why] for n, why in page.refused.items()]] for page in writing.pages
        ]
        shown = [[[one.file, one.record] for one in page.request.shown if one.file] for page in writing.pages]
        return Scan(
            tuple(files),
            pl.Schema({**self.form.columns, **named}),
            {"pages": pages, "shown": shown},
            found={
                "model": self.model,
                "rows": "made by a language model" + (", for training only" if self.train_only else ""),
            },
            notes=tuple(self._notes(writing)),
        )

    def _notes(self, writing: Writing) -> Iterator[str]:
        asked = f"{things(len(writing.pages), 'answer')} of {self.model}, {things(writing.spent.tokens, 'token')}"
        yield asked + (f", at a cost of {writing.cost:.4g}" if self.price else "")
        yield from writing.sentences()
        if not self.train_only:
            yield f"its rows may judge models: {self.reason}"

    def blocks(self, scan: Scan, context: Context) -> Iterator[Block]:
        """An answer each."""
        left = self.limit
        for place, (label, records, refused) in enumerate(scan.settings["pages"]):
            taken = records if left is None else min(records, left)
            if not taken:
                return
            left = None if left is None else left - taken
            yield Block(place, 1, 1, scan.files[place].size, (label, taken, refused))

    def parse(self, block: Block, scan: Scan) -> Parsed:
        """Rows of an answer, and what was refused of it."""
        label, taken, refused = block.payload
        verdicts = {number: (reason, evidence) for number, reason, evidence in refused}
        answer = read_answer(body_of(scan.files[block.file], at=self.address))
        rows, records, bad = [], [], []
        for number, candidate in enumerate(self.form.candidates(answer), 1):
            if number > taken:
                break
            if number in verdicts:
                bad.append(_refused(number, *verdicts[number], candidate.raw[:SHOWN]))
            else:
                rows.append({**candidate.row, **({self.label: label} if self.classes else {})})
                records.append(number)
        table = pl.DataFrame(rows, schema=scan.schema, orient="row")
        return Parsed(table, pl.Series(records, dtype=pl.UInt64), malformed_table(bad))

    def heeds(self, block: Block, scan: Scan) -> Any:
        """The answer and its verdicts: not those on others."""
        return [scan.files[block.file].sha256, block.payload]

    def parents(self, scan: Scan) -> Iterator[tuple[int, str, int]]:
        """The example rows that were shown."""
        for place, shown in enumerate(scan.settings["shown"]):
            yield from ((place, file, record) for file, record in shown)


#: Options that change how is asked, and neither what nor which of the answers are rows.
_HOW = {"name", "license", "terms", "collected_by", "consent", "columns", "refresh", "api_key", "parallel"} | {
    "timeout", "retries", "response_format", "train_only", "reason", "may_send"
}  # fmt: skip


def _file(snapshot: Snapshot, kept: Kept) -> InputFile:
    return InputFile(kept.name, str(snapshot.path(kept)), kept.size, kept.sha256, origin=kept.origin)


def _refused(number: int, reason: str, evidence: str, raw: str) -> Malformed:
    return Malformed(number, number, reason, json.loads(evidence), raw)


def _check_schemas(form: Form) -> None:
    """The types that `output` names are JSON Schemas that point nowhere else."""
    for name, one in form.fields.items():
        if "$ref" in str(one):
            raise ValueError(f"`output.{name}` refers to another schema ($ref): write it out")
