"""Fingerprints of fitted models: by what they have learned, wherever and however often they are looked at."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sparse  # type: ignore[import-untyped]
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, SplineTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from kapelle.engine.values.change import changed, snapshot
from kapelle.engine.values.fingerprint import fingerprint_arguments, fingerprint_value

DATA, TARGET = load_breast_cancer(return_X_y=True)
ROWS = slice(0, 120)
OTHER_ROWS = slice(60, 180)


class Majority(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator as a project would write it."""

    def __init__(self, least: int = 1) -> None:
        self.least = least

    def fit(self, data: Any, target: Any) -> Majority:
        self.answer_ = int(np.bincount(target).argmax())
        self.seen_ = {"rows": len(target), "mean": data.mean(axis=0)}
        return self

    def predict(self, data: Any) -> Any:
        return np.full(len(data), self.answer_)


MODELS: dict[str, Callable[[], Any]] = {
    "tree": lambda: DecisionTreeClassifier(max_depth=3, random_state=0),
    "forest": lambda: RandomForestClassifier(5, random_state=0),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=3, random_state=0),
    "boosting without a seed": lambda: GradientBoostingClassifier(n_estimators=3),
    "histogram boosting": lambda: HistGradientBoostingClassifier(max_iter=3, random_state=0),
    "isolation forest": lambda: IsolationForest(n_estimators=5, random_state=0),
    "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "sgd": lambda: SGDClassifier(max_iter=5, random_state=0),
    "svc": lambda: SVC(),
    "neighbours, brute": lambda: KNeighborsClassifier(algorithm="brute"),
    "neighbours, kd": lambda: KNeighborsClassifier(algorithm="kd_tree"),
    "neighbours, ball": lambda: KNeighborsClassifier(algorithm="ball_tree"),
    "network": lambda: MLPClassifier((5,), max_iter=3, random_state=0),
    "network without a seed": lambda: MLPClassifier((5,), max_iter=3),
    "network with a generator": lambda: MLPClassifier((5,), max_iter=3, random_state=np.random.RandomState(3)),
    "gaussian process": lambda: GaussianProcessClassifier(RBF() + WhiteKernel(), optimizer=None),
    "bayes": lambda: GaussianNB(),
    "means": lambda: KMeans(3, random_state=0, n_init=1),
    "components": lambda: PCA(3),
    "splines": lambda: make_pipeline(SplineTransformer(), GaussianNB()),
    "functions": lambda: make_pipeline(FunctionTransformer(np.log1p), GaussianNB()),
    "columns": lambda: make_pipeline(ColumnTransformer([("a", StandardScaler(), [0, 1])]), GaussianNB()),
    "search": lambda: GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-3]}, cv=2),
    "of the project": lambda: Majority(),
}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # models that are trained too shortly to be good
        yield


def fitted(name: str, rows: slice = ROWS) -> Any:
    return MODELS[name]().fit(DATA[rows], TARGET[rows])


@pytest.mark.parametrize("name", MODELS)
def test_a_fitted_model_and_what_comes_out_of_its_pickle_are_the_same(name: str) -> None:
    model = fitted(name)
    digest = fingerprint_value(model)
    assert digest is not None
    once = pickle.loads(pickle.dumps(model))
    assert fingerprint_value(once) == digest
    assert fingerprint_value(pickle.loads(pickle.dumps(once))) == digest


@pytest.mark.parametrize("name", MODELS)
def test_what_a_model_has_learned_makes_it_another_one(name: str) -> None:
    model, other = fitted(name), fitted(name, OTHER_ROWS)
    digests = {fingerprint_value(each) for each in (model, other, MODELS[name](), {"model": model})}
    assert len(digests) == 4


@pytest.mark.parametrize("name", [name for name in MODELS if "without" not in name and name != "search"])
def test_models_that_have_learned_the_same_are_the_same(name: str) -> None:
    assert fingerprint_value(fitted(name)) == fingerprint_value(fitted(name))


@pytest.mark.parametrize("name", [name for name in MODELS if name != "components"])
def test_asking_a_model_does_not_change_it_and_training_it_does(name: str) -> None:
    model = fitted(name)
    found = fingerprint_arguments(("model",), (model,))
    assert not found.left_out
    before = snapshot(("model",), (model,), found, strict=True)
    model.predict(DATA)
    np.random.random_sample(3)
    assert changed(before, ("model",), (model,)) == ()
    model.fit(DATA[OTHER_ROWS], TARGET[OTHER_ROWS])
    assert changed(before, ("model",), (model,)) == ("model",)


def test_parameters_count_and_clones_do_not() -> None:
    model = RandomForestClassifier(5, max_depth=3)
    assert fingerprint_value(model) == fingerprint_value(clone(model))
    assert fingerprint_value(model) != fingerprint_value(RandomForestClassifier(5, max_depth=4))
    assert fingerprint_value(StandardScaler()) != fingerprint_value(GaussianNB())


def test_models_of_texts() -> None:
    texts = ["one two", "two three", "three"]
    one, other = TfidfVectorizer().fit(texts), TfidfVectorizer().fit(texts[:2])
    assert fingerprint_value(one) == fingerprint_value(pickle.loads(pickle.dumps(one))) != fingerprint_value(other)


def test_a_model_that_holds_what_has_no_content_is_left_out() -> None:
    model = fitted("bayes")
    model.socket_ = object()
    found = fingerprint_arguments(("model", "rows"), (model, 3))
    assert found.left_out == ("model (sklearn.naive_bayes.GaussianNB, because of object)",)
    assert found.digest == fingerprint_arguments(("rows",), (3,)).digest


FORMATS = ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")


def test_sparse_matrices_go_by_their_entries() -> None:
    dense = np.diag([1.0, 2.0, 3.0])
    dense[0, 2] = 5.0
    changed_entry = dense.copy()
    changed_entry[1, 1] = 7.0
    met = set()
    for wanted in FORMATS:
        for make in (sparse.coo_matrix, sparse.coo_array):
            matrix = make(dense).asformat(wanted)
            digest = fingerprint_value(matrix)
            assert digest == fingerprint_value(matrix.copy()) == fingerprint_value(pickle.loads(pickle.dumps(matrix)))
            met |= {digest, fingerprint_value(make(changed_entry).asformat(wanted))}
    met |= {fingerprint_value(dense), fingerprint_value(sparse.csr_matrix(dense.astype("f4"))), None}
    assert len(met) == 4 * len(FORMATS) + 3


def test_order_and_width_of_the_places_of_a_sparse_matrix_do_not_count() -> None:
    sorted_places = sparse.csr_matrix((np.array([1.0, 2.0]), np.array([0, 1]), np.array([0, 2, 2])), shape=(2, 2))
    swapped = sparse.csr_matrix((np.array([2.0, 1.0]), np.array([1, 0]), np.array([0, 2, 2])), shape=(2, 2))
    wide = sorted_places.copy()
    wide.indices, wide.indptr = wide.indices.astype("i8"), wide.indptr.astype("i8")
    twice = sparse.coo_matrix((np.array([1.0, 1.0]), (np.array([0, 0]), np.array([1, 1]))), shape=(2, 2))
    once = sparse.coo_matrix((np.array([2.0]), (np.array([0]), np.array([1]))), shape=(2, 2))
    assert fingerprint_value(sorted_places) == fingerprint_value(swapped) == fingerprint_value(wide)
    assert list(swapped.indices) == [1, 0]
    assert fingerprint_value(twice) == fingerprint_value(once)
    assert twice.nnz == 2


def test_generators_go_by_their_state() -> None:
    makers: tuple[Callable[[], Any], ...] = (
        lambda: np.random.RandomState(1),
        lambda: np.random.default_rng(1),
        lambda: np.random.Generator(np.random.MT19937(1)),
        lambda: np.random.PCG64(1),
    )
    met = set()
    for make in makers:
        generator = make()
        before = fingerprint_value(generator)
        assert before == fingerprint_value(make()) == fingerprint_value(pickle.loads(pickle.dumps(generator)))
        (generator.random_raw if hasattr(generator, "random_raw") else generator.normal)()
        met |= {before, fingerprint_value(generator)}
    assert len(met - {None}) == 2 * len(makers)


ELSEWHERE = ("forest", "boosting", "logistic", "neighbours, kd", "network")
PROGRAM = f"""
from tests.engine.values.test_estimators import fitted, fingerprint_value
for name in {ELSEWHERE}:
    print(fingerprint_value(fitted(name)).hex())
"""


def test_another_process_with_another_hash_seed_finds_the_same() -> None:
    env = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=True)
    here = [fingerprint_value(fitted(name)) for name in ELSEWHERE]
    assert done.stdout.split() == [digest.hex() for digest in here if digest is not None]
    assert len({*here}) == len(ELSEWHERE)
