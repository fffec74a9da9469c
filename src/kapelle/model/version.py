"""The version of this program, as it is written into runs and journals."""

VERSION = "0.1.0"
