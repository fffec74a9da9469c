"""Fresh processes, each with a Kapelle home of its own in a folder that goes with the benchmark."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PROGRAMS = HERE / "programs"
TIMEOUT_S = 300

COMMAND = ("-c", "import sys; from kapelle.cli.main import main; sys.exit(main())")
"""What the installed command `kapelle` executes."""


class Place:
    """A folder for one benchmark."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._homes = 0

    def home(self, like: Path | None = None) -> Path:
        """A new Kapelle home: empty, or a copy of another."""
        self._homes += 1
        path = self.folder / f"home-{self._homes}"
        if like is None:
            path.mkdir()
        else:
            shutil.copytree(like, path)
        return path

    def program(self, name: str, *words: object, home: Path | None = None) -> dict[str, Any]:
        """Execute a program of `programs/`; what it says, in JSON, on its last line. Raises when it fails."""
        home = home or self.home()
        done = run([str(PROGRAMS / name), *map(str, words)], home)
        if done.returncode:
            raise RuntimeError(f"{name} ended with {done.returncode}:\n{done.stderr}")
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return said | {"home": str(home)}


@contextmanager
def place() -> Iterator[Place]:
    """A folder that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="kapelle-bench-", ignore_cleanup_errors=True) as folder:
        yield Place(Path(folder))


def environment(home: Path) -> dict[str, str]:
    """The variables of a process: this checkout's code, this home, nothing displayed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KAPELLE_", "PYTHON"))}
    paths = [str(ROOT / "src"), str(ROOT)]
    return kept | {"KAPELLE_HOME": str(home), "KAPELLE_QUIET": "1", "PYTHONPATH": os.pathsep.join(paths)}


def run(words: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with these words to its end."""
    return subprocess.run(
        [sys.executable, *words], env=environment(home), capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )


def start(words: list[str], home: Path) -> subprocess.Popen[str]:
    """Start Python with these words; its streams are pipes."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, *words], env=environment(home), stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )


class Took(NamedTuple):
    """How long a process took, and how much of that it used a processor."""

    s: float
    cpu_s: float


def children_cpu_s() -> float:
    """The processor time of the processes that have ended and were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def whole(words: list[str], home: Path) -> Took:
    """How long Python with these words takes, as a whole process. Raises when it fails."""
    variables = environment(home)
    cpu, begin = children_cpu_s(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *words],
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=TIMEOUT_S,
        check=False,
    )
    took = time.perf_counter() - begin
    if done.returncode:
        raise RuntimeError(f"{words} ended with {done.returncode}:\n{done.stderr.decode()}")
    return Took(took, children_cpu_s() - cpu)


def bytes_in(folder: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
