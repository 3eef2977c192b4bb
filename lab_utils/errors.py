"""Mistakes of the user's, each told in one clear line."""


class LabError(Exception):
    """A mistake that the user can put right; the message is one line that names the thing."""


class DataError(LabError):
    """Bad data: the message names the file, the line or field, and what was expected."""


class ConfigError(LabError):
    """A bad argument, an unknown name, or missing credentials or region."""
