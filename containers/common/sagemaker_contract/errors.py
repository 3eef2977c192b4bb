"""Failures by whose mistake they are."""


class UserError(Exception):
    """The caller's mistake (data, hyperparameter, request); its text says in one line what was expected."""
