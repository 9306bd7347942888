"""`quality_rules` held against DataTrove's filters: verdict by verdict, on the same texts.

Usage: python benchmarks/quality.py [--texts 3000] [--words same|own]

The texts are pieces of the documentation and licences of the Python packages that are installed here, so they differ
from machine to machine. `--words same` gives DataTrove's filters the words that Seedbed counts (what blanks part) and
its signs that end a sentence; `--words own` leaves them their own (spaCy), which part punctuation from words. DataTrove
is installed into .bench/ on first use. Printed: the share of texts of which both say the same, by preset, what each
rejects alone, and MB per CPU second of one process, reading and starting not counted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sysconfig
import tempfile
import time
from pathlib import Path

import polars as pl
import xxhash
from contending import HERE, python_of

from seedbed.steps.quality_rules import QualityRules

#: Characters of a piece, about; longer ones are data.
_PIECE, _LONGEST = 1_500, 20_000
#: C4 as its paper has it: lines of at least 5 words, 3 sentences. DataTrove's limits are set to these.
PRESETS = ("gopher", "gopher_repetition", "c4", "fineweb")
_ENDINGS = {".md", ".rst", ".txt", ".html", ""}


def pieces(wanted: int) -> list[str]:
    """Pieces of documentation, chosen by their hashes."""
    found: dict[int, str] = {}
    for path in sorted(Path(sysconfig.get_path("purelib")).rglob("*")):
        if path.suffix.lower() not in _ENDINGS or not path.is_file() or path.stat().st_size > 2_000_000:
            continue
        try:
            text = path.read_text("utf-8")
        except (UnicodeDecodeError, OSError):
            continue
        piece = ""
        for paragraph in text.split("\n\n"):
            piece += paragraph + "\n\n"
            if len(piece) >= _PIECE:
                if len(piece) <= _LONGEST:
                    found.setdefault(xxhash.xxh3_64_intdigest(piece.encode()), piece.strip())
                piece = ""
    return [found[key] for key in sorted(found)[:wanted]]


def ours(texts: list[str], preset: str) -> tuple[list[bool], float]:
    """Which texts Seedbed keeps, and the CPU seconds that it took."""
    step = QualityRules(column="text", presets=[preset])  # type: ignore[list-item]
    rows = pl.DataFrame({"text": texts})
    begin = time.process_time()
    kept = rows.select(step.keep().alias("keep"))["keep"].fill_null(False).to_list()
    return kept, time.process_time() - begin


def theirs(texts: list[str], words: str) -> dict[str, tuple[list[bool], float]]:
    """The same of DataTrove, by preset."""
    python = python_of("datatrove")
    with tempfile.TemporaryDirectory() as folder:
        given, told = Path(folder, "texts.json"), Path(folder, "told.json")
        given.write_text(json.dumps(texts))
        script = HERE / "peers" / "datatrove" / "quality.py"
        subprocess.run([str(python), str(script), str(given), str(told), words], check=True, cwd=folder)
        return {preset: (kept, seconds) for preset, (kept, seconds) in json.loads(told.read_text()).items()}


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=3_000)
    parser.add_argument("--words", choices=("same", "own"), default="same")
    options = parser.parse_args()
    texts = pieces(options.texts)
    size = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{len(texts):,} texts, {size:.1f} MB; words: {options.words}\n")
    print("| preset | same verdict | rejected by Seedbed alone | by DataTrove alone | MB per CPU s | DataTrove's |")
    print("|---|---|---|---|---|---|")
    found = theirs(texts, options.words)
    for preset in PRESETS:
        kept, seconds = ours(texts, preset)
        kept_there, seconds_there = found[preset]
        pairs = list(zip(kept, kept_there, strict=True))
        same = sum(one == other for one, other in pairs) / len(pairs)
        alone, there = sum(not a and b for a, b in pairs), sum(a and not b for a, b in pairs)
        print(f"| {preset} | {same:.1%} | {alone} | {there} | {size / seconds:.1f} | {size / seconds_there:.1f} |")


if __name__ == "__main__":
    main()
