"""What the customer gets: a report that is one HTML file, the scored rows, and the model."""

from __future__ import annotations

import base64
import html
import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import plots
from customers import Customer
from enrichments import Anomaly, Bias, Explanations
from kapelle import task
from models import Quality, Trained
from style import STYLE

ROWS_SHOWN = 12


@dataclass(frozen=True)
class Results:
    """All that was found out for one customer. What a customer has not chosen is None."""

    trained: list[Trained]
    best: Trained
    quality: Quality
    explanations: Explanations | None
    anomaly: Anomaly | None
    bias: Bias | None
    scored: pd.DataFrame

    @property
    def anomalies(self) -> int | None:
        """How many of the held-out rows are anomalies."""
        return None if self.anomaly is None else int((self.scored["anomaly_score"] > self.anomaly.threshold).sum())


# The next three write files. A full disk or a network folder that is away for a moment is worth another attempt;
# what is written twice is the same file, and nobody ever sees half of one.


@task(retries=3, retry_on=OSError)
def save_model(folder: Path, best: Trained) -> Path:
    """The model as a pickle: `pickle.load(open("model.pickle", "rb")).predict(rows)`."""
    return write_whole(folder / "model.pickle", pickle.dumps(best.model))


@task(retries=3, retry_on=OSError)
def save_scores(folder: Path, scored: pd.DataFrame) -> Path:
    """The scored rows as CSV."""
    return write_whole(folder / "scores.csv", scored.to_csv(index_label="row").encode())


@task(retries=3, retry_on=OSError, limit=1)  # matplotlib draws in one thread at a time
def save_report(folder: Path, customer: Customer, results: Results) -> Path:
    """The report: one file, with its pictures inside."""
    return write_whole(folder / "report.html", page(customer, results).encode())


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(content)
    beside.replace(path)
    return path


def page(customer: Customer, results: Results) -> str:
    """The report as HTML."""
    name = html.escape(customer.name.replace("-", " ").title())
    chips = "".join(f'<span class="chip">{each}</span>' for each in customer.enrichments or ("scores only",))
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>{STYLE}</style>
<main>
<header><h1>{name}</h1><p>{html.escape(customer.data.title)}</p><div class="chips">{chips}</div></header>
<div class="tiles">{"".join(_tiles(results))}</div>
<div class="cards">{"".join(_cards(customer, results))}</div>
{_rows(results)}
<footer>Everything was measured on the {len(results.scored)} rows that the models had not seen.
All {len(results.scored)} are in scores.csv, the model is in model.pickle.</footer>
</main>
</html>
"""


def _tiles(results: Results) -> Iterator[str]:
    quality = results.quality
    yield _tile(f"{quality.accuracy:.1%}", "accuracy")
    yield _tile(f"{quality.f1:.3f}", "F1")
    yield _tile(f"{quality.auc:.3f}", "AUC")
    yield _tile(str(len(results.scored)), "rows held out")
    if results.anomalies is not None:
        yield _tile(str(results.anomalies), "anomalies")
    if results.bias is not None:
        yield _tile(f"{results.bias.gap:.1%}", "bias gap")


def _tile(value: str, label: str) -> str:
    return f'<div class="tile"><b>{value}</b><span>{label}</span></div>'


def _cards(customer: Customer, results: Results) -> Iterator[str]:
    trained, scored = results.trained, results.scored
    names, scores = [str(each.candidate) for each in trained], [each.score for each in trained]
    best = trained.index(results.best)
    yield _card("The models that were tried", f"{results.best.candidate} won, by its accuracy in cross-validation.",
                plots.bars(names, scores, "accuracy in cross-validation", best=best))  # fmt: skip
    yield _card("What it takes for what", "Rows held out, by their true class and the one that was predicted.",
                plots.confusion(scored["truth"], scored["prediction"], customer.data.labels))  # fmt: skip
    if (found := results.explanations) is not None:
        yield _card("What it goes by", "What the model loses in accuracy when the values of a feature are shuffled.",
                    plots.bars(found.names, found.losses, "loss of accuracy"))  # fmt: skip
    if results.anomaly is not None:
        yield _card("Which rows are unusual", f"{results.anomalies} of {len(scored)} rows lie above the threshold.",
                    plots.histogram(scored["anomaly_score"], results.anomaly.threshold, "anomaly score"))  # fmt: skip
    if (bias := results.bias) is not None:
        names = [f"{group} ({size} rows)" for group, size in zip(("low", "middle", "high"), bias.sizes, strict=True)]
        yield _card("Whom it treats better", f"Accuracy for rows with a low, middle and high {bias.attribute}.",
                    plots.bars(names, bias.accuracy, "accuracy"))  # fmt: skip


def _card(title: str, text: str, picture: bytes) -> str:
    source = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    title, text = html.escape(title), html.escape(text)
    return f'<section class="card"><h2>{title}</h2><p>{text}</p><img src="{source}" alt="{title}: {text}"></section>'


def _rows(results: Results) -> str:
    """The rows of which the model is least certain, as a table."""
    scored = results.scored.sort_values("certainty", kind="stable").head(ROWS_SHOWN)
    numeric = [pd.api.types.is_numeric_dtype(scored[name]) for name in scored]
    head = _cells("th", [name.replace("_", " ") for name in scored], numeric)
    body = "".join(
        f"<tr{' class=wrong' if row[0] != row[1] else ''}>{_cells('td', row, numeric)}</tr>"
        for row in scored.itertuples(index=False)
    )
    return f"""<section class="card wide"><h2>The least certain rows</h2>
<p>The {len(scored)} rows of which the model is least certain; where it is wrong, in colour.</p>
<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></section>"""


def _cells(kind: str, values: Iterable[object], numeric: list[bool]) -> str:
    texts = [f"{value:.3f}" if isinstance(value, float) else str(value) for value in values]
    return "".join(
        f"<{kind}{' class=number' if right else ''}>{html.escape(text)}</{kind}>"
        for text, right in zip(texts, numeric, strict=True)
    )
