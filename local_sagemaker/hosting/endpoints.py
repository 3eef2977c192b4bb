"""The endpoints of this server: started, updated, revived after a restart, deleted."""

from __future__ import annotations

import threading
from typing import Any

from local_sagemaker.api.context import Context, now_seconds
from local_sagemaker.errors import AwsError
from local_sagemaker.hosting.deployment import Deployment, Variant
from local_sagemaker.store import Record
from local_sagemaker.workspace import ACCOUNT_ID

KIND = "Endpoint"


def not_found(name: str) -> AwsError:
    return AwsError("ValidationError", f"Endpoint {name} of account {ACCOUNT_ID} not found.")


def weights(record: Record) -> dict[str, float]:
    """The weights of an endpoint's production variants by name."""
    return {summary["VariantName"]: summary["CurrentWeight"] for summary in record["ProductionVariants"]}


class Endpoints:
    """Running deployments by endpoint name.

    An endpoint's record holds what its deployments are made of: ``_variants`` and ``_number`` of the present one,
    ``_pending`` (the members that will replace the present ones) of the one that an update brings.
    """

    def __init__(self, context: Context) -> None:
        self._context, self._store = context, context.store
        self._lock = threading.RLock()
        self._current: dict[str, Deployment] = {}
        self._pending: dict[str, Deployment] = {}
        self._retired: set[Deployment] = set()
        self._closing = False

    def recover(self) -> None:
        """After a restart: endpoints in service are revived by their first call, what was in progress goes on."""
        for record in self._store.all(KIND):
            name, status = record["EndpointName"], record["EndpointStatus"]
            if status == "Creating":
                self.start(name)
            elif status == "Updating":
                self.update(name)
            elif status == "Deleting":
                self._store.delete(KIND, name)

    def start(self, name: str) -> None:
        """Start the containers of an endpoint, unless they run. Raises AwsError for one that is not there."""
        with self._lock:
            record = self._store.get(KIND, name)
            if self._closing or record is None or record["EndpointStatus"] in ("Deleting", "Failed"):
                raise not_found(name)
            if name not in self._current:
                self._current[name] = self._deploy(record, record)

    def take(self, name: str, target: str | None) -> tuple[Deployment, Variant]:
        """The variant for one call, started unless it runs; the caller releases it. Raises AwsError."""
        with self._lock:
            self.start(name)
            deployment = self._current[name]
            return deployment, deployment.take(target)

    def update(self, name: str) -> None:
        """Go on with the update that the endpoint's record holds: new containers, or other weights only."""
        with self._lock:
            record = self._store.get(KIND, name)
            if self._closing or record is None:
                return
            if "_variants" in record["_pending"]:
                self._pending[name] = self._deploy(record, record["_pending"])
                return
        threading.Thread(target=self._reweigh, args=(name,), name=f"update {name}", daemon=True).start()

    def _deploy(self, record: Record, plan: Record) -> Deployment:
        name = record["EndpointName"]
        deployment = Deployment(self._context, name, plan["_number"], plan["_variants"], self._changed)
        deployment.weigh(weights(plan))
        deployment.start()
        return deployment

    def close(self) -> None:
        """The server ends: containers stop, their endpoints stay as they are for the next server."""
        with self._lock:
            self._closing = True
            for deployment in (*self._current.values(), *self._pending.values(), *self._retired):
                deployment.request_stop()

    def join(self, timeout: float) -> None:
        """Nothing to wait for: the containers' processes are gone, and their records stay as they are."""

    def delete(self, name: str) -> None:
        """End the endpoint's processes; its record goes when they are gone."""
        self._store.update(KIND, name, EndpointStatus="Deleting", LastModifiedTime=now_seconds())
        threading.Thread(target=self._delete, args=(name,), name=f"delete {name}", daemon=True).start()

    def _delete(self, name: str) -> None:
        with self._lock:
            deployment = self._current.pop(name, None)
        if deployment is not None:
            deployment.stop()
        self._store.delete(KIND, name)

    def _changed(self, deployment: Deployment, failure: str | None) -> None:
        """A deployment serves, or cannot."""
        name = deployment.endpoint
        with self._lock:
            if self._closing:
                return
            if self._pending.get(name) is deployment:
                self._settle(name, deployment, failure)
            elif self._current.get(name) is deployment:
                self._store.change(KIND, name, lambda record: _outcome(record, failure))
                if failure is not None:
                    deployment.request_stop()

    def _settle(self, name: str, deployment: Deployment, failure: str | None) -> None:
        """End an update: one of the two deployments stays, the other one ends when its calls have."""
        del self._pending[name]
        self._store.change(KIND, name, lambda record: _updated(record, failure))
        retired: Deployment | None = deployment
        if failure is None:
            retired = self._current.get(name)
            self._current[name] = deployment
        if retired is not None:
            self._retired.add(retired)
            threading.Thread(target=self._retire, args=(retired,), name=f"drain {name}", daemon=True).start()

    def _retire(self, deployment: Deployment) -> None:
        deployment.stop(drain=True)
        with self._lock:
            self._retired.discard(deployment)

    def _reweigh(self, name: str) -> None:
        with self._lock:
            record = self._store.change(KIND, name, lambda record: _updated(record, None))
            if record is not None and name in self._current:
                self._current[name].weigh(weights(record))


def _outcome(record: Record, failure: str | None) -> Record | None:
    """The members that change when an endpoint's present deployment serves or cannot."""
    changing = ("Creating",) if failure is None else ("Creating", "InService")
    if record["EndpointStatus"] not in changing:
        return None
    reason = {} if failure is None else {"FailureReason": failure[:1024]}
    status = "InService" if failure is None else "Failed"
    return {"EndpointStatus": status, "LastModifiedTime": now_seconds(), **reason}


def _updated(record: Record, failure: str | None) -> dict[str, Any]:
    """The members that change when an update ends: the new ones, or why the old ones stay."""
    news = {"FailureReason": failure[:1024]} if failure is not None else record["_pending"]
    settled = {"_pending": None, "PendingDeploymentSummary": None, "LastModifiedTime": now_seconds()}
    return {**news, **settled, "EndpointStatus": "InService"}
