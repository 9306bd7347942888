"""Writes `docs/accepted.md`: what other programs made of every exporter's files, task by task.

python docs/accepted.py            # run everything, and write the page
python docs/accepted.py --check    # run everything; exit with 1 where something was not taken or the page is stale
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "publish"))

from accepting import CASES, Case, page  # noqa: E402


def passed() -> list[Case]:
    """The cases that pass; each that does not is told of."""
    found = []
    for case in CASES:
        with tempfile.TemporaryDirectory(prefix="seedbed-") as folder:
            try:
                case.run(Path(folder))
            except Exception as error:  # noqa: BLE001 (whatever another program raises)
                print(f"{case}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)  # noqa: T201
                continue
        found.append(case)
    return found


def main() -> int:
    """Run the table; the exit status."""
    found = passed()
    text, path = page(found), HERE / "accepted.md"
    if "--check" not in sys.argv[1:]:
        path.write_text(text, "utf-8")
    elif path.read_text("utf-8") != text:
        print("accepted.md is stale: python docs/accepted.py", file=sys.stderr)  # noqa: T201
        return 1
    return 0 if len(found) == len(CASES) else 1


if __name__ == "__main__":
    sys.exit(main())
