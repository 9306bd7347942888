"""A PostgreSQL server of the test's own: a cluster in a folder that is thrown away, on a port of the loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER, PASSWORD, DATABASE = "seedbed", "s3cret/+w@rd", "postgres"
_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=32MB", "max_connections=20")


@dataclass
class Postgres:
    """A running server.

    Attributes:
        folder: Of the cluster and its socket.
        port: On 127.0.0.1.
        server: The postmaster.
    """

    folder: Path
    port: int
    server: subprocess.Popen[bytes]

    def uri(self, password: str = "${env:PGPASSWORD}", database: str = DATABASE) -> str:
        """What a recipe writes: the placeholder stands for the password."""
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str) -> str:
        """Do something as the owner, over the socket; what psql prints."""
        said = [piece for statement in statements for piece in ("-c", statement)]
        command = [_program("psql"), "-h", str(self.folder), "-p", str(self.port), "-U", USER, "-d", DATABASE, "-XqAt"]
        done = subprocess.run([*command, "-v", "ON_ERROR_STOP=1", *said], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def missing() -> str:
    """Why no server can be started here; empty where one can."""
    if sys.platform == "win32":
        return "PostgreSQL is started on Unix only"
    if not _program("initdb"):
        return "PostgreSQL is not installed (Debian's package postgresql)"
    if os.geteuid() == 0 and not (shutil.which("setpriv") and _ordinary()):
        return "PostgreSQL refuses to run as root, and there is no user postgres"
    return ""


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server with an empty database; it ends with the body."""
    with tempfile.TemporaryDirectory(prefix="seedbed-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (folder, secret):
                shutil.chown(path, _ordinary())
        data, port = folder / "data", _free_port()
        made = [_program("initdb"), "-D", str(data), "-U", USER, "--no-sync", "--no-instructions", "--encoding=UTF8"]
        made += ["--locale=C", "--auth-host=scram-sha-256", "--auth-local=trust", f"--pwfile={secret}"]
        subprocess.run([*_as_ordinary(), *made], check=True, capture_output=True, cwd=folder)
        settings = [*_FAST, "listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={folder}"]
        started = [_program("postgres"), "-D", str(data), *(piece for one in settings for piece in ("-c", one))]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen([*_as_ordinary(), *started], stdout=log, stderr=log, cwd=folder)
        try:
            found = Postgres(folder, port, server)
            _wait(found)
            yield found
        finally:
            server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait(found: Postgres) -> None:
    ready = [_program("pg_isready"), "-q", "-h", str(found.folder), "-p", str(found.port), "-d", DATABASE, "-U", USER]
    for _ in range(400):
        if found.server.poll() is not None:
            break
        if subprocess.run(ready, check=False).returncode == 0:
            return
        time.sleep(0.05)
    raise RuntimeError((found.folder / "log").read_text(errors="replace")[-2000:])


def _program(name: str) -> str:
    """Where a program of PostgreSQL is; Debian keeps the server's beside the path."""
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(beside[-1]) if beside else shutil.which(name) or ""


def _ordinary() -> str:
    """An ordinary user that may run a server; empty where there is none."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return ""


def _as_ordinary() -> list[str]:
    """What stands before a command that root may not run: setpriv becomes the program, so its pid is the program's."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam(_ordinary())
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
