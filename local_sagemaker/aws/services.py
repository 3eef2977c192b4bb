"""moto's S3, IAM, STS, ECR, Logs and CloudWatch in this process: loaded in the background, seeded, then served."""

from __future__ import annotations

import json
import threading
import uuid
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

from local_sagemaker.aws.journal import SERVICES, Journal
from local_sagemaker.errors import AwsError
from local_sagemaker.workspace import ACCOUNT_ID, ROLE_NAME, Workspace

if TYPE_CHECKING:
    from http.client import HTTPMessage
    from pathlib import Path

    from local_sagemaker.aws.s3.index import Index
    from local_sagemaker.aws.s3.requests import ObjectRequests

_BACKENDS = {"s3": "s3", "iam": "iam", "sts": "sts", "ecr": "ecr", "logs": "logs", "monitoring": "cloudwatch"}
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


class AwsServices:
    """The services beside SageMaker. Every access waits until moto is loaded."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._region = workspace.credentials.region
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._index: Index | None = None
        self._objects: ObjectRequests | None = None
        self._journal = Journal(workspace.root / "aws.jsonl", self._region)
        self._apps: dict[str, Any] = {}
        self._first_use = threading.Lock()

    def load(self) -> None:
        """Import moto, read the objects' index, seed role and bucket. Slow: call it in a thread."""
        try:
            self._load()
        except BaseException as error:
            self._failure = error
            raise
        finally:
            self._ready.set()

    def _load(self) -> None:
        from local_sagemaker.aws.s3.index import Index
        from local_sagemaker.aws.s3.keys import install
        from local_sagemaker.aws.s3.requests import ObjectRequests

        blobs = install(self._workspace.objects)
        self._index = Index(self._workspace.objects / "index.sqlite", self._s3, blobs)
        orphans = self._index.load()
        self._objects = ObjectRequests(self._s3, self._index, blobs)
        threading.Thread(target=_remove, args=(orphans,), name="orphans", daemon=True).start()
        bucket = self._workspace.bucket
        if bucket not in self._s3.buckets:
            self._s3.create_bucket(bucket, self._region)
            self._index.save()
        self._iam.create_role(ROLE_NAME, json.dumps(_TRUST), "/", None, "Role of local jobs", [], "3600")
        self._journal.replay(self._app)

    def wait(self) -> None:
        """Wait until moto is loaded; raises AwsError when it could not be."""
        self._ready.wait()
        if self._failure is not None:
            raise AwsError("InternalFailure", f"The AWS services did not start: {self._failure}", 500)

    @cached_property
    def _s3(self) -> Any:
        from moto.s3.models import s3_backends

        return s3_backends[ACCOUNT_ID]["aws"]

    @cached_property
    def _iam(self) -> Any:
        from moto.iam.models import iam_backends

        return iam_backends[ACCOUNT_ID]["aws"]

    @property
    def s3(self) -> Any:
        self.wait()
        return self._s3

    @property
    def logs(self) -> Any:
        """moto's CloudWatch Logs, with the streams of earlier servers."""
        self.wait()
        with self._first_use:
            return self._logs

    @cached_property
    def _logs(self) -> Any:
        from moto.logs.models import logs_backends

        from local_sagemaker.aws.logs import install

        backend = logs_backends[ACCOUNT_ID][self._region]
        install(backend, self._workspace.logs)
        return backend

    @property
    def cloudwatch(self) -> Any:
        """moto's CloudWatch, with the metrics of earlier servers."""
        self.wait()
        with self._first_use:
            return self._cloudwatch

    @cached_property
    def _cloudwatch(self) -> Any:
        from moto.cloudwatch.models import cloudwatch_backends

        from local_sagemaker.aws.metrics import Metrics

        backend = cloudwatch_backends[ACCOUNT_ID][self._region]
        Metrics(backend, self._workspace.logs / "metrics.sqlite")
        return backend

    def has_role(self, arn: str) -> bool:
        """Whether the role exists in this account's IAM."""
        self.wait()
        return any(role.arn == arn for role in self._iam.get_roles())

    def respond_object(self, request: Request, headers: HTTPMessage, sha256: str | None) -> Response | None:
        """Answer a verified request to S3 that moves an object; None where it is `respond`'s to answer."""
        self.wait()
        assert self._objects is not None
        return self._objects.respond(request, headers, sha256)

    def place_object(self, bucket: Any, name: str, path: Path) -> None:
        """Make the file ``path``, which is taken away, the object ``name`` of moto's ``bucket``. Raises OSError."""
        from local_sagemaker.aws.s3.keys import DiskKey

        self.wait()
        assert self._index is not None
        versioned = bucket.is_versioned
        version = str(uuid.uuid4()) if versioned else "null"
        key = DiskKey.of(bucket, name, _version_id=version, _is_versioned=versioned)
        key.adopt(path)
        if bucket.versioning_status is None:
            self._index.place(bucket, name, key)
        else:
            earlier = bucket.keys.getlist(name, [])
            bucket.keys.setlist(name, [*earlier, key] if versioned else key)
            self._index.save()

    def save_objects(self, bucket: str | None = None, key: str | None = None) -> None:
        """Make changes to S3 durable (see `Index.save`)."""
        self.wait()
        assert self._index is not None
        self._index.save(bucket, key)

    def respond(self, service: str, request: Request, headers: HTTPMessage, body: bytes) -> Response:
        """Answer a verified request for ``service`` (a signing name); moto reads the body from the environment."""
        if service not in _BACKENDS:
            raise AwsError("UnknownService", f"The service {service} is not emulated locally.", 400)
        self.wait()
        if service == "iam" and b"Action=SimulatePrincipalPolicy" in body:
            return self._simulate_policy(parse_qs(body.decode()))
        _keep_underscores(request.environ, headers)
        if service in ("logs", "monitoring"):
            _ = self.logs if service == "logs" else self.cloudwatch  # before moto answers from its memory
        response = Response.from_app(self._app(_BACKENDS[service]), request.environ)
        if service in SERVICES and response.status_code < 300:
            self._journal.add(service, request.headers, body)
        if service == "s3" and request.method in ("PUT", "POST", "DELETE"):
            bucket, _, key = request.path.lstrip("/").partition("/")
            self.save_objects(bucket, key)
        return response

    def _app(self, backend: str) -> Any:
        from moto.moto_server import werkzeug_app

        if backend not in self._apps:
            werkzeug_app.DISABLE_GLOBAL_CORS = True  # else any web page may read the answers
            create: Any = werkzeug_app.create_backend_app
            app = self._apps[backend] = create(backend)
            app.config["PROPAGATE_EXCEPTIONS"] = True  # a full disk is ours to tell
        return self._apps[backend]

    def _simulate_policy(self, form: dict[str, list[str]]) -> Response:
        """iam:SimulatePrincipalPolicy, which moto lacks: a role that exists may do everything here."""
        arn = form.get("PolicySourceArn", [""])[0]
        if not self.has_role(arn):
            raise AwsError("NoSuchEntity", f"The role {arn} cannot be found.", 404)
        actions = [values[0] for name, values in form.items() if name.startswith("ActionNames.member.")]
        members = "".join(
            f"<member><EvalActionName>{escape(action)}</EvalActionName><EvalResourceName>*</EvalResourceName>"
            "<EvalDecision>allowed</EvalDecision></member>"
            for action in actions
        )
        body = (
            '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
            "<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated>"
            f"<EvaluationResults>{members}</EvaluationResults></SimulatePrincipalPolicyResult>"
            "</SimulatePrincipalPolicyResponse>"
        )
        return Response(body, content_type="text/xml")


def _remove(paths: set[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _keep_underscores(environ: dict[str, Any], headers: HTTPMessage) -> None:
    """Hand moto the header names that hold an underscore (S3 metadata); WSGI has no room for them."""
    from moto.core.request import (
        PRESERVED_HEADER_NAMES_ENVIRON_KEY,
        environ_key_for_header,
        should_preserve_original_header_name,
    )

    names = {environ_key_for_header(n): n for n in headers if should_preserve_original_header_name(n)}
    for key, name in names.items():
        environ.setdefault(key, ",".join(headers.get_all(name, [])))
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = names
