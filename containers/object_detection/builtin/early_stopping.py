"""When the built-in algorithm stops early: `early_stopping_*` of its hyperparameters."""

from detection.history import History

from .hyperparameters import Settings
from .log import METRIC


def ended(settings: Settings, history: History) -> str:
    """Why training should stop after the evaluations, one an epoch; "" to go on.

    An epoch counts as better when its validation:mAP is above the best one before by more than the tolerance, a share
    of that best one.
    """
    if not settings.early_stopping or len(history.rows) < settings.early_stopping_min_epochs:
        return ""
    best, since = 0.0, 0
    for row in history.rows:
        better = row[METRIC] > best * (1 + settings.early_stopping_tolerance)
        best, since = (row[METRIC], 0) if better else (best, since + 1)
    if since < settings.early_stopping_patience:
        return ""
    return f"Early stopping condition met: validation:mAP is no better than {best:.4g} for {since} epochs"
