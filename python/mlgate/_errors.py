"""What can go wrong."""


class GateError(Exception):
    """The base class of every error of this package."""


class NotRecorded(GateError):
    """Something can't be recorded as it is. The message says what, and what to do."""
