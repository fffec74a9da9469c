"""Each benchmark runs and says what it found; how fast anything is, no test asks."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.__main__ import NAMES
from benchmarks.report import machine, table
from benchmarks.rows import row

ROOT = Path(__file__).resolve().parents[2]
FAST = {"fsync", "imports"}


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *words], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in FAST else [pytest.mark.slow]) for name in NAMES]
)
def test_a_benchmark_runs_and_prints_json(name: str) -> None:
    done = bench("--quick", "--json", name)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["quick"] is True
    assert document["machine"]["cores"] >= 1
    assert document["rows"]
    for found in document["rows"]:
        assert found["samples"] or found["note"].startswith("not measured"), found
        assert found["met"] in (None, True, False)


def test_an_unknown_benchmark_is_refused_with_the_names_of_all() -> None:
    done = bench("chian")
    assert done.returncode == 2
    assert "there is no benchmark 'chian'" in done.stderr
    assert all(name in done.stderr for name in NAMES)


def test_a_row_compares_medians() -> None:
    found = row("a call", "µs", [9, 12, 30], [4, 3, 5], budget=12)
    assert (found.measured, found.floor_measured, found.ratio, found.met) == (12, 4, 3, True)
    assert row("a call", "µs", [13], budget=12).met is False


def test_what_was_not_measured_neither_meets_nor_misses() -> None:
    found = row("install", "MB", [], budget=25, note="not measured, there is no network")
    assert (found.measured, found.ratio, found.met) == (None, None, None)
    assert "not measured" in table([found], machine(), quick=False)
