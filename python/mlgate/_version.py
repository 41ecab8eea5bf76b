"""The version of this package, which is that of the program in the same wheel."""

__version__ = "0.1.0"
