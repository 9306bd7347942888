"""Data-Juicer's own operators, run by `dj-process` from a configuration, with as many processes as there are cores.

`curate`: ftfy and white space are mended as ours are, HTML by its own parser, lengths counted as ours, letters by its
`alphanumeric_filter`, which counts digits and other alphabets, too. Its JSON reader stops at the first malformed line,
so such lines are taken out before. Ray and torch stand in its requirements because it installs them while it runs.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import functions
import yaml
from jobs import Asked


def sound(asked: Asked) -> Path:
    """The records of the source, without the other lines and without those whose text is missing."""
    place = asked.out / "sound.jsonl"
    with asked.source.open("rb") as lines, place.open("wb") as out:
        for line in lines:
            record = functions.record_of(line)
            if record is not None and record["text"] is not None:
                out.write(line)
    return place


def operators(asked: Asked) -> list[dict[str, Any]]:
    """What is done to the texts."""
    if asked.job == "dedup":
        by_words = asked.profile.shingles == "words"
        options = {
            "tokenization": "space" if by_words else "character",
            "window_size": 3 if by_words else 5,
            "lowercase": True,
            "jaccard_threshold": asked.threshold,
            "num_permutations": 128,
        }
        return [{"document_minhash_deduplicator": options}]
    least, most = asked.profile.characters
    return [
        {"fix_unicode_mapper": {"normalization": "NFC"}},
        {"clean_html_mapper": {}},
        {"replace_content_mapper": {"pattern": r"\s+", "repl": " "}},
        {"whitespace_normalization_mapper": {}},
        {"text_length_filter": {"min_len": least, "max_len": most}},
        {
            "words_num_filter": {
                "lang": "en",
                "tokenization": False,
                "min_num": asked.profile.least_words,
                "max_num": 10**6,
            }
        },
        {"alphanumeric_filter": {"tokenization": False, "min_ratio": asked.profile.letters, "max_ratio": 1.0}},
        {"document_deduplicator": {"lowercase": False, "ignore_non_character": False}},
    ]


if __name__ == "__main__":
    asked = Asked.read()
    settings = {
        "project_name": "benchmark",
        "dataset_path": str(sound(asked) if asked.job == "curate" else asked.source.absolute()),
        "export_path": str(asked.out / "kept.parquet"),
        "work_dir": str(asked.out / "work"),
        "np": asked.cores,
        "open_tracer": False,
        "text_keys": "text",
        "process": operators(asked),
    }
    configuration = asked.out / "recipe.yaml"
    configuration.write_text(yaml.safe_dump(settings, sort_keys=False))
    program = str(Path(sys.executable).parent / "dj-process")
    subprocess.run([program, "--config", str(configuration)], check=True)
    notes = {
        "curate": "its own HTML parser and its own count of letters; malformed lines were taken out before",
        "dedup": "candidates are not verified",
    }
    asked.done([asked.out / "kept.parquet"], notes[asked.job])
