"""The enrichments of several customers, as one durable run. See `examples/README.md`.

    python examples/customers/pipeline.py
    kapelle run examples/customers/pipeline.py:enrich -p out=/tmp/reports -p customers='["cedar-post"]'

Kill it whenever you like: `kapelle resume @last` goes on from where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from customers import Customer, chosen
from enrichments import check_bias, score, train_anomaly, train_explanations
from kapelle import Future, current_run, flow, run, step, unmapped
from models import GRID, best_of, load, measure, split, train, validate
from report import Results, save_model, save_report, save_scores

T = TypeVar("T")


@dataclass(frozen=True)
class Summary:
    """What was measured for one customer, and where the files are. None for what the customer has not chosen."""

    customer: str
    model: str
    rows: int
    accuracy: float
    f1: float
    auc: float
    anomalies: int | None
    bias_gap: float | None
    seconds: float
    report: str
    scores: str
    model_file: str


@flow(run_name="enrich {customer.name}", tags=["customer"])
def enrich_customer(customer: Customer, folder: Path) -> Summary:
    """One customer's pipeline. Which tasks it has depends on what the customer has chosen: that is an `if`."""
    began = run.now()  # recorded: a resumed run sees the time at which it really began
    rows = load(customer)
    count = validate(rows, customer.data)
    parts = split(rows, customer.seed)

    trained = train.map(list(GRID), rows=unmapped(parts.train), seed=customer.seed).results()
    best = best_of(trained)
    current_run().logger.info("%s: %s is the best of %d models", customer.name, best.candidate, len(trained))

    # Submitted calls run side by side; a future as an argument is waited for by the call that gets it.
    explanations = anomaly = bias = None
    if "explanations" in customer.enrichments:
        explanations = train_explanations.submit(best.model, parts.train, parts.held_out, customer.seed)
    if "anomaly" in customer.enrichments:
        anomaly = train_anomaly.submit(parts.train, customer.seed)
    if "bias" in customer.enrichments:
        bias = check_bias.submit(best.model, parts.train, parts.held_out, customer.data)
    scored = score.submit(best.model, parts.held_out, customer.data, explanations, anomaly, bias)
    quality = measure(best.model, parts.held_out)

    results = Results(
        trained=trained,
        best=best,
        quality=quality,
        explanations=value_of(explanations),
        anomaly=value_of(anomaly),
        bias=value_of(bias),
        scored=scored.result(),
    )
    return Summary(
        customer=customer.name,
        model=str(best.candidate),
        rows=count,
        accuracy=quality.accuracy,
        f1=quality.f1,
        auc=quality.auc,
        anomalies=results.anomalies,
        bias_gap=results.bias.gap if results.bias else None,
        report=str(save_report(folder, customer, results)),
        scores=str(save_scores(folder, results.scored)),
        model_file=str(save_model(folder, best)),
        seconds=(run.now() - began).total_seconds(),
    )


def value_of(future: Future[T] | None) -> T | None:
    """What the future comes to, once it has; None for what was not submitted."""
    return None if future is None else future.result()


@flow(run_name="enrich-{out.name}", tags=["demo"])
def enrich(out: Path = Path("demo-output"), customers: list[str] | None = None) -> list[Summary]:
    """The pipelines of all customers, or of those named, side by side."""
    folder = step(Path.resolve, out)  # recorded: a run that is resumed from another folder writes to the same one
    flows = [enrich_customer.submit(customer, folder / customer.name) for customer in chosen(customers or [])]
    return [each.result() for each in flows]


COLUMNS = ("customer", "model", "rows", "accuracy", "F1", "AUC", "anomalies", "bias gap", "seconds")


def table(summaries: list[Summary]) -> str:
    """What was measured, a line for each customer."""
    lines = [COLUMNS]
    for each in summaries:
        anomalies = "-" if each.anomalies is None else str(each.anomalies)
        gap = "-" if each.bias_gap is None else f"{each.bias_gap:.3f}"
        quality = (f"{each.accuracy:.3f}", f"{each.f1:.3f}", f"{each.auc:.3f}")
        lines.append((each.customer, each.model, str(each.rows), *quality, anomalies, gap, f"{each.seconds:.1f}"))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    places = [f"{{:{'<' if place < 2 else '>'}{width}}}" for place, width in enumerate(widths)]
    return "\n".join("  ".join(places).format(*line) for line in lines)


if __name__ == "__main__":
    found = enrich()
    print(f"\n{table(found)}\n\nreports, with scores.csv and model.pickle beside each:")
    print(*[f"  {summary.report}" for summary in found], sep="\n")
