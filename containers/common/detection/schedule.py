"""Learning rate and evaluation times, derived from the number of iterations."""

import math

EVALUATIONS = 5
STEP_SHARES = (0.7, 0.9)  # where the zoo's 1x and 3x schedules divide the rate by ten


def lr_factor(iteration: int, total: int, *, warm_up: float = 0.1, decay: str = "cosine") -> float:
    """What the base learning rate is multiplied with at `iteration` (from 0) of `total`.

    Rises linearly over the share `warm_up` of the iterations, then falls along half a cosine, or by ten
    at each of STEP_SHARES.
    """
    warm_up_iterations = max(1, round(warm_up * total))
    if iteration < warm_up_iterations:
        return (iteration + 1) / warm_up_iterations
    if decay == "cosine":
        done = (iteration - warm_up_iterations) / max(1, total - warm_up_iterations)
        return 0.5 * (1 + math.cos(math.pi * done))
    return 0.1 ** sum(iteration >= share * total for share in STEP_SHARES)


def evaluation_period(total: int, period: int = 0) -> int:
    """Iterations between two evaluations: `period`, or so many that there are about EVALUATIONS."""
    return period or max(1, math.ceil(total / EVALUATIONS))


def is_due(iteration: int, total: int, period: int) -> bool:
    """Whether the period ends with `iteration` (from 0); the last iteration always does."""
    return (iteration + 1) % period == 0 or iteration + 1 == total
