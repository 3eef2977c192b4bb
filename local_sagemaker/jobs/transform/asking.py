"""How a transform job asks its program about one payload."""

from __future__ import annotations

import threading

import urllib3

from local_sagemaker.hosting.container import ServingContainer
from local_sagemaker.hosting.program import ContainerFailure, send
from local_sagemaker.jobs.transform.files import Answer, Payload
from local_sagemaker.store import Record

_TIMEOUT, _RETRIES = 600, 3  # AWS's defaults of ModelClientConfig


class AnswerError(Exception):
    """The program did not answer well. ``side`` is whose fault that is; ``lines`` go to the log, the first says why."""

    def __init__(self, side: str, *lines: str) -> None:
        super().__init__(lines[0])
        self.side, self.lines = side, lines


class Asker:
    """Asks the program of one job."""

    def __init__(self, container: ServingContainer, job: Record, stop: threading.Event) -> None:
        self._container, self._stop = container, stop
        config = job.get("ModelClientConfig", {})
        self._timeout: int = config.get("InvocationsTimeoutInSeconds", _TIMEOUT)
        self._retries: int = config.get("InvocationsMaxRetries", _RETRIES)
        given = {
            "Content-Type": job["TransformInput"].get("ContentType"),
            "Accept": job["TransformOutput"].get("Accept"),
        }
        self._headers = {name: value for name, value in given.items() if value}

    def ask(self, payload: Payload) -> Answer:
        """The program's answer, if need be after further tries; an answer 4xx stands. Raises AnswerError."""
        left = self._retries
        while True:
            try:
                return self._ask(payload)
            except AnswerError as error:
                if error.side == "ClientError" or not left or self._stop.is_set():
                    raise
            left -= 1

    def _ask(self, payload: Payload) -> Answer:
        try:
            answer = send(self._container, self._headers, payload.body, self._timeout)
        except urllib3.exceptions.TimeoutError as error:
            raise AnswerError("AlgorithmError", f"No answer from algorithm in {self._timeout} seconds") from error
        except (ContainerFailure, urllib3.exceptions.HTTPError) as error:
            raise AnswerError("AlgorithmError", f"Unable to get response from algorithm: {error}") from error
        if answer.status < 300:
            return Answer(answer.data, answer.headers.get("Content-Type"))
        text = answer.data.decode("utf-8", "replace")
        if 400 <= answer.status < 500:
            raise AnswerError("ClientError", f"ClientError: {answer.status}", "", "Message:", text)
        reason = f"Bad HTTP status received from algorithm: {answer.status}"
        raise AnswerError("AlgorithmError", reason, "", "Message:", text)
