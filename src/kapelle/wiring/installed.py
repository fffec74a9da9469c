"""The installed packages of this Python, as a digest: part of the key of cached results."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib.metadata import distributions


@cache
def environment_digest() -> str:
    """Digest of the Python version and of the name and version of everything that is installed."""
    found = {f"{one.metadata['Name']}=={one.version}".lower() for one in distributions() if one.metadata["Name"]}
    text = "\n".join([f"python {sys.version_info.major}.{sys.version_info.minor}", *sorted(found)])
    return hashlib.sha256(text.encode()).hexdigest()[:32]
