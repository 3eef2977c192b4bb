"""What a client knows of its objects: what was acknowledged, and what was under way when the server died."""

import random
import threading
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError
from contract.cloud import Cloud

KEYS = 12  # of each uploader, so that most uploads replace an object


class Objects:
    """One client's objects under a prefix of its own: written, replaced, deleted, in parts too."""

    def __init__(self, prefix: str, seed: int) -> None:
        self._prefix, self._random = prefix, random.Random(seed)
        self._known: dict[str, bytes | None] = {}
        self._under_way: dict[str, bytes | None] = {}

    def work(self, cloud: Cloud, stop: threading.Event) -> None:
        """Change objects until ``stop`` is set or the server is gone."""
        while not stop.is_set():
            key = f"{self._prefix}/{self._random.randrange(KEYS)}"
            body, change = self._change(cloud, key)
            self._under_way = {key: body}
            try:
                change()
            except (BotoCoreError, ClientError, OSError):
                return
            self._known[key], self._under_way = body, {}

    def _change(self, cloud: Cloud, key: str) -> tuple[bytes | None, Callable[[], object]]:
        chance = self._random.random()
        if chance < 0.15:
            return None, lambda: cloud.s3.delete_object(Bucket=cloud.bucket, Key=key)
        body = self._random.randbytes(self._random.choice([0, 10, 5_000, 160_000]))
        if chance < 0.25:
            return body, lambda: _in_parts(cloud, key, body)
        if chance < 0.35:
            return body, lambda: cloud.s3.put_object(Bucket=cloud.bucket, Key=key, Body=body, Tagging="a=b")
        return body, lambda: cloud.s3.put_object(Bucket=cloud.bucket, Key=key, Body=body)

    def check(self, cloud: Cloud) -> int:
        """Raise AssertionError unless every object is as the client was told; how many there are."""
        pages = cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=cloud.bucket, Prefix=f"{self._prefix}/")
        listed = {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}
        for key in {*self._known, *self._under_way, *listed}:
            there = _read(cloud, key)
            allowed = [self._known.get(key), *([self._under_way[key]] if key in self._under_way else [])]
            assert there in allowed, f"{key}: {_shown(there)} instead of {' or '.join(map(_shown, allowed))}"
            assert listed.get(key) == (None if there is None else len(there)), f"{key} is listed as {listed.get(key)}"
            self._known[key] = there
        self._under_way = {}
        return len(listed)


def _in_parts(cloud: Cloud, key: str, body: bytes) -> None:
    about = {"Bucket": cloud.bucket, "Key": key}
    upload = {**about, "UploadId": cloud.s3.create_multipart_upload(**about)["UploadId"]}
    etag = cloud.s3.upload_part(**upload, PartNumber=1, Body=body)["ETag"]
    cloud.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})


def _read(cloud: Cloud, key: str) -> bytes | None:
    try:
        return cloud.s3.get_object(Bucket=cloud.bucket, Key=key)["Body"].read()
    except cloud.s3.exceptions.NoSuchKey:
        return None


def _shown(body: bytes | None) -> str:
    return "nothing" if body is None else f"{len(body)} bytes {body[:4].hex()}"
