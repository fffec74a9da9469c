"""From a customer's rows to the best model: load, validate, split, and a small grid of candidates.

Each function with `@task` is recorded when it ends: a run that is killed goes on behind the last one that did.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sklearn import datasets
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from customers import Customer, DataSet
from kapelle import Cache, PermanentError, task

TARGET = "target"
ROWS_MIN, ROWS_PER_CLASS_MIN = 100, 10


@dataclass(frozen=True)
class Split:
    """The rows to learn from and the rows that are held out; the target is a column of both."""

    train: pd.DataFrame
    held_out: pd.DataFrame


@dataclass(frozen=True)
class Candidate:
    """A model that may win: a kind and the settings that are tried."""

    kind: str
    settings: tuple[tuple[str, int | float], ...]

    def __str__(self) -> str:
        return f"{self.kind}({', '.join(f'{name}={value:g}' for name, value in self.settings)})"


@dataclass(frozen=True)
class Trained:
    """A candidate, fitted to all rows of the training part, and how it did in cross-validation."""

    candidate: Candidate
    model: Any
    score: float
    seconds: float


@dataclass(frozen=True)
class Quality:
    """How good a model is on rows that it has not seen. F1 and AUC are averaged over the classes."""

    accuracy: float
    f1: float
    auc: float


GRID = (
    Candidate("logistic", (("C", 0.1),)),
    Candidate("logistic", (("C", 1.0),)),
    Candidate("neighbours", (("n_neighbors", 3),)),
    Candidate("neighbours", (("n_neighbors", 9),)),
    Candidate("forest", (("n_estimators", 50),)),
    Candidate("extra trees", (("n_estimators", 50),)),
)


def features(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows without their target."""
    return rows.drop(columns=TARGET)


@task
def load(customer: Customer) -> pd.DataFrame:
    """The customer's rows: a share of the data set, drawn with the customer's seed."""
    bunch = getattr(datasets, customer.data.loader)(as_frame=True)
    rows: pd.DataFrame = bunch.frame.sample(frac=customer.share, random_state=customer.seed)
    return rows.reset_index(drop=True)


@task
def validate(rows: pd.DataFrame, data: DataSet) -> int:
    """How many rows there are, after making sure that they are what the data set promises.

    A PermanentError is never retried: the same rows would be wrong again.
    """
    complaints = list(complaints_about(rows, data))
    if complaints:
        raise PermanentError(f"{data.title}: {'; '.join(complaints)}")
    return len(rows)


def complaints_about(rows: pd.DataFrame, data: DataSet) -> list[str]:
    """Everything that is wrong with the rows, each as a short sentence."""
    if TARGET not in rows:
        return [f"there is no column {TARGET!r}"]
    found = []
    values = features(rows)
    if values.shape[1] != data.columns:
        found.append(f"{values.shape[1]} features instead of {data.columns}")
    if len(rows) < ROWS_MIN:
        found.append(f"only {len(rows)} rows, at least {ROWS_MIN} are needed")
    texts = [str(name) for name in values.columns if not pd.api.types.is_numeric_dtype(values[name])]
    if texts:
        return [*found, f"not numbers: {', '.join(texts)}"]
    missing = values.isna().sum()
    found += [f"{name} is missing in {number} of {len(rows)} rows" for name, number in missing[missing > 0].items()]
    outside = ((values < data.lowest) | (values > data.highest)).sum()
    bounds = f"{data.lowest:g} to {data.highest:g}"
    found += [
        f"{name} leaves {bounds} in {number} of {len(rows)} rows" for name, number in outside[outside > 0].items()
    ]
    counts = rows[TARGET].value_counts()
    for number, label in enumerate(data.labels):
        if counts.get(number, 0) < ROWS_PER_CLASS_MIN:
            found.append(f"class {label} has {counts.get(number, 0)} rows, at least {ROWS_PER_CLASS_MIN} are needed")
    if set(counts.index) - set(range(len(data.labels))):
        found.append("there are classes without a name")
    return found


@task
def split(rows: pd.DataFrame, seed: int) -> Split:
    """Two thirds to learn from, one third held out, the classes in equal shares."""
    train, held_out = train_test_split(rows, test_size=1 / 3, stratify=rows[TARGET], random_state=seed)
    return Split(train.reset_index(drop=True), held_out.reset_index(drop=True))


def model_of(candidate: Candidate, seed: int) -> Any:
    """The untrained model of a candidate."""
    settings: dict[str, Any] = dict(candidate.settings)
    if candidate.kind == "logistic":
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, random_state=seed, **settings))
    if candidate.kind == "neighbours":
        return make_pipeline(StandardScaler(), KNeighborsClassifier(**settings))
    maker = RandomForestClassifier if candidate.kind == "forest" else ExtraTreesClassifier
    return maker(random_state=seed, **settings)


@task(cache=Cache(ttl="1d"), tags=["training"], run_name="train {candidate}")
def train(candidate: Candidate, rows: pd.DataFrame, seed: int) -> Trained:
    """Score a candidate by cross-validation, then fit it to all rows.

    This is where the time goes, so its results may be taken by other runs for a day: the same candidate on the same
    rows, by the same code and the same versions of the packages, is not trained again.
    """
    began = time.perf_counter()
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    values, truth = features(rows), rows[TARGET]
    scores = cross_val_score(model_of(candidate, seed), values, truth, cv=folds, error_score="raise")
    model = model_of(candidate, seed).fit(values, truth)
    return Trained(candidate, model, float(scores.mean()), time.perf_counter() - began)


def best_of(models: list[Trained]) -> Trained:
    """The one with the highest score; of equal ones the first."""
    return max(models, key=lambda trained: trained.score)


@task
def measure(model: Any, held_out: pd.DataFrame) -> Quality:
    """How good the model is on the rows that were held out."""
    truth, values = held_out[TARGET], features(held_out)
    guess = model.predict(values)
    scores = model.predict_proba(values)
    return Quality(
        float(accuracy_score(truth, guess)),
        float(f1_score(truth, guess, average="macro")),
        float(roc_auc_score(truth, scores[:, 1] if scores.shape[1] == 2 else scores, multi_class="ovr")),
    )
