"""`python -m benchmarks [--json] [--quick] [NAME …]`: measure, and print a table or JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import sys

from benchmarks.report import machine, table
from benchmarks.rows import Row

NAMES = {
    "chain": "chain",
    "map": "map",
    "async": "async_calls",
    "resume": "resume",
    "imports": "imports",
    "start": "start",
    "writers": "writers",
    "install": "install",
    "fsync": "fsync",
}
"""The benchmarks, in the order in which they run, and the modules that they are in."""


def main(words: list[str] | None = None) -> int:
    """Run the chosen benchmarks. A missed budget is a line of the table, not an exit code."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)} (all)")
    parser.add_argument("--json", action="store_true", help="print JSON, with every sample")
    parser.add_argument("--quick", action="store_true", help="small and once: does it run at all?")
    chosen = parser.parse_args(words)
    unknown = [name for name in chosen.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}")
    rows: list[Row] = []
    here = machine()
    for name in chosen.names or NAMES:
        if not chosen.json:
            print(f"measuring {name} ...", file=sys.stderr)
        rows += importlib.import_module(f"benchmarks.{NAMES[name]}").measure(quick=chosen.quick)
    if chosen.json:
        document = {"machine": here, "quick": chosen.quick, "rows": [row.as_json() for row in rows]}
        print(json.dumps(document, indent=2))
    else:
        print(table(rows, here, quick=chosen.quick))
    return 0


if __name__ == "__main__":
    sys.exit(main())
