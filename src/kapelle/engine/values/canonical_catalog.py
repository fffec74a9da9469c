"""All the canonical encodings, in the order in which they are asked about a class that nobody has met before."""

from __future__ import annotations

from kapelle.engine.values import canonical_containers, canonical_scalars
from kapelle.engine.values.canonical import CLASSIFIERS
from kapelle.engine.values.canonical_arrays import classify_array
from kapelle.engine.values.canonical_arrow import classify_arrow
from kapelle.engine.values.canonical_estimators import classify_estimator, classify_part
from kapelle.engine.values.canonical_frames import classify_frame
from kapelle.engine.values.canonical_functions import classify_definition
from kapelle.engine.values.canonical_objects import classify_object
from kapelle.engine.values.canonical_standard import classify_standard, classify_subclass

BUILT_IN = (canonical_containers, canonical_scalars)
"""These register themselves for the exact types that they know."""


def load() -> None:
    """Make them known. Once; a second call changes nothing."""
    CLASSIFIERS[:] = [
        classify_array,
        classify_arrow,
        classify_frame,
        classify_definition,
        classify_standard,
        classify_estimator,
        classify_object,
        classify_subclass,
        classify_part,
    ]
