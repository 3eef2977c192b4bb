"""A model server with the standard library alone; the request's body, or the environment, says how it behaves."""

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BASE = Path(os.environ["SAGEMAKER_BASE_DIR"])
REFUSED = os.environ.get("REFUSE", "").encode()
busy, most, failures = 0, 0, int(os.environ.get("FAIL_FIRST", 0))
lock = threading.Lock()


def numbered(body):
    """The length of each line's text, on lines of their own."""
    return "".join(f"{len(line.rstrip())}\n" for line in body.decode().splitlines()).encode()


def scored(body):
    """A JSON object for each line that is one."""
    lines = [json.loads(line) for line in body.decode().splitlines()]
    return "".join(
        json.dumps({"score": len(line) if hasattr(line, "__len__") else line}) + "\n" for line in lines
    ).encode()


def unhealthy():
    until = os.environ.get("UNHEALTHY_UNTIL")
    return os.environ.get("UNHEALTHY") or (until and not Path(until).exists())


MODELS = {"numbered": numbered, "scored": scored, "constant": lambda body: b"0.5", "echo": lambda body: body}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def answer(self, status, body, content_type="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if attributes := self.headers.get("X-Amzn-SageMaker-Custom-Attributes"):
            self.send_header("X-Amzn-SageMaker-Custom-Attributes", f"saw {attributes}")
        self.end_headers()
        self.wfile.write(body)

    def stream(self, parts):
        """An answer in parts that come one by one; a negative number of them breaks off."""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(abs(parts)):
            text = f"part {number};".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
            self.wfile.flush()
            time.sleep(0.05)
        if parts < 0:
            self.close_connection = True
            self.connection.close()
        else:
            self.wfile.write(b"0\r\n\r\n")

    def do_GET(self):
        if self.path == "/execution-parameters":
            parameters = os.environ.get("EXECUTION_PARAMETERS")
            self.answer(200 if parameters else 404, (parameters or "").encode())
        else:
            self.answer(500 if unhealthy() else 200, b"")

    def do_POST(self):
        global busy, most
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with lock:
            busy += 1
            most = max(most, busy)
        try:
            self.act(body)
        finally:
            with lock:
                busy -= 1

    def act(self, body):
        global failures
        failures -= 1
        if body == b"crash":
            os._exit(1)
        if body == b"bad" or (REFUSED and REFUSED in body):
            self.answer(400, b"bad input")
        elif body == b"broken" or failures >= 0:
            self.answer(500, b"broken model")
        elif body == b"model":
            files = sorted(str(p.relative_to(BASE / "model")) for p in (BASE / "model").rglob("*"))
            self.answer(200, json.dumps({"files": files, "environ": dict(os.environ)}).encode())
        elif body == b"headers":
            self.answer(200, json.dumps(dict(self.headers)).encode())
        elif body == b"most":
            self.answer(200, str(most).encode())
        elif body.startswith(b"stream "):
            self.stream(int(body[7:]))
        else:
            if body.startswith(b"sleep "):
                time.sleep(float(body[6:]))
            time.sleep(float(os.environ.get("SLOW", 0)))
            answer = MODELS[os.environ.get("MODEL", "echo")](body)
            self.answer(200, answer, os.environ.get("ANSWERS", self.headers.get("Content-Type", "text/plain")))

    def log_message(self, *arguments):
        print("served", flush=True)


if "EXIT" in os.environ:
    sys.exit(int(os.environ["EXIT"]))
print("serving", flush=True)
ThreadingHTTPServer(
    (os.environ["SAGEMAKER_BIND_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler
).serve_forever()
