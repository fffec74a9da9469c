"""Who the customers are and what each of them has chosen: data, from which `pipeline.py` builds the work.

A new customer is a new entry in `CUSTOMERS`; nothing else changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Enrichment = Literal["explanations", "anomaly", "bias"]


@dataclass(frozen=True)
class DataSet:
    """A set of labelled rows that comes with scikit-learn, and what must be true of every part of it.

    loader      the function of `sklearn.datasets` that gives it
    title       what a reader of the reports calls it
    lowest, highest
                the range of every feature
    columns     how many features there are
    labels      names of the classes, in the order of their numbers
    sensitive   the feature (or "sum": all of them) along which the bias check compares groups of rows
    """

    loader: str
    title: str
    lowest: float
    highest: float
    columns: int
    labels: tuple[str, ...]
    sensitive: str


@dataclass(frozen=True)
class Customer:
    """One customer: whose rows, how many of them, and which enrichments are switched on.

    share       the part of the data set that is theirs
    seed        fixes which rows these are, and everything else that is drawn
    """

    name: str
    data: DataSet
    enrichments: tuple[Enrichment, ...]
    share: float
    seed: int


TUMOURS = DataSet(
    loader="load_breast_cancer",
    title="Breast cancer Wisconsin (diagnostic)",
    lowest=0.0,
    highest=5000.0,
    columns=30,
    labels=("malignant", "benign"),
    sensitive="mean smoothness",
)
DIGITS = DataSet(
    loader="load_digits",
    title="Optical recognition of handwritten digits",
    lowest=0.0,
    highest=16.0,
    columns=64,
    labels=tuple("0123456789"),
    sensitive="sum",
)

CUSTOMERS = (
    Customer("aurora-clinic", TUMOURS, ("explanations", "anomaly", "bias"), share=1.0, seed=7),
    Customer("birch-hospital", TUMOURS, ("anomaly",), share=0.8, seed=8),
    Customer("cedar-post", DIGITS, ("explanations", "bias"), share=0.6, seed=9),
    Customer("delta-forms", DIGITS, (), share=0.4, seed=10),
)


def chosen(names: list[str]) -> list[Customer]:
    """The customers of these names, all of them for none. ValueError for a name that nobody has."""
    known = {customer.name: customer for customer in CUSTOMERS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no customer is called {unknown[0]}; there are {', '.join(known)}")
    return [known[name] for name in names or known]
