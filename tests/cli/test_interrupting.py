"""Being asked to end is heard twice where the first time is lost."""

import signal
import subprocess
import sys
from pathlib import Path

_LOSES_THE_FIRST = """
import sys, time
from seedbed.cli.interrupting import ended_soon, let_ctrl_c_through
let_ctrl_c_through()
with ended_soon(4.0):
    try:
        try:
            print("ready", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            time.sleep(60)  # as if nobody had heard it
    finally:
        open(sys.argv[1], "w").write("tidied up")
"""


def test_an_interruption_that_is_lost_comes_again(tmp_path: Path) -> None:
    said = tmp_path / "said"
    with subprocess.Popen([sys.executable, "-c", _LOSES_THE_FIRST, said], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None and run.stdout.readline() == "ready\n"
        run.send_signal(signal.SIGTERM)
        assert run.wait(timeout=30) == 143
    assert said.read_text() == "tidied up"
