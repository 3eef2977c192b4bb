"""A model server with the standard library alone; the request's body says how it behaves."""

import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BASE = Path(os.environ["SAGEMAKER_BASE_DIR"])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def answer(self, status, body, content_type="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(500 if os.environ.get("UNHEALTHY") else 200, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"crash":
            os._exit(1)
        if body == b"bad":
            self.answer(400, b"bad input")
        elif body == b"broken":
            self.answer(500, b"broken model")
        elif body == b"model":
            files = sorted(str(p.relative_to(BASE / "model")) for p in (BASE / "model").rglob("*"))
            self.answer(200, json.dumps({"files": files, "environ": dict(os.environ)}).encode())
        else:
            if body.startswith(b"sleep "):
                time.sleep(float(body[6:]))
            self.answer(200, body, self.headers.get("Content-Type", "text/plain"))

    def log_message(self, *arguments):
        print("served", flush=True)


print("serving", flush=True)
ThreadingHTTPServer(
    (os.environ["SAGEMAKER_BIND_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler
).serve_forever()
