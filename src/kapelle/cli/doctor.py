"""`kapelle doctor`: whether this installation can work, and what to do where it cannot."""

from __future__ import annotations

from dataclasses import asdict

import click

from kapelle.cli.answers import json_option, print_json, print_rows
from kapelle.cli.checkup import Finding, check_all
from kapelle.console.rows import Row, clean, row

EXIT_FINDINGS = 20
LOOKS = {"ok": ("✔", "green"), "warn": ("!", "yellow"), "fail": ("✖", "red")}


@click.command("doctor")
@json_option
def command(as_json: bool) -> int:
    """Check this installation and its home.

    Ends with 20 when there is something to do.
    """
    findings = check_all()
    if as_json:
        print_json([asdict(found) for found in findings])
    else:
        print_rows(made for found in findings for made in finding_rows(found))
    return EXIT_FINDINGS if any(found.status != "ok" for found in findings) else 0


def finding_rows(found: Finding) -> list[Row]:
    """A finding, and what to do about it."""
    symbol, colour = LOOKS[found.status]
    rows = [row((f"{symbol} {found.status:<4}", colour), f"  {found.check:<9}  ", clean(found.text))]
    if found.remedy:
        rows.append(row(" " * 19, ("→ " + clean(found.remedy), "yellow")))
    return rows
