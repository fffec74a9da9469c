"""What `pip install kapelle` brings: how many distributions, how many megabytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.processes import ROOT, TIMEOUT_S, bytes_in, place
from benchmarks.rows import Row, row


def measure(*, quick: bool) -> list[Row]:
    """The pinned base requirements, put into a folder of their own, and our own source; without bytecode."""
    with place() as here:
        packages = here.folder / "packages"
        done = subprocess.run(_pip(packages), capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            return [row("install: distributions", "", [], budget=15, note=f"not measured, pip says: {why}")]
        count = len(list(packages.glob("*.dist-info"))) + 1
        size = (bytes_in(packages) + _ours()) / 1e6
    return [
        row("install: distributions, ours with them", "", [count], budget=15),
        row("install: size without bytecode", "MB", [size], budget=25),
    ]


def _pip(target: Path) -> list[str]:
    options = ["--quiet", "--disable-pip-version-check", "--no-compile", "--only-binary=:all:", "--require-hashes"]
    offline_soon = ["--retries", "1", "--timeout", "10"]
    wanted = ["--target", str(target), "-r", str(ROOT / "requirements" / "base.txt")]
    return [sys.executable, "-m", "pip", "install", *options, *offline_soon, *wanted]


def _ours() -> int:
    files = (path for path in (ROOT / "src").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sum(path.stat().st_size for path in files)
