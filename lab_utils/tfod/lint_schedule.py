"""Checks of steps, learning rate, batch size and precision."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from lab_utils.tfod.finding import Context, Finding
from lab_utils.tfod.pipeline import RATE
from lab_utils.tfod.textproto import Message

_TOO_HIGH = 4  # times that
_ADAM = 0.01  # the highest rate at which Adam is of use
_BASE = {
    "constant_learning_rate": "learning_rate",
    "exponential_decay_learning_rate": "initial_learning_rate",
    "manual_step_learning_rate": "initial_learning_rate",
    "cosine_decay_learning_rate": "learning_rate_base",
}


def check(context: Context) -> Iterator[Finding]:
    """Everything about the schedule."""
    if not isinstance(context.config.get("train_config"), Message):
        return
    yield from _steps(context)
    yield from _precision(context)
    optimizer = _child(context, "train_config.optimizer")
    schedule = _child(context, f"{optimizer}.learning_rate") if optimizer else ""
    if not schedule:
        path = f"{optimizer}.learning_rate" if optimizer else "train_config.optimizer"
        yield context.finding("error", path, "TFOD cannot make an optimizer of this", "momentum_optimizer { ... }")
        return
    kind = schedule.rpartition(".")[2]
    if kind not in _BASE:
        yield context.finding("error", schedule, "TFOD has no such schedule", f"one of {', '.join(_BASE)}")
        return
    yield from _rate(context, optimizer, f"{schedule}.{_BASE[kind]}")
    steps = context.steps
    if isinstance(steps, int) and steps > 0:
        check_kind = {"cosine": _cosine, "manual": _manual, "exponential": _exponential}.get(kind.partition("_")[0])
        yield from check_kind(context, schedule, steps) if check_kind else ()


def _child(context: Context, path: str) -> str:
    """Path of the one message within another; "" where there is none."""
    found = context.config.get(path)
    names = [f.name for f in found.fields if isinstance(f.value, Message)] if isinstance(found, Message) else []
    return f"{path}.{names[0]}" if names else ""


def _steps(context: Context) -> Iterator[Finding]:
    path = "train_config.num_steps"
    if not isinstance(context.steps, int) or context.steps <= 0:
        yield context.finding(
            "warning", path, "trains without end, unless the command line says otherwise", "the steps"
        )
    elif context.number(path, context.steps) != context.steps:
        problem = f"the command line trains {context.steps} steps"
        yield context.finding("warning", path, problem, f"{context.steps}, and the schedule to match")


def _precision(context: Context) -> Iterator[Finding]:
    if context.config.get("train_config.use_bfloat16") is True and context.device != "tpu":
        problem = f"has no effect on a {context.device.upper()}: TFOD uses bfloat16 on TPUs alone"
        yield context.finding("warning", "train_config.use_bfloat16", problem, "false")


def _rate(context: Context, optimizer: str, path: str) -> Iterator[Finding]:
    """The learning rate against the batch size: in proportion, for SGD with momentum (arXiv 1706.02677)."""
    rate, batch = context.number(path, 0.002), context.number("train_config.batch_size", 32)
    if batch < 1:
        yield context.finding("error", "train_config.batch_size", "no images in a batch", "1 or more")
    elif rate <= 0:
        yield context.finding("error", path, "nothing is learnt", f"about {RATE * batch:g}")
    elif optimizer.endswith("momentum_optimizer") and rate > _TOO_HIGH * RATE * batch:
        times = rate / (RATE * batch)
        problem = f"{times:.0f} times what the zoo's models train with for a batch of {batch}: the loss oscillates"
        yield context.finding("warning", path, problem, f"about {RATE * batch:g}, or a larger batch")
    elif optimizer.endswith("adam_optimizer") and rate > _ADAM:
        yield context.finding("warning", path, "too high for Adam: the loss oscillates", "about 0.001")


def _cosine(context: Context, schedule: str, steps: int) -> Iterator[Finding]:
    def value(name: str, default: float) -> tuple[str, float]:
        return f"{schedule}.{name}", context.number(f"{schedule}.{name}", default)

    total_path, total = value("total_steps", 4_000_000)
    warm_path, warm = value("warmup_steps", 10_000)
    base_path, base = value("learning_rate_base", 0.002)
    start_path, start = value("warmup_learning_rate", 0.0002)
    if warm >= steps:
        problem = f"the warm-up is not over when the training is, after {steps} steps: the rate only rises"
        yield context.finding("error", warm_path, problem, f"about {max(steps // 10, 1)}", int(warm))
    if total > steps:
        problem = f"the rate hardly decays: training ends after {steps} steps"
        severity = "error" if total >= 2 * steps else "warning"
        yield context.finding(severity, total_path, problem, str(steps), int(total))
    if total < steps:
        problem = f"the rate is 0 from then on: {steps - int(total)} of {steps} steps change nothing"
        yield context.finding("error", total_path, problem, str(steps))
    if warm > total:
        yield context.finding(
            "error", warm_path, f"above total_steps, {total:g}: TFOD stops", f"{int(total) // 10}", warm
        )
    if warm > 0 and start > base:
        yield context.finding("error", start_path, f"above {base_path}, {base:g}: TFOD stops", f"{base / 10:g}", start)


def _manual(context: Context, schedule: str, steps: int) -> Iterator[Finding]:
    path = f"{schedule}.schedule"
    message = context.config.get(schedule)
    found = [(f, f.value.get("step", 0)) for f in message.all("schedule") if isinstance(f.value, Message)]
    found = [(f, step) for f, step in found if isinstance(step, int)]
    if not found:
        yield context.finding("error", path, "no steps: TFOD stops", "schedule { step: ... learning_rate: ... }")
    beyond = [(f, step) for f, step in found if step >= steps]
    if beyond:
        field, step = beyond[0]
        left = "the rate is constant" if len(beyond) == len(found) else "these changes never come"
        problem = f"beyond the training's {steps} steps: {left}"
        fix = f"steps below {steps}, such as {steps * 2 // 3} and {steps * 8 // 9}"
        yield Finding("warning", f"{path}.step", str(step), problem, fix, field.line)
    for (_, before), (field, step) in pairwise(found):
        if step <= before:
            problem = f"not above the one before, {before}: TFOD stops"
            yield Finding("error", f"{path}.step", str(step), problem, "rising steps", field.line)


def _exponential(context: Context, schedule: str, steps: int) -> Iterator[Finding]:
    path, burn_in = f"{schedule}.decay_steps", context.number(f"{schedule}.burnin_steps", 0)
    decay = context.number(path, 4_000_000)
    if decay >= steps:
        problem = f"the rate never decays: training ends after {steps} steps"
        yield context.finding("warning", path, problem, f"about {max(steps // 10, 1)}", int(decay))
    if burn_in >= steps:
        problem = f"the burn-in is not over when the training is, after {steps} steps"
        yield context.finding("error", f"{schedule}.burnin_steps", problem, f"about {max(steps // 10, 1)}")
