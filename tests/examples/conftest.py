"""The files of an example import one another by their bare names, as in the folder that they are started from."""

import sys

from tests.examples.programs import EXAMPLES

sys.path[:0] = [str(EXAMPLES / "customers"), str(EXAMPLES / "orders")]
