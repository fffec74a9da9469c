"""Files of orders into a database: parse, quarantine, load once, aggregate, draw. See `examples/README.md`.

    python examples/orders/orders.py
    kapelle run examples/orders/orders.py:load_orders -p out=/tmp/orders -p days=10

Kill it whenever you like: `kapelle resume @last` goes on, and nothing is loaded twice.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from chart import draw
from database import Sales, aggregate, load, prepare, reconcile
from kapelle import flow, step, task
from lines import Parsed, parse
from sample import write_sample


@dataclass(frozen=True)
class Summary:
    """What came of the files."""

    orders: int
    quarantined: dict[str, int]
    euros: dict[str, float]
    database: str
    quarantine: str
    chart: str


@flow(run_name="orders-{days}-days", tags=["demo"])
def load_orders(
    out: Path = Path("demo-orders"),
    days: Annotated[int, Field(ge=1, le=60)] = 6,
    lines: Annotated[int, Field(ge=10, le=5000)] = 400,
) -> Summary:
    """Load the files of some days; the sample files are written first."""
    folder = step(Path.resolve, out)
    database = folder / "orders.sqlite"
    files = step(write_sample, folder / "incoming", days, lines)

    prepare(database)
    parsed: list[Parsed] = []
    for each in parse.map(files).results():  # files are parsed side by side, and loaded in their order
        load(database, each)
        parsed.append(each)

    sales = aggregate(database)
    reconcile(database, parsed, sales)
    return Summary(
        orders=sum(len(each.orders) for each in parsed),
        quarantined=dict(Counter(kind_of(bad.reason) for each in parsed for bad in each.bad).most_common()),
        euros=totals(sales),
        database=str(database),
        quarantine=str(save_quarantine(folder / "quarantine.csv", parsed)),
        chart=str(draw(folder / "sales.png", sales)),
    )


@task(retries=3, retry_on=OSError)
def save_quarantine(path: Path, parsed: list[Parsed]) -> Path:
    """The bad lines as a file that can be mended and sent again."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(("file", "line", "reason", "text"))
    writer.writerows((each.file, bad.line, bad.reason, bad.text) for each in parsed for bad in each.bad)
    path.write_text(sink.getvalue(), encoding="utf-8")
    return path


def kind_of(reason: str) -> str:
    """A reason without the number of the line in it."""
    return "the order is already in the file" if reason.startswith("the order is already") else reason


def totals(sales: list[Sales]) -> dict[str, float]:
    """Sales by country, in euros."""
    cents: Counter[str] = Counter()
    for each in sales:
        cents[each.country] += each.cents
    return {country: amount / 100 for country, amount in cents.most_common()}


if __name__ == "__main__":
    found = load_orders()
    print(f"\n{found.orders:,} orders: {found.database}")
    for country, euros in found.euros.items():
        print(f"  {country}  {euros:14,.2f} EUR")
    print(f"  by day: {found.chart}")
    print(f"\n{sum(found.quarantined.values()):,} lines in quarantine: {found.quarantine}")
    for reason, count in found.quarantined.items():
        print(f"  {count:4}  {reason}")
