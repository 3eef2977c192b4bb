"""Real-time endpoints that never outlive their block."""

import io
import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image
from tqdm.auto import tqdm

from lab_utils.dataset import DetectionDataset
from lab_utils.errors import DataError, LabError
from lab_utils.responses import detections
from lab_utils.session import LabSession

MAX_PAYLOAD = 6 * 1024 * 1024  # bytes: SageMaker's limit for a real-time request
COLUMNS = ["image_id", "class_id", "score", "xmin", "ymin", "width", "height"]


class EndpointError(LabError):
    """An endpoint did not start."""


@dataclass(frozen=True)
class Detector:
    """A detector behind an endpoint.

    Attributes:
        name: name of the endpoint.
        runtime: boto3 client of `sagemaker-runtime`.
    """

    name: str
    runtime: Any

    def predict(self, image: str | Path | bytes) -> pd.DataFrame:
        """Detect objects in one image.

        Args:
            image: path or content of a JPEG or PNG file.

        Returns:
            One row a detection, best first: `class_id`, `score`, and `xmin`, `ymin`, `width`, `height` in pixels of
            the image as given (origin top left).

        Raises:
            DataError: the file is larger than an endpoint takes.
        """
        body = image if isinstance(image, bytes) else Path(image).read_bytes()
        if len(body) > MAX_PAYLOAD:
            what = "the image" if isinstance(image, bytes) else str(image)
            raise DataError(
                f"{what} has {len(body):,} bytes, an endpoint takes {MAX_PAYLOAD:,}: "
                "save it as JPEG, make it smaller, or use batch transform"
            )
        kind = "image/png" if body.startswith(b"\x89PNG") else "image/jpeg"
        reply = self.runtime.invoke_endpoint(EndpointName=self.name, ContentType=kind, Body=body)
        return detections(json.load(reply["Body"]), lambda: _size(body))

    def predict_dataset(self, dataset: DetectionDataset, *, threads: int = 2) -> pd.DataFrame:
        """Detect objects in all images of a data set; the columns of `predict` and `image_id`."""
        ids = dataset.images["image_id"].tolist()
        with ThreadPoolExecutor(threads) as pool:
            frames = pool.map(lambda i: self.predict(dataset.image_path(i)).assign(image_id=i), ids)
            found = list(tqdm(frames, total=len(ids), desc="predict", unit="image", leave=False))
        return pd.concat(found, ignore_index=True)[COLUMNS]


def latency(detectors: Mapping[str, Detector], dataset: DetectionDataset, *, n: int = 30) -> pd.DataFrame:
    """Time single requests to several endpoints, by turns: whatever else the machine does slows all of them.

    Args:
        detectors: name -> detector.
        dataset: its first `n` images are sent, one after the other; the first once more before, untimed.

    Returns:
        Milliseconds from the request to the detections as a table: one row an image, one column a detector.
    """
    bodies = [dataset.image_path(image_id).read_bytes() for image_id in dataset.images["image_id"].head(n)]
    for detector in detectors.values():
        detector.predict(bodies[0])
    return pd.DataFrame([{name: _milliseconds(d, body) for name, d in detectors.items()} for body in bodies])


def _milliseconds(detector: Detector, body: bytes) -> float:
    start = time.perf_counter()
    detector.predict(body)
    return 1000 * (time.perf_counter() - start)


def _size(image: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(image)) as opened:
        return opened.size


@contextmanager
def register(
    lab: LabSession,
    image_uri: str,
    model_data: str,
    *,
    name: str = "detector",
    environment: dict[str, str] | None = None,
) -> Iterator[str]:
    """Register a model (image and weights) for the length of a `with` block, which gets its name.

    Args:
        lab: the session.
        image_uri: the image that serves.
        model_data: S3 URI of `model.tar.gz`.
        name: what the model is called, after the session's prefix.
        environment: environment of the serving program.
    """
    client = lab.client("sagemaker")
    name = f"{lab.named(name)}-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() // 1_000_000 % 1000:03d}"
    container = {"Image": image_uri, "ModelDataUrl": model_data, "Environment": environment or {}}
    client.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=lab.role)
    try:
        yield name
    finally:
        client.delete_model(ModelName=name)


@contextmanager
def deploy(
    lab: LabSession,
    image_uri: str,
    model_data: str,
    *,
    name: str = "detector",
    instance_type: str = "ml.m5.xlarge",
    environment: dict[str, str] | None = None,
    timeout: float = 900,
) -> Iterator[Detector]:
    """Host a model for the length of a `with` block; endpoint, configuration and model are deleted in any case.

    Args:
        lab: the session.
        image_uri: the image that serves.
        model_data: S3 URI of `model.tar.gz`.
        name: what the three resources are called, after the session's prefix.
        instance_type: instance of the endpoint. On AWS it costs money while the block runs.
        environment: environment of the serving program.
        timeout: seconds to wait until the endpoint is in service.

    Raises:
        EndpointError: the endpoint failed or did not start in time.
    """
    client = lab.client("sagemaker")
    with (
        register(lab, image_uri, model_data, name=name, environment=environment) as name,
        ExitStack() as clean_up,
    ):
        variant = {
            "VariantName": "all",
            "ModelName": name,
            "InstanceType": instance_type,
            "InitialInstanceCount": 1,
        }
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        clean_up.callback(client.delete_endpoint_config, EndpointConfigName=name)
        client.create_endpoint(EndpointName=name, EndpointConfigName=name)
        poll = 0.2 if lab.backend == "local" else 10
        clean_up.callback(delete_endpoint, client, name, poll)
        _wait(client, name, timeout, poll)
        yield Detector(name, lab.client("sagemaker-runtime"))


def delete_endpoint(client: Any, name: str, poll: float = 1) -> None:
    """Delete an endpoint and wait until it is gone; `poll` is the seconds between two looks.

    SageMaker refuses to delete an endpoint that is being created or updated, so that is waited for.
    """
    while client.describe_endpoint(EndpointName=name)["EndpointStatus"] in ("Creating", "Updating"):
        time.sleep(poll)
    client.delete_endpoint(EndpointName=name)
    client.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig={"Delay": poll, "MaxAttempts": 600})


def _wait(client: Any, name: str, timeout: float, poll: float) -> None:
    end = time.monotonic() + timeout
    with tqdm(desc="endpoint", unit="s", leave=False, bar_format="{desc} {elapsed}") as bar:
        while (seen := client.describe_endpoint(EndpointName=name))["EndpointStatus"] == "Creating":
            if time.monotonic() > end:
                raise EndpointError(f"endpoint {name} is not in service after {timeout:.0f} s")
            time.sleep(poll)
            bar.update()
    if seen["EndpointStatus"] != "InService":
        raise EndpointError(f"endpoint {name} {seen['EndpointStatus']}: {seen.get('FailureReason', 'no reason given')}")
