"""augment: make new training rows out of old ones."""

from __future__ import annotations

import importlib.util
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import polars as pl
import xxhash
from pydantic import Field, PrivateAttr, model_validator

from seedbed.core import digest
from seedbed.core.context import context_at
from seedbed.core.errors import DataError, MissingExtraError, did_you_mean
from seedbed.core.part import Example, LabelColumn, TextColumn, base_of
from seedbed.core.rows import NUMBER, PARENTS, ROW
from seedbed.core.sending import Service
from seedbed.core.similarity import normalise
from seedbed.core.step import Make
from seedbed.core.values import Value

from .augmenting.chance import Chance
from .augmenting.edits import Edit, deleted, inserted, replaced, swapped, with_typos
from .augmenting.synonyms import USUAL, files_of, read_list, wordnet
from .augmenting.translating import Translator, Wanted, there_and_back

Method = Literal["synonyms", "insert", "swap", "delete", "typos", "back_translate"]

_BATCH = 20_000
#: Draws for a new row, until one is unlike all others.
_TRIES = 5
_PLAIN: Mapping[Method, Edit] = {"swap": swapped, "delete": deleted, "typos": with_typos}


class Augment(Make):
    """Makes new training rows whose text is that of a training row with a few words changed; the label stays.

    * `synonyms`: words become others that mean the same; `insert`: such words are put in somewhere.
    * `swap`: words change places; `delete`: words are left out.
    * `typos`: words get a typing error: the key beside, a letter left out, doubled, or swapped with the next.
    * `back_translate`: the text goes through another language and back, by the model that `translator` names.

    The first four are EDA (Wei and Zou, EMNLP 2019). A new row takes one of the `methods`, in turn from a start that
    hangs on its parent's name, and the next one where that finds nothing to do. Synonyms come from WordNet (English),
    or from `words`, a list of your own. Each new row names its parent; none has the text of another row.

    ## Why
    With a few hundred rows a model clings to the very words it saw. Rows that say the same in other words can help,
    most of all for rare labels (`labels`); the report shows whether they did, on real validation rows.

    ## Limits
    With thousands of rows it seldom helps, and a pre-trained encoder has little to learn from it. An edit can turn the
    meaning: without its `not` a text says the opposite, and WordNet's most usual meaning of a word need not be the one
    meant. Synonyms are found for basic forms only (`car`, not `cars`). Mentions, hashtags, addresses and words with
    digits are not respelt. Other columns are copied: let `augment` stand before parts that read the text (`tfidf`).
    Texts of one word get typing errors and synonyms only. Hashes of all training texts are held in memory.
    `back_translate` sends training texts to the endpoint, two calls a new row (on another machine only where
    `may_send` says why they may); answers are kept in the store and not asked for again, and what the model refuses, or
    returns as it was, makes no row.
    """

    by_name: ClassVar[bool] = True

    use: Literal["augment"] = "augment"
    column: TextColumn = Field(None, description="Column with the texts; the task's text when left out.")
    methods: Annotated[list[Method], Field(min_length=1)] = Field(
        ["swap", "delete", "typos"], description="What is done to texts, one method a new row."
    )
    per_row: int = Field(1, ge=1, le=50, description="New rows for each training row.")
    share: float = Field(0.1, gt=0, le=1, description="Share of a text's words that change, at least one.")
    labels: Annotated[list[Value], Field(min_length=1)] | None = Field(
        None, description="Labels whose rows are taken; all when left out."
    )
    label: LabelColumn = Field(None, description="Column with the label; the task's when left out.")
    words: str | None = Field(
        None, description="Synonyms: a file beside the recipe, a group of words a line, by commas; instead of WordNet."
    )
    dictionary: str | None = Field(
        None, description="Folder with WordNet's files (index.noun, data.noun, …); /usr/share/wordnet when left out."
    )
    translator: Translator | None = Field(
        None, description="The model for `back_translate`; needs `pip install 'seedbed[generate]'`."
    )

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            title="A new row for each spam",
            options={"labels": ["spam"], "methods": ["swap"]},
            before={"text": ["win a phone now", "see you at eight"], "label": ["spam", "ham"]},
            after={"text": ["a win phone now"], "label": ["spam"], "parents": [["0:t#1"]]},
        ),
        Example(
            title="Other words for the same, by a list",
            options={"column": "note", "methods": ["synonyms"], "words": "words.txt", "per_row": 2},
            files={"words.txt": ["good, fine, decent", "film, movie"]},
            before={"note": ["A good film.", "dull"]},
            after={"note": ["A fine film.", "A good movie."], "parents": [["0:t#1"], ["0:t#1"]]},
        ),
        Example(
            title="Typing errors",
            options={"methods": ["typos"], "share": 0.3},
            before={"text": ["the keyboard is small", "so was the manual"]},
            after={"text": ["te keyboard is small", "so was the mnual"]},
        ),
    )

    _base: Path = PrivateAttr(default_factory=Path.cwd)

    def model_post_init(self, context: Any) -> None:
        """Note the folder that paths start from."""
        self._base = base_of(context)

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        if len(set(self.methods)) < len(self.methods):
            raise ValueError("a method is named twice")
        if not self._needs_words and (self.words is not None or self.dictionary is not None):
            raise ValueError("`words` and `dictionary` are for the methods synonyms and insert")
        if self.words is not None and self.dictionary is not None:
            raise ValueError("say either `words` or `dictionary`")
        if ("back_translate" in self.methods) != (self.translator is not None):
            raise ValueError("back_translate needs a `translator`, and only that does: {endpoint: …, model: …}")
        return self

    def made_from(self) -> Any:
        """Digests of the list of words, or of WordNet's files."""
        if not self._needs_words:
            return None
        if self.words is not None:
            read_list(self._base / self.words, self.words)
            return digest.of_file(self._base / self.words)
        return [digest.of_file(file) for file in files_of(self._folder)]

    def services(self) -> tuple[Service, ...]:
        """Who translates."""
        by = self.translator
        return (Service(by.endpoint, by.may_send or ""),) if by else ()

    def make(self, train: pl.LazyFrame, seed: int) -> Iterator[pl.DataFrame]:
        """The new rows, each batch's in the order of their parents.

        Raises:
            DataError: `labels` names one that no training row has, or the list of words cannot be read.
            MissingExtraError: WordNet is needed and not there.
        """
        column = str(self.column)
        edits = self._edits()
        self._check_endpoint()
        chosen = self._chosen(train)
        taken: set[int] = set()
        for batch in train.select(pl.col(column).cast(pl.String)).collect_batches(chunk_size=_BATCH):
            taken.update(_hashes(batch.to_series()))
        columns = [name for name in train.collect_schema().names() if name not in (ROW, NUMBER, PARENTS)]
        for batch in chosen.collect_batches(chunk_size=_BATCH, maintain_order=True):
            texts = dict(zip(batch[ROW], batch[column].cast(pl.String), strict=True))
            translated = self._translated(texts, seed)
            made = [
                (place, new)
                for place, (name, text) in enumerate(texts.items())
                if text is not None
                for new in self._variants(name, text, edits, translated, taken, seed)
            ]
            if made:
                rows = batch[[place for place, _ in made]]
                yield rows.select(
                    *(
                        pl.lit(pl.Series(column, [new for _, new in made])) if name == column else name
                        for name in columns
                    ),
                    pl.concat_list(ROW).alias(PARENTS),
                )

    def _variants(
        self,
        name: str,
        text: str,
        edits: Sequence[Edit | None],
        translated: Mapping[tuple[str, int], str],
        taken: set[int],
        seed: int,
    ) -> Iterator[str]:
        start = self._start(name, seed)
        for number in range(self.per_row):
            for turn in range(_TRIES * len(edits)):
                edit = edits[(start + number + turn) % len(edits)]
                chance = Chance(name, number, turn, seed=seed)
                new = translated.get((name, number)) if edit is None else edit(text, self.share, chance)
                if new is None:
                    continue
                found = _hash(" ".join(unicodedata.normalize("NFKC", new).casefold().split()))
                if found not in taken:
                    taken.add(found)
                    yield new
                    break

    def _start(self, name: str, seed: int) -> int:
        """The place of the method that a row's first new row takes."""
        return Chance(name, seed=seed).below(len(self.methods))

    def _translated(self, texts: Mapping[str, str | None], seed: int) -> dict[tuple[str, int], str]:
        """Translations of the texts whose turn it is, by row and number."""
        if self.translator is None:
            return {}
        at = self.methods.index("back_translate")
        wanted = [
            Wanted(name, number, text, seed + number)
            for name, text in texts.items()
            if text is not None and text.strip()
            for number in range(self.per_row)
            if (self._start(name, seed) + number) % len(self.methods) == at
        ]
        return there_and_back(wanted, self.translator, context_at(self._base))

    def _check_endpoint(self) -> None:
        if self.translator is not None and importlib.util.find_spec("openai") is None:
            raise MissingExtraError(
                "the method back_translate needs the package 'openai', which is not installed",
                at=self.use,
                hint="pip install 'seedbed[generate]'",
            )

    def _chosen(self, train: pl.LazyFrame) -> pl.LazyFrame:
        if self.labels is None:
            return train
        label = pl.col(str(self.label)).cast(pl.String)
        known = train.select(label.drop_nulls().unique().sort()).collect().to_series().to_list()
        for one in self.labels:
            if one not in known:
                hint = did_you_mean(one, known)
                raise DataError(f"no training row has the label {one[:40]!r}", at=f"{self.use}.labels", hint=hint)
        return train.filter(label.is_in(self.labels))

    def _edits(self) -> list[Edit | None]:
        """The edit of each method; none for translations, which are made many at a time."""
        if not self._needs_words:
            return [_PLAIN.get(one) for one in self.methods]
        known = wordnet(self._folder) if self.words is None else read_list(self._base / self.words, self.words)
        makes: dict[str, Callable[[Any], Edit]] = {"synonyms": replaced, "insert": inserted}
        return [makes[one](known) if one in makes else _PLAIN.get(one) for one in self.methods]

    @property
    def _needs_words(self) -> bool:
        return bool({"synonyms", "insert"} & set(self.methods))

    @property
    def _folder(self) -> Path:
        return USUAL if self.dictionary is None else self._base / self.dictionary


def _hashes(texts: pl.Series) -> Iterator[int]:
    """Hashes of texts as they are compared: without case and differences in white space."""
    return map(_hash, normalise(texts.drop_nulls()))


def _hash(normalised: str) -> int:
    return xxhash.xxh3_64_intdigest(normalised.encode())
