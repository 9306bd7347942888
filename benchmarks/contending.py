"""Seedbed and its peers: where each one's environment is, how a job is run, and the table of what it cost."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from corpus import size_of, truth_of, write_corpus
from measuring import Measured, measure
from profiles import PROFILES

HERE = Path(__file__).parent
PLACE = HERE.parent / ".bench"
#: What peers must not do: reach for a hub, count their users, or use more cores than they were given.
_QUIET = {
    "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "true", "RAY_USAGE_STATS_ENABLED": "0",
}  # fmt: skip
#: These run where Seedbed runs, with the same versions of the same libraries.
_AT_HOME = ("seedbed", "raw", "polars")
#: Contenders that share the environment of another.
_LODGERS = {"datasets_steps": "datasets", "load_dataset": "datasets"}


@dataclass
class Attempt:
    """What came of one contender's runs of one job."""

    name: str
    cost: Measured | None = None
    files: list[Path] = field(default_factory=list)
    note: str = ""
    error: str = ""
    facts: dict[str, float | None] = field(default_factory=dict)
    """What was found in its output, by the heading of its column; none where it has none."""


@dataclass(frozen=True)
class Job:
    """A job on a corpus."""

    name: str
    corpus: Path
    rows: int
    profile: str
    threshold: float = 0.8

    @property
    def size(self) -> int:
        """Bytes of the corpus."""
        return self.corpus.stat().st_size


def python_of(name: str) -> Path:
    """The interpreter of a contender; its environment is made on first use.

    Raises:
        RuntimeError: It cannot be installed; says why.
    """
    if name in _AT_HOME:
        return Path(sys.executable)
    name = _LODGERS.get(name, name)
    place, needs = PLACE / name, HERE / "peers" / name / "requirements.txt"
    done, python = place / "installed.txt", place / "bin" / "python"
    if done.exists() and done.read_text() == needs.read_text():
        return python
    print(f"installing {name} into {place} …", file=sys.stderr)
    for command in (
        [sys.executable, "-m", "venv", str(place)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(needs)],
    ):
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise RuntimeError(f"cannot be installed: {_last_words(ended.stderr)}")
    done.write_text(needs.read_text())
    return python


def attempt(name: str, job: Job, *, cores: Sequence[int], runs: int, longest: float) -> Iterator[Attempt]:
    """Run a contender some times; yields once, while the output of its last run is still there."""
    result = Attempt(name)
    try:
        python = python_of(name)
    except RuntimeError as error:
        result.error = str(error)
        yield result
        return
    costs: list[Measured] = []
    for last in (*[False] * (runs - 1), True):
        with tempfile.TemporaryDirectory(dir=PLACE, prefix=f"{name}-") as folder:
            out = Path(folder)
            command = [str(python), str(HERE / "peers" / name / "job.py"), job.name, str(job.corpus), folder]
            command += ["--cores", str(len(cores)), "--profile", job.profile, "--threshold", str(job.threshold)]
            log = PLACE / "logs" / f"{job.name}-{name}.txt"
            costs.append(measure(command, cores=cores, log=log, env=_environment(out), longest=longest))
            said = out / "result.json"
            if costs[-1].code or not said.exists():
                result.error = f"ended with {costs[-1].code}: {_last_words(log.read_text('utf-8', errors='replace'))}"
                yield result
                return
            if last:
                told = json.loads(said.read_text())
                result.cost = Measured.middle(costs)
                result.files, result.note = [Path(file) for file in told["files"]], told["note"]
                yield result


def _environment(out: Path) -> dict[str, str]:
    path = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(HERE), str(HERE.parent / "src")])
    caches = {name: str(out / "cache") for name in ("HF_HOME", "XDG_CACHE_HOME", "DATA_JUICER_CACHE_HOME")}
    temporary = out / "tmp"
    temporary.mkdir()
    # What pip installs is compiled at once; here Seedbed is a source tree, which compiles itself on first use.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, **_QUIET, **caches, "PYTHONPATH": path.strip(os.pathsep), "TMPDIR": str(temporary)}


def _last_words(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("WARNING")]
    return lines[-1][:300] if lines else "it said nothing"


def corpus_of(size: int, profile: str, seed: int, *, only_copies: bool = False) -> tuple[Path, int]:
    """A corpus, made if it is not there yet, and its number of lines."""
    import pyarrow.parquet as pq

    kind = f"{profile}{'-copies' if only_copies else ''}"
    path = PLACE / "corpora" / f"{kind}-{size}-{seed}-{_generator()}.jsonl"
    if not path.exists() or not truth_of(path).exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(path.parent).free
        if free < 4 * size:
            sys.exit(f"{size / 1e9:.1f} GB of corpus and what is made of it need {4 * size / 1e9:.1f} GB of disk")
        partial = path.with_suffix(".partial")
        write_corpus(partial, size, profile=profile, seed=seed, only_copies=only_copies)
        truth_of(partial).rename(truth_of(path))
        partial.rename(path)
    return path, pq.read_metadata(truth_of(path)).num_rows


def _generator() -> str:
    """A short digest of the code that makes corpora, so that none of an older version is taken up."""
    import hashlib

    code = b"".join((HERE / name).read_bytes() for name in ("corpus.py", "profiles.py"))
    return hashlib.sha256(code).hexdigest()[:8]


@contextmanager
def only_while(path: Path, *, keep: bool) -> Iterator[None]:
    """Remove a corpus afterwards."""
    try:
        yield
    finally:
        if not keep:
            for file in path.parent.glob(f"{path.stem}*"):
                file.unlink()


def machine(cores: Sequence[int]) -> str:
    """The machine and the versions that a table was made with."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    load = os.getloadavg()[0]
    libraries = ", ".join(f"{name} {version(name)}" for name in ("polars", "pyarrow", "duckdb", "ftfy", "orjson"))
    return (
        f"{model}, {os.cpu_count()} cores of which {','.join(map(str, cores))} were used, {memory:.0f} GB; "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {libraries}; "
        f"load {load:.1f} at the start"
    )


def versions_of(names: Sequence[str]) -> str:
    """What is installed in the peers' environments, of the packages that they ask for."""
    told = []
    for name in names:
        needs = HERE / "peers" / name / "requirements.txt"
        if needs.exists() and (PLACE / name / "bin" / "python").exists():
            package = needs.read_text().split()[0].partition("==")[0].partition("[")[0]
            code = f"from importlib.metadata import version; print(version({package!r}))"
            ended = subprocess.run(
                [str(PLACE / name / "bin" / "python"), "-c", code], capture_output=True, text=True, check=False
            )
            told.append(f"{package} {ended.stdout.strip() or '?'}")
    return ", ".join(told)


def contest(
    names: Sequence[str], job: Job, options: argparse.Namespace, look: Callable[[Attempt], None]
) -> list[Attempt]:
    """Run all contenders, and look at what each one left while it is there."""
    attempts = []
    for name in names:
        print(f"{job.name}: {name} …", file=sys.stderr, flush=True)
        for one in attempt(name, job, cores=options.cores, runs=options.runs, longest=options.longest):
            if not one.error:
                look(one)
            attempts.append(one)
    return attempts


def table(job: Job, attempts: Sequence[Attempt], headings: Sequence[str]) -> str:
    """The table of a job, in Markdown. Ratios are CPU seconds of the peer over CPU seconds of Seedbed."""
    own = next((one.cost for one in attempts if one.name == "seedbed" and one.cost), None)
    titles = ["", "rows/s", "MB/s per CPU s", "CPU s", "wall s", "peak MB", *headings, "CPU s ÷ Seedbed's"]
    lines = [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
    for one in attempts:
        if one.cost is None:
            lines.append(f"| {one.name} | {one.error.replace('|', '/')} |" + " |" * (len(titles) - 2))
            continue
        cost = one.cost
        cells = [
            one.name,
            f"{job.rows / cost.wall:,.0f}",
            f"{job.size / 1e6 / cost.cpu:.2f}",
            f"{cost.cpu:.1f}",
            f"{cost.wall:.1f}",
            f"{cost.peak:,.0f}",
            *(_cell(one.facts.get(heading)) for heading in headings),
            f"{cost.cpu / own.cpu:.2f}" if own else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    notes = [f"- {one.name}: {one.note}" for one in attempts if one.note]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def record(job: Job, attempts: Sequence[Attempt], options: argparse.Namespace) -> dict[str, Any]:
    """A job's results as plain data."""
    return {
        "job": job.name,
        "profile": job.profile,
        "bytes": job.size,
        "rows": job.rows,
        "runs": options.runs,
        "machine": options.machine,
        "contenders": {
            one.name: {"error": one.error}
            if one.cost is None
            else {"wall": one.cost.wall, "cpu": one.cost.cpu, "peak": one.cost.peak, "anonymous": one.cost.anonymous,
                  "note": one.note, **one.facts}
            for one in attempts
        },
    }  # fmt: skip


def curve(results: Sequence[dict[str, Any]]) -> str:
    """What several sizes cost, in Markdown: a line for each contender and size."""
    lines = ["|  | MB | peak MB | of which no pages of files | MB/s per CPU s |", "|---|---|---|---|---|"]
    for name in results[0]["contenders"]:
        for result in results:
            cost, size = result["contenders"][name], result["bytes"] / 1e6
            if not cost.get("error"):
                speed = size / cost["cpu"]
                lines.append(f"| {name} | {size:,.0f} | {cost['peak']:,.0f} | {cost['anonymous']:,.0f} | {speed:.2f} |")
    return "\n".join(lines)


def told(results: Sequence[dict[str, Any]], options: argparse.Namespace) -> None:
    """What comes after the tables: the curve over sizes, the peers' versions, and the file of numbers."""
    if len(results) > 1:
        print(f"\n{curve(results)}")
    print(f"\n{versions_of(contenders(options))}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


def parser_of(description: str | None, peers: Mapping[str, str]) -> argparse.ArgumentParser:
    """The options that both benchmarks share."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=size_of, default=size_of("50MB"), help="of the corpus, such as 50MB or 1GB")
    parser.add_argument(
        "--sizes", type=_sizes, help="several sizes, one after the other; corpora are removed afterwards"
    )
    parser.add_argument("--profile", choices=PROFILES, default="long")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--peers", type=_names(peers), default=list(peers), help=f"of {','.join(peers)}")
    parser.add_argument("--only", type=_names({"seedbed": "", **peers}), help="these alone, such as seedbed")
    parser.add_argument("--runs", type=int, default=1, help="of which the median is told")
    parser.add_argument("--cores", type=cores_of, default=sorted(os.sched_getaffinity(0)), help="such as 0,1")
    parser.add_argument("--longest", type=float, default=3600, help="seconds after which a contender is stopped")
    parser.add_argument("--json", type=Path, help="also write the numbers into this file")
    parser.add_argument("--unchecked", action="store_true", help="do not reckon what the output should be")
    return parser


def contenders(options: argparse.Namespace) -> list[str]:
    """Whom the command line asks for."""
    return list(options.only or ["seedbed", *options.peers])


def _sizes(text: str) -> list[int]:
    return [size_of(one) for one in text.split(",")]


def cores_of(text: str) -> list[int]:
    """Cores as the command line has them: `0,1`."""
    return [int(one) for one in text.split(",")]


def _names(known: Mapping[str, str]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        names = [name for name in text.split(",") if name]
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return names

    return read
