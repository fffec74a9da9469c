"""What a customer can switch on: explanations, an anomaly score, a bias check. Each adds one column to every row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest
from sklearn.inspection import permutation_importance

from customers import DataSet
from kapelle import Cache, task
from models import TARGET, features

EXPLAINED_BY = 8
ANOMALOUS_SHARE = 0.03
GROUPS = ("low", "middle", "high")


@dataclass(frozen=True)
class Explanations:
    """Which features the model goes by: what it loses when a feature is shuffled, the most important first."""

    names: tuple[str, ...]
    losses: tuple[float, ...]
    typical: tuple[float, ...]


@dataclass(frozen=True)
class Anomaly:
    """A forest that isolates rows, and the score from which on a row counts as an anomaly."""

    forest: Any
    threshold: float


@dataclass(frozen=True)
class Bias:
    """How the model treats groups of rows that differ in one attribute.

    borders     the attribute is "low" up to the first and "high" above the second
    sizes, accuracy
                rows of each group among those held out, and the part of them that the model gets right
    """

    attribute: str
    borders: tuple[float, float]
    sizes: tuple[int, ...]
    accuracy: tuple[float, ...]

    @property
    def gap(self) -> float:
        """How much better the best-treated group fares than the worst-treated one."""
        return max(self.accuracy) - min(self.accuracy)


@task(isolation="process", timeout="2m", cache=Cache(ttl="1d"), tags=["training"])
def train_explanations(model: Any, train: pd.DataFrame, held_out: pd.DataFrame, seed: int) -> Explanations:
    """Permutation importance on the held-out rows.

    It computes for long inside a library. In a process of its own it takes nothing from the others, its timeout is
    exact, and should it die, only this call is made again.
    """
    values = features(held_out)
    found = permutation_importance(model, values, held_out[TARGET], n_repeats=3, random_state=seed)
    first = np.argsort(-found.importances_mean, kind="stable")[:EXPLAINED_BY]
    names = tuple(str(name) for name in values.columns[first])
    losses = tuple(float(found.importances_mean[place]) for place in first)
    return Explanations(names, losses, tuple(float(train[name].median()) for name in names))


@task(tags=["training"])
def train_anomaly(train: pd.DataFrame, seed: int) -> Anomaly:
    """An isolation forest; of the rows that it has learned from, three in a hundred are anomalies."""
    forest = IsolationForest(n_estimators=60, random_state=seed).fit(features(train))
    scores = -forest.score_samples(features(train))
    return Anomaly(forest, float(np.quantile(scores, 1 - ANOMALOUS_SHARE)))


@task(tags=["training"])
def check_bias(model: Any, train: pd.DataFrame, held_out: pd.DataFrame, data: DataSet) -> Bias:
    """Accuracy over three groups of rows: those with a low, middle and high value of the sensitive attribute."""
    first, second = attribute_of(train, data).quantile([1 / 3, 2 / 3])
    groups = groups_of(attribute_of(held_out, data), (first, second))
    right = pd.Series(model.predict(features(held_out)) == held_out[TARGET].to_numpy())
    chosen = [right[groups == group] for group in GROUPS]
    name = "sum of all features" if data.sensitive == "sum" else data.sensitive
    sizes, accuracy = tuple(len(rows) for rows in chosen), tuple(float(rows.mean()) for rows in chosen)
    return Bias(name, (float(first), float(second)), sizes, accuracy)


def attribute_of(rows: pd.DataFrame, data: DataSet) -> pd.Series:
    """The sensitive attribute of each row."""
    return features(rows).sum(axis=1) if data.sensitive == "sum" else rows[data.sensitive]


def groups_of(attribute: pd.Series, borders: tuple[float, float]) -> Any:
    """The group of each row, as an array of texts."""
    return np.array(GROUPS)[np.searchsorted(borders, attribute.to_numpy())]


@task
def score(
    model: Any,
    held_out: pd.DataFrame,
    data: DataSet,
    explanations: Explanations | None,
    anomaly: Anomaly | None,
    bias: Bias | None,
) -> pd.DataFrame:
    """The held-out rows as the customer gets them: truth, prediction, certainty, and a column for each enrichment."""
    values = features(held_out)
    certainty = model.predict_proba(values)
    labels = np.array(data.labels)
    scored = pd.DataFrame(
        {
            "truth": labels[held_out[TARGET]],
            "prediction": labels[certainty.argmax(axis=1)],
            "certainty": certainty.max(axis=1).round(4),
        }
    )
    if explanations is not None:
        scored["main_reason"] = main_reasons(model, values, certainty, explanations)
    if anomaly is not None:
        scored["anomaly_score"] = (-anomaly.forest.score_samples(values)).round(4)
    if bias is not None:
        scored["bias_group"] = groups_of(attribute_of(held_out, data), bias.borders)
    return scored


def main_reasons(model: Any, values: pd.DataFrame, certainty: Any, explanations: Explanations) -> Any:
    """For each row the feature without whose value the model would be least sure of what it says."""
    rows, guess = np.arange(len(values)), certainty.argmax(axis=1)
    losses = []
    for name, typical in zip(explanations.names, explanations.typical, strict=True):
        without = values.assign(**{name: typical})
        losses.append(certainty[rows, guess] - model.predict_proba(without)[rows, guess])
    return np.array(explanations.names)[np.argmax(losses, axis=0)]
