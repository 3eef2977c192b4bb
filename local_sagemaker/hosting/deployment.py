"""The containers of one endpoint configuration, one for each production variant, and the calls they have in hand.

A variant's InitialInstanceCount is kept and shown; one process stands for all its instances.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from local_sagemaker.api.context import Context
from local_sagemaker.aws.cloudwatch import LogStream
from local_sagemaker.errors import AwsError
from local_sagemaker.hosting.container import ServingContainer
from local_sagemaker.hosting.serving import Serving

_HEALTH_TIMEOUT = 240.0  # seconds that AWS gives a container before the first healthy /ping
_DRAIN_TIMEOUT = 90.0  # seconds: longer than a call may take

Planned = Mapping[str, Any]
"""A production variant of an endpoint's record: its ``variant`` (as the configuration has it) and ``definition``."""


def log_group(endpoint: str) -> str:
    """The log group of an endpoint's containers."""
    return f"/aws/sagemaker/Endpoints/{endpoint}"


class Variant:
    """One production variant: its container and the number of calls in hand."""

    def __init__(self, context: Context, endpoint: str, number: int, planned: Planned) -> None:
        self.settings: Mapping[str, Any] = planned["variant"]
        self.name: str = self.settings["VariantName"]
        self.weight = 0.0
        self.credit = 0.0
        self.calls = 0
        stream = f"{self.name}/i-{secrets.token_hex(8)}"
        serving = Serving(
            title=f"production variant {self.name}",
            log_hint="endpoint",
            root=context.workspace.endpoints / endpoint / f"{number}-{self.name}",
            log=LogStream(context.services, log_group(endpoint), stream),
            definition=planned["definition"],
            startup=self.settings.get("ContainerStartupHealthCheckTimeoutInSeconds", _HEALTH_TIMEOUT),
        )
        self.container = ServingContainer(context, serving)

    @property
    def limit(self) -> int | None:
        """How many calls it takes at a time; None for any number."""
        serverless = self.settings.get("ServerlessConfig")
        return serverless["MaxConcurrency"] if serverless else None


class Deployment:
    """The running variants of one endpoint configuration."""

    def __init__(
        self,
        context: Context,
        endpoint: str,
        number: int,
        variants: list[Planned],
        on_change: Callable[[Deployment, str | None], None],
    ) -> None:
        """``on_change(deployment, None)`` is called when all variants serve for the first time,
        ``on_change(deployment, reason)`` when one cannot."""
        self.endpoint = endpoint
        self._variants = {p["variant"]["VariantName"]: Variant(context, endpoint, number, p) for p in variants}
        self._on_change = on_change
        self._changed = threading.Condition()
        self._waiting = set(self._variants)

    def start(self) -> None:
        for variant in self._variants.values():
            variant.container.start(lambda reason, name=variant.name: self._report(name, reason))  # type: ignore[misc]

    def _report(self, name: str, reason: str | None) -> None:
        with self._changed:
            first = name in self._waiting and reason is None
            self._waiting.discard(name)
            ready = first and not self._waiting
        if ready or reason is not None:
            self._on_change(self, reason)

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Set the variants' weights."""
        with self._changed:
            for name, variant in self._variants.items():
                variant.weight, variant.credit = weights[name], 0.0

    def take(self, target: str | None) -> Variant:
        """A variant for one call, which counts as in hand until `release`.

        Without a ``target`` the variants take turns in proportion to their weights. Raises AwsError.
        """
        with self._changed:
            variant = self._next() if target is None else self._variants.get(target)
            if variant is None:
                raise AwsError("ValidationError", f"Endpoint {self.endpoint} has no production variant {target}.")
            if variant.limit is not None and variant.calls >= variant.limit:
                raise AwsError("ThrottlingException", f"Rate exceeded: MaxConcurrency is {variant.limit}.")
            variant.calls += 1
            return variant

    def _next(self) -> Variant:
        """Smooth weighted round robin: everyone gains its weight, the richest serves and pays the sum."""
        variants = list(self._variants.values())
        for variant in variants:
            variant.credit += variant.weight
        chosen = max(variants, key=lambda variant: (variant.weight > 0, variant.credit))
        chosen.credit -= sum(variant.weight for variant in variants)
        return chosen

    def release(self, variant: Variant) -> None:
        with self._changed:
            variant.calls -= 1
            self._changed.notify_all()

    @contextmanager
    def call(self, variant: Variant) -> Iterator[None]:
        """The rest of a call that was taken."""
        try:
            yield
        finally:
            self.release(variant)

    def request_stop(self) -> None:
        """Let the processes end."""
        for variant in self._variants.values():
            variant.container.request_stop()

    def stop(self, *, drain: bool = False) -> None:
        """End the processes and wait for them; with ``drain`` only after the calls in hand."""
        if drain:
            with self._changed:
                self._changed.wait_for(lambda: not any(v.calls for v in self._variants.values()), _DRAIN_TIMEOUT)
        self.request_stop()
        for variant in self._variants.values():
            variant.container.stop()
